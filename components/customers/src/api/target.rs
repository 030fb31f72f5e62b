//! Whom a request is about, and whether the caller may ask: decided before anything else about the
//! request is looked at. Somebody else's account is not found, whether there is one or not.

use std::collections::BTreeMap;

use axum::extract::FromRequestParts;
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use sdk::{Path, Principal, Problem, Result, Role};

use super::{erased, not_found, suspended, unauthenticated};
use crate::domain::{CustomerId, Status};
use crate::store::customers::Customer;

/// Who is asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// With a token that the gateway has verified.
    Customer(CustomerId),
    /// Manager or hq.
    Staff,
}

/// The customer in the path, `{id}` or `me`, whom the caller may ask about. The first argument of a
/// handler.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    pub caller: Caller,
    pub id: CustomerId,
}

impl Target {
    /// That the caller may read this. The token of one who was erased or suspended is good for some
    /// minutes more.
    pub fn readable(&self, customer: &Customer) -> Result<()> {
        match (self.caller, customer.status) {
            (Caller::Customer(_), Status::Erased) => Err(not_found()),
            (Caller::Customer(_), Status::Suspended) => Err(suspended()),
            _ => Ok(()),
        }
    }

    /// That the caller may change this.
    pub fn writable(&self, customer: &Customer) -> Result<()> {
        self.readable(customer)?;
        if customer.status == Status::Erased { Err(erased()) } else { Ok(()) }
    }
}

impl Caller {
    fn of(principal: &Principal) -> Result<Caller> {
        principal.require(&[Role::Customer, Role::Manager, Role::Hq]).map_err(|problem| {
            if problem.status() != StatusCode::UNAUTHORIZED {
                return problem;
            }
            problem
                .detail("sign in, and send `Authorization: Bearer <token>`")
                .header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"comptoir\""))
        })?;
        if principal.has(Role::Manager) || principal.has(Role::Hq) {
            return Ok(Caller::Staff);
        }
        let id = principal.customer_id();
        id.map(|id| Caller::Customer(CustomerId(id)))
            .ok_or_else(|| unauthenticated("token-invalid", "the token is about nobody"))
    }

    fn resolve(self, id: &str) -> Result<CustomerId> {
        let named = id.parse().ok().map(CustomerId);
        match self {
            Caller::Customer(own) if id == "me" || named == Some(own) => Ok(own),
            Caller::Staff => named.ok_or_else(not_found),
            Caller::Customer(_) => Err(not_found()),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Target {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Target> {
        let caller = Caller::of(&Principal::from_headers(&parts.headers))?;
        let Path(path) = Path::<BTreeMap<String, String>>::from_request_parts(parts, state).await?;
        let id = path.get("id").ok_or_else(|| Problem::internal("the route has no {id}"))?;
        Ok(Target { caller, id: caller.resolve(id)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customer_is_me_or_their_own_number_and_staff_is_nobody() {
        let own = Caller::Customer(CustomerId(7));
        for (caller, id, expected) in [
            (own, "me", Some(7)),
            (own, "7", Some(7)),
            (own, "8", None),
            (own, "x", None),
            (Caller::Staff, "8", Some(8)),
            (Caller::Staff, "me", None),
        ] {
            assert_eq!(caller.resolve(id).ok().map(|id| id.0), expected, "{caller:?} {id}");
        }
    }
}
