//! The HTTP interface: a file for each resource, with its routes, its types and its handlers.
//!
//! Carts are open to everybody: who knows the id of a cart, 74 random bits, may use it. What is
//! under `/internal` takes the role service.

pub mod carts;
pub mod document;
pub mod estimate;
pub mod internal;
pub mod items;
pub mod merge;
mod precondition;

use axum::Router;
use jiff::Timestamp;
use sdk::audit::Rule;
use sdk::{Context, ETag, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::clients::Products;
use crate::domain::{
    Cart, CartId, CustomerId, Line, MAX_LINES, MAX_QUANTITY, Number, ProductId, Refusal, Status, StoreId,
};

pub use precondition::Expected;

/// What no constraint can keep.
const RULES: &[Rule] = &[
    Rule {
        invariant: "closed-cart-has-no-lines",
        offenders: "select c.id as cart_id from carts c
            where c.status <> 'open' and exists (select from cart_items i where i.cart_id = c.id)",
    },
    Rule {
        invariant: "cart-has-at-most-200-lines",
        offenders: "select cart_id, count(*) as lines from cart_items group by cart_id having count(*) > 200",
    },
    Rule {
        invariant: "merges-lead-somewhere",
        offenders: "select c.id as cart_id from carts c join carts t on t.id = c.merged_into where t.merged_into = c.id",
    },
    // 20, 21: what a checkout took is at most what it bought.
    Rule {
        invariant: "checkout-takes-no-more-than-it-bought",
        offenders: "select c.checkout_id, l.value as line
            from cart_consumptions c
            cross join lateral jsonb_array_elements(c.lines) as l
            where (l.value->>'taken')::bigint not between 0 and (l.value->>'quantity')::bigint",
    },
    // 24, as far as it is known here: each version since the first event is told of.
    Rule {
        invariant: "version-is-that-of-the-last-event",
        offenders: "select c.id as cart_id, c.version, e.last, e.events
            from carts c
            cross join lateral (
                select max(subject_version) as last, min(subject_version) as first, count(*) as events
                from outbox e where e.subject = 'cart/' || c.id
            ) e
            where e.last is distinct from c.version or e.events <> e.last - e.first + 1",
    },
];

/// What handlers are given.
#[derive(Clone, Debug)]
pub struct App {
    pub context: Context,
    pub products: Products,
}

/// What browsers load.
static BUNDLE: sdk::web::Bundle = sdk::bundle!();

/// Every route of the service.
pub fn router(context: Context) -> Router {
    let products = Products::new(context.clone());
    Router::new()
        .merge(carts::routes())
        .merge(items::routes())
        .merge(merge::routes())
        .merge(estimate::routes())
        .merge(internal::routes())
        .with_state(App { context: context.clone(), products })
        .merge(sdk::outbox::routes(&context))
        .merge(sdk::audit::routes(&context, RULES))
        .merge(sdk::openapi(document::CHECKED_IN))
        .merge(sdk::web::routes(&BUNDLE, &[]))
}

impl App {
    fn now(&self) -> Timestamp {
        self.context.clock.now()
    }
}

/// A cart without names and prices.
#[derive(Debug, Serialize, ToSchema)]
pub struct Contents {
    pub id: CartId,
    #[schema(example = "C-100001")]
    pub number: String,
    pub status: Status,
    /// The cart that its lines went into, once it is merged.
    pub merged_into: Option<CartId>,
    pub customer_id: Option<CustomerId>,
    pub store_id: Option<StoreId>,
    #[schema(example = 3)]
    pub version: i64,
    /// In the order in which they came.
    pub lines: Vec<Quantity>,
}

impl Contents {
    fn of(cart: Cart, lines: Vec<Line>) -> Contents {
        Contents {
            id: cart.id,
            number: Number(cart.number).to_string(),
            status: cart.status,
            merged_into: cart.merged_into,
            customer_id: cart.customer_id,
            store_id: cart.store_id,
            version: cart.version,
            lines: lines.into_iter().map(Quantity::from).collect(),
        }
    }
}

/// How many units of a product there are.
#[derive(Debug, Serialize, ToSchema)]
pub struct Quantity {
    #[schema(example = 1)]
    pub product_id: ProductId,
    #[schema(example = 2, minimum = 1, maximum = 999)]
    pub quantity: i32,
}

impl From<Line> for Quantity {
    fn from(line: Line) -> Quantity {
        Quantity { product_id: line.product_id, quantity: line.quantity }
    }
}

/// The tag of a cart's version alone: what a write answers with, and what a precondition looks at.
/// A representation of a cart has more in its tag: see [`carts`].
fn version_tag(version: i64) -> ETag {
    ETag::strong(version)
}

fn not_found(id: CartId) -> Refusal {
    Refusal::NotFound(id)
}

/// 422 for one member of a body.
fn invalid(pointer: &str, code: &'static str, detail: impl Into<String>) -> Problem {
    Problem::unprocessable("validation-failed").field(pointer, code, detail)
}

/// That a quantity in a body is from `least` to [`MAX_QUANTITY`].
fn quantity_in_range(pointer: &str, quantity: i64, least: i32) -> Result<i32, Problem> {
    i32::try_from(quantity).ok().filter(|quantity| (least..=MAX_QUANTITY).contains(quantity)).ok_or_else(|| {
        let detail = format!("must be from {least} to {MAX_QUANTITY}");
        invalid(pointer, "quantity-out-of-range", detail)
    })
}

/// That an id in a body can be one at all.
fn id_positive(pointer: &str, id: i64) -> Result<(), Problem> {
    match id > 0 {
        true => Ok(()),
        false => Err(invalid(pointer, "out-of-range", "must be positive")),
    }
}

/// 409 for what the state of the cart forbids, 404 and 410 for a cart that is not or no longer there.
impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Problem {
        let problem = match &refusal {
            Refusal::NotFound(_) => Problem::not_found("cart-not-found"),
            Refusal::Expired(_) => Problem::new(axum::http::StatusCode::GONE, "cart-expired"),
            Refusal::Merged(_, target) => Problem::conflict("cart-merged").with("merged_into", target.to_string()),
            Refusal::BelowZero { quantity } => Problem::conflict("quantity-below-zero").with("quantity", *quantity),
            Refusal::AboveLimit { quantity } => {
                Problem::conflict("quantity-above-limit").with("quantity", *quantity).with("quantity_max", MAX_QUANTITY)
            }
            Refusal::Full => Problem::conflict("cart-full").with("lines_max", MAX_LINES),
            Refusal::MergeIntoItself => {
                Problem::unprocessable("validation-failed").field("/from", "merge-into-itself", "must be another cart")
            }
            Refusal::OwnedByAnother(_) => Problem::conflict("cart-owned-by-another"),
            Refusal::MergeAboveLimit { products } => Problem::conflict("quantity-above-limit")
                .with("product_ids", products.clone())
                .with("quantity_max", MAX_QUANTITY),
        };
        problem.detail(refusal.to_string())
    }
}

/// A cart that is gone or closed, as a reader of its lines sees it.
fn readable(cart: &Cart) -> Result<(), Refusal> {
    match cart.writable() {
        Err(refusal @ Refusal::Expired(_)) => Err(refusal),
        _ => Ok(()),
    }
}
