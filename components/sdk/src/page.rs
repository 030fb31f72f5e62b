//! Lists, a page at a time, by key (not by offset: a page neither repeats nor skips what was there
//! all along while others insert).

use crate::{Json, Problem, Result, request};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::LINK;
use http::{HeaderValue, Uri};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub const LIMIT_DEFAULT: u32 = 20;
pub const LIMIT_MAX: u32 = 200;

/// What a cursor may be long; what we hand out is far shorter.
const CURSOR_BYTES_MAX: usize = 1_024;

/// Where the next page begins: the sort key of the last item, opaque to clients.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String)]
pub struct Cursor(String);

impl Cursor {
    #[must_use]
    pub fn encode(key: &impl Serialize) -> Self {
        // A key is a few numbers and texts, which can always be written.
        Cursor(URL_SAFE_NO_PAD.encode(serde_json::to_vec(key).unwrap_or_default()))
    }

    /// # Errors
    /// 400 `cursor-invalid` for what [`Cursor::encode`] has not made of such a key.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T> {
        let bytes = Some(&self.0)
            .filter(|text| text.len() <= CURSOR_BYTES_MAX)
            .and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).ok_or_else(|| {
            Problem::bad_request("cursor-invalid")
                .detail("`after` must be the next_cursor of the page before, with the same filters")
        })
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Which page. A query's own struct has plain fields `limit` and `after`, because serde cannot both
/// flatten and deny unknown fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageParams {
    pub limit: u32,
    pub after: Option<Cursor>,
}

impl PageParams {
    /// # Errors
    /// 400 when the limit is not from 1 to [`LIMIT_MAX`].
    pub fn new(limit: Option<u32>, after: Option<Cursor>) -> Result<Self> {
        let limit = limit.unwrap_or(LIMIT_DEFAULT);
        if !(1..=LIMIT_MAX).contains(&limit) {
            let detail = format!("must be from 1 to {LIMIT_MAX}");
            return Err(Problem::bad_request("invalid-query").parameter("limit", "out-of-range", detail));
        }
        Ok(PageParams { limit, after })
    }

    /// The sort key that the page comes after.
    ///
    /// # Errors
    /// As [`Cursor::decode`].
    pub fn after<T: DeserializeOwned>(&self) -> Result<Option<T>> {
        self.after.as_ref().map(Cursor::decode).transpose()
    }

    /// What a statement asks for: one row more than the page has, which tells whether there is a
    /// next one.
    #[must_use]
    pub fn fetch_limit(&self) -> i64 {
        i64::from(self.limit) + 1
    }
}

/// One page; as a response with `Link: <..>; rel="next"` when there is another.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Page<T> {
    pub data: Vec<T>,
    pub next_cursor: Option<Cursor>,
}

impl<T> Page<T> {
    /// Of up to `limit + 1` items ([`PageParams::fetch_limit`]); `cursor` makes the cursor of the
    /// page's last one.
    pub fn new(mut items: Vec<T>, limit: u32, cursor: impl FnOnce(&T) -> Cursor) -> Self {
        let limit = limit as usize;
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = items.last().filter(|_| more).map(cursor);
        Page { data: items, next_cursor }
    }

    /// Everything there is.
    #[must_use]
    pub fn only(data: Vec<T>) -> Self {
        Page { data, next_cursor: None }
    }

    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page { data: self.data.into_iter().map(f).collect(), next_cursor: self.next_cursor }
    }
}

impl<T: Serialize> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        let link = self.next_cursor.as_ref().and_then(|cursor| {
            let request = request::current()?;
            HeaderValue::from_str(&next_link(request.uri(), cursor)).ok()
        });
        let mut response = Json(self).into_response();
        if let Some(link) = link {
            response.headers_mut().insert(LINK, link);
        }
        response
    }
}

/// The request's own path and query, with another `after` (RFC 8288).
fn next_link(uri: &Uri, cursor: &Cursor) -> String {
    let mut link = format!("<{}?", uri.path());
    let query = uri.query().unwrap_or_default();
    for pair in query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("after=")) {
        link.push_str(pair);
        link.push('&');
    }
    link.push_str("after=");
    link.push_str(cursor.as_str());
    link.push_str(">; rel=\"next\"");
    link
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_its_key_again_and_nothing_else_is() {
        let cursor = Cursor::encode(&("Café", 7));
        assert!(cursor.as_str().chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)));
        assert_eq!(cursor.decode::<(String, i64)>().unwrap(), ("Café".to_owned(), 7));
        for wrong in ["", "!", "e30", "W10", &"A".repeat(2_000)] {
            let problem = Cursor(wrong.to_owned()).decode::<(String, i64)>().unwrap_err();
            assert_eq!((problem.status().as_u16(), problem.get_code()), (400, "cursor-invalid"));
        }
    }

    #[test]
    fn the_row_too_many_tells_of_a_next_page() {
        let page = |count: i64| Page::new((1..=count).collect(), 2, Cursor::encode);
        assert_eq!((page(2).data, page(2).next_cursor), (vec![1, 2], None));
        assert_eq!((page(3).data, page(3).next_cursor), (vec![1, 2], Some(Cursor::encode(&2))));
        assert_eq!(page(0).next_cursor, None);
    }

    #[test]
    fn the_limit_has_limits() {
        assert_eq!(PageParams::new(None, None).unwrap().limit, 20);
        assert_eq!(PageParams::new(Some(200), None).unwrap().fetch_limit(), 201);
        assert!(PageParams::new(Some(0), None).is_err());
        assert!(PageParams::new(Some(201), None).is_err());
    }

    #[test]
    fn the_link_keeps_the_filters() {
        let uri = Uri::from_static("/api/v1/products?after=old&q=caf%C3%A9&limit=2");
        let link = next_link(&uri, &Cursor("NEW".to_owned()));
        assert_eq!(link, "</api/v1/products?q=caf%C3%A9&limit=2&after=NEW>; rel=\"next\"");
        let link = next_link(&Uri::from_static("/p"), &Cursor("NEW".to_owned()));
        assert_eq!(link, "</p?after=NEW>; rel=\"next\"");
    }
}
