//! `/api/v1/transfers`: goods go from one location to another, on the same way as a restock.

use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use sdk::problem::ProblemBody;
use sdk::{Context, Idempotency, Json, NoQuery, Page, Path, Query, Reply, Result, WithETag};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::access::{Keeper, Shipper, Staff};
use super::checked;
use super::shipments::{self, Dispatch, ListQuery, ProductLine, Receipt, Rejection, Shipment};
use crate::domain::lines::Amount;
use crate::domain::shipment::ShipmentKind;
use crate::domain::{LocationId, ShipmentId};
use crate::shipping::{Named, Order, Request};

const KIND: ShipmentKind = ShipmentKind::Transfer;
const PATH: &str = "/api/v1/transfers";

pub fn routes() -> Router<Context> {
    Router::new()
        .route("/api/v1/transfers", get(list).post(create))
        .route("/api/v1/transfers/{id}", get(read))
        .route("/api/v1/transfers/{id}/approve", post(approve))
        .route("/api/v1/transfers/{id}/reject", post(reject))
        .route("/api/v1/transfers/{id}/ship", post(ship))
        .route("/api/v1/transfers/{id}/receive", post(receive))
        .route("/api/v1/transfers/{id}/cancel", post(cancel))
}

/// What is to go where.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTransfer {
    #[schema(example = 1)]
    source_id: LocationId,
    #[schema(example = 2)]
    destination_id: LocationId,
    #[serde(default)]
    #[schema(max_length = 500, example = "sold out in Québec")]
    note: Option<String>,
    /// Each product once.
    #[schema(min_items = 1, max_items = 200)]
    lines: Vec<ProductLine>,
}

/// Transfers, the newest first
#[utoipa::path(
    get, path = "/api/v1/transfers", operation_id = "listTransfers", tag = "transfers", params(ListQuery),
    responses((status = 200, description = "A page", body = Page<Shipment>)),
    security(("key" = []), ("service" = [])),
)]
pub(super) async fn list(
    _: Staff,
    State(context): State<Context>,
    Query(query): Query<ListQuery>,
) -> Result<Page<Shipment>> {
    shipments::list(&context, KIND, query).await
}

/// One transfer
#[utoipa::path(
    get, path = "/api/v1/transfers/{id}", operation_id = "getTransfer", tag = "transfers",
    params(("id" = ShipmentId, Path, description = "Its id")),
    responses((status = 200, description = "As it is", body = Shipment)),
    security(("key" = []), ("service" = [])),
)]
pub(super) async fn read(
    _: Staff,
    State(context): State<Context>,
    Path(id): Path<ShipmentId>,
    Query(NoQuery {}): Query<NoQuery>,
) -> Result<WithETag<Json<Shipment>>> {
    shipments::read(&context, KIND, id).await
}

/// Ask for it
///
/// Nothing moves before it is shipped.
#[utoipa::path(
    post, path = "/api/v1/transfers", operation_id = "createTransfer", tag = "transfers", request_body = NewTransfer,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless")),
    responses(
        (status = 201, description = "Asked for", body = Shipment,
            headers(("Location" = String, description = "Where it is"))),
        (status = 409, description = "`idempotency-in-progress`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("key" = [])),
)]
pub(super) async fn create(
    asker: Keeper,
    State(context): State<Context>,
    Query(NoQuery {}): Query<NoQuery>,
    idempotency: Idempotency,
    Json(body): Json<NewTransfer>,
) -> Result<Reply> {
    let lines = &checked(Amount::Quantity, Some(body.destination_id), &body.lines)?;
    let request = Request {
        kind: KIND,
        source: Named { location: body.source_id, pointer: "/source_id" },
        destination: Named { location: body.destination_id, pointer: "/destination_id" },
        note: body.note.as_deref(),
        lines,
    };
    shipments::request(&context, &idempotency, &body, request, &asker.actor(), PATH).await
}

