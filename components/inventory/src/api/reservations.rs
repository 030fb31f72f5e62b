//! `/internal/v1/reservations/{id}`: units that are promised to a checkout. For services alone.
//!
//! The caller mints the id, so that whatever it repeats after a lost answer has its effect once.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use jiff::Timestamp;
use sdk::problem::ProblemBody;
use sdk::{Context, ETag, Json, NoQuery, Path, Query, Result, Tx, WithETag};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::access::Caller;
use super::{PlacedLine, QuantityLine, checked, invalid_at};
use crate::domain::lines::Amount;
use crate::domain::reservation::{self, Status, TTL_DEFAULT_S, TTL_MAX_S, Verb};
use crate::domain::{LocationId, Made, ReservationId};
use crate::{reserving, store};

pub fn routes() -> Router<Context> {
    Router::new()
        .route("/internal/v1/reservations/{id}", get(read).put(make))
        .route("/internal/v1/reservations/{id}/pin", post(pin))
        .route("/internal/v1/reservations/{id}/commit", post(commit))
        .route("/internal/v1/reservations/{id}/release", post(release))
}

/// What is to be promised.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReservation {
    /// Of every line that does not name another.
    #[serde(default)]
    #[schema(example = 1)]
    location_id: Option<LocationId>,
    /// Each product once for a location, in any order.
    #[schema(min_items = 1, max_items = 200)]
    lines: Vec<QuantityLine>,
    /// How long it lives if nobody pins it; 900 if left out.
    #[serde(default)]
    #[schema(example = 900, minimum = 1, maximum = 86_400)]
    ttl_s: Option<i64>,
}

/// Units that are, or were, promised.
#[derive(Debug, Serialize, ToSchema)]
pub struct Reservation {
    pub id: ReservationId,
    pub status: Status,
    /// What can be asked of it, and would have an effect.
    #[schema(example = json!(["pin", "release"]))]
    pub allowed: Vec<&'static str>,
    /// By location and product.
    pub lines: Vec<PlacedLine>,
    /// When it ends, unless it is pinned before.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    #[schema(example = 1)]
    pub version: i64,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

impl From<reservation::Reservation> for Reservation {
    fn from(reservation: reservation::Reservation) -> Self {
        Reservation {
            id: reservation.id,
            status: reservation.status,
            allowed: reservation.status.allowed(),
            lines: reservation.lines.iter().map(PlacedLine::from).collect(),
            expires_at: reservation.expires_at,
            version: reservation.version,
            created_at: reservation.created_at,
            updated_at: reservation.updated_at,
        }
    }
}

/// One reservation
#[utoipa::path(
    get, path = "/internal/v1/reservations/{id}", operation_id = "getReservation", tag = "internal",
    params(("id" = ReservationId, Path, description = "The reservation")),
    responses((status = 200, description = "The reservation", body = Reservation)),
    security(("service" = [])),
)]
pub(super) async fn read(
    _: Caller,
    State(context): State<Context>,
    Path(id): Path<ReservationId>,
    Query(NoQuery {}): Query<NoQuery>,
) -> Result<WithETag<Json<Reservation>>> {
    let found = store::reservations::find(&context.db, id).await?;
    Ok(shown(found.ok_or_else(|| reserving::not_found(id))?))
}

