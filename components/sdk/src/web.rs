//! What a service shows in a browser: pages, and the files that they load.
//!
//! A component has one [`Bundle`], which its build script makes of `components/sdk/web/` and of its
//! own folder `web/` (see the crate `embed`). Its pages are revalidated each time; everything else is
//! under a path with a digest of the whole bundle, and may be kept for ever:
//!
//! ```ignore
//! static BUNDLE: Bundle = sdk::bundle!();
//! static SHOP: &File = BUNDLE.page("shop.html"); // does not compile where there is none
//!
//! router.merge(sdk::web::routes(&BUNDLE, &[("/", SHOP), ("/cart", SHOP)]))
//! ```
//!
//! When a component is replaced between a page and its files, the new one does not have them: 404,
//! which `boot.js` notices, and loads the page again. `boot.js` itself is answered for any digest.
//!
//! No script runs but those of the bundle, none of them can make another one out of text, and nothing
//! is asked of, or shown within, another origin: [`PAGE_POLICY`], [`PAGE_HEADERS`].
//!
//! Every bundle has the page of the service's OpenAPI document, `/docs`, which Swagger UI draws. It is
//! part of each component, and not an asset of one that all use: so it is there with a component
//! alone, without the gateway, and when another one is away.

use crate::{ETag, IfNoneMatch, NotModified, Path, Problem};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};

/// The pages and files of a component.
#[derive(Clone, Copy, Debug)]
pub struct Bundle {
    pub service: &'static str,
    /// Of all assets, with their names.
    pub digest: &'static str,
    pub assets: &'static [File],
    pub pages: &'static [File],
}

/// A file, compressed when it was built.
#[derive(Clone, Copy, Debug)]
pub struct File {
    pub name: &'static str,
    pub content_type: &'static str,
    /// Of its content.
    pub digest: &'static str,
    /// None: it is large, and there compressed alone.
    pub identity: Option<&'static [u8]>,
    pub brotli: Option<&'static [u8]>,
    pub gzip: &'static [u8],
}

/// The [`Bundle`] that this crate's build script has made: `fn main() -> embed::Result<()> { embed::bundle() }`.
#[macro_export]
macro_rules! bundle {
    () => {
        include!(concat!(env!("OUT_DIR"), "/bundle.rs"))
    };
}

/// What every page says besides its content and its policy. Browsers enforce it.
pub const PAGE_HEADERS: [(HeaderName, HeaderValue); 5] = [
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ),
    // Kept, but never shown without asking whether it is still the one.
    (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
];

/// Forms are sent by scripts: one whose script is not there yet must not put a password into a URL.
macro_rules! own_files_only {
    () => {
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    };
}

/// What a page may do.
pub const PAGE_POLICY: HeaderValue =
    HeaderValue::from_static(concat!(own_files_only!(), "; require-trusted-types-for 'script'; trusted-types 'none'"));

/// A page that registers a [`Worker`] may make that one address out of text, with the policy `worker` (Trusted Types).
const WORKER_POLICY: HeaderValue =
    HeaderValue::from_static(concat!(own_files_only!(), "; require-trusted-types-for 'script'; trusted-types worker"));

/// The library of the page of the OpenAPI document makes markup of its texts, and cleans it: as text, which the other
/// pages may not. What it runs are the bundle's scripts here as well.
const DOCS_POLICY: HeaderValue = HeaderValue::from_static(own_files_only!());

/// What makes a page whole again after a swap, and has to be there whatever the page's version.
const BOOT: &str = "boot.js";

const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const NOT_AT_ALL: HeaderValue = HeaderValue::from_static("no-store");

impl Bundle {
    /// The page of that name.
    ///
    /// # Panics
    /// When there is none; for a `static`, that is when it is compiled.
    #[must_use]
    pub const fn page(&self, name: &str) -> &'static File {
        named(self.pages, name)
    }

    /// The asset of that name.
    ///
    /// # Panics
    /// As [`Bundle::page`] does.
    #[must_use]
    pub const fn file(&self, name: &str) -> &'static File {
        named(self.assets, name)
    }

    fn asset(&self, digest: &str, name: &str) -> Result<(&'static File, HeaderValue), Problem> {
        let file = self.assets.iter().find(|file| file.name == name);
        match file {
            Some(file) if digest == self.digest => Ok((file, FOR_EVER)),
            Some(file) if name == BOOT => Ok((file, NOT_AT_ALL)),
            _ => Err(Problem::not_found("asset-not-found")
                .detail("another version is served by now: load the page again")
                .header(header::CACHE_CONTROL, NOT_AT_ALL)),
        }
    }
}

#[expect(clippy::panic, clippy::indexing_slicing, reason = "evaluated by the compiler")]
const fn named(files: &'static [File], name: &str) -> &'static File {
    let mut index = 0;
    while index < files.len() {
        if same(files[index].name.as_bytes(), name.as_bytes()) {
            return &files[index];
        }
        index += 1;
    }
    panic!("the bundle has no file of this name")
}

/// `==`, for the compiler.
#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
const fn same(one: &[u8], other: &[u8]) -> bool {
    let mut index = 0;
    while index < one.len() && index < other.len() && one[index] == other[index] {
        index += 1;
    }
    index == one.len() && index == other.len()
}

/// What answers for pages while there is no network: a service worker.
#[derive(Clone, Copy, Debug)]
pub struct Worker {
    pub script: &'static File,
    /// Of the script. It has no digest in it: browsers look there for a new one.
    pub path: &'static str,
    /// Of the pages: where they begin.
    pub scope: &'static str,
}

/// Where every service shows its OpenAPI document, and the page that does it.
const DOCS: (&str, &str) = ("/docs", "docs.html");

/// The pages, each at its path, that of the OpenAPI document, and everything that they load. Once in a service.
pub fn routes(bundle: &'static Bundle, pages: &[(&str, &'static File)]) -> Router {
    serving(bundle, pages, PAGE_POLICY)
}

