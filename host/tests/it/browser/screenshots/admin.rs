//! The operators'.

use super::Album;
use crate::support::browser::{Browser, DESKTOP};
use crate::support::platform::Platform;

pub async fn pictures(platform: &Platform, album: &Album) {
    let browser = Browser::start(&format!("http://{}", platform.admin_address()), DESKTOP).await;
    album.add(&browser, "admin", "/", ".lane").await;
}
