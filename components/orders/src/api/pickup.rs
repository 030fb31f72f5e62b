//! `/api/v1/orders/{id}/pickup`: what a customer ordered is handed out for their code.
//!
//! A wrong code is counted in a transaction of its own, under the lock of the order, before anything
//! else is looked at: so many guesses side by side are so many guesses, and five are all there are.

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use sdk::problem::ProblemBody;
use sdk::{Context, Idempotency, Json, NoQuery, Path, Principal, Problem, Query, Reply, Result, Tx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{OrderBody, Reader};
use super::{STAFF, deciding, tag};
use crate::domain::decision::{Decision, Entry, What};
use crate::domain::draft::Method;
use crate::domain::{Grounds, MAX_PICKUP_FAILURES, OrderId, Status};
use crate::store::{self, timeline};

pub fn routes() -> Router<Context> {
    Router::new().route("/api/v1/orders/{id}/pickup", post(pick_up))
}

/// What the customer shows.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Pickup {
    #[schema(example = "482913")]
    code: String,
}

/// What a code is worth.
enum Check {
    Right,
    /// With the guesses that are left.
    Wrong(i32),
}

/// Hand an order out
///
/// For the customer's code, once the order is `ready`. After five wrong codes a manager or the head
/// office completes it. The right code once more is answered alike.
#[utoipa::path(
    post, path = "/api/v1/orders/{id}/pickup", operation_id = "pickUpOrder", tag = "orders", request_body = Pickup,
    params(
        ("id" = OrderId, Path, description = "The order"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless"),
    ),
    responses(
        (status = 200, description = "The order, completed", body = OrderBody,
            headers(("ETag" = String, description = "Its version"))),
        (status = 409, description = "`transition-not-allowed`: it is not ready; `order-not-for-pickup`; \
            `pickup-locked`: too many wrong codes; `idempotency-in-progress`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`pickup-code-wrong`: `attempts_left` says how often it can be tried again; \
            `validation-failed`", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("key" = [])),
)]
pub(super) async fn pick_up(
    principal: Principal,
    State(context): State<Context>,
    Path(id): Path<OrderId>,
    Query(NoQuery {}): Query<NoQuery>,
    idempotency: Idempotency,
    Json(body): Json<Pickup>,
) -> Result<Reply> {
    principal.require(&STAFF)?;
    let actor = principal.key();
    let (context, actor, code) = (&context, &actor, body.code.as_str());
    let check = context.db.transaction(|tx| async move { check(&tx, context, id, actor, code).await }).await?;
    if let Check::Wrong(attempts_left) = check {
        return Err(Problem::unprocessable("pickup-code-wrong")
            .field("/code", "pickup-code-wrong", "this is not the code of this order")
            .with("attempts_left", attempts_left));
    }
    idempotency
        .run(&context.db, &body, |tx| async move {
            let mut decision = deciding(&tx, context, id, actor).await?;
            // Between the two transactions somebody else may have completed it.
            if decision.order.status != Status::Completed {
                decision.advance(Status::Completed, Grounds::Code, None)?;
                store::save(&tx, context, &decision).await?;
            }
            let tag = tag(&decision.order);
            Ok(Reply::ok(&OrderBody::after(decision, Reader::Other)?).etag(tag))
        })
        .await
}

/// Looks at the code, and counts it if it is wrong.
async fn check(tx: &Tx, context: &Context, id: OrderId, actor: &str, code: &str) -> Result<Check> {
    let decision = deciding(tx, context, id, actor).await?;
    let order = &decision.order;
    if order.fulfilment.method != Method::Pickup {
        return Err(Problem::conflict("order-not-for-pickup").detail("this order is delivered"));
    }
    if !order.standing().permits(Status::Completed, Grounds::Code) && order.status != Status::Completed {
        return Err(not_ready(decision));
    }
    let right = order.pickup_code.as_deref() == Some(code);
    if right && order.status == Status::Completed {
        return Ok(Check::Right);
    }
    if order.pickup_failures >= MAX_PICKUP_FAILURES {
        return Err(Problem::conflict("pickup-locked")
            .detail("there were too many wrong codes: a manager or the head office completes the order"));
    }
    if right {
        return Ok(Check::Right);
    }
    let failures = store::fail_pickup(tx, id).await?;
    let note = Some(format!("wrong code {failures} of {MAX_PICKUP_FAILURES}"));
    let entry = Entry { what: What::Pickup, from: None, to: None, note };
    timeline::append(tx, id, &[entry], actor, context.clock.now()).await?;
    Ok(Check::Wrong(MAX_PICKUP_FAILURES - failures))
}

/// What the state machine says to it.
fn not_ready(mut decision: Decision) -> Problem {
    match decision.advance(Status::Completed, Grounds::Code, None) {
        Err(refusal) => refusal.into(),
        Ok(()) => Problem::internal("a step that is not permitted was taken"),
    }
}
