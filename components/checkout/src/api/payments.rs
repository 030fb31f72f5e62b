//! `/internal/v1/payments/{id}`: what orders has undone. For services alone.
//!
//! Both are handed on to the provider, who keeps a void and a capture apart, and the sum of the refunds within
//! what was captured. Each is idempotent by its natural key.

use axum::Router;
use axum::extract::State;
use axum::routing::{post, put};
use pricing::Money;
use sdk::problem::ProblemBody;
use sdk::{Context, Json, NoContent, NoQuery, OfService, Path, Problem, Query, Result};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clients::payments::{self, Refunded, Voided};
use crate::domain::{PaymentId, RefundId};
use crate::store::refunds;

pub fn routes() -> Router<Context> {
    Router::new()
        .route("/internal/v1/payments/{id}/void", post(void))
        .route("/internal/v1/payments/{id}/refunds/{refund_id}", put(refund))
}

/// What is to be paid back.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentRefund {
    amount: Money,
}

/// What of the provider's problem decides.
#[derive(Deserialize)]
struct Refusal {
    code: String,
}

/// The money is not wanted any more
///
/// Now or before. A payment that there is not yet will not be set aside any more.
#[utoipa::path(
    post, path = "/internal/v1/payments/{id}/void", operation_id = "voidPayment", tag = "internal",
    params(("id" = PaymentId, Path, description = "The payment")),
    responses(
        (status = 204, description = "Nothing is set aside, or will be"),
        (status = 404, description = "`payment-not-found`: not yet; and it will not be",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`payment-captured`: too late; `state` says `captured`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("service" = [])),
)]
pub(super) async fn void(
    _: OfService,
    State(context): State<Context>,
    Path(id): Path<PaymentId>,
    Query(NoQuery {}): Query<NoQuery>,
) -> Result<NoContent> {
    match payments::void(&context.http, id).await? {
        Voided::Yes => Ok(NoContent),
        Voided::Unknown => Err(not_found(id)),
        Voided::TooLate => Err(Problem::conflict("payment-captured")
            .detail("the payment is captured; what was captured can be paid back")
            .with("state", "captured")),
    }
}

/// Pay some of it back
///
/// Once for each refund; all of them together at most what was captured.
#[utoipa::path(
    put, path = "/internal/v1/payments/{id}/refunds/{refund_id}", operation_id = "refundPayment", tag = "internal",
    request_body = PaymentRefund,
    params(
        ("id" = PaymentId, Path, description = "The payment"),
        ("refund_id" = RefundId, Path, description = "Minted by whoever asks"),
    ),
    responses(
        (status = 200, description = "Paid back, now or before", body = PaymentRefund),
        (status = 404, description = "`payment-not-found`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`payment-not-captured`, `refund-above-captured`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`refund-differs`: this id stands for another amount; `validation-failed`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("service" = [])),
)]
pub(super) async fn refund(
    _: OfService,
    State(context): State<Context>,
    Path((id, refund_id)): Path<(PaymentId, RefundId)>,
    Query(NoQuery {}): Query<NoQuery>,
    Json(body): Json<PaymentRefund>,
) -> Result<Json<PaymentRefund>> {
    match payments::refund(&context.http, id, refund_id, body.amount).await? {
        Refunded::Yes => {
            refunds::record(&context.db, id, refund_id, body.amount, context.clock.now()).await?;
            Ok(Json(body))
        }
        Refunded::No(response) => Err(match response.json::<Refusal>()?.code.as_str() {
            "payment-not-found" => not_found(id),
            "refund-above-captured" => {
                Problem::conflict("refund-above-captured").detail("less than that is left of what was captured")
            }
            "refund-differs" => Problem::unprocessable("refund-differs").detail("this id stands for another amount"),
            "validation-failed" => {
                Problem::unprocessable("validation-failed").field("/amount/amount", "out-of-range", "must be positive")
            }
            _ => Problem::conflict("payment-not-captured").detail("nothing was captured"),
        }),
    }
}

fn not_found(id: PaymentId) -> Problem {
    Problem::not_found("payment-not-found").detail(format!("there is no payment {id}"))
}
