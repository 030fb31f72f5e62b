//! `/api/v1/restock-requests`: a store asks a warehouse for goods.
//!
//! pending -> approved -> in_transit -> partially_received -> received; rejected; cancelled.

use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use sdk::problem::ProblemBody;
use sdk::{Context, Idempotency, Json, NoQuery, Page, Path, Query, Reply, Result, WithETag};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::access::{Shipper, Staff, Storekeeper};
use super::checked;
use super::shipments::{self, Dispatch, ListQuery, ProductLine, Receipt, Rejection, Shipment};
use crate::domain::lines::Amount;
use crate::domain::shipment::ShipmentKind;
use crate::domain::{LocationId, ShipmentId};
use crate::shipping::{Named, Order, Request};

const KIND: ShipmentKind = ShipmentKind::Restock;
const PATH: &str = "/api/v1/restock-requests";

pub fn routes() -> Router<Context> {
    Router::new()
        .route("/api/v1/restock-requests", get(list).post(create))
        .route("/api/v1/restock-requests/{id}", get(read))
        .route("/api/v1/restock-requests/{id}/approve", post(approve))
        .route("/api/v1/restock-requests/{id}/reject", post(reject))
        .route("/api/v1/restock-requests/{id}/ship", post(ship))
        .route("/api/v1/restock-requests/{id}/receive", post(receive))
        .route("/api/v1/restock-requests/{id}/cancel", post(cancel))
}

/// Where a restock comes from if nobody says: the central warehouse.
const WAREHOUSE: LocationId = LocationId(100);

/// What a store needs.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRestockRequest {
    /// The store.
    #[schema(example = 1)]
    location_id: LocationId,
    /// The warehouse; 100 if left out.
    #[serde(default)]
    #[schema(example = 100)]
    source_id: Option<LocationId>,
    #[serde(default)]
    #[schema(max_length = 500, example = "long weekend")]
    note: Option<String>,
    /// Each product once.
    #[schema(min_items = 1, max_items = 200)]
    lines: Vec<ProductLine>,
}

/// Restock requests, the newest first
#[utoipa::path(
    get, path = "/api/v1/restock-requests", operation_id = "listRestockRequests", tag = "restock", params(ListQuery),
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

/// One restock request
#[utoipa::path(
    get, path = "/api/v1/restock-requests/{id}", operation_id = "getRestockRequest", tag = "restock",
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
    post, path = "/api/v1/restock-requests", operation_id = "createRestockRequest", tag = "restock", request_body = NewRestockRequest,
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
    asker: Storekeeper,
    State(context): State<Context>,
    Query(NoQuery {}): Query<NoQuery>,
    idempotency: Idempotency,
    Json(body): Json<NewRestockRequest>,
) -> Result<Reply> {
    let location = body.location_id;
    let lines = &checked(Amount::Quantity, Some(location), &body.lines)?;
    let request = Request {
        kind: KIND,
        source: Named { location: body.source_id.unwrap_or(WAREHOUSE), pointer: "/source_id" },
        destination: Named { location, pointer: "/location_id" },
        note: body.note.as_deref(),
        lines,
    };
    shipments::request(&context, &idempotency, &body, request, &asker.actor(), PATH).await
}

/// Say yes
#[utoipa::path(
    post, path = "/api/v1/restock-requests/{id}/approve", operation_id = "approveRestockRequest", tag = "restock",
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
    post, path = "/api/v1/restock-requests/{id}/reject", operation_id = "rejectRestockRequest", tag = "restock", request_body = Rejection,
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
    post, path = "/api/v1/restock-requests/{id}/ship", operation_id = "shipRestockRequest", tag = "restock", request_body = Dispatch,
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
    post, path = "/api/v1/restock-requests/{id}/receive", operation_id = "receiveRestockRequest", tag = "restock", request_body = Receipt,
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
    receiver: Storekeeper,
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
    post, path = "/api/v1/restock-requests/{id}/cancel", operation_id = "cancelRestockRequest", tag = "restock",
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
    asker: Storekeeper,
    State(context): State<Context>,
    Path(id): Path<ShipmentId>,
    Query(NoQuery {}): Query<NoQuery>,
    idempotency: Idempotency,
) -> Result<Reply> {
    shipments::turn(&context, &idempotency, &(), (KIND, id), &Order::Cancel, &asker.actor()).await
}
