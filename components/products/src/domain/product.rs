//! The fields of a product, the check digit of a barcode, and the revisions that an ETag is made of.
//!
//! The price is not among the fields: prices are rows of their own, with a period.

use pricing::{MAX_UNIT_DEPOSIT, Money};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use sdk::problem::FieldError;

use super::{Check, MAX_DESCRIPTION, PriceId};

/// The longest SKU.
pub const MAX_SKU: usize = 40;

/// Whether a product is for sale. An archived one keeps its id, its SKU and its prices, and can come back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    #[default]
    Active,
    Archived,
}

impl Status {
    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Archived => "archived",
        }
    }

    /// From what is stored.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "active" => Some(Self::Active),
            "archived" => Some(Self::Archived),
            _ => None,
        }
    }
}

/// Everything about a product that a write decides, once checked by [`Draft::check`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    pub sku: String,
    pub name: String,
    pub name_en: Option<String>,
    pub name_fr: Option<String>,
    pub description: Option<String>,
    pub barcode: Option<String>,
    pub category: String,
    pub tax_category: String,
    pub deposit: Money,
    pub status: Status,
}

impl Draft {
    /// The draft with its texts trimmed, or everything that is wrong with it.
    pub fn check(self) -> Result<Self, Vec<FieldError>> {
        let mut check = Check::default();
        check.that(
            is_sku(&self.sku),
            "/sku",
            "sku-invalid",
            "must be upper-case letters and digits in groups joined by '-', '.' or '_', at most 40",
        );
        let description = self.description.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        check.that(
            description.as_deref().is_none_or(is_description),
            "/description",
            "description-invalid",
            "must be at most 2000 characters, without control characters but line breaks",
        );
        check.that(
            self.barcode.as_deref().is_none_or(is_gtin),
            "/barcode",
            "barcode-invalid",
            "must be a GTIN of 8, 12, 13 or 14 digits with a valid check digit",
        );
        check.that(
            (Money::ZERO..=MAX_UNIT_DEPOSIT).contains(&self.deposit),
            "/deposit/amount",
            "deposit-out-of-range",
            "must be between 0 and 10000 cents",
        );
        let checked = Self {
            name: check.name("/name", &self.name),
            name_en: self.name_en.map(|name| check.name("/name_en", &name)),
            name_fr: self.name_fr.map(|name| check.name("/name_fr", &name)),
            category: check.code("/category", &self.category),
            tax_category: check.code("/tax_category", &self.tax_category),
            description,
            ..self
        };
        check.finish(checked)
    }
}

/// `COKE-355`: groups of upper-case letters and digits, joined by one of `-._`.
pub fn is_sku(value: &str) -> bool {
    value.len() <= MAX_SKU
        && value
            .split(['-', '.', '_'])
            .all(|group| !group.is_empty() && group.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()))
}

fn is_description(value: &str) -> bool {
    value.chars().count() <= MAX_DESCRIPTION && !value.chars().any(|c| c.is_control() && c != '\n' && c != '\r')
}

/// A GTIN-8, GTIN-12 (UPC-A), GTIN-13 (EAN-13) or GTIN-14 whose check digit is right.
/// GS1 General Specifications, 7.9: weights 3 and 1 in turn from the right, the sum is a multiple of ten.
pub fn is_gtin(value: &str) -> bool {
    if !matches!(value.len(), 8 | 12 | 13 | 14) || !value.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let sum: u32 = value
        .bytes()
        .rev()
        .zip([1_u32, 3].into_iter().cycle())
        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
        .sum();
    sum.is_multiple_of(10)
}

/// What a representation of a product was made of: it changes with every write (`version`), and when another price
/// comes into force by time alone (`price`). Its text is the strong ETag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revision {
    pub version: i64,
    pub price: PriceId,
}

impl Revision {
    /// The one before the last write, at the same price.
    ///
    /// A PUT is retried by gateways, and the second attempt carries an `If-Match` that the first one
    /// made stale. RFC 9110, 13.1.1, lets a server answer 2xx when the change was made already. We do
    /// when the stored fields are exactly the desired ones and the tag is this predecessor's: nothing
    /// is written then, and so no update can be lost by it.
    #[must_use]
    pub const fn predecessor(self) -> Self {
        Self { version: self.version - 1, ..self }
    }
}

impl std::fmt::Display for Revision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.version, self.price)
    }
}
