//! What a client wants to read, and in which language (RFC 9110, 12.5).

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use sdk::{Problem, Result};

use crate::printing::Language;

/// The languages that a client prefers; in Québec, French unless it says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Speaks(pub Language);

/// The media types that a client accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepts(Vec<(String, u16)>);

impl Accepts {
    /// The one of these that the client prefers; of equals the first.
    ///
    /// # Errors
    /// 406 `not-acceptable` when it accepts none of them.
    pub fn prefer<T: Copy>(&self, offered: &[(&'static str, T)]) -> Result<T> {
        let mut best: Option<(u16, T)> = None;
        for (media_type, what) in offered {
            let quality = self.quality(media_type);
            if quality > best.map_or(0, |(best, _)| best) {
                best = Some((quality, *what));
            }
        }
        best.map(|(_, what)| what).ok_or_else(|| {
            let offered: Vec<&str> = offered.iter().map(|(media_type, _)| *media_type).collect();
            Problem::new(StatusCode::NOT_ACCEPTABLE, "not-acceptable")
                .detail(format!("this is to be had as {}", offered.join(", ")))
        })
    }

    /// By the range that says most about it; all is accepted by who says nothing.
    fn quality(&self, media_type: &str) -> u16 {
        let Accepts(ranges) = self;
        if ranges.is_empty() {
            return WHOLE;
        }
        let kind = media_type.split('/').next().unwrap_or_default();
        let candidates = [media_type.to_owned(), format!("{kind}/*"), "*/*".to_owned()];
        let of = |candidate: &String| ranges.iter().find(|(range, _)| range == candidate);
        candidates.iter().find_map(of).map_or(0, |(_, quality)| *quality)
    }
}

impl Speaks {
    fn of(headers: &HeaderMap) -> Speaks {
        let mut best: Option<(u16, Language)> = None;
        for (tag, quality) in weighted(headers, &header::ACCEPT_LANGUAGE) {
            let language = match tag.split('-').next() {
                Some("fr" | "*") => Language::French,
                Some("en") => Language::English,
                _ => continue,
            };
            if quality > best.map_or(0, |(best, _)| best) {
                best = Some((quality, language));
            }
        }
        Speaks(best.map_or(Language::French, |(_, language)| language))
    }
}

/// A quality of 1, in thousandths.
const WHOLE: u16 = 1_000;

/// What a header lists, in lower case, with the quality of each in thousandths.
fn weighted(headers: &HeaderMap, name: &HeaderName) -> Vec<(String, u16)> {
    let mut found = Vec::new();
    for item in headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(',')) {
        let mut parts = item.split(';').map(str::trim);
        let value = parts.next().unwrap_or_default().to_ascii_lowercase();
        let quality = parts.find_map(|part| part.strip_prefix("q=")).map_or(WHOLE, quality);
        if !value.is_empty() {
            found.push((value, quality));
        }
    }
    found
}

/// `0.8` in thousandths; what cannot be read is as good as nothing.
fn quality(text: &str) -> u16 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if whole == "1" {
        return WHOLE;
    }
    match whole == "0" && fraction.len() <= 3 {
        true => format!("{fraction:0<3}").parse().unwrap_or(0),
        false => 0,
    }
}

impl<S: Sync> FromRequestParts<S> for Speaks {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        Ok(Speaks::of(&parts.headers))
    }
}

impl<S: Sync> FromRequestParts<S> for Accepts {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        Ok(Accepts(weighted(&parts.headers, &header::ACCEPT)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn headers(name: HeaderName, text: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_static(text));
        headers
    }

    #[test]
    fn the_language_is_the_one_that_is_preferred_and_else_french() {
        let of = |text| Speaks::of(&headers(header::ACCEPT_LANGUAGE, text)).0;
        for text in ["", "*", "de", "fr", "fr-CA,en;q=0.9", "en;q=0.5, fr;q=0.51", "en;q=0", "en;q=x"] {
            assert_eq!(of(text), Language::French, "{text}");
        }
        for text in ["en", "en-CA", "EN-ca,fr;q=0.9", "de, en;q=0.1", "fr;q=0, en;q=0.001"] {
            assert_eq!(of(text), Language::English, "{text}");
        }
        assert_eq!(Speaks::of(&HeaderMap::new()).0, Language::French);
    }

    #[test]
    fn the_media_type_is_the_one_that_is_preferred_and_else_the_first() {
        let offered = [("text/plain", 1), ("text/html", 2)];
        let of = |text| Accepts(weighted(&headers(header::ACCEPT, text), &header::ACCEPT)).prefer(&offered);
        for (text, expected) in [
            ("*/*", 1),
            ("text/*", 1),
            ("text/html", 2),
            ("text/html,application/xhtml+xml,*/*;q=0.8", 2),
            ("text/html;q=0.5, text/plain;q=0.6", 1),
            ("text/plain;q=0, text/*", 2),
        ] {
            assert_eq!(of(text).unwrap(), expected, "{text}");
        }
        for text in ["application/json", "image/*", "text/plain;q=0"] {
            let problem = of(text).unwrap_err();
            assert_eq!((problem.status().as_u16(), problem.get_code()), (406, "not-acceptable"), "{text}");
        }
        assert_eq!(Accepts(Vec::new()).prefer(&offered).unwrap(), 1);
    }
}
