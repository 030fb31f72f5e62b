//! `PUT /api/v1/stock/{location}/{product}`: somebody counted, and what they found is what there is.
//!
//! A count is meant for the version that was read before: whatever was sold in between, it does not
//! know of. It takes nothing that is promised.

use axum::extract::State;
use jiff::Timestamp;
use sdk::problem::ProblemBody;
use sdk::{Context, ETag, IfMatch, Json, NoQuery, Path, Problem, Query, Result, Tx, WithETag};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::access::Keeper;
use super::stock::{Stock, not_found};
use super::{check_note, invalid_at};
use crate::domain::{Change, Kind, LocationId, Place, ProductId, QUANTITY_MAX};
use crate::ledger::{self, Refused};
use crate::store::stock::{self, Cause};

/// What was counted. Thresholds that are left out stay as they are.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Count {
    #[schema(example = 37, minimum = 0, maximum = 1_000_000)]
    on_hand: i64,
    #[serde(default)]
    #[schema(example = 12, minimum = 0, maximum = 1_000_000)]
    threshold_low: Option<i64>,
    #[serde(default)]
    #[schema(example = 240, minimum = 0, maximum = 1_000_000)]
    threshold_high: Option<i64>,
    /// For the ledger.
    #[serde(default)]
    #[schema(max_length = 500, example = "monthly count")]
    note: Option<String>,
}

impl Count {
    fn check(&self) -> Result<()> {
        for (pointer, value) in [
            ("/on_hand", Some(self.on_hand)),
            ("/threshold_low", self.threshold_low),
            ("/threshold_high", self.threshold_high),
        ] {
            if value.is_some_and(|value| !(0..=QUANTITY_MAX).contains(&value)) {
                let detail = format!("must be from 0 to {QUANTITY_MAX}");
                return Err(invalid_at(pointer, "quantity-out-of-range", detail));
            }
        }
        check_note("/note", self.note.as_deref())
    }

    /// Whether the row is what this count would make of it, and the last thing that happened to it was a
    /// count of the version `expected`: so it is this one, repeated.
    fn is_repeated(&self, row: &stock::Stock, if_match: &IfMatch) -> bool {
        let asked = |wanted: Option<i64>, found: Option<i64>| wanted.is_none() || wanted == found;
        row.counted_version == Some(row.version)
            && if_match.check(&ETag::strong(row.version - 1)).is_ok()
            && row.on_hand == self.on_hand
            && asked(self.threshold_low, Some(row.threshold_low))
            && asked(self.threshold_high, row.threshold_high)
    }
}

/// Count
///
/// Meant for the version that `If-Match` names. Repeating it at once is harmless.
#[utoipa::path(
    put, path = "/api/v1/stock/{location}/{product}", operation_id = "countStock", tag = "stock",
    request_body = Count,
    params(
        ("location" = LocationId, Path, description = "The location"),
        ("product" = ProductId, Path, description = "The product"),
        ("If-Match" = String, Header, description = "The ETag of the version that was read before counting"),
    ),
    responses(
        (status = 200, description = "What there is now", body = Stock,
            headers(("ETag" = String, description = "The row's version"))),
        (status = 409, description = "`count-below-reserved`: more than that is promised; `reserved` says how much",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("key" = [])),
)]
pub(super) async fn count(
    keeper: Keeper,
    State(context): State<Context>,
    Path((location, product)): Path<(LocationId, ProductId)>,
    Query(NoQuery {}): Query<NoQuery>,
    if_match: IfMatch,
    Json(body): Json<Count>,
) -> Result<WithETag<Json<Stock>>> {
    body.check()?;
    let (context, place, actor) = (&context, Place { location, product }, &keeper.actor());
    let (if_match, body) = (&if_match, &body);
    let attempt = |tx: Tx| async move { attempt(&tx, context, place, if_match, body, actor).await };
    let row = context.db.transaction(attempt).await?;
    Ok(WithETag(ETag::strong(row.version), Json(row.into())))
}

async fn attempt(
    tx: &Tx,
    context: &Context,
    place: Place,
    if_match: &IfMatch,
    body: &Count,
    actor: &str,
) -> Result<stock::Stock> {
    let locked = ledger::lock(tx, &[place]).await.map_err(unknown_location)?;
    let row = stock::get(tx, place).await?.ok_or_else(not_found)?;
    if let Err(stale) = if_match.check(&ETag::strong(row.version)) {
        return if body.is_repeated(&row, if_match) { Ok(row) } else { Err(stale) };
    }
    let (low, high) = (body.threshold_low.unwrap_or(row.threshold_low), body.threshold_high.or(row.threshold_high));
    if high.is_some_and(|high| high < low) {
        let pointer = if body.threshold_high.is_some() { "/threshold_high" } else { "/threshold_low" };
        return Err(invalid_at(pointer, "thresholds-crossed", "the upper threshold is below the lower one"));
    }
    let (change, now) = (counted(place, body.on_hand - row.on_hand), context.clock.now());
    let reference = format!("count/{}/{}/{}", place.location, place.product, row.version + 1);
    let cause = Cause { reference: Some(&reference), reason: body.note.as_deref(), actor, at: now };
    let changed = ledger::change(tx, context, &locked, &[change], cause, Vec::new()).await;
    changed.map_err(|refused| below_reserved(refused, &row))?;
    remembered(tx, place, now, body).await
}

fn counted(place: Place, by: i64) -> Change {
    Change::none(place, Kind::Count, 1).on_hand(by)
}

async fn remembered(tx: &Tx, place: Place, now: Timestamp, body: &Count) -> Result<stock::Stock> {
    Ok(stock::counted(tx, place, now, body.threshold_low, body.threshold_high).await?)
}

/// In the path, a location that does not exist is nothing that could be counted.
fn unknown_location(refused: Refused) -> Problem {
    match refused {
        Refused::NoSuchLocation(_) => not_found(),
        other => other.into(),
    }
}

fn below_reserved(refused: Refused, row: &stock::Stock) -> Problem {
    match refused {
        Refused::Short(_) => Problem::conflict("count-below-reserved")
            .detail(format!(
                "{} units are promised: they are here, or their reservations have to end first",
                row.reserved
            ))
            .with("reserved", row.reserved)
            .with("on_hand", row.on_hand),
        other => other.into(),
    }
}
