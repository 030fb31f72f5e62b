//! The till: one page, whose script shows what the path says, and which can be loaded without a network. Its files are in
//! `web/`.

use axum::Router;
use sdk::web::{Bundle, File, Worker};

static BUNDLE: Bundle = sdk::bundle!();
static TILL: &File = BUNDLE.page("till.html");

/// As `web/till.js` has them; `kong/kong.yml` has all below `/till`.
const PATHS: [&str; 11] = [
    "/till",
    "/till/payment",
    "/till/sales",
    "/till/sales/{id}",
    "/till/sales/{id}/return",
    "/till/sales/{id}/void",
    "/till/drawer",
    "/till/close",
    "/till/uploads",
    "/till/open",
    "/till/key",
];

/// As `web/offline.js` registers it.
static WORKER: Worker = Worker { script: BUNDLE.file("till-worker.js"), path: "/till/worker", scope: "/till" };

pub fn routes() -> Router {
    sdk::web::routes_with_worker(&BUNDLE, &PATHS.map(|path| (path, TILL)), WORKER)
}
