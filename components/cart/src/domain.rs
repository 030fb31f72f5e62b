//! The rules of a cart: what it may hold, who may change it, when it expires, when a price is old.
//! What it costs is in `domain/estimate.rs`.
//!
//! Pure: no SQL, no HTTP, no clock. The sums of quantities themselves are made by PostgreSQL
//! (`store.rs`), so that two replicas never write over each other.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use pricing::{Money, TaxRates};
use sdk::typed_id;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub mod estimate;
#[cfg(test)]
mod tests;

typed_id!(
    /// A cart: a UUIDv7, and for an anonymous cart all that is needed to use it.
    CartId,
    Uuid
);
typed_id!(
    /// A checkout, minted by the checkout service.
    CheckoutId,
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
typed_id!(
    /// A location of the inventory service; prices may differ by store.
    StoreId,
    i64
);

/// The most units of one product in a cart, as in the constraint `cart_items_quantity_range`.
pub const MAX_QUANTITY: i32 = 999;
/// The most lines of a cart.
pub const MAX_LINES: i64 = 200;

/// How long a price is shown without asking products again. A promotion starts at most this late.
pub const FRESH_FOR: SignedDuration = SignedDuration::from_secs(30);
/// How long products is left alone after a call to it failed, while the cache can answer.
pub const COOL_OFF: SignedDuration = SignedDuration::from_secs(1);

/// How long a cart without a line lives after its last change.
pub const EMPTY_LIVES: SignedDuration = SignedDuration::from_hours(24);
/// How long an anonymous cart with lines lives after its last change.
pub const ANONYMOUS_LIVES: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How long a customer's cart with lines lives after its last change.
pub const CUSTOMER_LIVES: SignedDuration = SignedDuration::from_hours(180 * 24);
/// How long a merged or expired cart is remembered: 409 and 410 until then, 404 after.
pub const CLOSED_KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);

/// How long the rates of the tax categories are used without asking again.
pub const RATES_FRESH_FOR: SignedDuration = SignedDuration::from_secs(60);

/// What becomes of a cart. `merged` and `expired` are final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// In use.
    Open,
    /// Its lines went into another cart.
    Merged,
    /// Not used for too long; its lines are gone.
    Expired,
}

/// A cart without its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cart {
    pub id: CartId,
    pub number: i64,
    pub customer_id: Option<CustomerId>,
    pub store_id: Option<StoreId>,
    pub status: Status,
    pub merged_into: Option<CartId>,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// How many units of a product a cart holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    pub product_id: ProductId,
    pub quantity: i32,
}

/// What a checkout bought of a product, and how much of it was still in the cart to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Taken {
    #[schema(example = 1)]
    pub product_id: ProductId,
    #[schema(example = 2)]
    pub quantity: i32,
    #[schema(example = 2)]
    pub taken: i32,
}

impl Taken {
    /// What was bought.
    pub fn line(&self) -> Line {
        Line { product_id: self.product_id, quantity: self.quantity }
    }
}

/// A line with what is known of its product: nothing, only if its snapshot was never taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownLine {
    pub product_id: ProductId,
    pub quantity: i32,
    pub product: Option<Snapshot>,
}

/// What products said about a product, for one store, at `fetched_at`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    pub product_id: ProductId,
    pub sku: String,
    pub name: String,
    pub availability: Availability,
    pub price: Money,
    pub deposit: Money,
    pub tax_category: String,
    pub rates: TaxRates,
    pub fetched_at: Timestamp,
}

/// Whether a product may be bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Availability {
    /// On sale.
    Active,
    /// Withdrawn from the catalogue: stays in the cart until it is removed, and cannot be ordered.
    Archived,
}

impl Availability {
    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Availability::Active => "active",
            Availability::Archived => "archived",
        }
    }

    /// From what is stored.
    pub fn parse(text: &str) -> Option<Availability> {
        match text {
            "active" => Some(Availability::Active),
            "archived" => Some(Availability::Archived),
            _ => None,
        }
    }
}

/// A change of one line. Quantities are checked when they come in: 1..=[`MAX_QUANTITY`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Add(i32),
    Subtract(i32),
    /// Zero removes the line.
    Set(i32),
    Remove,
}

impl Change {
    /// Whether the line may hold more of the product after it, so that the product has to be one.
    pub fn may_grow(self) -> bool {
        match self {
            Change::Add(_) => true,
            Change::Set(quantity) => quantity > 0,
            Change::Subtract(_) | Change::Remove => false,
        }
    }

    /// Whether a line that holds this much is what the change asks for, so that it was made before.
    pub fn is_done(self, held: i32) -> bool {
        match self {
            Change::Add(_) | Change::Subtract(_) => false,
            Change::Set(wanted) => wanted == held,
            Change::Remove => held == 0,
        }
    }
}

