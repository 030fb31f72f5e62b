//! Kinds and periods of prices.
//!
//! At an instant and in a store, the effective price is the first that exists of: the store's promo, the promo for all
//! stores, the store's regular price, the regular price for all stores. A promo wins over any regular price, and what
//! is said for a store wins over what is said for all; amounts are not compared, so a manager can foresee the outcome.
//! The regular prices for all stores follow each other without gap or overlap, so the last of the four always exists.

use jiff::Timestamp;
use pricing::{MAX_UNIT_PRICE, Money};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use sdk::problem::FieldError;

use super::{Check, StoreId};

/// What a price is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum PriceKind {
    /// Holds until the next one starts.
    Regular,
    /// Wins over the regular price, and always has an end.
    Promo,
}

impl PriceKind {
    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Regular => "regular",
            Self::Promo => "promo",
        }
    }

    /// From what is stored.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "regular" => Some(Self::Regular),
            "promo" => Some(Self::Promo),
            _ => None,
        }
    }
}

/// A price to come, once checked by [`PriceDraft::check`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceDraft {
    pub kind: PriceKind,
    /// None: every store.
    pub store: Option<StoreId>,
    pub amount: Money,
    /// Inclusive.
    pub starts_at: Timestamp,
    /// Exclusive; none: until another one starts.
    pub ends_at: Option<Timestamp>,
}

impl PriceDraft {
    /// The regular price for all stores from now on.
    pub const fn regular(amount: Money, now: Timestamp) -> Self {
        Self { kind: PriceKind::Regular, store: None, amount, starts_at: now, ends_at: None }
    }

    /// The draft, or everything that is wrong with it. The past is closed: what was charged yesterday stays explicable.
    pub fn check(self, now: Timestamp) -> Result<Self, Vec<FieldError>> {
        let mut check = Check::default();
        check_amount(&mut check, "/amount/amount", self.amount);
        check.that(self.store.is_none_or(|store| store.0 > 0), "/store_id", "store-invalid", "must be positive");
        check.that(
            self.starts_at >= now,
            "/starts_at",
            "price-starts-in-past",
            "must not be in the past; leave it out for now",
        );
        match self.ends_at {
            Some(ends_at) => {
                check.that(ends_at > self.starts_at, "/ends_at", "price-period-empty", "must be after the start");
                check.that(
                    self.kind == PriceKind::Promo || self.store.is_some(),
                    "/ends_at",
                    "price-must-stay-open",
                    "the regular price for all stores ends only when the next one starts",
                );
            }
            None => check.that(self.kind == PriceKind::Regular, "/ends_at", "promo-needs-end", "a promo has an end"),
        }
        check.finish(self)
    }
}

/// A unit price lies within what `pricing` can quote.
pub fn check_amount(check: &mut Check, pointer: &str, amount: Money) {
    check.that(
        (Money::ZERO..=MAX_UNIT_PRICE).contains(&amount),
        pointer,
        "price-out-of-range",
        "must be between 0 and 10000000 cents",
    );
}
