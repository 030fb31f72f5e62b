//! Headers that end at the gateway, and headers that it adds.

use std::net::{IpAddr, SocketAddr};

use http::header::{CONNECTION, EXPECT, HOST, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRANSFER_ENCODING, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
const X_FORWARDED_PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");

/// RFC 9110, section 7.6.1: they are about one connection, and there are two here.
const HOP_BY_HOP: [HeaderName; 8] =
    [CONNECTION, KEEP_ALIVE, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, PROXY_CONNECTION, TE, TRANSFER_ENCODING, UPGRADE];

/// Also removes what `Connection` names. It goes first, before anything that a header decides is set.
pub fn remove_hop_by_hop(headers: &mut HeaderMap) {
    if headers.contains_key(CONNECTION) {
        let values = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
        let named: Vec<HeaderName> =
            values.flat_map(|list| list.split(',')).filter_map(|name| name.trim().parse().ok()).collect();
        for name in named {
            headers.remove(name);
        }
    }
    for name in &HOP_BY_HOP {
        headers.remove(name);
    }
    headers.remove(EXPECT); // the gateway itself has told the client to go on
}

/// Where a request came in.
#[derive(Clone, Debug)]
pub struct Entrance {
    pub client: SocketAddr,
    /// The gateway's own port.
    pub port: u16,
}

/// Tells the service how the client reached the gateway. As in Kong, whose list of trusted proxies is empty, only
/// `X-Forwarded-For` keeps what the client said, in front.
pub fn forward(parts: &mut Parts, entrance: &Entrance, prefix: Option<&str>) {
    let client = client_address(entrance.client.ip());
    let host = parts.uri.host().and_then(|_| HeaderValue::try_from(parts.uri.authority()?.as_str()).ok());
    let host = host.or_else(|| parts.headers.get(HOST).cloned());
    let headers = &mut parts.headers;
    let chain: Vec<&str> = headers
        .get_all(X_FORWARDED_FOR)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .chain([client.as_str()])
        .collect();
    if let Ok(chain) = HeaderValue::try_from(chain.join(", ")) {
        headers.insert(X_FORWARDED_FOR, chain);
    }
    if let Ok(client) = HeaderValue::try_from(client) {
        headers.insert(X_REAL_IP, client);
    }
    headers.insert(X_FORWARDED_PROTO, HeaderValue::from_static("http"));
    headers.insert(X_FORWARDED_PORT, HeaderValue::from(entrance.port));
    set(headers, X_FORWARDED_HOST, host);
    set(headers, X_FORWARDED_PREFIX, prefix.and_then(|prefix| HeaderValue::try_from(prefix).ok()));
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: Option<HeaderValue>) {
    match value {
        Some(value) => headers.insert(name, value),
        None => headers.remove(name),
    };
}

/// An IPv4 client of a socket for both kinds is an IPv4 client.
fn client_address(address: IpAddr) -> String {
    address.to_canonical().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(headers: &[(&'static str, &'static str)]) -> Parts {
        let mut request = http::Request::new(());
        for (name, value) in headers {
            request.headers_mut().append(*name, HeaderValue::from_static(value));
        }
        request.into_parts().0
    }

    #[test]
    fn what_is_about_one_connection_ends_here() {
        let mut parts = parts(&[
            ("connection", "close, X-Mine"),
            ("connection", "x-yours"),
            ("x-mine", "1"),
            ("x-yours", "1"),
            ("upgrade", "h2c"),
            ("te", "trailers"),
            ("transfer-encoding", "chunked"),
            ("accept", "*/*"),
        ]);
        remove_hop_by_hop(&mut parts.headers);
        assert_eq!(parts.headers.keys().collect::<Vec<_>>(), ["accept"]);
    }

    #[test]
    fn a_client_cannot_lie_about_how_it_came() {
        let mut parts = parts(&[
            ("host", "shop.example"),
            ("x-forwarded-for", "10.0.0.1"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "evil.example"),
            ("x-forwarded-prefix", "/evil"),
            ("x-real-ip", "10.0.0.1"),
        ]);
        let client = "[::ffff:192.0.2.7]:5555".parse().unwrap();
        forward(&mut parts, &Entrance { client, port: 8000 }, None);
        let get = |name: &str| parts.headers.get(name).map(|value| value.to_str().unwrap());
        assert_eq!(get("x-forwarded-for"), Some("10.0.0.1, 192.0.2.7"));
        assert_eq!(get("x-real-ip"), Some("192.0.2.7"));
        assert_eq!(get("x-forwarded-proto"), Some("http"));
        assert_eq!(get("x-forwarded-host"), Some("shop.example"));
        assert_eq!(get("x-forwarded-port"), Some("8000"));
        assert_eq!(get("x-forwarded-prefix"), None);
    }
}
