//! `/api/v1/orders/{id}/transitions`: staff take an order one step further.

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use sdk::problem::ProblemBody;
use sdk::{Context, Idempotency, IfMatch, Json, NoQuery, Path, Principal, Query, Reply, Result};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{OrderBody, Reader};
use super::{STAFF, deciding, grounds, note, tag};
use crate::domain::{OrderId, Status};
use crate::{settling, store};

pub fn routes() -> Router<Context> {
    Router::new().route("/api/v1/orders/{id}/transitions", post(transition))
}

/// A step.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Transition {
    to: Status,
    #[serde(default)]
    #[schema(max_length = 500)]
    note: Option<String>,
}

/// Take the next step
///
/// `pending` -> `confirmed` -> `processing` -> `ready` -> `completed`; `cancelled` from any of the first
/// four. Nothing is confirmed before it is paid, and nothing goes on once all of the money went back.
/// What a customer collects is completed with their code, or by a manager or the head office.
#[utoipa::path(
    post, path = "/api/v1/orders/{id}/transitions", operation_id = "transitionOrder", tag = "orders",
    request_body = Transition,
    params(
        ("id" = OrderId, Path, description = "The order"),
        ("If-Match" = String, Header, description = "The version that the step is meant for"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless"),
    ),
    responses(
        (status = 200, description = "The order as it is now", body = OrderBody,
            headers(("ETag" = String, description = "Its version"))),
        (status = 409, description = "`transition-not-allowed`: `allowed` says what is; `idempotency-in-progress`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("key" = [])),
)]
pub(super) async fn transition(
    principal: Principal,
    State(context): State<Context>,
    Path(id): Path<OrderId>,
    if_match: IfMatch,
    Query(NoQuery {}): Query<NoQuery>,
    idempotency: Idempotency,
    Json(body): Json<Transition>,
) -> Result<Reply> {
    principal.require(&STAFF)?;
    let note = note("/note", body.note.as_deref())?;
    let (grounds, actor) = (grounds(&principal), principal.key());
    let (context, if_match, note, actor) = (&context, &if_match, &note, &actor);
    let to = body.to;
    let reply = idempotency
        .run(&context.db, &body, |tx| async move {
            let mut decision = deciding(&tx, context, id, actor).await?;
            if_match.check(&tag(&decision.order))?;
            decision.advance(to, grounds, note.clone())?;
            store::save(&tx, context, &decision).await?;
            let tag = tag(&decision.order);
            Ok(Reply::ok(&OrderBody::after(decision, Reader::Other)?).etag(tag))
        })
        .await?;
    if to == Status::Cancelled {
        settling::settle_now(context, id).await;
    }
    Ok(reply)
}
