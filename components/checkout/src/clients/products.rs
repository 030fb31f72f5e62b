//! The products service: what it costs.

use sdk::{Client, ClientError};
use serde::Serialize;

use super::{read, unforeseen};
use crate::domain::LocationId;
use crate::domain::basket::{Cart, CartLine, Quote};
use crate::domain::failure::{Code, Failure};

#[derive(Serialize)]
struct Asked<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    store_id: Option<LocationId>,
    lines: &'a [CartLine],
}

/// What the cart costs now, by the prices of its store: as its estimate has it.
///
/// # Errors
/// When there is no answer that can be relied upon.
pub async fn quote(http: &Client, cart: &Cart) -> Result<Result<Quote, Failure>, ClientError> {
    let asked = Asked { store_id: cart.store_id, lines: &cart.lines };
    let response = http.post("http://products/api/v1/price-quotes").json(&asked).send().await?;
    match read(response)? {
        Ok(response) => response.json().map(Ok),
        Err(problem) if problem.code == "validation-failed" => {
            let detail = "some lines of the cart cannot be ordered: `errors` says which, remove them";
            Ok(Err(Failure { errors: problem.errors, ..Failure::new(Code::ProductUnavailable, detail) }))
        }
        Err(problem) => Err(unforeseen(&problem)),
    }
}
