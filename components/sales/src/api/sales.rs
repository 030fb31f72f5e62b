//! `/api/v1/sales`: sales are recorded, listed and shown.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use jiff::Timestamp;
use pricing::Money;
use sdk::idempotency::IDEMPOTENT_REPLAYED;
use sdk::problem::ProblemBody;
use sdk::{
    Context, Cursor, Idempotency, IfNoneMatch, Json, NoQuery, NotModified, Page, PageParams, Path, Query, Result,
    new_uuid_v7,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::access::{Reader, Teller};
use super::body::{SaleBody, tag};
use super::{no_cursor, sale_not_found, storable};
use crate::domain::draft::NewSale;
use crate::domain::sale::Dossier;
use crate::domain::{Channel, CustomerId, LocationId, OrderId, RegisterId, SaleId, SessionId, Status, is_storable};
use crate::selling::{Made, sell};
use crate::store;
use crate::store::list::{self, Filter, Position};

pub fn routes() -> Router<Context> {
    Router::new().route("/api/v1/sales", get(list).post(create)).route("/api/v1/sales/{id}", put(record).get(read))
}

/// Which sales.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    store: Option<LocationId>,
    register: Option<RegisterId>,
    session: Option<SessionId>,
    channel: Option<Channel>,
    status: Option<Status>,
    /// As it is printed on the receipt.
    #[param(example = "1-2-000042")]
    number: Option<String>,
    /// Whether something was charged that the catalogue does not say.
    price_differs: Option<bool>,
    /// Sold then or later.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Sold before then.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    #[param(minimum = 1, maximum = 200, default = 20)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<Cursor>,
}

/// A sale in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct SaleSummary {
    pub id: SaleId,
    #[schema(example = "1-2-000042")]
    pub number: String,
    pub channel: Channel,
    pub status: Status,
    #[schema(example = 1)]
    pub store_id: LocationId,
    #[schema(example = 12)]
    pub register_id: RegisterId,
    pub session_id: Option<SessionId>,
    #[schema(example = "Julie")]
    pub cashier: Option<String>,
    #[schema(example = 7)]
    pub customer_id: Option<CustomerId>,
    pub order_id: Option<OrderId>,
    pub offline: bool,
    pub price_differs: bool,
    /// Of all lines.
    #[schema(example = 3)]
    pub units: i64,
    pub total: Money,
    pub payable: Money,
    pub refunded: Money,
    #[schema(value_type = String, format = DateTime)]
    pub sold_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub recorded_at: Timestamp,
}

/// Record a sale under an id of the till's
///
/// Once for each id, however often it is sent: the same again is answered with the sale as it is. A connected sale is
/// at the prices of the catalogue; one that was made `offline` is recorded as it was charged. If its drawer has been
/// counted meanwhile, it is booked in a session of its own.
#[utoipa::path(
    put, path = "/api/v1/sales/{id}", operation_id = "recordSale", tag = "sales", request_body = NewSale,
    params(("id" = SaleId, Path, description = "A UUID that the till has made for it")),
    responses(
        (status = 201, description = "Recorded", body = SaleBody, headers(
            ("Location" = String, description = "The sale"),
            ("ETag" = String, description = "Its version"),
        )),
        (status = 200, description = "Recorded before", body = SaleBody,
            headers(("ETag" = String, description = "Its version"))),
        (status = 409, description = "`sale-differs`: the id stands for another sale; `price-changed`: `total` says \
            to what; `session-closed`", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("key" = [])),
)]
pub(super) async fn record(
    teller: Teller,
    State(context): State<Context>,
    Path(id): Path<SaleId>,
    Query(NoQuery {}): Query<NoQuery>,
    Json(new): Json<NewSale>,
) -> Result<Response> {
    let (dossier, made) = sell(&context, &teller, id, &new, None).await?;
    answer(dossier, if made == Made::Now { StatusCode::CREATED } else { StatusCode::OK })
}

