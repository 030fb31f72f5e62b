//! The rules of a till: what a sale is made of and comes to, how it is paid for, what comes back, and what a
//! drawer should hold.
//!
//! Pure: no SQL, no HTTP, no clock. What a till asks for is in `domain/draft.rs`, what checkout asks for in
//! `domain/online.rs`; what a sale is in `domain/sale.rs`, how it is paid in `domain/tender.rs`; returns in
//! `domain/returning.rs`; registers and sessions in `domain/session.rs`, their reports in `domain/report.rs`;
//! what inventory is to be told in `domain/effect.rs`.

pub mod draft;
pub mod effect;
pub mod online;
pub mod report;
pub mod returning;
pub mod sale;
pub mod session;
pub mod tender;
#[cfg(test)]
mod tests;

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use pricing::Money;
use sdk::problem::FieldError;
use sdk::typed_id;

pub use sdk::fulfilment::LocationId;

typed_id!(
    /// A register: a till, or what numbers the sales of a web shop.
    RegisterId,
    i64
);
typed_id!(
    /// A session at a register, from the opening of the drawer to its count.
    SessionId,
    Uuid
);
typed_id!(
    /// A sale; of a till, a UUID that the till may choose itself.
    SaleId,
    Uuid
);
typed_id!(
    /// A return of some of a sale.
    ReturnId,
    Uuid
);
typed_id!(
    /// Cash that came into a drawer or went out of it without a sale.
    MovementId,
    Uuid
);
typed_id!(
    /// An order of the orders service.
    OrderId,
    Uuid
);
typed_id!(
    /// A checkout of the checkout service.
    CheckoutId,
    Uuid
);
typed_id!(
    /// A payment of the checkout service.
    PaymentId,
    Uuid
);
typed_id!(
    /// A customer of the customers service.
    CustomerId,
    i64
);
typed_id!(
    /// A product of the products service.
    ProductId,
    i64
);

/// The most lines of a sale, and of a return: those that inventory takes at once.
pub const MAX_LINES: usize = 200;

/// The most payments of a sale.
pub const MAX_PAYMENTS: usize = 10;

/// The most of one payment, one movement of cash or one drawer: 1 000 000.00.
pub const MAX_AMOUNT: Money = Money::new(100_000_000);

/// The longest name of a cashier or a register, in characters.
pub const NAME_MAX: usize = 100;

/// The longest reason, in characters.
pub const REASON_MAX: usize = 500;

/// How long something can be brought back.
pub const RETURN_WITHIN: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How long after a sale it can be uploaded.
pub const UPLOAD_WITHIN: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How far the clock of a till may be ahead.
pub const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);

sdk::text_enum!(
    /// How goods were sold.
    Channel {
        /// At a till.
        Store = "store",
        /// By a checkout.
        Online = "online",
    }
);

sdk::text_enum!(
    /// What became of a sale. What of it came back is on its lines.
    Status {
        Completed = "completed",
        /// Called off in the session that made it.
        Voided = "voided",
    }
);

sdk::text_enum!(
    /// How something was paid for.
    Method {
        Cash = "cash",
        Card = "card",
        GiftCard = "gift_card",
        /// To the payment provider of the checkout.
        Online = "online",
    }
);

sdk::text_enum!(
    /// How something is paid for at a till, and paid back.
    Tender {
        Cash = "cash",
        Card = "card",
        GiftCard = "gift_card",
    }
);

sdk::text_enum!(
    /// What becomes of goods that come back.
    Disposition {
        /// They go back to the shelf.
        Resalable = "resalable",
        /// They are written off.
        Damaged = "damaged",
    }
);

impl From<Tender> for Method {
    fn from(tender: Tender) -> Method {
        match tender {
            Tender::Cash => Method::Cash,
            Tender::Card => Method::Card,
            Tender::GiftCard => Method::GiftCard,
        }
    }
}

/// What a number is of. Each has numbers of its own at a register, without a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paper {
    Sale,
    Return,
    Z,
}

/// What is printed on a paper: `1-2-000042`, `1-2-R000007`, `1-2-Z000003`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number<'a> {
    pub store: LocationId,
    /// Of the register.
    pub code: &'a str,
    pub paper: Paper,
    /// From 1.
    pub seq: i64,
}

impl fmt::Display for Number<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = match self.paper {
            Paper::Sale => "",
            Paper::Return => "R",
            Paper::Z => "Z",
        };
        write!(f, "{}-{}-{letter}{:06}", self.store, self.code, self.seq)
    }
}

/// Clocks stay within the range of a timestamp: saturating costs nothing and cannot fail.
pub fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_add(by).unwrap_or(at)
}

/// As PostgreSQL keeps it, so that what is compared with what is stored is the same.
pub fn in_microseconds(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

/// PostgreSQL knows no instant before 4713 BC, and nobody sells before the year 1.
pub fn is_storable(at: Timestamp) -> bool {
    const YEAR_1_S: i64 = -62_135_596_800;
    at.as_second() >= YEAR_1_S
}

/// What is wrong with a text that must say something.
pub fn text_mistake(pointer: &str, text: &str, most: usize) -> Option<FieldError> {
    let length = text.trim().chars().count();
    let wrong = length == 0 || length > most || text.chars().any(char::is_control);
    wrong.then(|| {
        let detail = format!("must be from 1 to {most} characters, and none of them a control character");
        FieldError::at_pointer(pointer, "text-invalid", detail)
    })
}

/// What is wrong with an amount of cash that is put somewhere.
pub fn amount_mistake(pointer: &str, amount: Money, least: Money) -> Option<FieldError> {
    let wrong = amount < least || amount > MAX_AMOUNT;
    wrong.then(|| {
        let detail = format!("must be from {least} to {MAX_AMOUNT}");
        FieldError::at_pointer(format!("{pointer}/amount"), "amount-out-of-range", detail)
    })
}
