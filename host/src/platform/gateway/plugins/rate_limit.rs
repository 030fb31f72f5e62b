//! `rate-limiting`: so many requests of one address in a minute of the clock, and no more. As in Kong with the policy
//! `local`, a refused request is not counted, and the next minute begins from nothing.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::platform::gateway::document::Section;

const WINDOW_S: u64 = 60;

const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

#[derive(Debug)]
pub struct RateLimit {
    limit: u32,
    window: Mutex<Window>,
}

/// The requests of a minute, by address.
#[derive(Debug, Default)]
struct Window {
    number: u64,
    taken: HashMap<IpAddr, u32>,
}

/// What is left to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    limit: u32,
    remaining: u32,
    /// Seconds until there is all of it again.
    reset: u64,
    admitted: bool,
}

impl RateLimit {
    pub fn read(config: &mut Section<'_>) -> Option<Self> {
        config.exactly("limit_by", "ip".to_owned());
        config.exactly("policy", "local".to_owned());
        config.only("hide_client_headers", false);
        config.ignore(&[("fault_tolerant", "there is no store that could be away")]);
        let limit = config.required("minute")?;
        if limit == 0 {
            config.mistake("`minute` has to be 1 at least");
        }
        Some(Self { limit, window: Mutex::default() })
    }

    /// Takes one of what the address has left in this minute.
    ///
    /// # Errors
    /// When there is none.
    pub fn take(&self, client: IpAddr) -> Result<Allowance, Allowance> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let allowance = self.take_at(client, now);
        if allowance.admitted { Ok(allowance) } else { Err(allowance) }
    }

    fn take_at(&self, client: IpAddr, now: u64) -> Allowance {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let number = now / WINDOW_S;
        if window.number != number {
            *window = Window { number, taken: HashMap::new() };
        }
        let taken = window.taken.entry(client.to_canonical()).or_default();
        let admitted = *taken < self.limit;
        if admitted {
            *taken += 1;
        }
        Allowance { limit: self.limit, remaining: self.limit - *taken, reset: WINDOW_S - now % WINDOW_S, admitted }
    }
}

impl Allowance {
    pub fn tell(self, headers: &mut HeaderMap) {
        headers.insert(LIMIT, self.limit.into());
        headers.insert(REMAINING, self.remaining.into());
        headers.insert(RESET, HeaderValue::from(self.reset));
        if !self.admitted {
            headers.insert(RETRY_AFTER, HeaderValue::from(self.reset));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_its_own_and_every_minute_anew() {
        let limit = RateLimit { limit: 2, window: Mutex::default() };
        let [one, other] = [IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2])];
        let takes = [(one, 600), (one, 610), (one, 611), (one, 659), (other, 659), (one, 660)];
        let found = takes.map(|(client, now)| {
            let Allowance { remaining, reset, admitted, .. } = limit.take_at(client, now);
            (admitted, remaining, reset)
        });
        let expected = [(true, 1, 60), (true, 0, 50), (false, 0, 49), (false, 0, 1), (true, 1, 1), (true, 1, 60)];
        assert_eq!(found, expected);
    }

    #[test]
    fn an_address_is_one_however_it_is_written() {
        let limit = RateLimit { limit: 1, window: Mutex::default() };
        let address = std::net::Ipv4Addr::new(192, 0, 2, 1);
        assert!(limit.take_at(IpAddr::V4(address), 0).admitted);
        assert!(!limit.take_at(IpAddr::V6(address.to_ipv6_mapped()), 0).admitted);
    }
}
