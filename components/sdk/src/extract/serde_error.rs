//! What serde says is wrong, as one entry of a problem's `errors`: where, a code, and a sentence
//! without the names of our types.

use serde_path_to_error::{Path, Segment};

/// What is wrong with a body or a query.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub code: &'static str,
    pub detail: String,
    /// The member that is missing or unknown, which serde's path does not always contain.
    pub member: Option<String>,
}

/// From the text of serde's error, which is all that serde tells.
pub(super) fn finding(text: &str) -> Finding {
    let text = without_position(text);
    let quoted = || text.split('`').nth(1).map(str::to_owned);
    let of = |code, member| Finding { code, detail: in_their_words(text), member };
    if text.starts_with("unknown field") {
        return of("unknown-field", quoted());
    }
    if text.starts_with("missing field") {
        let detail = "is required".to_owned();
        return Finding { code: "missing-field", detail, member: quoted() };
    }
    if text.starts_with("duplicate field") {
        return of("duplicate-field", quoted());
    }
    if text.starts_with("invalid type") {
        return of("invalid-type", None);
    }
    of("invalid-value", None)
}

/// serde_json adds " at line 1 column 7"; a JSON pointer says it better.
fn without_position(text: &str) -> &str {
    match text.rfind(" at line ") {
        Some(end) => text.get(..end).unwrap_or(text),
        None => text,
    }
}

/// "expected struct NewProduct" names a type of ours, "expected u32" one of Rust's.
fn in_their_words(text: &str) -> String {
    let Some((before, expected)) = text.rsplit_once("expected ") else {
        return text.to_owned();
    };
    let (first, rest) = expected.split_once(' ').unwrap_or((expected, ""));
    let expected = match first {
        "struct" => "an object".to_owned(),
        "u8" => range(0, u8::MAX.into()),
        "u16" => range(0, u16::MAX.into()),
        "u32" => range(0, u32::MAX.into()),
        "u64" | "usize" => "a whole number of at least 0".to_owned(),
        "i16" => range(i16::MIN.into(), i16::MAX.into()),
        "i32" => range(i32::MIN.into(), i32::MAX.into()),
        "i64" => "a whole number".to_owned(),
        _ if rest.is_empty() => first.to_owned(),
        _ => format!("{first} {rest}"),
    };
    format!("{before}expected {expected}")
}

fn range(least: i64, most: i64) -> String {
    format!("a whole number from {least} to {most}")
}

/// A JSON pointer (RFC 6901), with `member` at its end unless the path already ends in it.
pub(super) fn pointer(path: &Path, member: Option<&str>) -> String {
    let mut pointer = String::new();
    let mut last = None;
    for segment in path.iter() {
        let token = match segment {
            Segment::Seq { index } => index.to_string(),
            Segment::Map { key } => key.clone(),
            Segment::Enum { .. } | Segment::Unknown => continue,
        };
        push(&mut pointer, &token);
        last = Some(token);
    }
    match member {
        Some(member) if last.as_deref() != Some(member) => push(&mut pointer, member),
        _ => {}
    }
    pointer
}

fn push(pointer: &mut String, token: &str) {
    pointer.push('/');
    pointer.push_str(&token.replace('~', "~0").replace('/', "~1"));
}
