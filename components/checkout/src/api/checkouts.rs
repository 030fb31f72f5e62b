//! `/api/v1/checkouts`: a cart is bought.
//!
//! The key is stored with the acceptance, and what the checkout comes to is its answer for good: whoever sends
//! the request again is told the same, or waits with the first one for it. One exception: a checkout that was
//! given up because a service was away has left nothing behind, and answers 503; then the key may try again.

use axum::Router;
use axum::extract::State;
use axum::http::header::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use pricing::Money;
use sdk::fulfilment::Fulfilment;
use sdk::idempotency::{Claim, IDEMPOTENT_REPLAYED, reused};
use sdk::problem::{FieldError, ProblemBody};
use sdk::{Context, Idempotency, Json, NoQuery, Path, Principal, Problem, Query, Reply, Result, new_uuid_v7};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{CheckoutBody, CheckoutWithSteps, StepBody};
use super::{Sight, buyer, not_found};
use crate::domain::checkout::{Checkout, Token};
use crate::domain::steps::Step;
use crate::domain::{self, BUDGET, CartId, CheckoutId, CustomerId, LEASE, PaymentMethod, later};
use crate::patience::Patience;
use crate::saga::{self, Got};
use crate::simulator::tokens;
use crate::{events, store};

/// How often acceptance is tried again when whoever was in the way has gone at that very moment.
const ATTEMPTS_MAX: u32 = 5;

pub fn routes() -> Router<Context> {
    Router::new().route("/api/v1/checkouts", post(check_out)).route("/api/v1/checkouts/{id}", get(read))
}

/// A cart to be bought.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCheckout {
    /// The customer's own, or a guest's.
    cart_id: CartId,
    /// Whoever asks; nobody buys for somebody else.
    #[serde(default)]
    #[schema(example = 7)]
    customer_id: Option<CustomerId>,
    fulfilment: Fulfilment,
    payment: Payment,
    /// What the customer was told, as `quote` says it.
    expected_total: Money,
}

/// How it is paid.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Payment {
    method: PaymentMethod,
    /// What the provider knows the card by. The simulator's, each to its end: `tok_ok`; `tok_declined` and
    /// `tok_insufficient`; `tok_slow`, within the deadline; `tok_500_once`, whose first try fails without an effect;
    /// `tok_timeout_then_ok` and `tok_timeout_then_declined`, whose first answer is lost.
    #[schema(example = "tok_ok")]
    token: Token,
}

impl NewCheckout {
    /// Everything that is wrong with it, before it is accepted.
    fn check(&self) -> Result<()> {
        let mut errors = self.fulfilment.mistakes("/fulfilment");
        if !tokens::is_known(&self.payment.token.0) {
            let detail = "the provider knows no such token";
            errors.push(FieldError::at_pointer("/payment/token", "token-unknown", detail));
        }
        if self.expected_total.is_negative() {
            let pointer = "/expected_total/amount";
            errors.push(FieldError::at_pointer(pointer, "out-of-range", "must not be negative"));
        }
        match errors.is_empty() {
            true => Ok(()),
            false => Err(errors.into_iter().fold(Problem::unprocessable("validation-failed"), Problem::error)),
        }
    }

    /// With every id that others will know it by, under its first lease.
    fn minted(&self, context: &Context, customer_id: CustomerId) -> Checkout {
        let at = context.clock.now();
        Checkout {
            id: new_uuid_v7(&context.clock).into(),
            number: 0,
            customer_id,
            cart_id: self.cart_id,
            order_id: new_uuid_v7(&context.clock).into(),
            reservation_id: new_uuid_v7(&context.clock).into(),
            payment_id: new_uuid_v7(&context.clock).into(),
            fulfilment: self.fulfilment.clone(),
            method: self.payment.method,
            token: Some(self.payment.token.clone()),
            expected: self.expected_total,
            basket: None,
            state: domain::State::Running,
            step: Step::Cart,
            attempts: 0,
            cancel_requested: false,
            pivoted_at: None,
            failure: None,
            fence: 1,
            due_at: later(at, LEASE),
            version: 1,
            created_at: at,
            updated_at: at,
            ended_at: None,
        }
    }
}

/// What became of a request to check out.
#[derive(Debug)]
enum Accepted {
    Now(Checkout),
    /// By a request with the same key, which was the same.
    Before(Checkout),
}

