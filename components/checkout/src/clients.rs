//! What the other services are asked for, each by its natural key: a repetition has one effect.
//!
//! An answer is read no further than a checkout needs it. A refusal that will not change is a [`Failure`];
//! whatever else is no success, a lost answer or a status that nobody foresaw, is a [`ClientError`]: nobody knows,
//! and it is asked again.

pub mod cart;
pub mod customers;
pub mod inventory;
pub mod orders;
pub mod payments;
pub mod products;
pub mod sales;

use sdk::{ClientError, client};
use serde::Deserialize;

use crate::domain::failure::Failure;

/// What another service says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    Done,
    /// No, for good.
    No(Failure),
}

/// What of a problem decides.
#[derive(Debug, Deserialize)]
struct Problem {
    code: String,
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    shortages: serde_json::Value,
    #[serde(default)]
    errors: Vec<crate::domain::failure::Mistake>,
}

/// The answer itself when it is a success, the problem when it is a client error, and otherwise nothing that can
/// be relied upon.
fn read(response: client::Response) -> Result<Result<client::Response, Problem>, ClientError> {
    match response.status.as_u16() {
        200..=299 => Ok(Ok(response)),
        // 429 passes.
        400..=428 | 430..=499 => response.json().map(Err),
        _ => response.success().map(Ok),
    }
}

/// A refusal that nobody foresaw.
fn unforeseen(problem: &Problem) -> ClientError {
    ClientError::Protocol(format!("refused: {}", problem.code))
}
