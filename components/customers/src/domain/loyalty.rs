//! Loyalty points: earned and burned, each once for each reference, and never more burned than there are.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::CustomerId;

/// The most points of an entry, as in the constraint `loyalty_entries_points_range`.
pub const POINTS_MAX: i64 = 1_000_000;
/// The most points of an account, as in the constraint `loyalty_accounts_balance_range`.
pub const BALANCE_MAX: i64 = 1_000_000_000_000;
/// The longest reference.
const REFERENCE_MAX: usize = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Earn,
    Burn,
}

impl Kind {
    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Earn => "earn",
            Kind::Burn => "burn",
        }
    }

    /// From what is stored.
    pub fn parse(text: &str) -> Option<Kind> {
        match text {
            "earn" => Some(Kind::Earn),
            "burn" => Some(Kind::Burn),
            _ => None,
        }
    }
}

/// Points to be entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Movement {
    pub customer_id: CustomerId,
    pub kind: Kind,
    /// 1..=[`POINTS_MAX`].
    pub points: i64,
}

/// Why points are not entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the account has {balance} points, which is less than what is to be burned")]
    Insufficient { balance: i64 },
    #[error("the account has {balance} points, and may have at most {BALANCE_MAX}")]
    Full { balance: i64 },
}

impl Movement {
    /// The balance after it.
    pub fn apply(&self, balance: i64) -> Result<i64, Refusal> {
        match self.kind {
            Kind::Burn if self.points > balance => Err(Refusal::Insufficient { balance }),
            Kind::Burn => Ok(balance - self.points),
            Kind::Earn if self.points > BALANCE_MAX - balance => Err(Refusal::Full { balance }),
            Kind::Earn => Ok(balance + self.points),
        }
    }
}

/// `order-0198..`: visible ASCII characters that need no escape in a path.
pub fn is_reference(text: &str) -> bool {
    (1..=REFERENCE_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:".contains(&b))
}
