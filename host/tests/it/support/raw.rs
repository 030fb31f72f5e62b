//! HTTP as bytes: what no well-behaved client sends, and what it would not show.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::in_time;

/// What came until the connection ended.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// As they came, names in lower case.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Everything after the head, framing and all.
    pub rest: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(other, _)| other == name)?;
        Some(std::str::from_utf8(value).expect("a header of text"))
    }

    /// The body of this answer alone, without its framing.
    pub fn body(&self) -> String {
        if self.header("transfer-encoding") != Some("chunked") {
            return self.rest.clone();
        }
        let (mut body, mut rest) = (String::new(), self.rest.as_str());
        while let Some((size, more)) = rest.split_once("\r\n") {
            let size = usize::from_str_radix(size, 16).expect("the size of a chunk");
            if size == 0 {
                break;
            }
            body.push_str(&more[..size]);
            rest = more[size..].trim_start_matches("\r\n");
        }
        body
    }

    /// Every value of a header, in their order.
    pub fn all(&self, name: &str) -> Vec<&[u8]> {
        self.headers.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_slice()).collect()
    }
}

/// Sends the bytes, and reads to the end of the connection: ask the host to `connection: close`.
pub async fn exchange(address: SocketAddr, request: impl AsRef<[u8]>) -> Answer {
    let request = request.as_ref();
    let answer = try_exchange(address, request).await;
    answer.unwrap_or_else(|| panic!("{}: no answer", String::from_utf8_lossy(request)))
}

/// The same, where the host may hang up without an answer.
pub async fn try_exchange(address: SocketAddr, request: impl AsRef<[u8]>) -> Option<Answer> {
    let request = request.as_ref();
    let what = String::from_utf8_lossy(request).into_owned();
    let answer = in_time(&what, async {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        stream.write_all(request).await.expect("the host reads");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.expect("an answer");
        answer
    });
    parse(&answer.await)
}

fn parse(answer: &[u8]) -> Option<Answer> {
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let mut lines = answer[..end].split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let status = std::str::from_utf8(lines.next()?).ok()?.split(' ').nth(1)?.parse().ok()?;
    let headers = lines.map(|line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = String::from_utf8_lossy(&line[..colon]).to_ascii_lowercase();
        Some((name, line[colon + 1..].trim_ascii().to_vec()))
    });
    let headers = headers.collect::<Option<_>>()?;
    Some(Answer { status, headers, rest: String::from_utf8_lossy(&answer[end + 4..]).into_owned() })
}
