//! One spelling for each path, before anything is decided by it: otherwise `/api/v1/carts/%2e%2e/x`
//! would be routed as one thing and served as another.

use std::borrow::Cow;

/// RFC 3986, section 6.2.2, and Kong's addition that `//` is `/`: unreserved characters are not escaped, escapes are in
/// capitals, there are no dot segments. A path that is in order already, as nearly all are, costs one look.
pub fn normalize(path: &str) -> Cow<'_, str> {
    let odd = path.contains('%') || path.contains("//") || path.contains("/.") || !path.starts_with('/');
    if odd { Cow::Owned(remove_dot_segments(&unescape(path))) } else { Cow::Borrowed(path) }
}

/// What is left of a path after its front was taken away. Kong's rule: `/a` also matches `/a../x`, whose rest must not
/// climb.
pub fn sanitize_rest(rest: &str) -> &str {
    let mut rest = rest;
    while let Some(shorter) = rest.strip_prefix("../").or_else(|| rest.strip_prefix("./")) {
        rest = shorter;
    }
    if rest == "." || rest == ".." { "" } else { rest }
}

fn unescape(path: &str) -> String {
    let mut plain = String::with_capacity(path.len());
    let mut pieces = path.split('%');
    plain.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let code = piece.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match code.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if is_unreserved(byte) => plain.push(char::from(byte)),
            Some(byte) => plain.push_str(&format!("%{byte:02X}")),
            None => plain.push('%'),
        }
        plain.push_str(if code.is_some() { piece.get(2..).unwrap_or_default() } else { piece });
    }
    plain
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

fn remove_dot_segments(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/').filter(|segment| !segment.is_empty() && *segment != ".") {
        if segment == ".." {
            kept.pop();
        } else {
            kept.push(segment);
        }
    }
    let folder = ["/", "/.", "/.."].iter().any(|end| path.ends_with(end));
    let end = if folder && !kept.is_empty() { "/" } else { "" };
    format!("/{}{end}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_has_one_spelling() {
        for (given, expected) in [
            ("/", "/"),
            ("", "/"),
            ("/api/v1/carts/", "/api/v1/carts/"),
            ("/api//v1///carts", "/api/v1/carts"),
            ("/api/v1/carts/%2e%2e/%2E./internal/v1/audit", "/api/internal/v1/audit"),
            ("/api/v1/carts/..", "/api/v1/"),
            ("/../../etc", "/etc"),
            ("/a/./b/.", "/a/b/"),
            ("/caf%c3%a9/%41%7E%2f", "/caf%C3%A9/A~%2F"),
            ("/100%/%zz/%4", "/100%/%zz/%4"),
            ("/.well-known/x", "/.well-known/x"),
            ("/%252e%252e/x", "/%252e%252e/x"),
        ] {
            assert_eq!(normalize(given), expected, "{given}");
            assert_eq!(normalize(&normalize(given)), expected, "{given} twice");
        }
    }

    #[test]
    fn the_rest_of_a_path_does_not_climb() {
        for (rest, expected) in [("../x", "x"), ("./../x", "x"), ("..", ""), ("x/y", "x/y"), ("..x", "..x")] {
            assert_eq!(sanitize_rest(rest), expected);
        }
    }
}
