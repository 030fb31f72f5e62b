//! `/api/v1/products`: the catalogue, each product at the price in force.
//!
//! The ETag is the product's version and the price it shows, so it also changes when another price
//! comes into force by time alone. A price depends on the store, and so does the ETag: a write takes
//! the same `store` parameter as the read whose ETag it sends.

mod body;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use jiff::Timestamp;
use sdk::problem::ProblemBody;
use sdk::{
    Context, Cursor, ETag, Idempotency, IfMatch, IfNoneMatch, Json, NoContent, NotModified, Page, PageParams, Path,
    Problem, Query, Reply, Result, WithETag,
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::events::{self, ARCHIVED, CHANGED, CREATED};
use super::{Editor, code_parameter, instant_parameter, invalid, invalid_cursor, invalid_parameter, not_found};
use crate::domain::price::{PriceDraft, check_amount};
use crate::domain::product::{Draft, Status};
use crate::domain::{Check, ProductId, StoreId};
use crate::store::products::list::{Filter, Position, Sort};
use crate::store::{prices, products};

pub(in crate::api) use body::product_body;
pub use body::{NewProduct, Product, ProductInput, ProductPatch};

/// How many products can be asked for by id.
const IDS_MAX: usize = 100;

/// What can be searched for, in characters.
const QUERY_MAX: usize = 100;

pub fn routes() -> Router<Context> {
    Router::new()
        .route("/api/v1/products", get(list).post(create))
        .route("/api/v1/products/{id}", get(read).put(replace).patch(change).delete(archive))
}

/// The order of a list.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
pub enum SortBy {
    /// Best match first; only with `q`, and then the default.
    #[serde(rename = "relevance")]
    Relevance,
    /// Without accents and case; the default without `q` and `ids`.
    #[serde(rename = "name")]
    Name,
    #[serde(rename = "-name")]
    NameDescending,
    /// What is in force in the `store`.
    #[serde(rename = "price")]
    Price,
    #[serde(rename = "-price")]
    PriceDescending,
    #[serde(rename = "updated_at")]
    UpdatedAt,
    /// The default with `ids`.
    #[serde(rename = "id")]
    Id,
}

impl From<SortBy> for Sort {
    fn from(sort: SortBy) -> Self {
        match sort {
            SortBy::Relevance => Self::Relevance,
            SortBy::Name => Self::Name,
            SortBy::NameDescending => Self::NameDescending,
            SortBy::Price => Self::Price,
            SortBy::PriceDescending => Self::PriceDescending,
            SortBy::UpdatedAt => Self::UpdatedAt,
            SortBy::Id => Self::Id,
        }
    }
}

/// Which products, in which order, and whose prices.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Words in any order, each a part of a name (French or English), the SKU or the barcode, without
    /// accents and case.
    #[param(max_length = 100, example = "cafe")]
    q: Option<String>,
    /// The code of a category; those below it are included.
    #[param(example = "beverages")]
    category: Option<String>,
    /// Up to 100 ids, separated by commas. Archived products are among the answer unless `status` is
    /// given; what does not exist is left out. The limit is their number, unless one is given.
    #[param(example = "1,2,3")]
    ids: Option<String>,
    #[param(example = "628501000376")]
    barcode: Option<String>,
    /// `active` if left out, but with `ids` any.
    status: Option<Status>,
    /// Written since then, or with another price in force.
    #[param(value_type = Option<String>, format = DateTime)]
    updated_since: Option<Timestamp>,
    /// The store whose prices are shown.
    store: Option<StoreId>,
    #[param(inline)]
    sort: Option<SortBy>,
    #[param(minimum = 1, maximum = 200, default = 20)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<Cursor>,
}

/// Whose price is shown.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct StoreQuery {
    /// The store whose price is shown, and which the ETag is for.
    pub(super) store: Option<StoreId>,
}

/// A [`ListQuery`] that makes sense.
struct Listing {
    filter: Filter,
    sort: Sort,
    page: PageParams,
    after: Option<Position>,
}

impl ListQuery {
    fn check(self) -> Result<Listing> {
        let ids = self.ids.as_deref().map(parse_ids).transpose()?;
        let q = self.q.map(searched).transpose()?.flatten();
        let sort = match self.sort {
            Some(SortBy::Relevance) if q.is_none() => {
                return Err(invalid_parameter("sort", "relevance needs a q to be relevant to"));
            }
            Some(sort) => sort.into(),
            None if q.is_some() => Sort::Relevance,
            None if ids.is_some() => Sort::Id,
            None => Sort::Name,
        };
        let limit = self.limit.or(ids.as_ref().map(|ids| ids.len().clamp(1, IDS_MAX) as u32));
        let page = PageParams::new(limit, self.after)?;
        let after = page.after::<Position>()?;
        if after.as_ref().is_some_and(|after| after.sort() != sort || !after.is_storable()) {
            return Err(invalid_cursor());
        }
        let status = self.status.or(ids.is_none().then_some(Status::Active));
        let filter = Filter {
            q,
            category: code_parameter("category", self.category)?,
            barcode: self.barcode.map(barcode).transpose()?,
            updated_since: instant_parameter("updated_since", self.updated_since)?,
            store: self.store,
            ids,
            status,
        };
        Ok(Listing { filter, sort, page, after })
    }
}

