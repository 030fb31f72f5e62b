//! What a till asks to have recorded: a sale at the prices of the catalogue, or one that it made while it could not
//! ask for them and that was paid for long ago.

use std::borrow::Cow;

use jiff::Timestamp;
use pricing::{MAX_QUANTITY, Money, Quote, QuoteError, TaxRates};
use sdk::problem::FieldError;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::sale::{Item, Line};
use super::tender::COIN_CENTS;
use super::{
    CLOCK_SKEW, CustomerId, MAX_LINES, MAX_PAYMENTS, NAME_MAX, ProductId, RegisterId, SessionId, Tender, UPLOAD_WITHIN,
    amount_mistake, text_mistake,
};

/// The longest barcode and the longest reference of a payment, in characters.
const CODE_MAX: usize = 100;

/// A sale that a till asks to have recorded.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSale {
    /// In which it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    /// With `offline`, instead of a session: of a till that has lost its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 12)]
    pub register_id: Option<RegisterId>,
    /// The same product may be on several.
    #[schema(min_items = 1, max_items = 200)]
    pub lines: Vec<NewLine>,
    /// Off the whole basket, before tax, besides what is off the lines.
    #[serde(default)]
    pub discount: Money,
    /// Cash as it was handed over; what other means leave is paid in cash, rounded to five cents.
    #[schema(max_items = 10)]
    pub payments: Vec<NewPayment>,
    /// What the customer was told. Not with `offline`: that was paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_total: Option<Money>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 7)]
    pub customer_id: Option<CustomerId>,
    /// Made while the till could not ask anybody: recorded as it was charged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offline: Option<Offline>,
}

/// When it was made, and by whom.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Offline {
    /// At most five minutes ahead, by the clock of the till, and at most thirty days ago.
    #[schema(value_type = String, format = DateTime)]
    pub sold_at: Timestamp,
    /// Of the session if left out; required with `register_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "Julie", max_length = 100)]
    pub cashier: Option<String>,
}

/// Units of a product: by its id, or by its barcode.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLine {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 1)]
    pub product_id: Option<ProductId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "628501000376")]
    pub barcode: Option<String>,
    #[schema(example = 2, minimum = 1, maximum = 10_000)]
    pub quantity: u32,
    /// Off the whole line, before tax.
    #[serde(default)]
    pub discount: Money,
    /// With `offline`, and only with it: what was charged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_price: Option<Money>,
}

/// Money that was handed over.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPayment {
    pub method: Tender,
    /// More than nothing; of cash a multiple of five cents.
    pub amount: Money,
    /// Of the terminal's slip, or the card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "T-004211", max_length = 100)]
    pub reference: Option<String>,
}

/// A product as the catalogue has it at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    pub item: Item,
    pub rates: TaxRates,
}

/// A sale whose lines are priced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Priced {
    pub quote: Quote,
    pub lines: Vec<Line>,
}

impl Priced {
    /// Whether something was charged that the catalogue does not say.
    pub fn differs(&self) -> bool {
        self.lines.iter().any(|line| line.unit_price != line.list_unit_price)
    }
}

impl NewSale {
    /// When it was made.
    pub fn sold_at(&self, now: Timestamp) -> Timestamp {
        self.offline.as_ref().map_or(now, |offline| super::in_microseconds(offline.sold_at))
    }

    /// The payments, as far as they decide what is payable.
    pub fn tenders(&self) -> Vec<(Tender, Money)> {
        self.payments.iter().map(|payment| (payment.method, payment.amount)).collect()
    }

    /// Everything that is wrong with it, as far as nobody else has to be asked.
    pub fn mistakes(&self, now: Timestamp) -> Vec<FieldError> {
        let mut found = self.where_and_when(now);
        if !(1..=MAX_LINES).contains(&self.lines.len()) {
            let detail = format!("must be from 1 to {MAX_LINES} lines");
            found.push(FieldError::at_pointer("/lines", "lines-out-of-range", detail));
        }
        for (index, line) in self.lines.iter().enumerate() {
            found.extend(line.mistakes(&format!("/lines/{index}"), self.offline.is_some()));
        }
        if self.payments.len() > MAX_PAYMENTS {
            let detail = format!("must be at most {MAX_PAYMENTS}");
            found.push(FieldError::at_pointer("/payments", "payments-out-of-range", detail));
        }
        for (index, payment) in self.payments.iter().enumerate() {
            found.extend(payment.mistakes(&format!("/payments/{index}")));
        }
        if self.customer_id.is_some_and(|id| id.0 <= 0) {
            found.push(FieldError::at_pointer("/customer_id", "out-of-range", "must be positive"));
        }
        found
    }

