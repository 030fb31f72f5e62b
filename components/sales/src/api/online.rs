//! `/internal/v1/sales`: what a checkout has sold. For services alone.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::put;
use sdk::problem::ProblemBody;
use sdk::{Context, Json, NoQuery, OfService, Path, Principal, Problem, Query, Result};

use super::body::SaleBody;
use super::sales::answer;
use crate::domain::OrderId;
use crate::domain::online::OnlineSale;
use crate::selling::{Made, sell_online};
use crate::store::{self, Key};

pub fn routes() -> Router<Context> {
    Router::new().route("/internal/v1/sales/{order_id}", put(record).get(read))
}

/// Record the sale of an order that is paid
///
/// Once for each order: the same again is answered with the sale as it is. The lines are priced here once more, and
/// must come to the total. What it takes of the shelf, the checkout has told inventory.
#[utoipa::path(
    put, path = "/internal/v1/sales/{order_id}", operation_id = "recordOnlineSale", tag = "internal",
    request_body = OnlineSale,
    params(("order_id" = OrderId, Path, description = "The order")),
    responses(
        (status = 201, description = "Recorded", body = SaleBody, headers(
            ("Location" = String, description = "The sale"),
            ("ETag" = String, description = "Its version"),
        )),
        (status = 200, description = "Recorded before", body = SaleBody,
            headers(("ETag" = String, description = "Its version"))),
        (status = 409, description = "`sale-differs`: the order has another sale",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("service" = [])),
)]
pub(super) async fn record(
    _: OfService,
    principal: Principal,
    State(context): State<Context>,
    Path(order): Path<OrderId>,
    Query(NoQuery {}): Query<NoQuery>,
    Json(online): Json<OnlineSale>,
) -> Result<Response> {
    let (dossier, made) = sell_online(&context, order, &online, &principal.key()).await?;
    answer(dossier, if made == Made::Now { StatusCode::CREATED } else { StatusCode::OK })
}

/// The sale of an order
#[utoipa::path(
    get, path = "/internal/v1/sales/{order_id}", operation_id = "getOnlineSale", tag = "internal",
    params(("order_id" = OrderId, Path, description = "The order")),
    responses((status = 200, description = "The sale", body = SaleBody,
        headers(("ETag" = String, description = "Its version")))),
    security(("service" = [])),
)]
pub(super) async fn read(
    _: OfService,
    State(context): State<Context>,
    Path(order): Path<OrderId>,
    Query(NoQuery {}): Query<NoQuery>,
) -> Result<Response> {
    let found = store::find(&context.db, Key::Order(order)).await?;
    let (dossier, _) = found.ok_or_else(|| {
        Problem::not_found("sale-not-found").detail(format!("no sale of the order {order} is recorded"))
    })?;
    answer(dossier, StatusCode::OK)
}
