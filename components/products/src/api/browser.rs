//! The shop: one page, whose script shows what the path says. Its files are in `web/`.

use axum::Router;
use sdk::web::{Bundle, File};

static BUNDLE: Bundle = sdk::bundle!();
static SHOP: &File = BUNDLE.page("shop.html");

/// As `kong/kong.yml` has them, and `web/shop.js`.
const PATHS: [&str; 9] =
    ["/", "/product/{id}", "/cart", "/checkout", "/orders", "/orders/{id}", "/account", "/sign-in", "/sign-up"];

pub fn routes() -> Router {
    sdk::web::routes(&BUNDLE, &PATHS.map(|path| (path, SHOP)))
}
