//! How inventory and checkout are told what was decided here. Every call is a repetition or may become
//! one: each has a natural key in its path.
//!
//! Checkout owns the payments. What either answers is read no further than it is needed: whether it is
//! done, whether there is nothing to do, or whether it is too late, because the reservation is committed
//! or the payment captured. That is a 409 whose member `state` says so.

use pricing::Money;
use sdk::{Client, ClientError, client};
use serde::{Deserialize, Serialize};

use crate::domain::LocationId;
use crate::domain::effect::{Effect, Units};

/// What the other service says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Now or before.
    Done,
    /// It knows nothing of the kind, so there is nothing to undo.
    Absent,
    /// What was to be prevented has happened.
    TooLate,
}

#[derive(Serialize)]
struct Refund {
    amount: Money,
}

#[derive(Serialize)]
struct Receipt<'a> {
    location_id: LocationId,
    lines: &'a [Units],
}

/// What a 409 says.
#[derive(Deserialize)]
struct Conflict {
    state: Option<String>,
}

/// Tells the other service.
///
/// # Errors
/// When it does not answer, or not as expected: to be tried again.
pub async fn tell(http: &Client, effect: &Effect) -> Result<Answer, ClientError> {
    match effect {
        Effect::Release { reservation } => {
            let url = format!("http://inventory/internal/v1/reservations/{reservation}/release");
            prevented(&http.post(url).send().await?, "committed")
        }
        Effect::Void { payment } => {
            let url = format!("http://checkout/internal/v1/payments/{payment}/void");
            prevented(&http.post(url).send().await?, "captured")
        }
        Effect::Refund { payment, refund, amount } => {
            let url = format!("http://checkout/internal/v1/payments/{payment}/refunds/{refund}");
            http.put(url).json(&Refund { amount: *amount }).send().await?.success()?;
            Ok(Answer::Done)
        }
        Effect::Restock { reference, location, lines } => {
            let url = format!("http://inventory/internal/v1/receipts/{reference}");
            let receipt = Receipt { location_id: *location, lines };
            http.put(url).json(&receipt).send().await?.success()?;
            Ok(Answer::Done)
        }
    }
}

/// The answer to what undoes something that may be in the state `done` already.
fn prevented(response: &client::Response, done: &str) -> Result<Answer, ClientError> {
    match response.status.as_u16() {
        404 => Ok(Answer::Absent),
        409 if response.json::<Conflict>()?.state.as_deref() == Some(done) => Ok(Answer::TooLate),
        _ => response.clone().success().map(|_| Answer::Done),
    }
}
