//! `/api/v1/carts`: a cart is made, and shown with the names and prices that products last gave.
//!
//! The ETag of a cart is its version and a digest of everything else in the representation, so that
//! 304 never hides a price that has changed; what writes expect of it is in `api/precondition.rs`.

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use jiff::Timestamp;
use pricing::Money;
use sdk::problem::ProblemBody;
use sdk::{ETag, Idempotency, IfNoneMatch, Json, NotModified, Path, Problem, Query, Reply, Result, new_uuid_v7};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{App, id_positive, not_found, readable};
use crate::domain::{self, Availability, CartId, CustomerId, KnownLine, Number, ProductId, Snapshot, Status, StoreId};
use crate::store;

pub fn routes() -> Router<App> {
    Router::new().route("/api/v1/carts", post(create)).route("/api/v1/carts/{id}", get(read))
}

/// A cart to be made. Without a customer it is anonymous.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCart {
    #[serde(default)]
    #[schema(example = 7)]
    pub customer_id: Option<CustomerId>,
    /// The store whose prices count; without it those of all stores.
    #[serde(default)]
    #[schema(example = 1)]
    pub store_id: Option<StoreId>,
}

/// A cart.
#[derive(Debug, Serialize, ToSchema)]
pub struct Cart {
    pub id: CartId,
    /// For people.
    #[schema(example = "C-100001")]
    pub number: String,
    pub status: Status,
    /// The cart that its lines went into, once it is merged.
    pub merged_into: Option<CartId>,
    pub customer_id: Option<CustomerId>,
    pub store_id: Option<StoreId>,
    /// Grows with every change of the cart or of a line.
    #[schema(example = 3)]
    pub version: i64,
    /// In the order in which they came.
    pub lines: Vec<CartLine>,
    /// All units.
    #[schema(example = 3)]
    pub quantity: i64,
    /// The sum of the lines, before taxes and deposits; null when a price is not known.
    pub subtotal: Option<Money>,
    /// Whether a name or a price may be out of date, because products did not answer.
    pub stale: bool,
    /// When the oldest price shown was asked for; null without one.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub priced_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// A product in a cart. What products says of it is null as long as it was never asked.
#[derive(Debug, Serialize, ToSchema)]
pub struct CartLine {
    #[schema(example = 1)]
    pub product_id: ProductId,
    #[schema(example = 2, minimum = 1, maximum = 999)]
    pub quantity: i32,
    #[schema(example = "Coke")]
    pub name: Option<String>,
    #[schema(example = "COKE-355")]
    pub sku: Option<String>,
    /// An archived product stays in the cart and cannot be ordered.
    pub product_status: Option<Availability>,
    /// Before taxes and deposits.
    pub unit_price: Option<Money>,
    /// `unit_price * quantity`.
    pub line_total: Option<Money>,
    pub stale: bool,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub priced_at: Option<Timestamp>,
}

/// Make an empty cart
#[utoipa::path(
    post, path = "/api/v1/carts", operation_id = "createCart", tag = "carts", request_body = NewCart,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless")),
    responses(
        (status = 201, description = "Made", body = Cart, headers(
            ("Location" = String, description = "The cart"),
            ("ETag" = String, description = "Its version, and what else it shows"),
        )),
        (status = 409, description = "`idempotency-in-progress`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn create(
    State(app): State<App>,
    Query(NoParameters {}): Query<NoParameters>,
    idempotency: Idempotency,
    Json(body): Json<NewCart>,
) -> Result<Reply> {
    for (pointer, id) in
        [("/customer_id", body.customer_id.map(|id| id.0)), ("/store_id", body.store_id.map(|id| id.0))]
    {
        id_positive(pointer, id.unwrap_or(1))?;
    }
    let (app, fields) = (&app, &body);
    idempotency
        .run(&app.context.db, &body, |tx| async move {
            let id = CartId(new_uuid_v7(&app.context.clock));
            let now = app.now();
            let cart = store::create(&tx, id, fields.customer_id, fields.store_id, now).await?;
            let location = format!("/api/v1/carts/{id}");
            let cart = Cart::of(cart, Vec::new(), now)?;
            let tag = cart.tag(&encode(&cart)?);
            Ok(Reply::created(location, &cart).etag(tag))
        })
        .await
}

/// A cart with its lines, names and prices
///
/// Prices are at most 30 seconds old, unless they are marked `stale`: then products does not answer.
#[utoipa::path(
    get, path = "/api/v1/carts/{id}", operation_id = "getCart", tag = "carts",
    params(
        ("id" = CartId, Path, description = "The cart"),
        ("If-None-Match" = Option<String>, Header, description = "What the client has"),
    ),
    responses(
        (status = 200, description = "The cart; a merged one names its target", body = Cart,
            headers(("ETag" = String, description = "Its version, and what else it shows"))),
        (status = 304, description = "The client has it"),
    ),
)]
pub(super) async fn read(
    State(app): State<App>,
    Path(id): Path<CartId>,
    if_none_match: IfNoneMatch,
    Query(NoParameters {}): Query<NoParameters>,
) -> Result<Response> {
    let found = store::view(&app.context.db, id).await?;
    let (cart, lines) = found.ok_or_else(|| not_found(id))?;
    readable(&cart)?;
    // One instant for both: what needed no refresh is not stale a moment later.
    let now = app.now();
    let lines = app.products.refresh(cart.store_id, lines, now).await;
    let cart = Cart::of(cart, lines, now)?;
    let body = encode(&cart)?;
    let tag = cart.tag(&body);
    if if_none_match.matches(&tag) {
        return Ok(NotModified(tag).into_response());
    }
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        // What is in a cart is nobody else's, and asked again each time.
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
    ];
    Ok((tag, headers, Body::from(body)).into_response())
}

