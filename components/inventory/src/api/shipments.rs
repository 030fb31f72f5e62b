//! What restock requests and transfers have in common: types, lists, and the verbs.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sdk::{Context, Cursor, ETag, Idempotency, Json, Page, PageParams, Reply, Result, WithETag};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{check_note, invalid, invalid_at};
use crate::domain::lines::Draft;
use crate::domain::shipment::{self, Arrival, ShipmentKind, Status};
use crate::domain::{LINES_MAX, LocationId, ProductId, QUANTITY_MAX, ShipmentId};
use crate::shipping::{self, Loaded, Order, Request};
use crate::store::shipments::{self, Filter};
use sdk::problem::FieldError;

/// A restock request or a transfer.
#[derive(Debug, Serialize, ToSchema)]
pub struct Shipment {
    pub id: ShipmentId,
    /// For people.
    #[schema(example = "R-100001")]
    pub number: String,
    pub status: Status,
    /// What can be asked of it.
    #[schema(example = json!(["approve", "reject", "cancel"]))]
    pub allowed: Vec<&'static str>,
    #[schema(example = 100)]
    pub source_id: LocationId,
    #[schema(example = 1)]
    pub destination_id: LocationId,
    /// By product.
    pub lines: Vec<ShipmentLine>,
    pub note: Option<String>,
    /// Why it was rejected.
    pub reason: Option<String>,
    #[schema(example = "consumer:manager")]
    pub requested_by: String,
    #[schema(example = 1)]
    pub version: i64,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// What of a product was asked for, and what became of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShipmentLine {
    #[schema(example = 1)]
    pub line: i64,
    #[schema(example = 42)]
    pub product_id: ProductId,
    #[schema(example = 24)]
    pub requested: i64,
    #[schema(example = 24)]
    pub shipped: i64,
    #[schema(example = 20)]
    pub received: i64,
    #[schema(example = 1)]
    pub lost: i64,
    /// Still under way: `shipped - received - lost`.
    #[schema(example = 3)]
    pub outstanding: i64,
}

impl From<&shipment::ShipmentLine> for ShipmentLine {
    fn from(line: &shipment::ShipmentLine) -> Self {
        ShipmentLine {
            line: line.line,
            product_id: line.product_id,
            requested: line.requested,
            shipped: line.shipped,
            received: line.received,
            lost: line.lost,
            outstanding: line.outstanding(),
        }
    }
}

impl From<Loaded> for Shipment {
    fn from((shipment, lines): Loaded) -> Self {
        Shipment {
            id: shipment.id,
            number: shipment.kind.number(shipment.number),
            status: shipment.status,
            allowed: shipment.status.allowed(),
            source_id: shipment.source_id,
            destination_id: shipment.destination_id,
            lines: lines.iter().map(ShipmentLine::from).collect(),
            note: shipment.note,
            reason: shipment.reason,
            requested_by: shipment.requested_by,
            version: shipment.version,
            created_at: shipment.created_at,
            updated_at: shipment.updated_at,
        }
    }
}

/// Units of a product that are asked for, or shipped.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProductLine {
    #[schema(example = 42)]
    product_id: ProductId,
    #[schema(example = 24, minimum = 0, maximum = 1_000_000)]
    quantity: i64,
}

impl From<&ProductLine> for Draft {
    fn from(line: &ProductLine) -> Draft {
        Draft { location: None, product: line.product_id, amount: line.quantity }
    }
}

/// Why not.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rejection {
    #[serde(default)]
    #[schema(max_length = 500, example = "discontinued")]
    reason: Option<String>,
}

/// What is shipped: everything that was asked for, or these quantities and nothing else.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Dispatch {
    #[serde(default)]
    #[schema(min_items = 1, max_items = 200)]
    lines: Option<Vec<ProductLine>>,
}

/// What arrived: everything that is under way, or what is named.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    #[serde(default)]
    #[schema(min_items = 1, max_items = 200)]
    lines: Option<Vec<ArrivalLine>>,
}

/// Units of a product that arrived, and units that never will.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ArrivalLine {
    #[schema(example = 42)]
    product_id: ProductId,
    #[serde(default)]
    #[schema(example = 20, minimum = 0, maximum = 1_000_000)]
    received: i64,
    /// Recorded as a discrepancy.
    #[serde(default)]
    #[schema(example = 1, minimum = 0, maximum = 1_000_000)]
    lost: i64,
}

/// Which of them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    #[param(inline)]
    status: Option<Status>,
    /// Where it comes from.
    #[param(example = 100)]
    source: Option<LocationId>,
    /// Where it goes.
    #[param(example = 1)]
    destination: Option<LocationId>,
    #[param(minimum = 1, maximum = 200, default = 20)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<Cursor>,
}

