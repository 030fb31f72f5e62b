use super::*;
use futures_util::{FutureExt, stream};
use serde_json::Value;
use std::convert::Infallible;

/// The lines of a body that arrives in these pieces: number, and value or status.
fn lines(pieces: &[&[u8]]) -> Vec<(u64, Result<Value, u16>)> {
    let pieces: Vec<Result<Bytes, Infallible>> = pieces.iter().map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    let mut lines = Lines::new(Body::from_stream(stream::iter(pieces)));
    let mut found = Vec::new();
    while let Some(line) = lines.next_line().now_or_never().unwrap().unwrap() {
        let value = line.json::<Value>().map_err(|problem| problem.status().as_u16());
        found.push((line.number, value));
    }
    found
}

#[test]
fn lines_do_not_depend_on_how_the_body_is_cut() {
    let text = b"{\"a\":1}\n\n  \r\n2\nx\n[3]";
    let expected =
        vec![(1, Ok(serde_json::json!({"a": 1}))), (4, Ok(2.into())), (5, Err(400)), (6, Ok(serde_json::json!([3])))];
    assert_eq!(lines(&[text]), expected);
    let bytes: Vec<&[u8]> = text.chunks(1).collect();
    assert_eq!(lines(&bytes), expected);
    assert_eq!(lines(&[]), []);
    assert_eq!(lines(&[b"\n"]), []);
}

#[test]
fn a_line_that_is_too_long_is_refused_and_the_next_one_is_not() {
    let long = vec![b'1'; LINE_BYTES_MAX + 1];
    let expected = vec![(1, Err(413)), (2, Ok(2.into()))];
    let whole = [long.as_slice(), b"\n2\n"].concat();
    assert_eq!(lines(&[&whole]), expected);
    // In pieces, of which none is kept.
    let pieces: Vec<&[u8]> = long.chunks(10_000).chain([long.as_slice(), b"\n2"]).collect();
    assert_eq!(lines(&pieces), expected);
    assert_eq!(lines(&[&long]), [(1, Err(413))]);
}

#[test]
fn what_is_kept_is_bounded() {
    let mut lines = Lines::new(Body::empty());
    for _ in 0..100 {
        lines.buffer.extend_from_slice(&[b'1'; 10_000]);
        assert!(lines.buffered_line().is_none());
        assert!(lines.buffer.len() <= LINE_BYTES_MAX);
    }
    assert!(lines.overlong);
}

#[test]
fn a_body_that_breaks_off_is_no_end() {
    let pieces = [Ok(Bytes::from_static(b"1\n2")), Err(std::io::Error::other("gone"))];
    let mut lines = Lines::new(Body::from_stream(stream::iter(pieces)));
    assert_eq!(lines.next_line().now_or_never().unwrap().unwrap().unwrap().number, 1);
    let problem = lines.next_line().now_or_never().unwrap().unwrap_err();
    assert_eq!((problem.status().as_u16(), problem.get_code()), (400, "body-incomplete"));
}
