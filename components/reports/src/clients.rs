//! What the other services are asked for: their events, and what is wrong with their data. Nothing is changed
//! anywhere, so everything may be asked for again.

use std::time::Duration;

use sdk::audit::{Audit, Violation};
use sdk::outbox::Horizon;
use sdk::{Client, ClientError};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::Source;

/// For a page: a feed reads an index.
const PAGE_DEADLINE: Duration = Duration::from_secs(2);

/// For an audit, which looks at everything that a service has.
const AUDIT_DEADLINE: Duration = Duration::from_secs(5);

/// A page of a feed. The SDK's `Feed` would be none at all when one event of it cannot be read: here each is as it
/// came, and read by itself.
#[derive(Debug)]
pub struct Page {
    pub events: Vec<Box<RawValue>>,
    pub next_cursor: Option<String>,
    /// None from a service that does not tell it yet, because it is to be swapped: what it tells is read, and where it
    /// ends is not known.
    pub horizon: Option<Horizon>,
    /// Of the answer.
    pub bytes: usize,
}

#[derive(Deserialize)]
struct Answer {
    data: Vec<Box<RawValue>>,
    next_cursor: Option<String>,
    horizon: Option<Horizon>,
}

/// The events after that place, as many as that at most.
///
/// # Errors
/// When there is no answer, or one that is no page.
pub async fn events(http: &Client, source: Source, after: Option<&str>, limit: u32) -> Result<Page, ClientError> {
    let after = after.map(|cursor| format!("&after={cursor}")).unwrap_or_default();
    let url = format!("http://{}/internal/v1/events?limit={limit}{after}", source.as_str());
    let response = http.get(url).deadline(PAGE_DEADLINE).send().await?.success()?;
    let Answer { data, next_cursor, horizon } = response.json()?;
    Ok(Page { events: data, next_cursor, horizon, bytes: response.body.len() })
}

/// What the service says is wrong with its data.
///
/// # Errors
/// When there is no answer, or one that is no audit.
pub async fn audit(http: &Client, source: Source) -> Result<Vec<Violation>, ClientError> {
    let url = format!("http://{}/internal/v1/audit", source.as_str());
    let audit: Audit = http.get(url).deadline(AUDIT_DEADLINE).send().await?.success()?.json()?;
    Ok(audit.data)
}
