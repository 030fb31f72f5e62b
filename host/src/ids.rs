//! Which request it is: its id and its trace, so that the log lines of everything on its way can be
//! put together. Reads and completes headers; who writes lines with them is elsewhere.

use http::{HeaderMap, HeaderName, HeaderValue};

pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

const MAX_REQUEST_ID_BYTES: usize = 128;

/// The ids of one request; what is malformed counts as missing.
#[derive(Clone, Debug)]
pub struct Ids {
    pub request_id: Option<HeaderValue>,
    traceparent: Option<HeaderValue>,
    /// The request came without a trace, so that its span has no parent.
    pub begins_trace: bool,
}

impl Ids {
    /// Those that a request has.
    pub fn of(headers: &HeaderMap) -> Self {
        Self {
            request_id: headers.get(REQUEST_ID).filter(|id| is_request_id(id.as_bytes())).cloned(),
            traceparent: headers.get(TRACEPARENT).filter(|trace| is_traceparent(trace)).cloned(),
            begins_trace: false,
        }
    }

    /// Gives a request what it lacks of an id and a W3C trace context.
    pub fn complete(headers: &mut HeaderMap) -> Self {
        let mut ids = Self::of(headers);
        let id = ids.request_id.get_or_insert_with(|| header(format!("{:032x}", rand::random::<u128>())));
        // Also in the place of a second one.
        headers.insert(REQUEST_ID, id.clone());
        if ids.traceparent.is_none() {
            // Both numbers must not be zero.
            let trace = rand::random::<u128>() | 1;
            let span = rand::random::<u64>() | 1;
            let traceparent = header(format!("00-{trace:032x}-{span:016x}-01"));
            headers.insert(TRACEPARENT, traceparent.clone());
            ids.traceparent = Some(traceparent);
            ids.begins_trace = true;
        }
        ids
    }

    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_ref()?.to_str().ok()
    }

    /// What all hosts on the way of a request have in common.
    pub fn trace_id(&self) -> Option<&str> {
        self.traceparent.as_ref()?.to_str().ok()?.split('-').nth(1)
    }

    /// The trace, the span in it that the request comes from, and whether it is sampled.
    pub fn trace(&self) -> Option<(u128, u64, bool)> {
        let mut parts = self.traceparent.as_ref()?.to_str().ok()?.split('-').skip(1);
        let trace = u128::from_str_radix(parts.next()?, 16).ok()?;
        let span = u64::from_str_radix(parts.next()?, 16).ok()?;
        let flags = u8::from_str_radix(parts.next()?, 16).ok()?;
        Some((trace, span, flags & 1 == 1))
    }
}

/// Printable, and short enough to be an identifier.
pub fn is_request_id(id: &[u8]) -> bool {
    !id.is_empty() && id.len() <= MAX_REQUEST_ID_BYTES && id.iter().all(u8::is_ascii_graphic)
}

/// W3C Trace Context, section 3.2.2.3.
pub fn is_trace_id(id: &[u8]) -> bool {
    id.len() == 32 && is_hex(id) && is_not_zero(id)
}

/// `00-<32 hex>-<16 hex>-<2 hex>`: W3C Trace Context, section 3.2.
fn is_traceparent(value: &HeaderValue) -> bool {
    let parts: Vec<&[u8]> = value.as_bytes().split(|&byte| byte == b'-').collect();
    let [version, trace, span, flags] = parts.as_slice() else { return false };
    let lengths = (version.len(), span.len(), flags.len()) == (2, 16, 2);
    lengths && is_trace_id(trace) && is_not_zero(span) && [version, span, flags].into_iter().all(|part| is_hex(part))
}

fn is_hex(text: &[u8]) -> bool {
    text.iter().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte))
}

fn is_not_zero(hex: &[u8]) -> bool {
    hex.iter().any(|&digit| digit != b'0')
}

fn header(text: String) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn keeps_good_ids_and_replaces_bad_ones() {
        for (given, kept) in [("abc-123", true), ("", false), ("with space", false), (&"x".repeat(129), false)] {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_str(given).unwrap());
            let ids = Ids::complete(&mut headers);
            assert_eq!(ids.request_id() == Some(given), kept, "{given:?}");
            assert_eq!(headers.get(REQUEST_ID), ids.request_id.as_ref());
            assert!(is_traceparent(headers.get(TRACEPARENT).unwrap()));
            assert!(is_trace_id(ids.trace_id().unwrap().as_bytes()));
        }
    }

    #[test]
    fn the_trace_that_a_request_came_with_goes_on() {
        let mut headers = HeaderMap::new();
        headers.insert(TRACEPARENT, HeaderValue::from_static(TRACE));
        assert_eq!(Ids::complete(&mut headers).trace_id(), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
        assert_eq!(headers.get(TRACEPARENT).unwrap(), TRACE);
        let ids = Ids::of(&headers);
        assert_eq!(ids.trace(), Some((0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736, 0x00f0_67aa_0ba9_02b7, true)));
    }

    #[test]
    fn tells_trace_contexts() {
        for (value, valid) in [
            (TRACE, true),
            ("00-00000000000000000000000000000000-00f067aa0ba902b7-01", false),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", false),
            ("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", false),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-02", false),
            ("junk", false),
        ] {
            assert_eq!(is_traceparent(&HeaderValue::from_static(value)), valid, "{value}");
        }
    }
}
