//! Pictures of every page, to be looked at by people: `make screenshots`.
//!
//! Nothing is compared: a picture differs for reasons that are no mistakes. What can be checked, the other tests do; and
//! that nothing is wider than the screen, this does as well.

use std::path::PathBuf;

use serde_json::json;

use crate::support::browser::{Browser, DESKTOP, Look, PHONE};
use crate::support::platform::Platform;

mod admin;
mod docs;
mod office;
mod shop;
mod till;

/// A look, and what its pictures are called.
const LOOKS: [(&str, Look); 8] = [
    ("fr-wide-light", Look { language: "fr-CA", ..DESKTOP }),
    ("fr-wide-dark", Look { language: "fr-CA", scheme: "dark", ..DESKTOP }),
    ("fr-narrow-light", Look { language: "fr-CA", ..PHONE }),
    ("fr-narrow-dark", Look { language: "fr-CA", scheme: "dark", ..PHONE }),
    ("en-wide-light", DESKTOP),
    ("en-wide-dark", Look { scheme: "dark", ..DESKTOP }),
    ("en-narrow-light", PHONE),
    ("en-narrow-dark", Look { scheme: "dark", ..PHONE }),
];

#[tokio::test]
#[ignore = "pictures for people, by `make screenshots`"]
async fn screenshots() {
    let platform = Platform::start().await;
    let browser = Browser::start(&platform.url(""), DESKTOP).await;
    let album = Album::new();
    shop::pictures(&browser, &album).await;
    till::pictures(&platform, &album).await;
    office::pictures(&platform, &browser, &album).await;
    docs::pictures(&browser, &album).await;
    admin::pictures(&platform, &album).await;
    println!("pictures are in {}", album.folder.display());
    drop(browser);
    platform.stop().await;
}

/// Where pictures are put.
pub struct Album {
    folder: PathBuf,
}

impl Album {
    fn new() -> Self {
        let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "../target".to_owned());
        let folder = PathBuf::from(target).join("screenshots");
        std::fs::create_dir_all(&folder).expect("a folder");
        Self { folder }
    }

    /// A path in every look, once `ready` has a text.
    pub async fn add(&self, browser: &Browser, name: &str, path: &str, ready: &str) {
        for (look, of) in LOOKS {
            browser.look(of).await;
            browser.goto(path).await;
            browser.text(ready).await;
            browser.script("return document.fonts.ready.then(() => null)", &json!([])).await;
            browser.fits().await;
            browser.screenshot(&self.folder.join(format!("{name}-{look}.png"))).await;
        }
        browser.look(DESKTOP).await;
    }
}
