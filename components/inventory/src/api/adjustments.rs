//! `POST /api/v1/adjustments`: what came or went without a sale, a return or a shipment. All or nothing.

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use sdk::problem::ProblemBody;
use sdk::{Context, Idempotency, Json, NoQuery, Query, Reply, Result, Tx, new_uuid_v7};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::access::Keeper;
use super::stock::Stock;
use super::{check_note, checked};
use crate::domain::lines::{Amount, Draft, Lines};
use crate::domain::{Change, Kind, LocationId, Place, ProductId};
use crate::ledger::{self, Refused};
use crate::store::stock::{self, Cause};

pub fn routes() -> Router<Context> {
    Router::new().route("/api/v1/adjustments", post(create))
}

sdk::text_enum!(
    /// Why.
    Reason {
        /// From a supplier.
        Delivery = "delivery",
        /// Broken.
        Damage = "damage",
        /// Too old to be sold.
        Expired = "expired",
        /// Stolen.
        Theft = "theft",
        /// Turned up again.
        Found = "found",
        /// Somebody made a mistake.
        Correction = "correction",
    }
);

/// What came or went.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAdjustment {
    /// Of every line that does not name another.
    #[serde(default)]
    #[schema(example = 1)]
    location_id: Option<LocationId>,
    reason: Reason,
    #[serde(default)]
    #[schema(max_length = 500, example = "dropped")]
    note: Option<String>,
    /// Each product once for a location.
    #[schema(min_items = 1, max_items = 200)]
    lines: Vec<DeltaLine>,
}

/// Units that came (more than 0) or went (less than 0).
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeltaLine {
    #[schema(example = 42)]
    product_id: ProductId,
    #[schema(example = -2, minimum = -1_000_000, maximum = 1_000_000)]
    delta: i64,
    /// If not the one for all lines.
    #[serde(default)]
    #[schema(example = 1)]
    location_id: Option<LocationId>,
}

impl From<&DeltaLine> for Draft {
    fn from(line: &DeltaLine) -> Draft {
        Draft { location: line.location_id, product: line.product_id, amount: line.delta }
    }
}

/// An adjustment that was made.
#[derive(Debug, Serialize, ToSchema)]
pub struct Adjustment {
    pub id: Uuid,
    /// What the ledger refers to it by.
    #[schema(example = "adjustment/01935b6e-0000-7000-8000-000000000001")]
    pub reference: String,
    /// What there is now, by location and product.
    pub stock: Vec<Stock>,
}

/// Adjust stock
///
/// Every line, or none. A product that comes to a location for the first time is welcome.
#[utoipa::path(
    post, path = "/api/v1/adjustments", operation_id = "adjustStock", tag = "stock", request_body = NewAdjustment,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless")),
    responses(
        (status = 201, description = "Made", body = Adjustment,
            headers(("Location" = String, description = "Its movements"))),
        (status = 409, description = "`insufficient-stock`: `shortages` says of what; `idempotency-in-progress`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("key" = [])),
)]
pub(super) async fn create(
    keeper: Keeper,
    State(context): State<Context>,
    Query(NoQuery {}): Query<NoQuery>,
    idempotency: Idempotency,
    Json(body): Json<NewAdjustment>,
) -> Result<Reply> {
    check_note("/note", body.note.as_deref())?;
    let lines = &checked(Amount::Delta, body.location_id, &body.lines)?;
    let (context, reason, actor) = (&context, &reason(&body), &keeper.actor());
    idempotency
        .run(&context.db, &body, |tx| async move {
            let id = new_uuid_v7(&context.clock);
            let reference = format!("adjustment/{id}");
            let rows = adjust(&tx, context, lines, &reference, reason, actor).await;
            let rows = rows.map_err(|refused| refused.about(lines))?;
            let location = format!("/api/v1/movements?reference={reference}");
            let stock = rows.into_iter().map(Stock::from).collect();
            Ok(Reply::created(location, &Adjustment { id, reference, stock }))
        })
        .await
}

/// `damage: dropped`
fn reason(body: &NewAdjustment) -> String {
    match &body.note {
        Some(note) => format!("{}: {note}", body.reason.as_str()),
        None => body.reason.as_str().to_owned(),
    }
}

async fn adjust(
    tx: &Tx,
    context: &Context,
    lines: &Lines,
    reference: &str,
    reason: &str,
    actor: &str,
) -> Result<Vec<stock::Stock>, Refused> {
    let places: Vec<Place> = lines.iter().map(|line| line.place).collect();
    let changes: Vec<Change> =
        lines.iter().map(|line| Change::none(line.place, Kind::Adjustment, line.number).on_hand(line.amount)).collect();
    let locked = ledger::lock_or_make(tx, context, &places).await?;
    let cause = Cause { reference: Some(reference), reason: Some(reason), actor, at: context.clock.now() };
    ledger::change(tx, context, &locked, &changes, cause, Vec::new()).await
}
