//! `/internal/v1/payment-events`: what happened to payments. For services alone.

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use sdk::problem::ProblemBody;
use sdk::{Context, Json, NoQuery, OfService, Principal, Problem, Query, Result, Tx};
use serde::Serialize;
use utoipa::ToSchema;

use super::{deciding, invalid_member};
use crate::domain::payment::{PaymentEvent, PaymentEventKind};
use crate::domain::{PaymentStatus, Refusal};
use crate::store::payments::Delivery;
use crate::store::{self, effects, payments, refunds};

pub fn routes() -> Router<Context> {
    Router::new().route("/internal/v1/payment-events", post(tell))
}

sdk::text_enum!(
    /// What became of an event.
    Outcome {
        /// It changed something.
        Applied = "applied",
        /// It changes nothing: what it tells was known, or more than that.
        Ignored = "ignored",
        /// This very event came before.
        Duplicate = "duplicate",
    }
);

/// What an event led to.
#[derive(Debug, Serialize, ToSchema)]
pub struct Told {
    pub outcome: Outcome,
    /// Of the order, since.
    pub payment_status: PaymentStatus,
}

/// Tell what happened to a payment
///
/// In any order, and as often as it takes: an event counts once. Of an order that is cancelled, what
/// turns out to be captured goes back, and what turns out to be authorized is voided.
#[utoipa::path(
    post, path = "/internal/v1/payment-events", operation_id = "tellPaymentEvent", tag = "internal",
    request_body = PaymentEvent,
    responses(
        (status = 200, description = "Taken note of", body = Told),
        (status = 404, description = "`order-not-found`: not yet, perhaps; tell it again",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("service" = [])),
)]
pub(super) async fn tell(
    _: OfService,
    principal: Principal,
    State(context): State<Context>,
    Query(NoQuery {}): Query<NoQuery>,
    Json(event): Json<PaymentEvent>,
) -> Result<Json<Told>> {
    let actor = principal.key();
    let (context, event, actor) = (&context, &event, &actor);
    let told = context.db.transaction(|tx| async move { learn(&tx, context, event, actor).await }).await?;
    Ok(Json(told))
}

async fn learn(tx: &Tx, context: &Context, event: &PaymentEvent, actor: &str) -> Result<Told> {
    let mut decision = deciding(tx, context, event.order_id, actor).await?;
    if decision.order.payment_id != event.payment_id {
        return Err(invalid_member("/payment_id", "payment-differs", "the order has another payment"));
    }
    let at = context.clock.now();
    let outcome = match payments::remember(tx, event, at).await? {
        Delivery::Differs => {
            return Err(Problem::unprocessable("event-differs").detail("this id stands for another event"));
        }
        Delivery::Again => Outcome::Duplicate,
        Delivery::First if event.kind == PaymentEventKind::Refunded => refunded(tx, context, event).await?,
        Delivery::First => match decision.learn(event)? {
            true => Outcome::Applied,
            false => Outcome::Ignored,
        },
    };
    store::save(tx, context, &decision).await?;
    Ok(Told { outcome, payment_status: decision.order.payment_status })
}

/// The money of a refund went back: nobody has to be told any more.
async fn refunded(tx: &Tx, context: &Context, event: &PaymentEvent) -> Result<Outcome> {
    let Some(id) = event.refund_id else {
        return Err(invalid_member("/refund_id", "missing-field", "a refund has an id"));
    };
    let made = refunds::read(tx, event.order_id).await?.into_iter().find(|refund| refund.id == id);
    let made = made.ok_or(Refusal::NoSuchRefund)?;
    if made.total != event.amount {
        return Err(Refusal::AmountDiffers.into());
    }
    if made.settled_at.is_some() {
        return Ok(Outcome::Ignored);
    }
    let at = context.clock.now();
    refunds::settle(tx, event.order_id, id, at).await?;
    effects::refund_done(tx, id.to_string(), at).await?;
    Ok(Outcome::Applied)
}