fn parse_ids(text: &str) -> Result<Vec<i64>> {
    let ids: Option<Vec<i64>> = text.split(',').filter(|id| !id.is_empty()).map(|id| id.trim().parse().ok()).collect();
    match ids {
        Some(ids) if ids.len() <= IDS_MAX => Ok(ids),
        Some(_) => Err(invalid_parameter("ids", "must be at most 100 ids")),
        None => Err(invalid_parameter("ids", "must be integers separated by commas")),
    }
}

/// What is searched for; nothing if there is no letter or digit in it, as an empty search box sends.
fn searched(q: String) -> Result<Option<String>> {
    if q.chars().count() > QUERY_MAX {
        return Err(invalid_parameter("q", "must be at most 100 characters"));
    }
    let q = q.replace(char::is_control, " ");
    Ok(q.contains(char::is_alphanumeric).then_some(q))
}

fn barcode(value: String) -> Result<String> {
    if (1..=14).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_digit()) {
        Ok(value)
    } else {
        Err(invalid_parameter("barcode", "must be up to 14 digits"))
    }
}

/// The products of a page
#[utoipa::path(
    get, path = "/api/v1/products", operation_id = "listProducts", tag = "products", params(ListQuery),
    responses((status = 200, description = "A page", body = Page<Product>)),
)]
pub(super) async fn list(State(context): State<Context>, Query(query): Query<ListQuery>) -> Result<Page<Product>> {
    let Listing { filter, sort, page, after } = query.check()?;
    let now = context.clock.now();
    let rows = products::list::list(&context.db, filter, sort, after, page.fetch_limit(), now).await?;
    let page = Page::new(rows, page.limit, |last| Cursor::encode(&last.position(sort)));
    Ok(page.map(|row| row.product.into()))
}

/// Create a product with its first price
#[utoipa::path(
    post, path = "/api/v1/products", operation_id = "createProduct", tag = "products", request_body = NewProduct,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless")),
    responses(
        (status = 201, description = "Created", body = Product, headers(
            ("Location" = String, description = "The product"),
            ("ETag" = String, description = "Its revision"),
        )),
        (status = 409, description = "`sku-taken`, `barcode-taken`, `idempotency-in-progress`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("key" = [])),
)]
pub(super) async fn create(
    _: Editor,
    State(context): State<Context>,
    idempotency: Idempotency,
    Json(body): Json<NewProduct>,
) -> Result<Reply> {
    let now = context.clock.now();
    let draft = &body.draft().check().map_err(invalid)?;
    let (context, first) = (&context, &PriceDraft::regular(body.price, now));
    let mut check = Check::default();
    check_amount(&mut check, "/price/amount", body.price);
    check.finish(()).map_err(invalid)?;
    idempotency
        .run(&context.db, &body, |tx| async move {
            let id = products::insert(&tx, draft, now).await?;
            prices::insert(&tx, id, first, now).await?;
            let product = events::tell(&tx, context, CREATED, id).await?;
            let etag = etag(&product);
            let location = format!("/api/v1/products/{id}");
            Ok(Reply::created(location, &Product::from(product)).etag(etag))
        })
        .await
}

/// One product, also an archived one
#[utoipa::path(
    get, path = "/api/v1/products/{id}", operation_id = "getProduct", tag = "products",
    params(
        ("id" = ProductId, Path, description = "The product"), StoreQuery,
        ("If-None-Match" = Option<String>, Header, description = "What the client has"),
    ),
    responses(
        (status = 200, description = "The product", body = Product,
            headers(("ETag" = String, description = "Its revision"))),
        (status = 304, description = "The client has it"),
    ),
)]
pub(super) async fn read(
    State(context): State<Context>,
    Path(id): Path<ProductId>,
    Query(query): Query<StoreQuery>,
    if_none_match: IfNoneMatch,
) -> Result<Response> {
    let product = products::get(&context.db, id, query.store, context.clock.now()).await?.ok_or_else(absent)?;
    let etag = etag(&product);
    if if_none_match.matches(&etag) {
        return Ok(NotModified(etag).into_response());
    }
    Ok(shown(product).into_response())
}

