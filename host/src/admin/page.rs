//! The page for operators, and the files that it loads: plain HTML, CSS and modules, part of the program. What it
//! shares with the services' pages is in `components/sdk/web/`, the rest in `page/`.
//! None of them holds anything that is not public: what the page shows it asks the admin port for, and what it
//! changes needs the token, which it sends in a header and a browser sends by itself for nobody.

use bytes::Bytes;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, VARY};
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use http_body_util::Full;

use super::Answer;

const HTML: &[u8] = include_bytes!("page/index.html");

struct File {
    name: &'static str,
    kind: &'static str,
    content: &'static [u8],
}

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const IMAGE: &str = "image/svg+xml";

macro_rules! files {
    ($($folder:literal { $($name:literal: $kind:ident,)* })*) => {
        &[$($(File { name: $name, kind: $kind, content: include_bytes!(concat!($folder, $name)) }),*),*]
    };
}

const FILES: &[File] = files! {
    "page/" {
        "api.js": SCRIPT,
        "changes.js": SCRIPT,
        "chart.js": SCRIPT,
        "dialogs.js": SCRIPT,
        "events.js": SCRIPT,
        "history.js": SCRIPT,
        "keep.js": SCRIPT,
        "lanes.js": SCRIPT,
        "page.css": STYLE,
        "page.js": SCRIPT,
        "texts.js": SCRIPT,
    }
    "../../../components/sdk/web/" {
        "a11y.js": SCRIPT,
        "base.css": STYLE,
        "boot.js": SCRIPT,
        "dom.js": SCRIPT,
        "frame.js": SCRIPT,
        "i18n.js": SCRIPT,
        "icon.svg": IMAGE,
        "storage.js": SCRIPT,
        "tokens.css": STYLE,
    }
};

/// Nothing comes from elsewhere or goes there, nothing is framed, no script is in the page or made of text.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'";

/// A browser says that it takes HTML; `curl` and scripts do not, and get the list of what there is.
pub fn is_wanted(headers: &HeaderMap) -> bool {
    let mut kinds = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    kinds.any(|kinds| kinds.contains("text/html"))
}

pub fn html() -> Answer {
    let mut response = file(HTML, "text/html; charset=utf-8");
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(VARY, HeaderValue::from_static("accept"));
    response
}

const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// What the page loads by that name.
pub fn asset(name: &str) -> Option<Answer> {
    FILES.iter().find(|file| file.name == name).map(|known| file(known.content, known.kind))
}

fn file(content: &'static [u8], kind: &'static str) -> Answer {
    let mut response = Response::new(Full::new(Bytes::from_static(content)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    // The next program on this port may have others.
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}