/// Why a cart refuses what a client asks for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("cart {0} does not exist")]
    NotFound(CartId),
    #[error("cart {0} was merged into cart {1}")]
    Merged(CartId, CartId),
    #[error("cart {0} has expired")]
    Expired(CartId),
    #[error("the cart holds {quantity}, which is less than what is to be removed")]
    BelowZero { quantity: i32 },
    #[error("the cart holds {quantity}, and a line may hold at most {MAX_QUANTITY}")]
    AboveLimit { quantity: i32 },
    #[error("a cart may have at most {MAX_LINES} lines")]
    Full,
    #[error("a cart cannot be merged into itself")]
    MergeIntoItself,
    #[error("cart {0} belongs to a customer, and only into another cart of theirs may it be merged")]
    OwnedByAnother(CartId),
    #[error("together the carts hold more than {MAX_QUANTITY} of products {products:?}")]
    MergeAboveLimit { products: Vec<i64> },
}

/// What a merge still has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merge {
    Needed,
    /// It was done before: a merge twice is a merge once.
    Done,
}

impl Cart {
    /// Refuses a change of a cart that is closed.
    pub fn writable(&self) -> Result<(), Refusal> {
        match (self.status, self.merged_into) {
            (Status::Open, _) => Ok(()),
            (Status::Merged, Some(target)) => Err(Refusal::Merged(self.id, target)),
            // Without a target it could only be a broken row: the constraint forbids it.
            (Status::Merged | Status::Expired, _) => Err(Refusal::Expired(self.id)),
        }
    }

    /// Whether `source` may be merged into this cart, and whether it already was.
    ///
    /// Only an anonymous cart moves, or another cart of the same customer: who knows the id of a
    /// customer's cart must not be able to take its lines away.
    pub fn merge_from(&self, source: &Cart) -> Result<Merge, Refusal> {
        if self.id == source.id {
            return Err(Refusal::MergeIntoItself);
        }
        if source.merged_into == Some(self.id) {
            return Ok(Merge::Done);
        }
        self.writable()?;
        source.writable()?;
        if source.customer_id.is_some() && source.customer_id != self.customer_id {
            return Err(Refusal::OwnedByAnother(source.id));
        }
        Ok(Merge::Needed)
    }

    /// When the cart expires if nothing changes after `now`, with lines and without.
    pub fn expiry(&self, now: Timestamp) -> Expiry {
        Expiry::of(self.customer_id, now)
    }
}

/// The two moments at which a cart may expire: which one counts, its lines decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expiry {
    pub with_lines: Timestamp,
    pub without: Timestamp,
}

impl Expiry {
    /// Rounded up to the hour: most changes of a cart then leave the column, and so its index,
    /// alone.
    pub fn of(customer: Option<CustomerId>, now: Timestamp) -> Expiry {
        let lives = match customer {
            Some(_) => CUSTOMER_LIVES,
            None => ANONYMOUS_LIVES,
        };
        Expiry { with_lines: next_hour(later(now, lives)), without: next_hour(later(now, EMPTY_LIVES)) }
    }
}

/// When the row of a cart that is closed `now` may be deleted.
pub fn forgotten_at(now: Timestamp) -> Timestamp {
    later(now, CLOSED_KEPT)
}

/// Whether what was said at `fetched_at` needs to be asked again.
pub fn is_stale(fetched_at: Timestamp, now: Timestamp) -> bool {
    fetched_at <= stale_before(now)
}

/// What was fetched at this moment or before it is stale `now`.
pub fn stale_before(now: Timestamp) -> Timestamp {
    later(now, -FRESH_FOR)
}

/// Why a change of a line had no effect, given what the cart holds of the product and how many
/// lines it has; `None` when there was nothing to do.
pub fn why_refused(change: Change, quantity: Option<i32>, lines: i64) -> Option<Refusal> {
    let held = quantity.unwrap_or(0);
    match change {
        _ if change.is_done(held) => None,
        Change::Add(_) | Change::Set(_) if quantity.is_none() && lines >= MAX_LINES => Some(Refusal::Full),
        Change::Add(_) | Change::Set(_) => Some(Refusal::AboveLimit { quantity: held }),
        Change::Subtract(_) | Change::Remove => Some(Refusal::BelowZero { quantity: held }),
    }
}

/// Whether the lines that two carts have together fit into one. Nothing is cut off silently: what a
/// customer put into a cart was acknowledged.
pub fn fits(together: &[(ProductId, i64)]) -> Result<(), Refusal> {
    if i64::try_from(together.len()).unwrap_or(i64::MAX) > MAX_LINES {
        return Err(Refusal::Full);
    }
    let products: Vec<i64> = together
        .iter()
        .filter(|(_, quantity)| *quantity > i64::from(MAX_QUANTITY))
        .map(|(product, _)| product.0)
        .collect();
    match products.is_empty() {
        true => Ok(()),
        false => Err(Refusal::MergeAboveLimit { products }),
    }
}

/// The human number of a cart, `C-100001`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number(pub i64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "C-{}", self.0)
    }
}

/// Clocks stay within the range of a timestamp: saturating costs nothing and cannot fail.
fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_add(by).unwrap_or(at)
}

fn next_hour(at: Timestamp) -> Timestamp {
    let hours = at.as_second().div_euclid(3_600);
    Timestamp::from_second((hours + 1) * 3_600).unwrap_or(at)
}