/// Promise units
///
/// Every line, or none. Repeating it is answered alike; the lines may come in another order.
#[utoipa::path(
    put, path = "/internal/v1/reservations/{id}", operation_id = "makeReservation", tag = "internal",
    request_body = NewReservation,
    params(("id" = ReservationId, Path, description = "A new UUID, or that of the request that is repeated")),
    responses(
        (status = 201, description = "Promised now", body = Reservation),
        (status = 200, description = "Promised before, or committed since", body = Reservation),
        (status = 409, description = "`insufficient-stock`: `shortages` says of what; `reservation-differs`: it was \
            made with another body; `reservation-ended`: it was released, perhaps before it was made, or has expired",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("service" = [])),
)]
pub(super) async fn make(
    caller: Caller,
    State(context): State<Context>,
    Path(id): Path<ReservationId>,
    Query(NoQuery {}): Query<NoQuery>,
    Json(body): Json<NewReservation>,
) -> Result<Response> {
    let lines = &checked(Amount::Quantity, body.location_id, &body.lines)?;
    let ttl_s = body.ttl_s.unwrap_or(TTL_DEFAULT_S);
    if !(1..=TTL_MAX_S).contains(&ttl_s) {
        return Err(invalid_at("/ttl_s", "ttl-out-of-range", format!("must be from 1 to {TTL_MAX_S}")));
    }
    let (context, actor) = (&context, &caller.actor());
    let attempt = |tx: Tx| async move { reserving::reserve(&tx, context, id, ttl_s, lines, actor).await };
    let (reservation, made) = context.db.transaction(attempt).await?;
    let status = match made {
        Made::Now => StatusCode::CREATED,
        Made::Before => StatusCode::OK,
    };
    Ok((status, shown(reservation)).into_response())
}

/// Keep it: about to be paid for
///
/// A reservation that is pinned never expires. One that is past its expiry can be pinned as long as its
/// units were not given back.
#[utoipa::path(
    post, path = "/internal/v1/reservations/{id}/pin", operation_id = "pinReservation", tag = "internal",
    params(("id" = ReservationId, Path, description = "The reservation")),
    responses(
        (status = 200, description = "Pinned, now or before", body = Reservation),
        (status = 409, description = "`reservation-state`: `allowed` says what can be asked",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("service" = [])),
)]
pub(super) async fn pin(
    caller: Caller,
    State(context): State<Context>,
    Path(id): Path<ReservationId>,
    Query(NoQuery {}): Query<NoQuery>,
) -> Result<WithETag<Json<Reservation>>> {
    turn(&caller, &context, id, Verb::Pin).await
}

/// Take the units: paid for
///
/// What is on hand is less by it, with a movement for each line. Only what is pinned.
#[utoipa::path(
    post, path = "/internal/v1/reservations/{id}/commit", operation_id = "commitReservation", tag = "internal",
    params(("id" = ReservationId, Path, description = "The reservation")),
    responses(
        (status = 200, description = "Committed, now or before", body = Reservation),
        (status = 409, description = "`reservation-state`: `allowed` says what can be asked",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("service" = [])),
)]
pub(super) async fn commit(
    caller: Caller,
    State(context): State<Context>,
    Path(id): Path<ReservationId>,
    Query(NoQuery {}): Query<NoQuery>,
) -> Result<WithETag<Json<Reservation>>> {
    turn(&caller, &context, id, Verb::Commit).await
}

/// Give the units back
///
/// Harmless for a reservation that has expired: its units are back already. One that there is not yet will
/// not be made any more: the answer to that is a released reservation without lines.
#[utoipa::path(
    post, path = "/internal/v1/reservations/{id}/release", operation_id = "releaseReservation", tag = "internal",
    params(("id" = ReservationId, Path, description = "The reservation")),
    responses(
        (status = 200, description = "Released, now or before, or expired, or barred", body = Reservation),
        (status = 409, description = "`reservation-state`: it is committed",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("service" = [])),
)]
pub(super) async fn release(
    caller: Caller,
    State(context): State<Context>,
    Path(id): Path<ReservationId>,
    Query(NoQuery {}): Query<NoQuery>,
) -> Result<WithETag<Json<Reservation>>> {
    turn(&caller, &context, id, Verb::Release).await
}

async fn turn(
    caller: &Caller,
    context: &Context,
    id: ReservationId,
    verb: Verb,
) -> Result<WithETag<Json<Reservation>>> {
    let actor = &caller.actor();
    let attempt = |tx: Tx| async move { reserving::turn(&tx, context, id, verb, actor).await };
    Ok(shown(context.db.transaction(attempt).await?))
}

fn shown(reservation: reservation::Reservation) -> WithETag<Json<Reservation>> {
    WithETag(ETag::strong(reservation.version), Json(reservation.into()))
}
