//! How inventory is told what happened at a till. Every call is a repetition or may become one: each has a natural
//! key in its path.

use sdk::{Client, ClientError};
use serde::Serialize;

use crate::domain::effect::{Effect, Units};
use crate::domain::{Disposition, LocationId};

#[derive(Serialize)]
struct Issue<'a> {
    location_id: LocationId,
    /// The customer has the goods, whatever the ledger says.
    on_shortage: &'static str,
    lines: &'a [Units],
}

#[derive(Serialize)]
struct Receipt<'a> {
    location_id: LocationId,
    condition: Disposition,
    lines: &'a [Units],
}

/// Tells inventory.
///
/// # Errors
/// When it does not answer, or not as expected: to be tried again.
pub async fn tell(http: &Client, effect: &Effect) -> Result<(), ClientError> {
    match effect {
        Effect::Issue { reference, location, lines } => {
            let url = format!("http://inventory/internal/v1/issues/{reference}");
            let issue = Issue { location_id: *location, on_shortage: "record", lines };
            http.put(url).json(&issue).send().await?.success()?;
        }
        Effect::Receipt { reference, location, condition, lines } => {
            let url = format!("http://inventory/internal/v1/receipts/{reference}");
            let receipt = Receipt { location_id: *location, condition: *condition, lines };
            http.put(url).json(&receipt).send().await?.success()?;
        }
    }
    Ok(())
}
