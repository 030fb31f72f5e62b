//! Who may do what. The first argument of a handler: who may not, learns nothing about the rest of the request. The
//! gateway knows the same rules; here they are checked again.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use sdk::{Principal, Problem, Result, Role};

/// Reads reports.
#[derive(Clone, Copy, Debug)]
pub struct Reader;

impl<S: Sync> FromRequestParts<S> for Reader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self> {
        Principal::from_headers(&parts.headers).require(&[Role::Manager, Role::Hq])?;
        Ok(Reader)
    }
}

/// Has everything built again.
#[derive(Clone, Debug)]
pub struct HeadOffice(Principal);

impl HeadOffice {
    /// What a rebuild calls whoever asked for it.
    #[must_use]
    pub fn actor(&self) -> String {
        self.0.key()
    }
}

impl<S: Sync> FromRequestParts<S> for HeadOffice {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self> {
        let principal = Principal::from_headers(&parts.headers);
        principal.require(&[Role::Hq])?;
        Ok(HeadOffice(principal))
    }
}
