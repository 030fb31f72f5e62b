//! What a handler is given: the capabilities of its service. The axum state.

use crate::{Client, Clock, Db, Secrets};

/// Cheap to clone; the state of a service's router.
#[derive(Clone, Debug)]
pub struct Context {
    pub db: Db,
    pub clock: Clock,
    pub http: Client,
    pub secrets: Secrets,
}

impl Context {
    /// What the host gives. Natively, without the feature `testing`, every call reports that there
    /// is no host.
    #[must_use]
    pub fn from_host() -> Self {
        let (db, http) = (Db::from_host(), Client::from_host());
        Context { db, clock: Clock::system(), http, secrets: Secrets::from_host() }
    }
}
