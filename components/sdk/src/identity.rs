//! Who is asking. The headers are worth what the host makes them: it removes those that do not come
//! with the gateway's or another service's secret, and a client cannot forge them.

use crate::{Problem, Result};
use axum::extract::FromRequestParts;
use http::HeaderMap;
use http::request::Parts;
use std::convert::Infallible;

/// Kong, plugins `key-auth` and `acl`.
const X_CONSUMER_USERNAME: &str = "x-consumer-username";
const X_CONSUMER_GROUPS: &str = "x-consumer-groups";
/// Kong sets it to `true` for the consumer that stands for nobody.
const X_ANONYMOUS_CONSUMER: &str = "x-anonymous-consumer";
/// Set by a host on the calls of its service.
const X_SERVICE_NAME: &str = "x-service-name";

/// What one may be allowed to do. Nobody is more than what is named: a rule lists every role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    Anonymous,
    Customer,
    Pos,
    Manager,
    Logistics,
    Hq,
    Service,
}

impl Role {
    const GROUPS: [(&'static str, Role); 5] = [
        ("customer", Role::Customer),
        ("pos", Role::Pos),
        ("manager", Role::Manager),
        ("logistics", Role::Logistics),
        ("hq", Role::Hq),
    ];

    fn of_group(group: &str) -> Option<Role> {
        Role::GROUPS.iter().find(|(name, _)| *name == group).map(|(_, role)| *role)
    }
}

/// Who is asking; an extractor that never fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The first of the roles.
    pub kind: Role,
    name: Option<String>,
    roles: Vec<Role>,
}

impl Principal {
    #[must_use]
    pub fn anonymous() -> Self {
        Principal { kind: Role::Anonymous, name: None, roles: vec![Role::Anonymous] }
    }

    #[must_use]
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        if let Some(service) = text(X_SERVICE_NAME) {
            let name = Some(service.to_owned());
            return Principal { kind: Role::Service, name, roles: vec![Role::Service] };
        }
        let nobody = text(X_ANONYMOUS_CONSUMER) == Some("true");
        let Some(consumer) = text(X_CONSUMER_USERNAME).filter(|_| !nobody) else {
            return Principal::anonymous();
        };
        let groups = text(X_CONSUMER_GROUPS).unwrap_or_default();
        let roles: Vec<Role> = groups.split(',').filter_map(|group| Role::of_group(group.trim())).collect();
        // A name without a group that means something here: allowed what everybody is.
        let kind = roles.first().copied().unwrap_or(Role::Anonymous);
        Principal { kind, name: Some(consumer.to_owned()), roles }
    }

    /// The consumer's or the service's name.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    #[must_use]
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// That one of those roles is held.
    ///
    /// # Errors
    /// 401 `authentication-required` for nobody, 403 `forbidden` for somebody else.
    pub fn require(&self, any_of: &[Role]) -> Result<()> {
        if any_of.iter().any(|role| self.has(*role)) {
            return Ok(());
        }
        if self.name.is_none() {
            return Err(Problem::unauthorized("authentication-required"));
        }
        Err(Problem::forbidden("forbidden"))
    }

    /// The same for the same principal, ever; what an idempotency key belongs to.
    #[must_use]
    pub fn key(&self) -> String {
        match (&self.name, self.kind) {
            (None, _) => "anonymous".to_owned(),
            (Some(name), Role::Service) => format!("service:{name}"),
            (Some(name), _) => format!("consumer:{name}"),
        }
    }
}

/// Another service. The first argument of an internal route's handler: nobody else learns anything.
#[derive(Clone, Copy, Debug)]
pub struct OfService;

impl<S: Sync> FromRequestParts<S> for OfService {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self> {
        Principal::from_headers(&parts.headers).require(&[Role::Service])?;
        Ok(OfService)
    }
}

impl<S: Sync> FromRequestParts<S> for Principal {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Principal::from_headers(&parts.headers))
    }
}
