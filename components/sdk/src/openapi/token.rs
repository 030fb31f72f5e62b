//! How customers prove who they are, in the words of every document that they are in.

use utoipa::Modify;
use utoipa::openapi::OpenApi;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};

/// The security scheme `token`.
#[derive(Clone, Copy, Debug)]
pub struct CustomerToken;

impl Modify for CustomerToken {
    fn modify(&self, document: &mut OpenApi) {
        let mut bearer = Http::new(HttpAuthScheme::Bearer);
        bearer.bearer_format = Some("JWT".to_owned());
        bearer.description = Some("A customer's access token, from `POST /api/v1/auth/login`".to_owned());
        document.components.get_or_insert_default().add_security_scheme("token", SecurityScheme::Http(bearer));
    }
}
