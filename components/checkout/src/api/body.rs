//! A checkout as it is shown.

use jiff::Timestamp;
use pricing::Money;
use sdk::fulfilment::Fulfilment;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::checkout::{Checkout, StepState, Taken};
use crate::domain::failure::Code;
use crate::domain::steps::Step;
use crate::domain::{CartId, CheckoutId, CustomerId, Number, OrderId, PaymentId, PaymentMethod, State};

/// A checkout.
#[derive(Debug, Serialize, ToSchema)]
pub struct CheckoutBody {
    pub id: CheckoutId,
    /// For people.
    #[schema(example = "K-100001")]
    pub number: String,
    pub state: State,
    #[schema(example = 7)]
    pub customer_id: CustomerId,
    pub cart_id: CartId,
    /// Of the order that comes of it: there is one from the step `order` on.
    pub order_id: OrderId,
    pub payment_id: PaymentId,
    pub payment_method: PaymentMethod,
    /// Without the address once it has ended: the order has it.
    pub fulfilment: Fulfilment,
    /// What the customer was told.
    pub expected_total: Money,
    /// What it comes to; null until it is priced.
    pub total: Option<Money>,
    /// Why nothing came of it; null unless that is so.
    pub failure: Option<FailureBody>,
    /// Whether it can still be called off.
    pub cancellable: bool,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Timestamp>,
}

/// Why nothing came of a checkout.
#[derive(Debug, Serialize, ToSchema)]
pub struct FailureBody {
    pub code: Code,
    #[schema(example = "the payment was declined; nothing was charged")]
    pub detail: String,
}

/// A checkout with its steps.
#[derive(Debug, Serialize, ToSchema)]
pub struct CheckoutWithSteps {
    #[serde(flatten)]
    pub checkout: CheckoutBody,
    /// In the order in which they were taken.
    pub steps: Vec<StepBody>,
}

/// A step of a checkout.
#[derive(Debug, Serialize, ToSchema)]
pub struct StepBody {
    pub step: Step,
    pub state: StepState,
    /// How often it was tried again.
    #[schema(example = 0)]
    pub retries: i32,
    #[schema(value_type = String, format = DateTime)]
    pub began_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Timestamp>,
    /// Why it was refused or skipped.
    pub note: Option<String>,
}

impl From<Checkout> for CheckoutBody {
    fn from(checkout: Checkout) -> CheckoutBody {
        CheckoutBody {
            id: checkout.id,
            number: Number(checkout.number).to_string(),
            state: checkout.state,
            customer_id: checkout.customer_id,
            cart_id: checkout.cart_id,
            order_id: checkout.order_id,
            payment_id: checkout.payment_id,
            payment_method: checkout.method,
            expected_total: checkout.expected,
            total: checkout.basket.as_ref().map(|basket| basket.total()),
            cancellable: checkout.is_cancellable(),
            fulfilment: checkout.fulfilment,
            failure: checkout.failure.map(|failure| FailureBody { code: failure.code, detail: failure.detail }),
            created_at: checkout.created_at,
            updated_at: checkout.updated_at,
            ended_at: checkout.ended_at,
        }
    }
}

impl From<Taken> for StepBody {
    fn from(taken: Taken) -> StepBody {
        StepBody {
            step: taken.step,
            state: taken.state,
            retries: taken.retries,
            began_at: taken.began_at,
            ended_at: taken.ended_at,
            note: taken.note,
        }
    }
}
