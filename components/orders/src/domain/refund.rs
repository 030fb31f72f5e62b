//! What comes back, and what is given back for it.

use jiff::Timestamp;
use pricing::{Money, RefundError};

use super::order::Line;
use super::{ProductId, RefundId, Refusal};

sdk::text_enum!(
    /// What becomes of the goods.
    Goods {
        /// They can be sold again.
        Restock = "restock",
        /// They stay with the customer, or are thrown away.
        Keep = "keep",
    }
);

/// What is to be refunded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Everything that has not come back.
    Whole,
    /// Units of products, each named once.
    Units(Vec<(ProductId, u32)>),
}

/// A refund that was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    pub id: RefundId,
    pub goods: Goods,
    pub reason: Option<String>,
    /// Those that come back, in the order's order.
    pub lines: Vec<RefundLine>,
    pub net: Money,
    pub gst: Money,
    pub qst: Money,
    pub deposit: Money,
    pub total: Money,
    pub actor: String,
    pub created_at: Timestamp,
    /// When the money went back.
    pub settled_at: Option<Timestamp>,
}

/// What comes back of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefundLine {
    pub line: i32,
    pub product_id: ProductId,
    pub quantity: u32,
    pub net: Money,
    pub gst: Money,
    pub qst: Money,
    pub deposit: Money,
    pub total: Money,
}

impl Wanted {
    /// Units of each line of the order, in its order.
    ///
    /// # Errors
    /// When more is wanted than there is.
    pub fn units(&self, lines: &[Line]) -> Result<Vec<u32>, Refusal> {
        let Wanted::Units(wanted) = self else {
            let kept: Vec<u32> = lines.iter().map(Line::kept).collect();
            return if kept.iter().any(|units| *units > 0) { Ok(kept) } else { Err(Refusal::NothingLeft) };
        };
        for (index, (product, units)) in wanted.iter().enumerate() {
            let line = lines.iter().find(|line| line.product_id == *product);
            let most = line.ok_or(Refusal::NotOrdered { index })?.kept();
            if *units > most {
                return Err(Refusal::MoreThanSold { index, most });
            }
        }
        let units_of = |line: &Line| wanted.iter().find(|(product, _)| *product == line.product_id);
        Ok(lines.iter().map(|line| units_of(line).map_or(0, |(_, units)| *units)).collect())
    }
}

/// What is given back for so many units of each line, by the cumulative rule of [`pricing::refund`].
///
/// # Errors
/// When the stored lines do not add up.
pub fn priced(lines: &[Line], units: &[u32]) -> Result<(pricing::Refund, Vec<RefundLine>), Refusal> {
    let returning: Vec<_> = lines.iter().zip(units).map(|(line, units)| line.returning(*units)).collect();
    let broken = |err: RefundError| Refusal::Broken(err.to_string());
    let refund = pricing::refund(&returning).map_err(broken)?;
    let back = lines.iter().zip(&refund.lines).filter(|(_, back)| back.quantity > 0);
    let back = back.map(|(line, back)| RefundLine {
        line: line.line,
        product_id: line.product_id,
        quantity: back.quantity,
        net: back.net,
        gst: back.gst,
        qst: back.qst,
        deposit: back.deposit,
        total: back.total,
    });
    let back = back.collect();
    Ok((refund, back))
}
