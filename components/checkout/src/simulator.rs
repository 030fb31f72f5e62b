//! A simulator of the payment provider: HTTP routes, and books of its own.
//!
//! The saga knows it by the name `payments` and by nothing else; in production that name leads to another company.
//! It takes services alone. A payment is authorized or declined; authorized it is captured or voided, once and not
//! both; captured it is paid back, in parts. The id is minted by whoever asks, and the same id is the same payment.
//! What is voided before it is authorized never will be.
//!
//! Every answer about a payment shows it, also a refusal: 402 when it is declined, 409 when it is something else
//! than what was asked for.

mod store;
pub mod tokens;

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{post, put};
use pricing::Money;
use sdk::problem::ProblemBody;
use sdk::{Context, Json, NoQuery, OfService, Path, Problem, Query, Result, sleep};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::checkout::Token;
use crate::domain::{PaymentId, RefundId};
use store::Paid;
use tokens::Behaviour;

/// Longer than anybody waits for an answer.
const TOO_LONG: Duration = Duration::from_secs(3);
/// Long, and within everybody's deadline.
const LONG: Duration = Duration::from_millis(800);

sdk::text_enum!(
    /// What became of a payment.
    PaymentStatus {
        /// Set aside.
        Authorized = "authorized",
        /// Not set aside.
        Declined = "declined",
        /// Taken.
        Captured = "captured",
        /// Set free, or never to be set aside.
        Voided = "voided",
    }
);

pub fn routes() -> Router<Context> {
    Router::new()
        .route("/simulator/v1/payments/{id}", put(authorize).get(look))
        .route("/simulator/v1/payments/{id}/capture", post(capture))
        .route("/simulator/v1/payments/{id}/void", post(void))
        .route("/simulator/v1/payments/{id}/refunds/{refund_id}", put(refund))
}

/// What is to be set aside.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Authorization {
    amount: Money,
    #[schema(example = "tok_ok")]
    token: Token,
}

/// What is to be paid back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProviderRefund {
    amount: Money,
}

/// A payment.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProviderPayment {
    pub id: PaymentId,
    pub status: PaymentStatus,
    /// Null of one that was voided before it was authorized.
    pub amount: Option<Money>,
    pub refunded: Money,
    /// Of a declined one: `declined` or `insufficient-funds`.
    pub reason: Option<String>,
}

/// Set an amount aside
///
/// Once: the same again is answered with the payment as it is.
#[utoipa::path(
    put, path = "/simulator/v1/payments/{id}", operation_id = "authorizePayment", tag = "simulator",
    request_body = Authorization,
    params(("id" = PaymentId, Path, description = "Minted by whoever asks")),
    responses(
        (status = 200, description = "Authorized, now or before; or captured since", body = ProviderPayment),
        (status = 402, description = "Declined", body = ProviderPayment),
        (status = 409, description = "Voided", body = ProviderPayment),
        (status = 422, description = "`payment-differs`: this id stands for another payment; `validation-failed`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("service" = [])),
)]
pub(crate) async fn authorize(
    _: OfService,
    State(context): State<Context>,
    Path(id): Path<PaymentId>,
    Query(NoQuery {}): Query<NoQuery>,
    Json(body): Json<Authorization>,
) -> Result<Response> {
    let Some(behaviour) = tokens::of(&body.token.0) else {
        return Err(invalid("/token", "there is no such token"));
    };
    if body.amount.is_negative() {
        return Err(invalid("/amount/amount", "must not be negative"));
    }
    let now = context.clock.now();
    if behaviour == Behaviour::FailsOnce && store::fails_first(&context.db, id, now).await? {
        // By itself, without a word: it is no bug of ours, and no line in the log.
        return Ok(StatusCode::INTERNAL_SERVER_ERROR.into_response());
    }
    let made = store::authorize(&context.db, id, body.amount, &body.token.0, behaviour.declines(), now).await?;
    if made.is_new {
        match behaviour {
            Behaviour::Late | Behaviour::LateDecline => sleep(TOO_LONG).await,
            Behaviour::Slow => sleep(LONG).await,
            _ => {}
        }
    }
    let payment = made.payment.ok_or_else(|| not_found(id))?;
    if payment.amount.is_some() && (payment.amount != Some(body.amount) || payment.token != Some(body.token.0)) {
        return Err(Problem::unprocessable("payment-differs").detail("this id stands for another payment"));
    }
    Ok(shown(payment, &[PaymentStatus::Authorized, PaymentStatus::Captured]))
}

/// A payment as it is
#[utoipa::path(
    get, path = "/simulator/v1/payments/{id}", operation_id = "lookAtPayment", tag = "simulator",
    params(("id" = PaymentId, Path, description = "The payment")),
    responses(
        (status = 200, description = "Whatever it is", body = ProviderPayment),
        (status = 404, description = "`payment-not-found`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("service" = [])),
)]
pub(crate) async fn look(
    _: OfService,
    State(context): State<Context>,
    Path(id): Path<PaymentId>,
    Query(NoQuery {}): Query<NoQuery>,
) -> Result<Response> {
    let payment = store::find(&context.db, id).await?.ok_or_else(|| not_found(id))?;
    Ok(shown(payment, PaymentStatus::ALL))
}

