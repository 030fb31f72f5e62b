//! What products says that something costs, and which product a barcode is of.

use jiff::Timestamp;
use pricing::{Money, TaxRates};
use sdk::{Client, ClientError, client};
use serde::{Deserialize, Serialize};

use crate::domain::draft::Offer;
use crate::domain::sale::Item;
use crate::domain::{LocationId, ProductId};

/// What is to be quoted.
#[derive(Debug, Serialize)]
pub struct Asked {
    pub store_id: LocationId,
    /// Now, if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    pub lines: Vec<AskedLine>,
    pub discount: Money,
    /// What is not for sale any more is refused, unless it is to be quoted: it was, when a till sold it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub archived: Option<Archived>,
}

/// What to do about a product that is not for sale any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Archived {
    Quote,
}

/// A line to be quoted.
#[derive(Debug, Serialize)]
pub struct AskedLine {
    pub product_id: ProductId,
    pub quantity: u32,
    pub discount: Money,
}

/// What it costs.
#[derive(Debug)]
pub struct Quoted {
    /// In the order of the lines.
    pub offers: Vec<Offer>,
    pub total: Money,
}

/// One thing that is wrong with what was asked, at its place.
#[derive(Debug, Deserialize)]
pub struct Mistake {
    pub pointer: String,
    pub code: String,
    pub detail: String,
}

#[derive(Deserialize)]
struct Quote {
    lines: Vec<QuoteLine>,
    total: Money,
}

#[derive(Deserialize)]
struct QuoteLine {
    product_id: ProductId,
    sku: String,
    name: String,
    unit_price: Money,
    unit_deposit: Money,
    tax_category: String,
    rates: TaxRates,
}

#[derive(Deserialize)]
struct Problem {
    code: String,
    #[serde(default)]
    errors: Vec<Mistake>,
}

#[derive(Deserialize)]
struct Found {
    data: Vec<FoundProduct>,
}

#[derive(Deserialize)]
struct FoundProduct {
    id: ProductId,
}

impl From<QuoteLine> for Offer {
    fn from(line: QuoteLine) -> Offer {
        let item = Item {
            product_id: line.product_id,
            sku: line.sku,
            name: line.name,
            list_unit_price: line.unit_price,
            unit_deposit: line.unit_deposit,
            tax_category: line.tax_category,
        };
        Offer { item, rates: line.rates }
    }
}

/// What the lines cost in that store, or what is wrong with them.
///
/// # Errors
/// When there is no answer that can be relied upon.
pub async fn quote(http: &Client, asked: &Asked) -> Result<Result<Quoted, Vec<Mistake>>, ClientError> {
    let response = http.post("http://products/api/v1/price-quotes").json(asked).send().await?;
    if response.status.as_u16() == 422 {
        return refused(&response).map(Err);
    }
    let quote: Quote = response.success()?.json()?;
    if !quote.lines.iter().map(|line| line.product_id).eq(asked.lines.iter().map(|line| line.product_id)) {
        return Err(ClientError::Protocol("the quote is of other lines".to_owned()));
    }
    let offers = quote.lines.into_iter().map(Offer::from).collect();
    Ok(Ok(Quoted { offers, total: quote.total }))
}

fn refused(response: &client::Response) -> Result<Vec<Mistake>, ClientError> {
    let problem: Problem = response.json()?;
    match problem.code.as_str() {
        "validation-failed" if !problem.errors.is_empty() => Ok(problem.errors),
        code => Err(ClientError::Protocol(format!("refused: {code}"))),
    }
}

/// The product of that barcode, letters and digits, if one that is for sale has it.
///
/// # Errors
/// When there is no answer that can be relied upon.
pub async fn product_of(http: &Client, barcode: &str) -> Result<Option<ProductId>, ClientError> {
    let response = http.get(format!("http://products/api/v1/products?barcode={barcode}&limit=1")).send().await?;
    let found: Found = response.success()?.json()?;
    Ok(found.data.into_iter().next().map(|product| product.id))
}