    fn where_and_when(&self, now: Timestamp) -> Vec<FieldError> {
        let missing = |at: &str, detail: &str| FieldError::at_pointer(at, "missing-field", detail);
        let surplus = |at: &str, detail: &str| FieldError::at_pointer(at, "surplus-field", detail);
        let mut found = Vec::new();
        match (self.session_id, self.register_id, &self.offline) {
            (Some(_), Some(_), _) => found.push(surplus("/register_id", "the session has one")),
            (None, Some(_), None) => found.push(missing("/session_id", "only an offline sale may have none")),
            (None, None, _) => found.push(missing("/session_id", "is required")),
            (None, Some(_), Some(Offline { cashier: None, .. })) => {
                found.push(missing("/offline/cashier", "is required where no session says it"));
            }
            _ => {}
        }
        if let Some(offline) = &self.offline {
            let cashier = offline.cashier.as_deref();
            found.extend(cashier.and_then(|name| text_mistake("/offline/cashier", name, NAME_MAX)));
            let ago = now.duration_since(offline.sold_at);
            if ago < -CLOCK_SKEW {
                let detail = "must not be in the future";
                found.push(FieldError::at_pointer("/offline/sold_at", "sold-in-the-future", detail));
            }
            if ago > UPLOAD_WITHIN {
                let detail = "must be at most thirty days ago";
                found.push(FieldError::at_pointer("/offline/sold_at", "sold-too-long-ago", detail));
            }
            if self.expected_total.is_some() {
                found.push(surplus("/expected_total", "an offline sale was paid"));
            }
        }
        found
    }

    /// What the lines come to, at the prices of the catalogue or at those that were charged.
    ///
    /// # Errors
    /// Everything that keeps it from being priced.
    pub fn priced(&self, offers: Vec<Offer>) -> Result<Priced, Vec<FieldError>> {
        let lines = self.lines.iter().zip(&offers).map(|(line, offer)| pricing::Line {
            discount: line.discount,
            unit_deposit: offer.item.unit_deposit,
            ..pricing::Line::new(line.unit_price.unwrap_or(offer.item.list_unit_price), line.quantity, offer.rates)
        });
        let lines: Vec<pricing::Line> = lines.collect();
        let quote = pricing::quote(&lines, self.discount)
            .map_err(|_| pricing::violations(&lines, self.discount).iter().map(violation).collect::<Vec<_>>())?;
        let lines = offers.into_iter().zip(&quote.lines).zip(1..);
        let lines = lines.map(|((offer, quoted), number)| Line::of(number, offer.item, quoted)).collect();
        Ok(Priced { quote, lines })
    }
}

impl NewLine {
    fn mistakes(&self, at: &str, offline: bool) -> Vec<FieldError> {
        let mut found = Vec::new();
        let mut wrong = |member: &str, code, detail: Cow<'static, str>| {
            found.push(FieldError::at_pointer(format!("{at}/{member}"), code, detail));
        };
        match (self.product_id, &self.barcode) {
            (Some(id), None) if id.0 <= 0 => wrong("product_id", "out-of-range", "must be positive".into()),
            (Some(_), Some(_)) => wrong("barcode", "surplus-field", "the product is named already".into()),
            (None, None) => wrong("product_id", "missing-field", "or a barcode".into()),
            (None, Some(code)) if !is_code(code) => {
                wrong("barcode", "barcode-invalid", format!("must be 1 to {CODE_MAX} letters and digits").into());
            }
            _ => {}
        }
        if !(1..=MAX_QUANTITY).contains(&self.quantity) {
            wrong("quantity", "quantity-out-of-range", format!("must be from 1 to {MAX_QUANTITY}").into());
        }
        match (self.unit_price, offline) {
            (None, true) => wrong("unit_price", "missing-field", "what was charged is recorded".into()),
            (Some(_), false) => wrong("unit_price", "surplus-field", "it is sold at the price of the catalogue".into()),
            _ => {}
        }
        found
    }
}

impl NewPayment {
    fn mistakes(&self, at: &str) -> Vec<FieldError> {
        let mut found: Vec<FieldError> =
            amount_mistake(&format!("{at}/amount"), self.amount, Money::new(1)).into_iter().collect();
        if found.is_empty() && self.method == Tender::Cash && self.amount.cents() % COIN_CENTS != 0 {
            let detail = "must be a multiple of five cents: there is no smaller coin";
            found.push(FieldError::at_pointer(format!("{at}/amount/amount"), "no-such-coin", detail));
        }
        let reference = self.reference.as_deref();
        found.extend(reference.and_then(|text| text_mistake(&format!("{at}/reference"), text, CODE_MAX)));
        found
    }
}

fn is_code(text: &str) -> bool {
    (1..=CODE_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// What [`pricing`] refuses, at its place in the body.
pub(super) fn violation(violation: &QuoteError) -> FieldError {
    let pointer = match (violation, violation.line(), violation.field()) {
        (QuoteError::BasketDiscount { .. }, ..) => "/discount/amount".to_owned(),
        (_, Some(line), Some(field @ "quantity")) => format!("/lines/{line}/{field}"),
        (_, Some(line), Some(field)) => format!("/lines/{line}/{field}/amount"),
        (.., field) => format!("/{}", field.unwrap_or("lines")),
    };
    FieldError::at_pointer(pointer, violation.code(), violation.to_string())
}
