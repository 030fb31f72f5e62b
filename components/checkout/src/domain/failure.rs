//! Why a checkout failed: what is stored of it, and the problem that a client sees, as often as it asks.

use sdk::Problem;
use sdk::problem::FieldError;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use axum::http::StatusCode;

/// When to try again what failed because a service was away.
const RETRY_AFTER_S: u32 = 2;

sdk::text_enum!(
    /// Why nothing came of a checkout.
    Code {
        CartEmpty = "cart-empty",
        CartNotFound = "cart-not-found",
        /// Merged into another, or expired.
        CartClosed = "cart-closed",
        /// The price is not what the customer was told.
        PriceChanged = "price-changed",
        /// Something in the cart is not for sale any more.
        ProductUnavailable = "product-unavailable",
        /// The account is closed.
        CustomerInactive = "customer-inactive",
        InsufficientStock = "insufficient-stock",
        /// The store where it was to be collected does not exist.
        LocationNotFound = "location-not-found",
        /// It took too long to pay for it.
        ReservationExpired = "reservation-expired",
        PaymentDeclined = "payment-declined",
        /// The order was cancelled while it was being paid for.
        OrderCancelled = "order-cancelled",
        /// Orders has another opinion of what adds up: a bug.
        OrderRefused = "order-refused",
        /// So has sales: a bug as well, and none that a customer hears of.
        SaleRefused = "sale-refused",
        /// The customer called it off.
        CheckoutCancelled = "checkout-cancelled",
        /// A service was away for too long.
        DependencyUnavailable = "dependency-unavailable",
    }
);

impl Code {
    const fn status(self) -> StatusCode {
        match self {
            Code::PaymentDeclined => StatusCode::PAYMENT_REQUIRED,
            Code::CartEmpty | Code::CartNotFound | Code::LocationNotFound => StatusCode::UNPROCESSABLE_ENTITY,
            Code::DependencyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::CONFLICT,
        }
    }
}

/// Why a checkout failed, with what a client needs to know about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub code: Code,
    pub detail: String,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub members: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Mistake>,
}

/// One thing that is wrong, at its place: of the cart's lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mistake {
    pub pointer: String,
    pub code: String,
    pub detail: String,
}

impl Failure {
    pub fn new(code: Code, detail: impl Into<String>) -> Failure {
        Failure { code, detail: detail.into(), members: Map::new(), errors: Vec::new() }
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Failure {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// What is known of a failure that nobody but this service has decided.
    pub fn own(code: Code) -> Failure {
        let detail = match code {
            Code::CheckoutCancelled => "the checkout was cancelled; nothing was charged",
            _ => "a service that it takes to order was away for too long; nothing was charged",
        };
        Failure::new(code, detail)
    }
}

impl From<&Failure> for Problem {
    fn from(failure: &Failure) -> Problem {
        let mut problem = Problem::new(failure.code.status(), failure.code.as_str()).detail(&failure.detail);
        for (name, value) in &failure.members {
            problem = problem.with(name, value.clone());
        }
        for Mistake { pointer, code, detail } in failure.errors.clone() {
            let error = FieldError { pointer: Some(pointer), parameter: None, code: code.into(), detail };
            problem = problem.error(error);
        }
        match failure.code {
            Code::DependencyUnavailable => problem.retry_after(RETRY_AFTER_S).cause("a checkout was given up"),
            _ => problem,
        }
    }
}
