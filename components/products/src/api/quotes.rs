//! `/api/v1/price-quotes`: what a basket costs. Open to all, and without any effect.
//!
//! One statement for all lines; the arithmetic is [`pricing`]'s, the same as of carts, orders and
//! receipts, so that all of them say one total.

use std::collections::HashMap;

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use jiff::Timestamp;
use pricing::{MAX_LINES, MAX_QUANTITY, Money, QuoteError, QuotedLine, TaxGroup, TaxRates};
use sdk::problem::FieldError;
use sdk::{Context, Json, Problem, Result};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::invalid;
use crate::domain::price::PriceKind;
use crate::domain::product::Status;
use crate::domain::tax::{percent, tax_code};
use crate::domain::{ProductId, StoreId, is_storable};
use crate::store::quotes::{self, Offer};

pub fn routes() -> Router<Context> {
    Router::new().route("/api/v1/price-quotes", post(quote))
}

/// A basket to be quoted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "lines": [{ "product_id": 1, "quantity": 2 }, { "product_id": 3, "quantity": 1 }],
    "payment": "cash",
}))]
pub struct QuoteRequest {
    /// Whose prices; those for all stores if left out.
    #[serde(default)]
    store_id: Option<StoreId>,
    /// The instant whose prices and rates hold; now if left out.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
    /// The same product may be on several.
    #[schema(max_items = 500)]
    lines: Vec<LineRequest>,
    /// Off the whole basket, before tax, spread over the lines in proportion to their amounts.
    #[serde(default)]
    discount: Money,
    #[serde(default)]
    payment: Option<Payment>,
    /// `refuse` if left out.
    #[serde(default)]
    archived: Option<OnArchived>,
}

/// What to do about a product that is not for sale any more.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnArchived {
    /// 422.
    Refuse,
    /// It is quoted like any other: for what was sold while it was for sale.
    Quote,
}

/// A line to be quoted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LineRequest {
    product_id: ProductId,
    #[schema(minimum = 1, maximum = 10_000)]
    quantity: u32,
    /// Off the whole line, before tax.
    #[serde(default)]
    discount: Money,
}

/// How it is going to be paid, which decides what is payable: cash is rounded to five cents.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Payment {
    Cash,
    Card,
}

/// What a basket costs.
#[derive(Debug, Serialize, ToSchema)]
pub struct Quote {
    /// In the order of the request.
    pub lines: Vec<QuoteLine>,
    /// Before discounts.
    pub gross: Money,
    /// Of the lines and of the basket.
    pub discount: Money,
    /// After discounts, before taxes: the sum of the lines' `net`.
    pub subtotal: Money,
    /// By tax and rate; what is taxed at nothing is not among them.
    pub taxes: Vec<QuoteTax>,
    /// Container deposits, untaxed.
    pub deposits: Money,
    pub total: Money,
    /// The total to five cents, for cash.
    pub cash_total: Money,
    /// `cash_total` less `total`.
    pub cash_rounding: Money,
    /// `cash_total` for cash, `total` otherwise.
    pub payable: Money,
    /// The instant whose prices and rates these are.
    #[schema(value_type = String, format = DateTime)]
    pub quoted_at: Timestamp,
}

/// A line of a quote.
#[derive(Debug, Serialize, ToSchema)]
pub struct QuoteLine {
    pub product_id: ProductId,
    pub sku: String,
    pub name: String,
    pub quantity: u32,
    pub unit_price: Money,
    pub price_kind: PriceKind,
    /// `unit_price` times `quantity`.
    pub gross: Money,
    /// The line's own and its share of the basket's.
    pub discount: Money,
    /// `gross` less `discount`.
    pub net: Money,
    pub tax_category: String,
    /// Of the category, at that instant: in thousandths of a percent.
    pub rates: TaxRates,
    /// The line's share of the basket's GST; the shares sum to it.
    pub gst: Money,
    /// The line's share of the basket's QST; the shares sum to it.
    pub qst: Money,
    /// On one container.
    pub unit_deposit: Money,
    /// On all containers of the line.
    pub deposit: Money,
    /// `net` and its taxes and deposits.
    pub total: Money,
}

/// A tax, rounded once on the sum of its lines.
#[derive(Debug, Serialize, ToSchema)]
pub struct QuoteTax {
    /// `GST` or `QST`.
    #[schema(example = "QST")]
    pub code: &'static str,
    /// In percent.
    #[schema(example = "9.975")]
    pub rate: String,
    /// The sum of the lines that it is on.
    pub taxable: Money,
    pub amount: Money,
}

impl From<TaxGroup> for QuoteTax {
    fn from(group: TaxGroup) -> Self {
        Self { code: tax_code(group.tax), rate: percent(group.rate), taxable: group.base, amount: group.amount }
    }
}

