//! `/api/v1/categories`: where products are found, as a tree.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use jiff::Timestamp;
use sdk::problem::{FieldError, ProblemBody};
use sdk::{Context, Cursor, Idempotency, Json, NoQuery, Page, PageParams, Path, Query, Reply, Result};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Editor, code_in_path, code_parameter, invalid, invalid_cursor, not_found};
use crate::domain::{self, Check};
use crate::store::categories;

pub fn routes() -> Router<Context> {
    Router::new().route("/api/v1/categories", get(list).post(create)).route("/api/v1/categories/{code}", get(read))
}

/// Where products are found.
#[derive(Debug, Serialize, ToSchema)]
pub struct Category {
    #[schema(example = "soft-drinks")]
    pub code: String,
    /// The code of the category above; none at the top.
    #[schema(example = "beverages")]
    pub parent: Option<String>,
    #[schema(example = "Soft drinks")]
    pub name_en: String,
    #[schema(example = "Boissons gazeuses")]
    pub name_fr: String,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

impl From<categories::Category> for Category {
    fn from(category: categories::Category) -> Self {
        Self {
            code: category.code,
            parent: category.parent,
            name_en: category.name_en,
            name_fr: category.name_fr,
            created_at: category.created_at,
        }
    }
}

/// A category to be created. Its code and its place never change.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCategory {
    /// Lower-case letters and digits in groups joined by single hyphens.
    #[schema(example = "craft-sodas", max_length = 50)]
    code: String,
    #[serde(default)]
    #[schema(example = "soft-drinks")]
    parent: Option<String>,
    #[schema(example = "Craft sodas", min_length = 1, max_length = 200)]
    name_en: String,
    #[schema(example = "Boissons artisanales", min_length = 1, max_length = 200)]
    name_fr: String,
}

impl NewCategory {
    fn check(&self, now: Timestamp) -> Result<categories::Category, Vec<FieldError>> {
        let mut check = Check::default();
        let category = categories::Category {
            code: check.code("/code", &self.code),
            parent: self.parent.as_ref().map(|parent| check.code("/parent", parent)),
            name_en: check.name("/name_en", &self.name_en),
            name_fr: check.name("/name_fr", &self.name_fr),
            created_at: now,
        };
        check.finish(category)
    }
}

/// Which categories.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Only those right below this one.
    #[param(example = "beverages")]
    parent: Option<String>,
    #[param(minimum = 1, maximum = 200, default = 20)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<Cursor>,
}

/// Categories, by code
#[utoipa::path(
    get, path = "/api/v1/categories", operation_id = "listCategories", tag = "categories", params(ListQuery),
    responses((status = 200, description = "A page", body = Page<Category>)),
)]
pub(super) async fn list(State(context): State<Context>, Query(query): Query<ListQuery>) -> Result<Page<Category>> {
    let page = PageParams::new(query.limit, query.after)?;
    let after = code_after(&page)?;
    let parent = code_parameter("parent", query.parent)?;
    let rows = categories::list(&context.db, parent.as_deref(), after.as_deref(), page.fetch_limit()).await?;
    Ok(Page::new(rows, page.limit, |last| Cursor::encode(&last.code)).map(Category::from))
}

/// Create a category
#[utoipa::path(
    post, path = "/api/v1/categories", operation_id = "createCategory", tag = "categories", request_body = NewCategory,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless")),
    responses(
        (status = 201, description = "Created", body = Category,
            headers(("Location" = String, description = "The category"))),
        (status = 409, description = "`category-exists`, `idempotency-in-progress`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("key" = [])),
)]
pub(super) async fn create(
    _: Editor,
    State(context): State<Context>,
    idempotency: Idempotency,
    Json(body): Json<NewCategory>,
) -> Result<Reply> {
    let category = &body.check(context.clock.now()).map_err(invalid)?;
    idempotency
        .run(&context.db, &body, |tx| async move {
            categories::insert(&tx, category).await?;
            let location = format!("/api/v1/categories/{}", category.code);
            Ok(Reply::created(location, &Category::from(category.clone())))
        })
        .await
}

/// One category
#[utoipa::path(
    get, path = "/api/v1/categories/{code}", operation_id = "getCategory", tag = "categories",
    params(("code" = String, Path, description = "The category")),
    responses((status = 200, description = "The category", body = Category)),
)]
pub(super) async fn read(
    State(context): State<Context>,
    Path(code): Path<String>,
    Query(NoQuery {}): Query<NoQuery>,
) -> Result<Json<Category>> {
    code_in_path(&code, "category-not-found")?;
    let category = categories::get(&context.db, &code).await?;
    let category = category.ok_or_else(|| not_found("category-not-found"))?;
    Ok(Json(category.into()))
}

/// The code that a page comes after, in a list by code.
pub(super) fn code_after(page: &PageParams) -> Result<Option<String>> {
    match page.after::<String>()? {
        Some(code) if !domain::is_code(&code) => Err(invalid_cursor()),
        code => Ok(code),
    }
}
