//! `/api/v1/sessions/{id}/cash-movements`: cash comes into a drawer, or goes out of it, without a sale.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use jiff::Timestamp;
use pricing::Money;
use sdk::problem::ProblemBody;
use sdk::{Context, Idempotency, Json, NoQuery, Page, Path, Query, Reply, Result, new_uuid_v7, outbox};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::access::{Reader, Teller};
use super::{cash_insufficient, invalid, reason, session_not_found};
use crate::domain::session::{Movement, MovementKind};
use crate::domain::{MovementId, SessionId, amount_mistake};
use crate::events;
use crate::selling::open;
use crate::store::{reports, sessions};

pub fn routes() -> Router<Context> {
    Router::new().route("/api/v1/sessions/{id}/cash-movements", get(list).post(create))
}

/// Cash that comes or goes.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMovement {
    kind: MovementKind,
    /// More than nothing.
    amount: Money,
    #[schema(example = "to the safe", max_length = 500)]
    reason: String,
}

/// Cash that came or went.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CashMovement)]
pub struct MovementBody {
    pub id: MovementId,
    pub kind: MovementKind,
    pub amount: Money,
    #[schema(example = "to the safe")]
    pub reason: String,
    #[schema(example = "consumer:pos")]
    pub by: String,
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
}

impl From<Movement> for MovementBody {
    fn from(movement: Movement) -> MovementBody {
        let Movement { id, kind, amount, reason, actor, at } = movement;
        MovementBody { id, kind, amount, reason, by: actor, at }
    }
}

/// Put cash into a drawer, or take it out
///
/// Never more than there should be in it.
#[utoipa::path(
    post, path = "/api/v1/sessions/{id}/cash-movements", operation_id = "moveCash", tag = "sessions",
    request_body = NewMovement,
    params(
        ("id" = SessionId, Path, description = "The session"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless"),
    ),
    responses(
        (status = 201, description = "Recorded", body = MovementBody,
            headers(("Location" = String, description = "The movements of the session"))),
        (status = 409, description = "`cash-insufficient`: `cash` says what there is; `session-closed`; \
            `idempotency-in-progress`", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("key" = [])),
)]
pub(super) async fn create(
    teller: Teller,
    State(context): State<Context>,
    Path(id): Path<SessionId>,
    Query(NoQuery {}): Query<NoQuery>,
    idempotency: Idempotency,
    Json(body): Json<NewMovement>,
) -> Result<Reply> {
    if let Some(mistake) = amount_mistake("/amount", body.amount, Money::new(1)) {
        return Err(invalid([mistake]));
    }
    let reason = reason(&body.reason)?;
    let (context, teller, reason, kind, amount) = (&context, &teller, &reason, body.kind, body.amount);
    idempotency
        .run(&context.db, &body, |tx| async move {
            let mut session = sessions::lock(&tx, id).await?.ok_or_else(|| session_not_found(id))?;
            teller.works_in(&session)?;
            open(&session)?;
            let there = reports::drawer(&tx, id).await?.expected()?;
            if kind == MovementKind::Out && amount > there {
                return Err(cash_insufficient(amount, there));
            }
            let movement = Movement {
                id: new_uuid_v7(&context.clock).into(),
                kind,
                amount,
                reason: reason.clone(),
                actor: teller.actor(),
                at: context.clock.now(),
            };
            session.version += 1;
            sessions::move_cash(&tx, &session, &movement).await?;
            outbox::publish(&tx, context, vec![events::cash_moved(&session, &movement)?]).await?;
            Ok(Reply::created(format!("/api/v1/sessions/{id}/cash-movements"), &MovementBody::from(movement)))
        })
        .await
}

/// The cash that came and went, in this order
#[utoipa::path(
    get, path = "/api/v1/sessions/{id}/cash-movements", operation_id = "listCashMovements", tag = "sessions",
    params(("id" = SessionId, Path, description = "The session")),
    responses((status = 200, description = "All of it", body = Page<MovementBody>)),
    security(("key" = [])),
)]
pub(super) async fn list(
    _: Reader,
    State(context): State<Context>,
    Path(id): Path<SessionId>,
    Query(NoQuery {}): Query<NoQuery>,
) -> Result<Page<MovementBody>> {
    let session = sessions::get(&context.db, id).await?.ok_or_else(|| session_not_found(id))?;
    let found = sessions::movements(&context.db, session.id).await?;
    Ok(Page::only(found.into_iter().map(MovementBody::from).collect()))
}
