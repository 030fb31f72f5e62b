//! `/internal/v1`: what checkouts ask about a customer, and the points that they give and take. For
//! services alone.

use axum::Router;
use axum::extract::State;
use axum::routing::{get, put};
use sdk::outbox::{Event, publish};
use sdk::problem::ProblemBody;
use sdk::{
    Context, ETag, Executor, Json, NoQuery, OfService, OnConstraint, Path, Problem, Query, Result, Tx, WithETag,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::addresses::Address;
use super::loyalty::Entry;
use super::{NoStore, erased, invalid_field, not_found};
use crate::domain::loyalty::{BALANCE_MAX, Kind, Movement, POINTS_MAX, Refusal, is_reference};
use crate::domain::{CustomerId, Language, Status};
use crate::store::{addresses, customers, loyalty};

pub fn routes() -> Router<Context> {
    Router::new().route("/internal/v1/customers/{id}", get(read)).route("/internal/v1/loyalty/{reference}", put(enter))
}

/// A customer, as a checkout needs one. Nothing but the number and the status is known of one who was
/// erased; only one who is active may order.
#[derive(Debug, Serialize, ToSchema)]
pub struct Buyer {
    #[schema(example = 1)]
    pub id: CustomerId,
    pub status: Status,
    #[schema(example = "marie@example.com")]
    pub email: Option<String>,
    #[schema(example = "Marie Tremblay")]
    pub name: Option<String>,
    #[schema(example = "+1 514 555 0123")]
    pub phone: Option<String>,
    pub language: Option<Language>,
    #[schema(example = 1)]
    pub version: i64,
    /// In the order in which they were added; one is the default.
    pub addresses: Vec<Address>,
}

/// Points to be given or taken.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Points {
    #[schema(example = 1)]
    customer_id: CustomerId,
    kind: Kind,
    #[schema(example = 20, minimum = 1, maximum = 1_000_000)]
    points: i64,
}

/// A customer with their addresses
#[utoipa::path(
    get, path = "/internal/v1/customers/{id}", operation_id = "getBuyer", tag = "internal",
    params(("id" = CustomerId, Path, description = "The customer")),
    responses((status = 200, description = "The customer; also one who was erased", body = Buyer,
        headers(("ETag" = String, description = "Its version")))),
    security(("service" = [])),
)]
pub(super) async fn read(
    _: OfService,
    State(context): State<Context>,
    Path(id): Path<CustomerId>,
    Query(NoQuery {}): Query<NoQuery>,
) -> Result<NoStore<WithETag<Json<Buyer>>>> {
    let customer = customers::get(&context.db, id).await?.ok_or_else(not_found)?;
    let addresses = addresses::list(&context.db, id).await?;
    let buyer = Buyer {
        id,
        status: customer.status,
        email: customer.email,
        name: customer.name,
        phone: customer.phone,
        language: customer.language,
        version: customer.version,
        addresses: addresses.into_iter().map(Address::from).collect(),
    };
    Ok(NoStore(WithETag(ETag::strong(buyer.version), Json(buyer))))
}

/// Give or take points
///
/// Once for each reference: a repetition is answered alike and changes nothing, also once the customer
/// was erased.
#[utoipa::path(
    put, path = "/internal/v1/loyalty/{reference}", operation_id = "enterPoints", tag = "internal",
    request_body = Points,
    params(("reference" = String, Path, description = "What for: 1 to 100 letters, digits and `-._:`")),
    responses(
        (status = 200, description = "The entry", body = Entry),
        (status = 409, description = "`points-insufficient`, `points-full`, `reference-used-differently`, \
            `customer-erased`", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("service" = [])),
)]
pub(super) async fn enter(
    _: OfService,
    State(context): State<Context>,
    Path(reference): Path<String>,
    Query(NoQuery {}): Query<NoQuery>,
    Json(body): Json<Points>,
) -> Result<Json<Entry>> {
    if !is_reference(&reference) {
        return Err(Problem::bad_request("reference-invalid")
            .detail("a reference is 1 to 100 letters, digits, hyphens, dots, underscores and colons"));
    }
    if !(1..=POINTS_MAX).contains(&body.points) {
        let detail = format!("must be from 1 to {POINTS_MAX}");
        return Err(invalid_field("/points", "points-out-of-range", &detail));
    }
    let movement = Movement { customer_id: body.customer_id, kind: body.kind, points: body.points };
    let (context, reference, movement) = (&context, &reference, &movement);
    let entry = context.db.transaction(|tx| move_points(tx, context, reference, movement)).await?;
    Ok(Json(entry.into()))
}

async fn move_points(tx: Tx, context: &Context, reference: &str, movement: &Movement) -> Result<loyalty::Entry> {
    let account = loyalty::lock(&tx, movement.customer_id).await?.ok_or_else(not_found)?;
    // Entries of one account take turns by now; one of another account is seen by its key.
    if let Some(before) = loyalty::find(&tx, reference).await? {
        let same =
            (before.customer_id, before.kind, before.points) == (movement.customer_id, movement.kind, movement.points);
        return if same { Ok(before) } else { Err(differently()) };
    }
    if is_erased(&tx, movement.customer_id).await? {
        return Err(erased());
    }
    let balance = movement.apply(account.balance)?;
    let entry = loyalty::enter(&tx, reference, movement, balance, context.clock.now())
        .await
        .on_constraint("loyalty_entries_pkey", differently)?;
    let payload = serde_json::json!({
        "customer_id": entry.customer_id,
        "reference": entry.reference,
        "kind": entry.kind,
        "points": entry.points,
        "balance": entry.balance_after,
    });
    let event = Event::new("loyalty.changed", format!("loyalty/{}", entry.customer_id), entry.number, &payload)?;
    publish(&tx, context, vec![event]).await?;
    Ok(entry)
}

async fn is_erased(db: &impl Executor, id: CustomerId) -> Result<bool> {
    let customer = customers::share(db, id).await?.ok_or_else(not_found)?;
    Ok(customer.status == Status::Erased)
}

fn differently() -> Problem {
    Problem::conflict("reference-used-differently")
        .detail("this reference stands for other points, or for those of another customer")
}

/// 409 for what the balance forbids.
impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Problem {
        let problem = match refusal {
            Refusal::Insufficient { balance } => Problem::conflict("points-insufficient").with("balance", balance),
            Refusal::Full { balance } => {
                Problem::conflict("points-full").with("balance", balance).with("balance_max", BALANCE_MAX)
            }
        };
        problem.detail(refusal.to_string())
    }
}
