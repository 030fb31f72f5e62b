//! The head office: one page, whose script shows what the path says. Its files are in `web/`.

use axum::Router;
use sdk::web::{Bundle, File};

static BUNDLE: Bundle = sdk::bundle!();
static OFFICE: &File = BUNDLE.page("office.html");

/// As `web/office.js` has them.
const PATHS: [&str; 8] = [
    "/office",
    "/office/sales",
    "/office/taxes",
    "/office/stock",
    "/office/prices",
    "/office/prices/{id}",
    "/office/books",
    "/office/sign-in",
];

pub fn routes() -> Router {
    sdk::web::routes(&BUNDLE, &PATHS.map(|path| (path, OFFICE)))
}
