//! Who may do what. The first argument of a handler: who may not, learns nothing about the rest of the
//! request. The gateway knows the same rules; here they are checked again.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use sdk::{Principal, Problem, Result, Role};

use crate::domain::session::Session;

/// Somebody who has one of the roles.
macro_rules! guard {
    ($(#[$meta:meta])* $name:ident: $($role:ident),+) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl<S: Sync> FromRequestParts<S> for $name {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self> {
                Principal::from_headers(&parts.headers).require(&[$(Role::$role),+])?;
                Ok($name)
            }
        }
    };
}

guard!(
    /// Reads what happened at the tills.
    Reader: Pos, Manager, Hq
);
guard!(
    /// Sets up registers.
    Builder: Manager, Hq
);

/// Sells, and takes back what was sold.
#[derive(Clone, Debug)]
pub struct Teller(Principal);

impl<S: Sync> FromRequestParts<S> for Teller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self> {
        let principal = Principal::from_headers(&parts.headers);
        principal.require(&[Role::Pos, Role::Manager])?;
        Ok(Teller(principal))
    }
}

impl Teller {
    /// What is recorded of whoever it was.
    #[must_use]
    pub fn actor(&self) -> String {
        self.0.key()
    }

    /// A till does its own work; a manager that of any.
    ///
    /// # Errors
    /// 403 `session-of-another`.
    pub fn works_in(&self, session: &Session) -> Result<()> {
        if self.0.has(Role::Manager) || session.opened_by == self.actor() {
            return Ok(());
        }
        Err(Problem::forbidden("session-of-another").detail("this session was opened by another till"))
    }
}
