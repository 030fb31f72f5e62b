//! `/internal/v1/issues/{ref}` and `/internal/v1/receipts/{ref}`: what a till sold and took back. For
//! services alone.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::put;
use jiff::Timestamp;
use sdk::problem::ProblemBody;
use sdk::{Context, Json, NoQuery, Path, Problem, Query, Result, Tx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::access::Caller;
use super::{QuantityLine, checked};
use crate::domain::lines::Amount;
use crate::domain::{Condition, LocationId, Made, OnShortage, ProductId, VoucherKind, is_reference};
use crate::store::vouchers::VoucherLine;
use crate::vouching::{self, NewVoucher, Recorded};

pub fn routes() -> Router<Context> {
    Router::new().route("/internal/v1/issues/{ref}", put(issue)).route("/internal/v1/receipts/{ref}", put(receipt))
}

/// What was sold.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewIssue {
    /// Of every line that does not name another.
    #[serde(default)]
    #[schema(example = 1)]
    location_id: Option<LocationId>,
    /// `refuse` if left out.
    #[serde(default)]
    on_shortage: Option<OnShortage>,
    /// Each product once for a location, in any order.
    #[schema(min_items = 1, max_items = 200)]
    lines: Vec<QuantityLine>,
}

/// What came back.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReceipt {
    /// Of every line that does not name another.
    #[serde(default)]
    #[schema(example = 1)]
    location_id: Option<LocationId>,
    /// `resalable` if left out.
    #[serde(default)]
    condition: Option<Condition>,
    /// Each product once for a location, in any order.
    #[schema(min_items = 1, max_items = 200)]
    lines: Vec<QuantityLine>,
}

/// An issue or a receipt, as it was recorded.
#[derive(Debug, Serialize, ToSchema)]
pub struct Voucher {
    /// What the ledger refers to it by.
    #[schema(example = "issue/01935b6e-0000-7000-8000-000000000001")]
    pub reference: String,
    /// By location and product.
    pub lines: Vec<RecordedLine>,
    #[schema(value_type = String, format = DateTime)]
    pub recorded_at: Timestamp,
}

/// Units of a product.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecordedLine {
    #[schema(example = 1)]
    pub line: i64,
    #[schema(example = 1)]
    pub location_id: LocationId,
    #[schema(example = 42)]
    pub product_id: ProductId,
    #[schema(example = 3)]
    pub quantity: i64,
    /// What the ledger shows of them.
    #[schema(example = 2)]
    pub moved: i64,
    /// The rest, which is recorded as a discrepancy.
    #[schema(example = 1)]
    pub missing: i64,
}

impl From<&VoucherLine> for RecordedLine {
    fn from(line: &VoucherLine) -> Self {
        RecordedLine {
            line: line.line,
            location_id: line.location_id,
            product_id: line.product_id,
            quantity: line.quantity,
            moved: line.moved,
            missing: line.quantity - line.moved,
        }
    }
}

/// Record what was sold
///
/// Once for each reference. Of an offline sale (`on_shortage: record`) what is not there becomes a
/// discrepancy.
#[utoipa::path(
    put, path = "/internal/v1/issues/{ref}", operation_id = "recordIssue", tag = "internal", request_body = NewIssue,
    params(("ref" = String, Path, description = "The caller's name for the sale: 1 to 100 of A-Z a-z 0-9 . _ - :")),
    responses(
        (status = 201, description = "Recorded now", body = Voucher),
        (status = 200, description = "Recorded before", body = Voucher),
        (status = 409, description = "`insufficient-stock`: `shortages` says of what; `voucher-differs`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("service" = [])),
)]
pub(super) async fn issue(
    caller: Caller,
    State(context): State<Context>,
    Path(reference): Path<String>,
    Query(NoQuery {}): Query<NoQuery>,
    Json(body): Json<NewIssue>,
) -> Result<(StatusCode, Json<Voucher>)> {
    let lines = checked(Amount::Quantity, body.location_id, &body.lines)?;
    let on_shortage = body.on_shortage.unwrap_or(OnShortage::Refuse);
    let kind = VoucherKind::Issue;
    let new = NewVoucher { kind, reference: &reference, on_shortage, condition: Condition::Resalable, lines: &lines };
    record(&caller, &context, new).await
}

/// Record what came back
///
/// Once for each reference. What is damaged is written off at once: nobody can be promised it in between.
#[utoipa::path(
    put, path = "/internal/v1/receipts/{ref}", operation_id = "recordReceipt", tag = "internal",
    request_body = NewReceipt,
    params(("ref" = String, Path, description = "The caller's name for the return: 1 to 100 of A-Z a-z 0-9 . _ - :")),
    responses(
        (status = 201, description = "Recorded now", body = Voucher),
        (status = 200, description = "Recorded before", body = Voucher),
        (status = 409, description = "`voucher-differs`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("service" = [])),
)]
pub(super) async fn receipt(
    caller: Caller,
    State(context): State<Context>,
    Path(reference): Path<String>,
    Query(NoQuery {}): Query<NoQuery>,
    Json(body): Json<NewReceipt>,
) -> Result<(StatusCode, Json<Voucher>)> {
    let lines = checked(Amount::Quantity, body.location_id, &body.lines)?;
    let (kind, condition) = (VoucherKind::Receipt, body.condition.unwrap_or(Condition::Resalable));
    let new = NewVoucher { kind, reference: &reference, on_shortage: OnShortage::Refuse, condition, lines: &lines };
    record(&caller, &context, new).await
}

async fn record(caller: &Caller, context: &Context, new: NewVoucher<'_>) -> Result<(StatusCode, Json<Voucher>)> {
    let NewVoucher { kind, reference, .. } = new;
    if !is_reference(reference) {
        return Err(Problem::unprocessable("reference-invalid")
            .detail("the reference in the path must be 1 to 100 letters, digits, '.', '_', '-' or ':'"));
    }
    let actor = &caller.actor();
    let attempt = |tx: Tx| async move { vouching::record(&tx, context, new, actor).await };
    let Recorded { voucher, lines, made } = context.db.transaction(attempt).await?;
    let status = match made {
        Made::Now => StatusCode::CREATED,
        Made::Before => StatusCode::OK,
    };
    let body = Voucher {
        reference: format!("{}/{reference}", kind.as_str()),
        lines: lines.iter().map(RecordedLine::from).collect(),
        recorded_at: voucher.recorded_at,
    };
    Ok((status, Json(body)))
}
