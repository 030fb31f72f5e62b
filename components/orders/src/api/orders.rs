//! `/api/v1/orders`: orders are listed and shown.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use jiff::Timestamp;
use pricing::Money;
use sdk::{
    Context, Cursor, IfNoneMatch, Json, NoQuery, NotModified, Page, PageParams, Path, Principal, Problem, Query, Result,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::{OrderBody, Reader};
use super::{Sight, not_found, tag};
use crate::domain::draft::Method;
use crate::domain::{CustomerId, LocationId, Number, OrderId, PaymentStatus, Status};
use crate::store;
use crate::store::list::{self, Filter, Position};

pub fn routes() -> Router<Context> {
    Router::new().route("/api/v1/orders", get(list)).route("/api/v1/orders/{id}", get(read))
}

/// Which orders.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    status: Option<Status>,
    /// Of others than themselves a customer finds nothing.
    customer: Option<CustomerId>,
    /// Whose sale they are.
    store: Option<LocationId>,
    /// Made then or later.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Made before then.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    #[param(minimum = 1, maximum = 200, default = 20)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<Cursor>,
}

/// An order in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrderSummary {
    pub id: OrderId,
    /// For people.
    #[schema(example = "O-100001")]
    pub number: String,
    pub status: Status,
    pub payment_status: PaymentStatus,
    #[schema(example = 7)]
    pub customer_id: CustomerId,
    #[schema(example = 1)]
    pub store_id: LocationId,
    pub method: Method,
    /// Of all lines.
    #[schema(example = 3)]
    pub units: i64,
    pub total: Money,
    pub refunded: Money,
    #[schema(example = 3)]
    pub version: i64,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// Orders, the latest first
///
/// A customer's own; for staff all of them.
#[utoipa::path(
    get, path = "/api/v1/orders", operation_id = "listOrders", tag = "orders", params(ListQuery),
    responses((status = 200, description = "A page of them", body = Page<OrderSummary>,
        headers(("Link" = String, description = "The next page")))),
    security(("token" = []), ("key" = [])),
)]
pub(super) async fn list(
    principal: Principal,
    State(context): State<Context>,
    Query(query): Query<ListQuery>,
) -> Result<Page<OrderSummary>> {
    let own = match Sight::of(&principal)? {
        Sight::Own(customer) => Some(customer),
        Sight::All => None,
    };
    for (name, at) in [("from", query.from), ("to", query.to)] {
        if at.is_some_and(|at| !is_storable(at)) {
            let detail = "must be an instant of our era";
            return Err(Problem::bad_request("invalid-query").parameter(name, "out-of-range", detail));
        }
    }
    let page = PageParams::new(query.limit, query.after)?;
    let after: Option<Position> = page.after()?;
    if after.as_ref().is_some_and(|Position(at, _)| !is_storable(*at)) {
        return Err(Problem::bad_request("cursor-invalid").detail("no cursor of ours"));
    }
    let filter = Filter {
        status: query.status,
        customer: query.customer,
        own,
        store: query.store,
        from: query.from,
        to: query.to,
    };
    let found = list::list(&context.db, &filter, after, page.fetch_limit()).await?;
    let place = |last: &list::Summary| Cursor::encode(&Position(last.created_at, last.id));
    Ok(Page::new(found, page.limit, place).map(OrderSummary::from))
}

/// An order
#[utoipa::path(
    get, path = "/api/v1/orders/{id}", operation_id = "getOrder", tag = "orders",
    params(
        ("id" = OrderId, Path, description = "The order"),
        ("If-None-Match" = Option<String>, Header, description = "What the client has"),
    ),
    responses(
        (status = 200, description = "The order", body = OrderBody,
            headers(("ETag" = String, description = "Its version"))),
        (status = 304, description = "The client has it"),
    ),
    security(("token" = []), ("key" = [])),
)]
pub(super) async fn read(
    principal: Principal,
    State(context): State<Context>,
    Path(id): Path<OrderId>,
    if_none_match: IfNoneMatch,
    Query(NoQuery {}): Query<NoQuery>,
) -> Result<Response> {
    let sight = Sight::of(&principal)?;
    let dossier = store::get(&context.db, id).await?.ok_or_else(|| not_found(id))?;
    sight.check(&dossier.order)?;
    let tag = tag(&dossier.order);
    // An order is nobody else's, and asked for again each time.
    let private = [(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"))];
    if if_none_match.matches(&tag) {
        return Ok((private, NotModified(tag)).into_response());
    }
    let body = OrderBody::of(dossier, sight.reader())?;
    Ok((tag, private, Json(body)).into_response())
}

impl Sight {
    pub(super) fn reader(self) -> Reader {
        match self {
            Sight::Own(_) => Reader::Customer,
            Sight::All => Reader::Other,
        }
    }
}

impl From<list::Summary> for OrderSummary {
    fn from(order: list::Summary) -> OrderSummary {
        OrderSummary {
            id: order.id,
            number: Number(order.number).to_string(),
            status: order.status,
            payment_status: order.payment_status,
            customer_id: order.customer_id,
            store_id: order.store_id,
            method: order.method,
            units: order.units,
            total: order.total,
            refunded: order.refunded,
            version: order.version,
            created_at: order.created_at,
            updated_at: order.updated_at,
        }
    }
}

/// PostgreSQL knows no instant before 4713 BC, and nobody orders before the year 1.
fn is_storable(at: Timestamp) -> bool {
    const YEAR_1_S: i64 = -62_135_596_800;
    at.as_second() >= YEAR_1_S
}