/// Replace a product
///
/// May be repeated with the same `If-Match` when the answer was lost: if the product is what the body
/// asks for, and the tag is the one just before, the answer is 200 and nothing is written.
#[utoipa::path(
    put, path = "/api/v1/products/{id}", operation_id = "replaceProduct", tag = "products", request_body = ProductInput,
    params(
        ("id" = ProductId, Path, description = "The product"), StoreQuery,
        ("If-Match" = String, Header, description = "The revision that is replaced"),
    ),
    responses(
        (status = 200, description = "The product as it is now", body = Product,
            headers(("ETag" = String, description = "Its revision"))),
        (status = 409, description = "`sku-taken`, `barcode-taken`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("key" = [])),
)]
pub(super) async fn replace(
    _: Editor,
    State(context): State<Context>,
    Path(id): Path<ProductId>,
    Query(query): Query<StoreQuery>,
    if_match: IfMatch,
    Json(body): Json<ProductInput>,
) -> Result<WithETag<Json<Product>>> {
    let now = context.clock.now();
    let (draft, if_match, context) = (&body.draft().check().map_err(invalid)?, &if_match, &context);
    let product = context
        .db
        .transaction(|tx| async move {
            let current = products::lock(&tx, id, query.store, now).await?.ok_or_else(absent)?;
            if let Err(stale) = if_match.check(&etag(&current)) {
                let before = ETag::strong(current.revision().predecessor());
                let repeated = if_match.check(&before).is_ok() && current.draft() == *draft;
                return if repeated { Ok(current) } else { Err(stale) };
            }
            products::update(&tx, id, draft, now).await?;
            events::tell(&tx, context, CHANGED, id).await?;
            products::get(&tx, id, query.store, now).await?.ok_or_else(vanished)
        })
        .await?;
    Ok(shown(product))
}

/// Change some members of a product
#[utoipa::path(
    patch, path = "/api/v1/products/{id}", operation_id = "changeProduct", tag = "products",
    request_body(content(
        (ProductPatch = "application/merge-patch+json"), (ProductPatch = "application/json"),
    )),
    params(
        ("id" = ProductId, Path, description = "The product"), StoreQuery,
        ("If-Match" = String, Header, description = "The revision that is changed"),
    ),
    responses(
        (status = 200, description = "The product as it is now", body = Product,
            headers(("ETag" = String, description = "Its revision"))),
        (status = 409, description = "`sku-taken`, `barcode-taken`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("key" = [])),
)]
pub(super) async fn change(
    _: Editor,
    State(context): State<Context>,
    Path(id): Path<ProductId>,
    Query(query): Query<StoreQuery>,
    if_match: IfMatch,
    Json(patch): Json<ProductPatch>,
) -> Result<WithETag<Json<Product>>> {
    let now = context.clock.now();
    let (patch, if_match, context) = (&patch, &if_match, &context);
    let product = context
        .db
        .transaction(|tx| async move {
            let current = products::lock(&tx, id, query.store, now).await?.ok_or_else(absent)?;
            if_match.check(&etag(&current))?;
            let draft = patch.clone().apply(current.draft()).check().map_err(invalid)?;
            products::update(&tx, id, &draft, now).await?;
            events::tell(&tx, context, CHANGED, id).await?;
            products::get(&tx, id, query.store, now).await?.ok_or_else(vanished)
        })
        .await?;
    Ok(shown(product))
}

/// Archive a product
///
/// It stays readable by its id. One that is archived already stays so, whatever `If-Match` says.
#[utoipa::path(
    delete, path = "/api/v1/products/{id}", operation_id = "archiveProduct", tag = "products",
    params(
        ("id" = ProductId, Path, description = "The product"), StoreQuery,
        ("If-Match" = String, Header, description = "The revision that is archived"),
    ),
    responses((status = 204, description = "Archived")),
    security(("key" = [])),
)]
pub(super) async fn archive(
    _: Editor,
    State(context): State<Context>,
    Path(id): Path<ProductId>,
    Query(query): Query<StoreQuery>,
    if_match: IfMatch,
) -> Result<NoContent> {
    let now = context.clock.now();
    let (if_match, context) = (&if_match, &context);
    context
        .db
        .transaction(|tx| async move {
            let current = products::lock(&tx, id, query.store, now).await?.ok_or_else(absent)?;
            if current.status == Status::Archived {
                return Ok(NoContent);
            }
            if_match.check(&etag(&current))?;
            let draft = Draft { status: Status::Archived, ..current.draft() };
            products::update(&tx, id, &draft, now).await?;
            events::tell(&tx, context, ARCHIVED, id).await?;
            Ok(NoContent)
        })
        .await
}

pub(super) fn etag(product: &products::Product) -> ETag {
    ETag::strong(product.revision())
}

fn shown(product: products::Product) -> WithETag<Json<Product>> {
    WithETag(etag(&product), Json(product.into()))
}

pub(super) fn absent() -> Problem {
    not_found("product-not-found").detail("there is no such product")
}

/// A row that this very transaction wrote.
pub(super) fn vanished() -> Problem {
    Problem::internal("a row that was just written is not there")
}
