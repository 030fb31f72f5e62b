//! Who may do what. The first argument of a handler: who may not, learns nothing about the rest of the
//! request. The gateway knows the same rules; here they are checked again.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use sdk::{Principal, Problem, Result, Role};

/// Somebody who has one of the roles.
macro_rules! guard {
    ($(#[$meta:meta])* $name:ident: $($role:ident),+) => {
        $(#[$meta])*
        #[derive(Clone, Debug)]
        pub struct $name(Principal);

        impl $name {
            /// What the ledger calls whoever it was.
            #[must_use]
            pub fn actor(&self) -> String {
                self.0.key()
            }
        }

        impl<S: Sync> FromRequestParts<S> for $name {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self> {
                let principal = Principal::from_headers(&parts.headers);
                principal.require(&[$(Role::$role),+])?;
                Ok($name(principal))
            }
        }
    };
}

guard!(
    /// Reads the stock and what moves it.
    Staff: Pos, Manager, Logistics, Hq, Service
);
guard!(
    /// Counts and adjusts; asks for a transfer, gives it up and receives it.
    Keeper: Manager, Logistics, Hq
);
guard!(
    /// Asks for a restock, gives it up and receives it.
    Storekeeper: Manager, Hq
);
guard!(
    /// Approves, rejects and ships.
    Shipper: Logistics, Hq
);
guard!(
    /// Another service, by name.
    Caller: Service
);