impl Rejection {
    pub(super) fn order(&self) -> Result<Order> {
        check_note("/reason", self.reason.as_deref())?;
        Ok(Order::Reject { reason: self.reason.clone() })
    }
}

impl Dispatch {
    pub(super) fn order(&self) -> Result<Order> {
        let Some(lines) = &self.lines else {
            return Ok(Order::Ship(None));
        };
        check_amounts(lines.len(), lines.iter().map(|line| [("quantity", line.quantity)]))?;
        Ok(Order::Ship(Some(lines.iter().map(|line| (line.product_id, line.quantity)).collect())))
    }
}

impl Receipt {
    pub(super) fn order(&self) -> Result<Order> {
        let Some(lines) = &self.lines else {
            return Ok(Order::Receive(None));
        };
        check_amounts(lines.len(), lines.iter().map(|line| [("received", line.received), ("lost", line.lost)]))?;
        let arrival =
            |line: &ArrivalLine| Arrival { product: line.product_id, received: line.received, lost: line.lost };
        Ok(Order::Receive(Some(lines.iter().map(arrival).collect())))
    }
}

/// How many lines there may be, and that no amount is less than nothing or beyond what can be added up.
fn check_amounts<const N: usize>(count: usize, lines: impl Iterator<Item = [(&'static str, i64); N]>) -> Result<()> {
    if !(1..=LINES_MAX).contains(&count) {
        return Err(invalid_at("/lines", "lines-out-of-range", format!("must be from 1 to {LINES_MAX} lines")));
    }
    let error = |(index, member): (usize, &str)| {
        let detail = format!("must be from 0 to {QUANTITY_MAX}");
        FieldError::at_pointer(format!("/lines/{index}/{member}"), "quantity-out-of-range", detail)
    };
    let errors: Vec<FieldError> = lines
        .enumerate()
        .flat_map(|(index, amounts)| amounts.map(|(member, amount)| (index, member, amount)))
        .filter(|(_, _, amount)| !(0..=QUANTITY_MAX).contains(amount))
        .map(|(index, member, _)| error((index, member)))
        .collect();
    if errors.is_empty() { Ok(()) } else { Err(invalid(errors)) }
}

pub(super) async fn list(context: &Context, kind: ShipmentKind, query: ListQuery) -> Result<Page<Shipment>> {
    let page = PageParams::new(query.limit, query.after)?;
    let filter = Filter { status: query.status, source: query.source, destination: query.destination };
    let rows = shipments::list(&context.db, kind, filter, page.after::<i64>()?, page.fetch_limit()).await?;
    let page = Page::new(rows, page.limit, |last| Cursor::encode(&last.number));
    let ids: Vec<ShipmentId> = page.data.iter().map(|shipment| shipment.id).collect();
    let mut lines: BTreeMap<ShipmentId, Vec<shipment::ShipmentLine>> = BTreeMap::new();
    for (id, line) in shipments::lines(&context.db, &ids).await? {
        lines.entry(id).or_default().push(line);
    }
    Ok(page.map(|shipment| {
        let lines = lines.remove(&shipment.id).unwrap_or_default();
        Shipment::from((shipment, lines))
    }))
}

pub(super) async fn read(context: &Context, kind: ShipmentKind, id: ShipmentId) -> Result<WithETag<Json<Shipment>>> {
    let found = shipments::get(&context.db, kind, id).await?.ok_or_else(shipping::not_found)?;
    let lines = shipments::lines(&context.db, &[id]).await?.into_iter().map(|(_, line)| line).collect();
    Ok(WithETag(ETag::strong(found.version), Json(Shipment::from((found, lines)))))
}

/// Asks for what is in the body.
pub(super) async fn request<B: Serialize + Sync>(
    context: &Context,
    idempotency: &Idempotency,
    body: &B,
    request: Request<'_>,
    actor: &str,
    path: &str,
) -> Result<Reply> {
    check_note("/note", request.note)?;
    let request = &request;
    idempotency
        .run(&context.db, body, |tx| async move {
            let made = Shipment::from(shipping::request(&tx, context, request, actor).await?);
            Ok(Reply::created(format!("{path}/{}", made.id), &made).etag(ETag::strong(made.version)))
        })
        .await
}

/// Does what is ordered; `body` is what the order was read from.
pub(super) async fn turn<B: Serialize + Sync>(
    context: &Context,
    idempotency: &Idempotency,
    body: &B,
    (kind, id): (ShipmentKind, ShipmentId),
    order: &Order,
    actor: &str,
) -> Result<Reply> {
    idempotency
        .run(&context.db, body, |tx| async move {
            let turned = Shipment::from(shipping::turn(&tx, context, kind, id, order, actor).await?);
            Ok(Reply::ok(&turned).etag(ETag::strong(turned.version)))
        })
        .await
}
