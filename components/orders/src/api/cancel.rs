//! `/api/v1/orders/{id}/cancel`: a customer, or staff, calls an order off.

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use sdk::problem::ProblemBody;
use sdk::{Context, Idempotency, Json, NoQuery, Path, Principal, Query, Reply, Result};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::OrderBody;
use super::{Sight, deciding, grounds, note, tag};
use crate::domain::{OrderId, Status};
use crate::{settling, store};

pub fn routes() -> Router<Context> {
    Router::new().route("/api/v1/orders/{id}/cancel", post(cancel))
}

/// Why.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Cancellation {
    #[serde(default)]
    #[schema(example = "ordered twice", max_length = 500)]
    pub(super) reason: Option<String>,
}

/// Call an order off
///
/// Before the payment, the reservation is released and the authorization voided; after it, the money goes
/// back and the goods to the shelf. What other services have to be told is told at once, and until they
/// have heard.
#[utoipa::path(
    post, path = "/api/v1/orders/{id}/cancel", operation_id = "cancelOrder", tag = "orders",
    request_body = Cancellation,
    params(
        ("id" = OrderId, Path, description = "The order"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless"),
    ),
    responses(
        (status = 200, description = "The order as it is now", body = OrderBody,
            headers(("ETag" = String, description = "Its version"))),
        (status = 409, description = "`transition-not-allowed`: it is with the customer, or cancelled already; \
            `idempotency-in-progress`", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("token" = []), ("key" = [])),
)]
pub(super) async fn cancel(
    principal: Principal,
    State(context): State<Context>,
    Path(id): Path<OrderId>,
    Query(NoQuery {}): Query<NoQuery>,
    idempotency: Idempotency,
    Json(body): Json<Cancellation>,
) -> Result<Reply> {
    let sight = Sight::of(&principal)?;
    let reason = note("/reason", body.reason.as_deref())?;
    let (grounds, actor) = (grounds(&principal), principal.key());
    let (context, reason, actor) = (&context, &reason, &actor);
    let reply = idempotency
        .run(&context.db, &body, |tx| async move {
            let mut decision = deciding(&tx, context, id, actor).await?;
            sight.check(&decision.order)?;
            decision.advance(Status::Cancelled, grounds, reason.clone())?;
            store::save(&tx, context, &decision).await?;
            let tag = tag(&decision.order);
            Ok(Reply::ok(&OrderBody::after(decision, sight.reader())?).etag(tag))
        })
        .await?;
    settling::settle_now(context, id).await;
    Ok(reply)
}