/// Record a sale
///
/// As with an id of the till's, but for the key, which is required.
#[utoipa::path(
    post, path = "/api/v1/sales", operation_id = "createSale", tag = "sales", request_body = NewSale,
    params(("Idempotency-Key" = String, Header, description = "Required; a new one for each sale")),
    responses(
        (status = 201, description = "Recorded", body = SaleBody, headers(
            ("Location" = String, description = "The sale"),
            ("ETag" = String, description = "Its version"),
            ("Idempotent-Replayed" = Option<String>, description = "`true` if it was recorded before"),
        )),
        (status = 409, description = "`price-changed`: `total` says to what; `session-closed`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("key" = [])),
)]
pub(super) async fn create(
    teller: Teller,
    State(context): State<Context>,
    Query(NoQuery {}): Query<NoQuery>,
    idempotency: Idempotency,
    Json(new): Json<NewSale>,
) -> Result<Response> {
    let claim = idempotency.claim(&new)?;
    let id = new_uuid_v7(&context.clock).into();
    let (dossier, made) = sell(&context, &teller, id, &new, Some(&claim)).await?;
    let mut response = answer(dossier, StatusCode::CREATED)?;
    if made == Made::Before {
        response.headers_mut().insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}

pub(super) fn answer(dossier: Dossier, status: StatusCode) -> Result<Response> {
    let (tag, location) = (tag(&dossier.sale), format!("/api/v1/sales/{}", dossier.sale.id));
    let body = Json(SaleBody::of(dossier)?);
    Ok(match status {
        StatusCode::CREATED => (status, [(header::LOCATION, location)], tag, body).into_response(),
        _ => (status, tag, body).into_response(),
    })
}

/// Sales, the latest first
#[utoipa::path(
    get, path = "/api/v1/sales", operation_id = "listSales", tag = "sales", params(ListQuery),
    responses((status = 200, description = "A page of them", body = Page<SaleSummary>,
        headers(("Link" = String, description = "The next page")))),
    security(("key" = [])),
)]
pub(super) async fn list(
    _: Reader,
    State(context): State<Context>,
    Query(query): Query<ListQuery>,
) -> Result<Page<SaleSummary>> {
    storable([("from", query.from), ("to", query.to)])?;
    let page = PageParams::new(query.limit, query.after)?;
    let after: Option<Position> = page.after()?;
    if after.as_ref().is_some_and(|Position(at, _)| !is_storable(*at)) {
        return Err(no_cursor());
    }
    let filter = Filter {
        store: query.store,
        register: query.register,
        session: query.session,
        channel: query.channel,
        status: query.status,
        number: query.number,
        price_differs: query.price_differs,
        from: query.from,
        to: query.to,
    };
    let found = list::list(&context.db, &filter, after, page.fetch_limit()).await?;
    let place = |last: &list::Summary| Cursor::encode(&Position(last.sold_at, last.id));
    Ok(Page::new(found, page.limit, place).map(SaleSummary::from))
}

/// A sale
#[utoipa::path(
    get, path = "/api/v1/sales/{id}", operation_id = "getSale", tag = "sales",
    params(
        ("id" = SaleId, Path, description = "The sale"),
        ("If-None-Match" = Option<String>, Header, description = "What the client has"),
    ),
    responses(
        (status = 200, description = "The sale", body = SaleBody,
            headers(("ETag" = String, description = "Its version"))),
        (status = 304, description = "The client has it"),
    ),
    security(("key" = [])),
)]
pub(super) async fn read(
    _: Reader,
    State(context): State<Context>,
    Path(id): Path<SaleId>,
    if_none_match: IfNoneMatch,
    Query(NoQuery {}): Query<NoQuery>,
) -> Result<Response> {
    let dossier = store::get(&context.db, id).await?.ok_or_else(|| sale_not_found(id))?;
    let tag = tag(&dossier.sale);
    // Some of it may come back at any moment: asked for again each time.
    let private = [(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"))];
    if if_none_match.matches(&tag) {
        return Ok((private, NotModified(tag)).into_response());
    }
    Ok((private, answer(dossier, StatusCode::OK)?).into_response())
}

impl From<list::Summary> for SaleSummary {
    fn from(sale: list::Summary) -> SaleSummary {
        SaleSummary {
            id: sale.id,
            number: sale.number,
            channel: sale.channel,
            status: sale.status,
            store_id: sale.store_id,
            register_id: sale.register_id,
            session_id: sale.session_id,
            cashier: sale.cashier,
            customer_id: sale.customer_id,
            order_id: sale.order_id,
            offline: sale.offline,
            price_differs: sale.price_differs,
            units: sale.units,
            total: sale.total,
            payable: sale.payable,
            refunded: sale.refunded,
            sold_at: sale.sold_at,
            recorded_at: sale.recorded_at,
        }
    }
}