/// Like [`routes`], for pages that register a worker.
pub fn routes_with_worker(bundle: &'static Bundle, pages: &[(&str, &'static File)], worker: Worker) -> Router {
    let script = move |if_none_match: IfNoneMatch, headers: HeaderMap| async move {
        let own = [
            (header::CONTENT_SECURITY_POLICY, PAGE_POLICY),
            (SERVICE_WORKER_ALLOWED, HeaderValue::from_static(worker.scope)),
        ];
        (own, PAGE_HEADERS, worker.script.respond(&if_none_match, &headers)).into_response()
    };
    serving(bundle, pages, WORKER_POLICY).route(worker.path, get(script))
}

fn serving(bundle: &'static Bundle, pages: &[(&str, &'static File)], policy: HeaderValue) -> Router {
    let assets = format!("/assets/{}/{{digest}}/{{name}}", bundle.service);
    let router = Router::new().route(&assets, get(asset)).with_state(bundle);
    let router = pages.iter().fold(router, |router, &(path, page)| router.route(path, show(page, policy.clone())));
    let (path, name) = DOCS;
    match bundle.pages.iter().find(|page| page.name == name) {
        Some(docs) => router.route(path, show(docs, DOCS_POLICY)),
        None => router,
    }
}

fn show(page: &'static File, policy: HeaderValue) -> MethodRouter {
    get(move |if_none_match: IfNoneMatch, headers: HeaderMap| async move {
        let policy = [(header::CONTENT_SECURITY_POLICY, policy.clone())];
        (policy, PAGE_HEADERS, page.respond(&if_none_match, &headers)).into_response()
    })
}

async fn asset(
    State(bundle): State<&'static Bundle>,
    Path((digest, name)): Path<(String, String)>,
    if_none_match: IfNoneMatch,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (file, cache_control) = bundle.asset(&digest, &name)?;
    let mut response = file.respond(&if_none_match, &headers);
    response.headers_mut().insert(header::CACHE_CONTROL, cache_control);
    Ok(response)
}

impl File {
    /// In the best coding that the client takes, or 304.
    fn respond(&self, if_none_match: &IfNoneMatch, headers: &HeaderMap) -> Response {
        let (coding, content) = match (Coding::of(headers), self.brotli, self.identity) {
            (Coding::Brotli, Some(content), _) => ("br", content),
            (Coding::Identity, _, Some(content)) => ("", content),
            // The client's wish, or all there is: better than a refusal (RFC 9110, 12.4.1).
            _ => ("gzip", self.gzip),
        };
        // Two codings of a file are two representations, and a strong tag is of one (RFC 9110, 8.8.3.3).
        let tag = if coding.is_empty() {
            ETag::strong(self.digest)
        } else {
            ETag::strong(format_args!("{}.{coding}", self.digest))
        };
        let mut response = if if_none_match.matches(&tag) {
            NotModified(tag).into_response()
        } else {
            (tag, [(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type))], content).into_response()
        };
        let fields = response.headers_mut();
        fields.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        fields.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        // Of another site, nobody may show it.
        fields.insert(CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
        if !coding.is_empty() && fields.contains_key(header::CONTENT_TYPE) {
            fields.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
        }
        response
    }
}

const SERVICE_WORKER_ALLOWED: HeaderName = HeaderName::from_static("service-worker-allowed");
const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Brotli,
    Gzip,
    Identity,
}

impl Coding {
    /// By `Accept-Encoding` (RFC 9110, 12.5.3): of what the client takes, the smallest, whatever it
    /// likes most. Without the field it might take anything; it gets what everybody can read.
    fn of(headers: &HeaderMap) -> Self {
        let mut brotli = None;
        let mut gzip = None;
        let mut any = false;
        let fields = headers.get_all(header::ACCEPT_ENCODING);
        for item in fields.iter().filter_map(|field| field.to_str().ok()).flat_map(|field| field.split(',')) {
            let (coding, weight) = item.split_once(';').unwrap_or((item, ""));
            let is_taken = !is_zero(weight);
            match coding.trim().to_ascii_lowercase().as_str() {
                "br" => brotli = Some(is_taken),
                "gzip" | "x-gzip" => gzip = Some(is_taken),
                "*" => any = is_taken,
                _ => {}
            }
        }
        match (brotli.unwrap_or(any), gzip.unwrap_or(any)) {
            (true, _) => Coding::Brotli,
            (_, true) => Coding::Gzip,
            _ => Coding::Identity,
        }
    }
}

/// `q=0`, which is a refusal, with up to three more zeros.
fn is_zero(weight: &str) -> bool {
    let value = weight.trim().strip_prefix(['q', 'Q']).and_then(|rest| rest.trim_start().strip_prefix('='));
    value.is_some_and(|value| value.trim().parse() == Ok(0.0_f32))
}