/// Take what was set aside
#[utoipa::path(
    post, path = "/simulator/v1/payments/{id}/capture", operation_id = "capturePayment", tag = "simulator",
    params(("id" = PaymentId, Path, description = "The payment")),
    responses(
        (status = 200, description = "Captured, now or before", body = ProviderPayment),
        (status = 402, description = "Declined", body = ProviderPayment),
        (status = 404, description = "`payment-not-found`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "Voided", body = ProviderPayment),
    ),
    security(("service" = [])),
)]
pub(crate) async fn capture(
    _: OfService,
    State(context): State<Context>,
    Path(id): Path<PaymentId>,
    Query(NoQuery {}): Query<NoQuery>,
) -> Result<Response> {
    let payment = store::capture(&context.db, id, context.clock.now()).await?.ok_or_else(|| not_found(id))?;
    Ok(shown(payment, &[PaymentStatus::Captured]))
}

/// Set it free
///
/// Also before it is set aside: then it never will be.
#[utoipa::path(
    post, path = "/simulator/v1/payments/{id}/void", operation_id = "voidAuthorization", tag = "simulator",
    params(("id" = PaymentId, Path, description = "The payment")),
    responses(
        (status = 200, description = "Voided, now or before; or declined", body = ProviderPayment),
        (status = 404, description = "`payment-not-found`: and it never will be",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "Captured", body = ProviderPayment),
    ),
    security(("service" = [])),
)]
pub(crate) async fn void(
    _: OfService,
    State(context): State<Context>,
    Path(id): Path<PaymentId>,
    Query(NoQuery {}): Query<NoQuery>,
) -> Result<Response> {
    let payment = store::void(&context.db, id, context.clock.now()).await?;
    if payment.amount.is_none() {
        return Err(not_found(id));
    }
    Ok(shown(payment, &[PaymentStatus::Voided, PaymentStatus::Declined]))
}

/// Pay some of it back
///
/// Once for each refund.
#[utoipa::path(
    put, path = "/simulator/v1/payments/{id}/refunds/{refund_id}", operation_id = "refundCapture", tag = "simulator",
    request_body = ProviderRefund,
    params(
        ("id" = PaymentId, Path, description = "The payment"),
        ("refund_id" = RefundId, Path, description = "Minted by whoever asks"),
    ),
    responses(
        (status = 200, description = "Paid back, now or before", body = ProviderPayment),
        (status = 404, description = "`payment-not-found`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`payment-not-captured`, `refund-above-captured`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`refund-differs`, `validation-failed`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("service" = [])),
)]
pub(crate) async fn refund(
    _: OfService,
    State(context): State<Context>,
    Path((id, refund)): Path<(PaymentId, RefundId)>,
    Query(NoQuery {}): Query<NoQuery>,
    Json(body): Json<ProviderRefund>,
) -> Result<Response> {
    if body.amount <= Money::ZERO {
        return Err(invalid("/amount/amount", "must be positive"));
    }
    if store::refund(&context.db, id, refund, body.amount, context.clock.now()).await? {
        let payment = store::find(&context.db, id).await?.ok_or_else(|| not_found(id))?;
        return Ok(shown(payment, PaymentStatus::ALL));
    }
    let payment = store::find(&context.db, id).await?.ok_or_else(|| not_found(id))?;
    match store::refunded(&context.db, id, refund).await? {
        Some(before) if before == body.amount => Ok(shown(payment, PaymentStatus::ALL)),
        Some(_) => Err(Problem::unprocessable("refund-differs").detail("this id stands for another amount")),
        None if payment.status == PaymentStatus::Captured => {
            Err(Problem::conflict("refund-above-captured").detail("less than that is left of what was captured"))
        }
        None => Err(Problem::conflict("payment-not-captured").detail("nothing was captured")),
    }
}

/// The payment; what it should be decides about the status.
fn shown(payment: Paid, good: &[PaymentStatus]) -> Response {
    let status = match payment.status {
        found if good.contains(&found) => StatusCode::OK,
        PaymentStatus::Declined => StatusCode::PAYMENT_REQUIRED,
        _ => StatusCode::CONFLICT,
    };
    let Paid { id, status: found, amount, refunded, reason, .. } = payment;
    (status, Json(ProviderPayment { id, status: found, amount, refunded, reason })).into_response()
}

fn not_found(id: PaymentId) -> Problem {
    Problem::not_found("payment-not-found").detail(format!("there is no payment {id}"))
}

fn invalid(pointer: &str, detail: &str) -> Problem {
    Problem::unprocessable("validation-failed").field(pointer, "out-of-range", detail)
}