/// Quote a basket
#[utoipa::path(
    post, path = "/api/v1/price-quotes", operation_id = "quoteBasket", tag = "quotes", request_body = QuoteRequest,
    responses((status = 200, description = "The quote", body = Quote)),
)]
pub(super) async fn quote(State(context): State<Context>, Json(request): Json<QuoteRequest>) -> Result<Json<Quote>> {
    let now = context.clock.now();
    let at = request.at.unwrap_or(now);
    // Before the database is asked: it is not asked for more than can be quoted.
    if request.lines.len() > MAX_LINES {
        return Err(refused(&[QuoteError::TooManyLines { count: request.lines.len() }]));
    }
    if !is_storable(at) {
        let detail = "must be an instant of our era";
        return Err(invalid(vec![FieldError::at_pointer("/at", "instant-invalid", detail)]));
    }
    let ids = request.lines.iter().map(|line| line.product_id.0).collect();
    let offers: HashMap<ProductId, Offer> = quotes::offers(&context.db, ids, at, request.store_id)
        .await?
        .into_iter()
        .map(|offer| (offer.id, offer))
        .collect();
    price(&request, &offers, at).map(Json)
}

fn price(request: &QuoteRequest, offers: &HashMap<ProductId, Offer>, at: Timestamp) -> Result<Quote> {
    let sold = |offer: &Offer| offer.status == Status::Active || request.archived == Some(OnArchived::Quote);
    let found: Vec<(&LineRequest, &Offer)> = request
        .lines
        .iter()
        .filter_map(|line| Some((line, offers.get(&line.product_id)?)))
        .filter(|(_, offer)| sold(offer))
        .collect();
    if found.len() < request.lines.len() {
        return Err(invalid(unavailable(request, offers)));
    }
    let lines: Vec<pricing::Line> = found.iter().map(|(line, offer)| priced(line, offer)).collect();
    let quote = pricing::quote(&lines, request.discount)
        .map_err(|_| refused(&pricing::violations(&lines, request.discount)))?;
    let shown = found.into_iter().zip(&quote.lines).map(|((_, offer), quoted)| line(offer, quoted));
    let payable = match request.payment {
        Some(Payment::Cash) => quote.cash_total,
        Some(Payment::Card) | None => quote.total,
    };
    Ok(Quote {
        lines: shown.collect(),
        gross: quote.gross,
        discount: quote.discount,
        subtotal: quote.subtotal,
        taxes: quote.taxes.into_iter().map(QuoteTax::from).collect(),
        deposits: quote.deposits,
        total: quote.total,
        cash_total: quote.cash_total,
        cash_rounding: quote.cash_rounding,
        payable,
        quoted_at: at,
    })
}

fn priced(line: &LineRequest, offer: &Offer) -> pricing::Line {
    pricing::Line {
        unit_price: offer.unit_price,
        quantity: line.quantity,
        discount: line.discount,
        unit_deposit: offer.unit_deposit,
        rates: offer.rates,
    }
}

fn line(offer: &Offer, quoted: &QuotedLine) -> QuoteLine {
    QuoteLine {
        product_id: offer.id,
        sku: offer.sku.clone(),
        name: offer.name.clone(),
        quantity: quoted.quantity,
        unit_price: quoted.unit_price,
        price_kind: offer.price_kind,
        gross: quoted.gross,
        discount: quoted.discount,
        net: quoted.net,
        tax_category: offer.tax_category.clone(),
        rates: offer.rates,
        gst: quoted.gst,
        qst: quoted.qst,
        unit_deposit: offer.unit_deposit,
        deposit: quoted.deposit,
        total: quoted.total,
    }
}

/// Every line whose product cannot be sold, and with them every quantity that is wrong.
fn unavailable(request: &QuoteRequest, offers: &HashMap<ProductId, Offer>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for (index, line) in request.lines.iter().enumerate() {
        let pointer = |member| format!("/lines/{index}/{member}");
        let product = match offers.get(&line.product_id) {
            None => Some(("product-not-found", "there is no such product, or it had no price then")),
            Some(offer) if offer.status == Status::Archived && request.archived != Some(OnArchived::Quote) => {
                Some(("product-archived", "this product is not for sale any more"))
            }
            Some(_) => None,
        };
        if let Some((code, detail)) = product {
            errors.push(FieldError::at_pointer(pointer("product_id"), code, detail));
        }
        if !(1..=MAX_QUANTITY).contains(&line.quantity) {
            let violation = QuoteError::Quantity { line: index, quantity: line.quantity };
            let (code, detail) = (violation.code(), violation.to_string());
            errors.push(FieldError::at_pointer(pointer("quantity"), code, detail));
        }
    }
    errors
}

/// What [`pricing`] refuses, each at its place in the request.
fn refused(violations: &[QuoteError]) -> Problem {
    let mut errors = Vec::new();
    for violation in violations {
        let pointer = match (violation, violation.line(), violation.field()) {
            // Out of range within the limits: a bug.
            (QuoteError::Money(err), ..) => return (*err).into(),
            (QuoteError::BasketDiscount { .. }, ..) => "/discount/amount".to_owned(),
            (QuoteError::LineDiscount { line, .. }, ..) => format!("/lines/{line}/discount/amount"),
            (_, Some(line), Some(field)) => format!("/lines/{line}/{field}"),
            (_, _, field) => format!("/{}", field.unwrap_or_default()),
        };
        errors.push(FieldError::at_pointer(pointer, violation.code(), violation.to_string()));
    }
    invalid(errors)
}