/// Say yes
#[utoipa::path(
    post, path = "/api/v1/transfers/{id}/approve", operation_id = "approveTransfer", tag = "transfers",
    params(
        ("id" = ShipmentId, Path, description = "Its id"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless"),
    ),
    responses(
        (status = 200, description = "As it is now", body = Shipment),
        (status = 409, description = "`shipment-state`: `allowed` says what can be asked",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("key" = [])),
)]
pub(super) async fn approve(
    shipper: Shipper,
    State(context): State<Context>,
    Path(id): Path<ShipmentId>,
    Query(NoQuery {}): Query<NoQuery>,
    idempotency: Idempotency,
) -> Result<Reply> {
    shipments::turn(&context, &idempotency, &(), (KIND, id), &Order::Approve, &shipper.actor()).await
}

/// Say no
#[utoipa::path(
    post, path = "/api/v1/transfers/{id}/reject", operation_id = "rejectTransfer", tag = "transfers", request_body = Rejection,
    params(
        ("id" = ShipmentId, Path, description = "Its id"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless"),
    ),
    responses(
        (status = 200, description = "As it is now", body = Shipment),
        (status = 409, description = "`shipment-state`: `allowed` says what can be asked",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("key" = [])),
)]
pub(super) async fn reject(
    shipper: Shipper,
    State(context): State<Context>,
    Path(id): Path<ShipmentId>,
    Query(NoQuery {}): Query<NoQuery>,
    idempotency: Idempotency,
    Json(body): Json<Rejection>,
) -> Result<Reply> {
    let order = body.order()?;
    shipments::turn(&context, &idempotency, &body, (KIND, id), &order, &shipper.actor()).await
}

/// Send it on its way
///
/// It leaves what is on hand at the source and is in transit to the destination.
#[utoipa::path(
    post, path = "/api/v1/transfers/{id}/ship", operation_id = "shipTransfer", tag = "transfers", request_body = Dispatch,
    params(
        ("id" = ShipmentId, Path, description = "Its id"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless"),
    ),
    responses(
        (status = 200, description = "As it is now", body = Shipment),
        (status = 409, description = "`shipment-state`: `allowed` says what can be asked; \
            `insufficient-stock`: `shortages` says of what; `more-than-outstanding`: more than was asked for",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("key" = [])),
)]
pub(super) async fn ship(
    shipper: Shipper,
    State(context): State<Context>,
    Path(id): Path<ShipmentId>,
    Query(NoQuery {}): Query<NoQuery>,
    idempotency: Idempotency,
    Json(body): Json<Dispatch>,
) -> Result<Reply> {
    let order = body.order()?;
    shipments::turn(&context, &idempotency, &body, (KIND, id), &order, &shipper.actor()).await
}

/// Take in what arrived
///
/// As often as something arrives; what is known to be lost is said here, too, and recorded as a discrepancy.
#[utoipa::path(
    post, path = "/api/v1/transfers/{id}/receive", operation_id = "receiveTransfer", tag = "transfers", request_body = Receipt,
    params(
        ("id" = ShipmentId, Path, description = "Its id"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless"),
    ),
    responses(
        (status = 200, description = "As it is now", body = Shipment),
        (status = 409, description = "`shipment-state`: `allowed` says what can be asked; \
            `more-than-outstanding`: more than is under way",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("key" = [])),
)]
pub(super) async fn receive(
    receiver: Keeper,
    State(context): State<Context>,
    Path(id): Path<ShipmentId>,
    Query(NoQuery {}): Query<NoQuery>,
    idempotency: Idempotency,
    Json(body): Json<Receipt>,
) -> Result<Reply> {
    let order = body.order()?;
    shipments::turn(&context, &idempotency, &body, (KIND, id), &order, &receiver.actor()).await
}

/// Give it up
///
/// As long as nothing was shipped.
#[utoipa::path(
    post, path = "/api/v1/transfers/{id}/cancel", operation_id = "cancelTransfer", tag = "transfers",
    params(
        ("id" = ShipmentId, Path, description = "Its id"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless"),
    ),
    responses(
        (status = 200, description = "As it is now", body = Shipment),
        (status = 409, description = "`shipment-state`: `allowed` says what can be asked",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("key" = [])),
)]
pub(super) async fn cancel(
    asker: Keeper,
    State(context): State<Context>,
    Path(id): Path<ShipmentId>,
    Query(NoQuery {}): Query<NoQuery>,
    idempotency: Idempotency,
) -> Result<Reply> {
    shipments::turn(&context, &idempotency, &(), (KIND, id), &Order::Cancel, &asker.actor()).await
}
