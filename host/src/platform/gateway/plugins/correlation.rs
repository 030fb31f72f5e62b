//! `correlation-id`: every request has an id that its client, its log lines and its calls share.

use http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

use crate::platform::gateway::document::Section;

#[derive(Debug)]
pub struct CorrelationId {
    header: HeaderName,
    echo: bool,
}

impl CorrelationId {
    pub fn read(config: &mut Section<'_>) -> Option<Self> {
        config.exactly("generator", "uuid".to_owned());
        let echo = config.required("echo_downstream")?;
        let name: String = config.required("header_name")?;
        let Ok(header) = HeaderName::try_from(&name) else {
            config.mistake(format!("`{name}` cannot be the name of a header"));
            return None;
        };
        Some(Self { header, echo })
    }

    /// The client's own id if it has one, else a new one. Version 7, which sorts by time.
    pub fn apply(&self, headers: &mut HeaderMap) -> Option<HeaderValue> {
        if let Some(given) = headers.get(&self.header)
            && !given.is_empty()
        {
            return Some(given.clone());
        }
        let id = HeaderValue::try_from(Uuid::now_v7().to_string()).ok()?;
        headers.insert(self.header.clone(), id.clone());
        Some(id)
    }

    pub fn echo(&self, id: &HeaderValue, headers: &mut HeaderMap) {
        if self.echo {
            headers.insert(self.header.clone(), id.clone());
        }
    }
}
