//! Who is asking. The headers are worth what the host makes them: it removes those that do not come
//! with the gateway's or another service's secret, and a client cannot forge them.

use crate::{Problem, Result};
use axum::extract::FromRequestParts;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use http::request::Parts;
use serde::Deserialize;
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
    customer_id: Option<i64>,
}

/// What of a token's claims matters here (RFC 7519).
#[derive(Deserialize)]
struct Claims {
    sub: String,
}

impl Principal {
    #[must_use]
    pub fn anonymous() -> Self {
        Principal { kind: Role::Anonymous, name: None, roles: vec![Role::Anonymous], customer_id: None }
    }

    #[must_use]
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        if let Some(service) = text(X_SERVICE_NAME) {
            let name = Some(service.to_owned());
            return Principal { kind: Role::Service, name, roles: vec![Role::Service], customer_id: None };
        }
        let nobody = text(X_ANONYMOUS_CONSUMER) == Some("true");
        let Some(consumer) = text(X_CONSUMER_USERNAME).filter(|_| !nobody) else {
            return Principal::anonymous();
        };
        let groups = text(X_CONSUMER_GROUPS).unwrap_or_default();
        let roles: Vec<Role> = groups.split(',').filter_map(|group| Role::of_group(group.trim())).collect();
        // A name without a group that means something here: allowed what everybody is.
        let kind = roles.first().copied().unwrap_or(Role::Anonymous);
        // All customers are one consumer of the gateway; it has verified the token that tells them apart.
        let customer_id = if kind == Role::Customer { customer_of(headers) } else { None };
        Principal { kind, name: Some(consumer.to_owned()), roles, customer_id }
    }

    /// Which customer it is, if it is one.
    #[must_use]
    pub fn customer_id(&self) -> Option<i64> {
        self.customer_id
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
            (Some(_), Role::Customer) => format!("customer:{}", self.customer_id.unwrap_or_default()),
            (Some(name), _) => format!("consumer:{name}"),
        }
    }
}

/// The subject of the token, which is not verified here: without the gateway's word for it there is no
/// customer.
fn customer_of(headers: &HeaderMap) -> Option<i64> {
    let token = headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?;
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice::<Claims>(&claims).ok()?.sub.parse().ok()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn of(headers: &[(&'static str, &str)]) -> Principal {
        let headers = headers
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), http::HeaderValue::from_str(value).unwrap()));
        Principal::from_headers(&headers.collect())
    }

    fn token(claims: &str) -> String {
        format!("Bearer e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn a_customer_is_who_the_token_is_about_and_only_if_the_gateway_says_so() {
        let seven = token(r#"{"sub":"7","iss":"comptoir"}"#);
        let gateway = [("x-consumer-username", "customer"), ("x-consumer-groups", "customer")];
        let customer = of(&[gateway[0], gateway[1], ("authorization", &seven)]);
        assert_eq!((customer.kind, customer.customer_id()), (Role::Customer, Some(7)));
        assert_eq!(customer.key(), "customer:7");
        let eight = of(&[gateway[0], gateway[1], ("authorization", &token(r#"{"sub":"8"}"#))]);
        assert_ne!(eight.key(), customer.key());

        assert_eq!(of(&[("authorization", &seven)]), Principal::anonymous());
        let staff = of(&[("x-consumer-username", "hq"), ("x-consumer-groups", "hq"), ("authorization", &seven)]);
        assert_eq!((staff.kind, staff.customer_id()), (Role::Hq, None));
        for junk in ["Bearer", "Basic 7", "Bearer a.b.c", &token("{}"), &token(r#"{"sub":"eve"}"#)] {
            let principal = of(&[gateway[0], gateway[1], ("authorization", junk)]);
            assert_eq!((principal.kind, principal.customer_id()), (Role::Customer, None), "{junk}");
        }
    }
}