/// Buy a cart
///
/// Answered when it has ended, or after eight seconds with 202 and where to look. The key is required: however often
/// the request is sent, it buys once, and every answer but 503 is the same ever after.
#[utoipa::path(
    post, path = "/api/v1/checkouts", operation_id = "checkOut", tag = "checkouts", request_body = NewCheckout,
    params(("Idempotency-Key" = String, Header, description = "Required; a new one for each purchase")),
    responses(
        (status = 201, description = "Paid: there is an order", body = CheckoutBody, headers(
            ("Location" = String, description = "The checkout"),
            ("Idempotent-Replayed" = Option<String>, description = "`true` on an answer that was given before"),
        )),
        (status = 202, description = "On its way", body = CheckoutBody,
            headers(("Location" = String, description = "The checkout"))),
        (status = 402, description = "`payment-declined`: `reason` says why, `declined` or `insufficient-funds`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`price-changed`: `total` says to what; `insufficient-stock`: `shortages` says of \
            what; `checkout-in-progress`: the cart is in another one; `product-unavailable`: `errors` says which; \
            `cart-closed`, `customer-inactive`, `reservation-expired`, `order-cancelled`, `order-refused`, \
            `checkout-cancelled`", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("token" = [])),
)]
pub(super) async fn check_out(
    principal: Principal,
    State(context): State<Context>,
    Query(NoQuery {}): Query<NoQuery>,
    idempotency: Idempotency,
    Json(body): Json<NewCheckout>,
) -> Result<Response> {
    let customer = buyer(&principal)?;
    if body.customer_id.is_some_and(|id| id != customer) {
        return Err(Problem::forbidden("forbidden").detail("nobody buys for somebody else"));
    }
    let claim = idempotency.claim(&body)?;
    body.check()?;
    let mut patience = Patience::new(&context, BUDGET);
    match accept(&context, &claim, &body, customer).await? {
        Accepted::Now(checkout) => {
            let id = checkout.id;
            let checkout = match saga::drive(&context, checkout, &mut patience).await? {
                Got::Ended(checkout) | Got::Waits(checkout) => *checkout,
                Got::Fenced => {
                    let found = store::get(&context.db, id).await?.ok_or_else(|| not_found(id))?;
                    saga::join(&context, found, &mut patience).await?
                }
            };
            Ok(answer(checkout))
        }
        Accepted::Before(checkout) => {
            let mut response = answer(saga::join(&context, checkout, &mut patience).await?);
            let replayed: (HeaderName, HeaderValue) = (IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
            response.headers_mut().insert(replayed.0, replayed.1);
            Ok(response)
        }
    }
}

/// Once for a key, and one at a time for a cart.
async fn accept(context: &Context, claim: &Claim, body: &NewCheckout, customer: CustomerId) -> Result<Accepted> {
    for _ in 0..ATTEMPTS_MAX {
        let checkout = body.minted(context, customer);
        let event = events::accepted(&checkout)?;
        if let Some(number) = store::accept(context, &checkout, claim, event).await? {
            return Ok(Accepted::Now(Checkout { number, ..checkout }));
        }
        if let Some((before, fingerprint)) = store::by_key(&context.db, claim).await? {
            return if fingerprint == claim.fingerprint { Ok(Accepted::Before(before)) } else { Err(reused()) };
        }
        if let Some(other) = store::live_of_cart(&context.db, body.cart_id).await? {
            let problem = Problem::conflict("checkout-in-progress").detail("the cart is being bought already");
            return Err(match other.customer_id == customer {
                true => problem.with("checkout_id", other.id.to_string()).retry_after(1),
                false => problem.retry_after(1),
            });
        }
    }
    Err(Problem::unavailable(1).code("database-busy").cause("whoever is in the way comes and goes"))
}

/// What it came to, or that it is on its way.
fn answer(checkout: Checkout) -> Response {
    let location = format!("/api/v1/checkouts/{}", checkout.id);
    match (&checkout.state, &checkout.failure) {
        (domain::State::Completed, _) => Reply::created(location, &CheckoutBody::from(checkout)).into_response(),
        (state, Some(failure)) if state.is_final() => {
            Problem::from(failure).with("checkout_id", checkout.id.to_string()).into_response()
        }
        _ => Reply::accepted(location, &CheckoutBody::from(checkout)).into_response(),
    }
}

/// A checkout with its steps
#[utoipa::path(
    get, path = "/api/v1/checkouts/{id}", operation_id = "getCheckout", tag = "checkouts",
    params(("id" = CheckoutId, Path, description = "The checkout")),
    responses((status = 200, description = "The checkout", body = CheckoutWithSteps)),
    security(("token" = []), ("key" = [])),
)]
pub(super) async fn read(
    principal: Principal,
    State(context): State<Context>,
    Path(id): Path<CheckoutId>,
    Query(NoQuery {}): Query<NoQuery>,
) -> Result<Json<CheckoutWithSteps>> {
    let sight = Sight::of(&principal)?;
    let checkout = store::get(&context.db, id).await?.ok_or_else(|| not_found(id))?;
    sight.check(&checkout)?;
    let steps = store::steps(&context.db, id).await?.into_iter().map(StepBody::from).collect();
    Ok(Json(CheckoutWithSteps { checkout: checkout.into(), steps }))
}