/// A query that has none.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoParameters {}

impl Cart {
    fn of(cart: domain::Cart, lines: Vec<KnownLine>, now: Timestamp) -> Result<Cart, Problem> {
        let lines: Vec<CartLine> =
            lines.into_iter().map(|line| CartLine::of(line, now)).collect::<Result<_, Problem>>()?;
        let totals: Option<Vec<Money>> = lines.iter().map(|line| line.line_total).collect();
        Ok(Cart {
            id: cart.id,
            number: Number(cart.number).to_string(),
            status: cart.status,
            merged_into: cart.merged_into,
            customer_id: cart.customer_id,
            store_id: cart.store_id,
            version: cart.version,
            quantity: lines.iter().map(|line| i64::from(line.quantity)).sum(),
            subtotal: totals.map(Money::try_sum).transpose()?,
            stale: lines.iter().any(|line| line.stale),
            priced_at: lines.iter().filter_map(|line| line.priced_at).min(),
            created_at: cart.created_at,
            updated_at: cart.updated_at,
            lines,
        })
    }

    /// The version first: that is what a change is meant for.
    fn tag(&self, body: &[u8]) -> ETag {
        ETag::strong(format_args!("{}-{:016x}", self.version, fnv1a(body)))
    }
}

impl CartLine {
    fn of(line: KnownLine, now: Timestamp) -> Result<CartLine, Problem> {
        let product = line.product;
        let stale = product.as_ref().is_none_or(|p| domain::is_stale(p.fetched_at, now));
        let quantity = u32::try_from(line.quantity).map_err(Problem::internal)?;
        let line_total = product.as_ref().map(|p| p.price.try_mul(quantity)).transpose()?;
        let (name, sku, product_status, unit_price, priced_at) = match product {
            Some(Snapshot { name, sku, availability, price, fetched_at, .. }) => {
                (Some(name), Some(sku), Some(availability), Some(price), Some(fetched_at))
            }
            None => (None, None, None, None, None),
        };
        Ok(CartLine {
            product_id: line.product_id,
            quantity: line.quantity,
            name,
            sku,
            product_status,
            unit_price,
            line_total,
            stale,
            priced_at,
        })
    }
}

fn encode(cart: &Cart) -> Result<Vec<u8>, Problem> {
    serde_json::to_vec(cart).map_err(Problem::internal)
}

/// FNV-1a, 64 bits: the same on every replica. It tells representations of one version apart, so
/// nothing is gained by finding a collision.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}
