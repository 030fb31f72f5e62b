//! `/api/v1/checkouts/{id}/cancel`: a customer calls a checkout off, before its pivot.

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use sdk::problem::ProblemBody;
use sdk::{Context, NoQuery, Path, Principal, Problem, Query, Reply, Result};

use super::body::CheckoutBody;
use super::{Sight, buyer, not_found};
use crate::domain::{BUDGET, CheckoutId, State as CheckoutState};
use crate::patience::Patience;
use crate::{saga, store};

pub fn routes() -> Router<Context> {
    Router::new().route("/api/v1/checkouts/{id}/cancel", post(cancel))
}

/// Call a checkout off
///
/// Before the payment is taken: whatever was done is undone. Asking again changes nothing, so it needs no key.
#[utoipa::path(
    post, path = "/api/v1/checkouts/{id}/cancel", operation_id = "cancelCheckout", tag = "checkouts",
    params(("id" = CheckoutId, Path, description = "The checkout")),
    responses(
        (status = 200, description = "Called off; nothing is left of it", body = CheckoutBody),
        (status = 202, description = "Called off; what was done is being undone", body = CheckoutBody,
            headers(("Location" = String, description = "The checkout"))),
        (status = 409, description = "`checkout-not-cancellable`: the payment is being taken, or it has ended",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("token" = [])),
)]
pub(super) async fn cancel(
    principal: Principal,
    State(context): State<Context>,
    Path(id): Path<CheckoutId>,
    Query(NoQuery {}): Query<NoQuery>,
) -> Result<Response> {
    let sight = Sight::Own(buyer(&principal)?);
    let checkout = store::get(&context.db, id).await?.ok_or_else(|| not_found(id))?;
    sight.check(&checkout)?;
    let asked = store::request_cancel(&context.db, id, context.clock.now()).await?;
    let found = store::get(&context.db, id).await?.ok_or_else(|| not_found(id))?;
    if !asked && !found.cancel_requested {
        let allowed: [&str; 0] = [];
        return Err(Problem::conflict("checkout-not-cancellable")
            .detail("the payment is being taken, or the checkout has ended")
            .with("state", found.state.as_str())
            .with("allowed", allowed.as_slice()));
    }
    let found = saga::join(&context, found, &mut Patience::new(&context, BUDGET)).await?;
    let location = format!("/api/v1/checkouts/{id}");
    Ok(match found.state {
        CheckoutState::Cancelled | CheckoutState::Failed => Reply::ok(&CheckoutBody::from(found)),
        _ => Reply::accepted(location, &CheckoutBody::from(found)),
    }
    .into_response())
}
