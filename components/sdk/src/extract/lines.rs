//! A body of many JSON texts, one a line (NDJSON), read as it arrives: what is in memory is one
//! piece of the body and one line, however long the body is.

use super::{body, json, media_type};
use crate::Problem;
use axum::body::Body;
use axum::extract::{FromRequest, Request};
use bytes::{Buf, Bytes, BytesMut};
use http::StatusCode;
use serde::de::DeserializeOwned;

/// What a line may be long.
pub const LINE_BYTES_MAX: usize = 64 << 10;

const MEDIA_TYPES: [&str; 3] = ["application/x-ndjson", "application/ndjson", "application/jsonl"];

/// The lines of an NDJSON body. Refuses other media types with 415.
#[derive(Debug)]
pub struct Lines {
    body: Body,
    buffer: BytesMut,
    /// How much of the buffer is known to hold no end of line.
    searched: usize,
    number: u64,
    /// In a line that is too long, whose rest is thrown away.
    overlong: bool,
    ended: bool,
}

/// One line that is not blank.
#[derive(Debug)]
pub struct Line {
    /// From 1, blank lines counted.
    pub number: u64,
    /// Nothing for a line that is longer than [`LINE_BYTES_MAX`].
    text: Option<Bytes>,
}

impl Line {
    /// What the line says.
    ///
    /// # Errors
    /// As the extractor [`crate::Json`]; 413 for a line that is too long. The lines after it can be
    /// read all the same.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        match &self.text {
            Some(text) => json::parse(text),
            None => Err(body::too_large(LINE_BYTES_MAX)),
        }
    }
}

impl Lines {
    /// The next line; nothing at the end.
    ///
    /// # Errors
    /// When the body breaks off: 400.
    pub async fn next_line(&mut self) -> Result<Option<Line>, Problem> {
        loop {
            if let Some(line) = self.buffered_line() {
                return Ok(Some(line));
            }
            if self.ended {
                return Ok(None);
            }
            match body::next_chunk(&mut self.body).await? {
                Some(chunk) => self.buffer.extend_from_slice(&chunk),
                None => self.ended = true,
            }
        }
    }

    /// A line that is complete; while there is none, the buffer stays below the limit.
    fn buffered_line(&mut self) -> Option<Line> {
        loop {
            let unsearched = self.buffer.get(self.searched..).unwrap_or_default();
            let end = unsearched.iter().position(|byte| *byte == b'\n');
            let line = match end {
                Some(end) => {
                    let line = self.buffer.split_to(self.searched + end);
                    self.buffer.advance(1);
                    line
                }
                None if self.ended && (!self.buffer.is_empty() || self.overlong) => std::mem::take(&mut self.buffer),
                None => {
                    self.searched = self.buffer.len();
                    if self.searched > LINE_BYTES_MAX {
                        self.overlong = true;
                        self.buffer.clear();
                        self.searched = 0;
                    }
                    return None;
                }
            };
            self.searched = 0;
            self.number += 1;
            if std::mem::take(&mut self.overlong) || line.len() > LINE_BYTES_MAX {
                return Some(Line { number: self.number, text: None });
            }
            if !line.trim_ascii().is_empty() {
                return Some(Line { number: self.number, text: Some(line.freeze()) });
            }
        }
    }
}

impl<S: Sync> FromRequest<S> for Lines {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let media_type = media_type(&parts.headers);
        if !media_type.is_some_and(|media_type| MEDIA_TYPES.contains(&media_type.as_str())) {
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type")
                .detail("the body must be application/x-ndjson"));
        }
        Ok(Lines::new(body))
    }
}

impl Lines {
    fn new(body: Body) -> Self {
        let buffer = BytesMut::new();
        Lines { body, buffer, searched: 0, number: 0, overlong: false, ended: false }
    }
}

#[cfg(test)]
mod tests;
