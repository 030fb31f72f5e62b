//! The tokens that the simulator knows, and what each of them does.

/// What a payment with a token does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    Authorizes,
    Declines,
    /// There is not enough on the account.
    Insufficient,
    /// It is authorized, and the first answer comes when nobody waits for it any more.
    Late,
    /// It is declined, and so is the news.
    LateDecline,
    /// The first try fails, without any effect.
    FailsOnce,
    /// It takes its time, within the deadline.
    Slow,
}

/// Every token there is.
pub const TOKENS: &[(&str, Behaviour)] = &[
    ("tok_ok", Behaviour::Authorizes),
    ("tok_declined", Behaviour::Declines),
    ("tok_insufficient", Behaviour::Insufficient),
    ("tok_timeout_then_ok", Behaviour::Late),
    ("tok_timeout_then_declined", Behaviour::LateDecline),
    ("tok_500_once", Behaviour::FailsOnce),
    ("tok_slow", Behaviour::Slow),
];

pub fn of(token: &str) -> Option<Behaviour> {
    TOKENS.iter().find(|(known, _)| *known == token).map(|(_, behaviour)| *behaviour)
}

pub fn is_known(token: &str) -> bool {
    of(token).is_some()
}

impl Behaviour {
    /// Why it is declined, if it is.
    pub const fn declines(self) -> Option<&'static str> {
        match self {
            Behaviour::Declines | Behaviour::LateDecline => Some("declined"),
            Behaviour::Insufficient => Some("insufficient-funds"),
            Behaviour::Authorizes | Behaviour::Late | Behaviour::FailsOnce | Behaviour::Slow => None,
        }
    }
}
