//! The OpenAPI documents'.

use super::Album;
use crate::support::browser::Browser;

pub async fn pictures(browser: &Browser, album: &Album) {
    for service in ["products", "checkout"] {
        album.add(browser, &format!("docs-{service}"), &format!("/api/{service}/docs"), ".opblock").await;
    }
}
