//! The rules of money that products, cart, checkout, orders and sales share, so that an estimate, a
//! quote, an order, a sale and its receipt say the same total to the cent.
//!
//! Pure functions over integer cents: no I/O, no clock, no floating point. Which price, rate or
//! deposit applies on which day is the caller's knowledge; storing the result is the caller's work.
//!
//! In reading order:
//! - [`money`]: cents, checked, and their JSON form;
//! - [`tax`]: GST and QST, a rate each, one rounding each;
//! - [`allocate`](mod@allocate): a total split so that the parts sum to it;
//! - [`cash`]: the last step of a cash payment, to five cents;
//! - [`basket`]: lines and discounts in, a [`Quote`] out;
//! - [`refund`](mod@refund): what comes back with a return, in however many steps;
//! - `wire`: what the JSON forms share.
//!
//! ```
//! use pricing::{Line, Money, TaxRates, quote};
//!
//! let coke = Line {
//!     unit_deposit: Money::from(10),
//!     ..Line::new(Money::from(299), 2, TaxRates::STANDARD)
//! };
//! let juice = Line {
//!     unit_deposit: Money::from(10),
//!     ..Line::new(Money::from(349), 1, TaxRates::STANDARD)
//! };
//! let quote = quote(&[coke, juice], Money::ZERO)?;
//!
//! assert_eq!(quote.subtotal.to_string(), "9.47");
//! assert_eq!(quote.gst.to_string(), "0.47");
//! assert_eq!(quote.qst.to_string(), "0.94");
//! assert_eq!(quote.deposits.to_string(), "0.30");
//! assert_eq!(quote.total.to_string(), "11.18");
//! assert_eq!(quote.cash_total.to_string(), "11.20");
//! # Ok::<(), pricing::QuoteError>(())
//! ```

pub mod allocate;
pub mod basket;
pub mod cash;
pub mod money;
pub mod refund;
pub mod tax;

#[cfg(test)]
mod oracle;
mod wire;

pub use allocate::allocate;
pub use basket::{
    Line, MAX_LINES, MAX_QUANTITY, MAX_UNIT_DEPOSIT, MAX_UNIT_PRICE, Quote, QuoteError, QuotedLine, quote, violations,
};
pub use cash::{Cash, round_cash};
pub use money::{CURRENCY, Money, MoneyError};
pub use refund::{Refund, RefundError, RefundedLine, ReturnLine, SoldLine, refund};
pub use tax::{RateError, Tax, TaxGroup, TaxRate, TaxRates, breakdown};
