//! `/api/v1/orders/{id}/refunds`: money goes back, for some units or for all of them.

use std::collections::BTreeSet;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use jiff::Timestamp;
use pricing::Money;
use sdk::problem::{FieldError, ProblemBody};
use sdk::{Context, Idempotency, Json, NoQuery, Page, Path, Principal, Problem, Query, Reply, Result};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{AUTHORITY, Sight, deciding, invalid, not_found, note, tag};
use crate::domain::refund::{Goods, Refund, RefundLine, Wanted};
use crate::domain::{MAX_LINES, OrderId, ProductId, RefundId};
use crate::store::refunds;
use crate::{settling, store};

pub fn routes() -> Router<Context> {
    Router::new().route("/api/v1/orders/{id}/refunds", get(list).post(refund))
}

/// What is to be refunded.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRefund {
    /// Each product once; without it, everything that has not come back.
    #[serde(default)]
    #[schema(min_items = 1, max_items = 200)]
    lines: Option<Vec<NewRefundLine>>,
    /// `restock` if left out.
    #[serde(default)]
    goods: Option<Goods>,
    #[serde(default)]
    #[schema(example = "damaged", max_length = 500)]
    reason: Option<String>,
}

/// Units of a product that come back.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRefundLine {
    #[schema(example = 1)]
    product_id: ProductId,
    #[schema(example = 1, minimum = 1)]
    quantity: u32,
}

/// A refund as it was decided.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Refund)]
pub struct RefundBody {
    pub id: RefundId,
    pub goods: Goods,
    pub reason: Option<String>,
    pub lines: Vec<RefundLineBody>,
    pub net: Money,
    pub gst: Money,
    pub qst: Money,
    pub deposits: Money,
    pub total: Money,
    #[schema(example = "consumer:manager")]
    pub by: String,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// A refund, and when the money went back.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListedRefund {
    #[serde(flatten)]
    pub refund: RefundBody,
    /// Null until then.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub settled_at: Option<Timestamp>,
}

/// What is refunded of a line.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RefundLine)]
pub struct RefundLineBody {
    #[schema(example = 1)]
    pub line: i32,
    #[schema(example = 1)]
    pub product_id: ProductId,
    #[schema(example = 1)]
    pub quantity: u32,
    pub net: Money,
    pub gst: Money,
    pub qst: Money,
    pub deposit: Money,
    pub total: Money,
}

/// Refund some units, or all of them
///
/// By the cumulative rule: whatever the steps, a full return refunds exactly what was paid. Never more
/// than was captured, nor more units than were sold.
#[utoipa::path(
    post, path = "/api/v1/orders/{id}/refunds", operation_id = "refundOrder", tag = "orders",
    request_body = NewRefund,
    params(
        ("id" = OrderId, Path, description = "The order"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless"),
    ),
    responses(
        (status = 201, description = "Decided; the money is on its way", body = RefundBody, headers(
            ("Location" = String, description = "The refunds of the order"),
            ("ETag" = String, description = "The order's version"),
        )),
        (status = 409, description = "`order-not-refundable`, `nothing-left-to-refund`, `idempotency-in-progress`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("key" = [])),
)]
pub(super) async fn refund(
    principal: Principal,
    State(context): State<Context>,
    Path(id): Path<OrderId>,
    Query(NoQuery {}): Query<NoQuery>,
    idempotency: Idempotency,
    Json(body): Json<NewRefund>,
) -> Result<Reply> {
    principal.require(&AUTHORITY)?;
    let (wanted, goods) = (body.wanted()?, body.goods.unwrap_or(Goods::Restock));
    let (reason, actor) = (note("/reason", body.reason.as_deref())?, principal.key());
    let (context, wanted, reason, actor) = (&context, &wanted, &reason, &actor);
    let reply = idempotency
        .run(&context.db, &body, |tx| async move {
            let mut decision = deciding(&tx, context, id, actor).await?;
            decision.refund(wanted, goods, reason.clone())?;
            store::save(&tx, context, &decision).await?;
            let tag = tag(&decision.order);
            let made = decision.refunds.into_iter().next();
            let made = made.ok_or_else(|| Problem::internal("a refund that was decided is not there"))?;
            Ok(Reply::created(format!("/api/v1/orders/{id}/refunds"), &RefundBody::from(made)).etag(tag))
        })
        .await?;
    settling::settle_now(context, id).await;
    Ok(reply)
}

/// The refunds of an order, in the order of their making
#[utoipa::path(
    get, path = "/api/v1/orders/{id}/refunds", operation_id = "listRefunds", tag = "orders",
    params(("id" = OrderId, Path, description = "The order")),
    responses((status = 200, description = "All of them", body = Page<ListedRefund>)),
    security(("token" = []), ("key" = [])),
)]
pub(super) async fn list(
    principal: Principal,
    State(context): State<Context>,
    Path(id): Path<OrderId>,
    Query(NoQuery {}): Query<NoQuery>,
) -> Result<Page<ListedRefund>> {
    let sight = Sight::of(&principal)?;
    let order = store::get_order(&context.db, id).await?.ok_or_else(|| not_found(id))?;
    sight.check(&order)?;
    let found = refunds::read(&context.db, id).await?;
    Ok(Page::only(found.into_iter().map(ListedRefund::from).collect()))
}

impl NewRefund {
    fn wanted(&self) -> Result<Wanted> {
        let Some(lines) = &self.lines else {
            return Ok(Wanted::Whole);
        };
        let mut errors = Vec::new();
        if !(1..=MAX_LINES).contains(&lines.len()) {
            let detail = format!("must be from 1 to {MAX_LINES} lines, or left out for all of them");
            errors.push(FieldError::at_pointer("/lines", "lines-out-of-range", detail));
        }
        let mut seen = BTreeSet::new();
        for (index, line) in lines.iter().enumerate() {
            if line.quantity == 0 {
                let pointer = format!("/lines/{index}/quantity");
                errors.push(FieldError::at_pointer(pointer, "quantity-out-of-range", "must be at least 1"));
            }
            if !seen.insert(line.product_id) {
                let pointer = format!("/lines/{index}/product_id");
                let detail = "each product must be named once";
                errors.push(FieldError::at_pointer(pointer, "product-repeated", detail));
            }
        }
        match errors.is_empty() {
            true => Ok(Wanted::Units(lines.iter().map(|line| (line.product_id, line.quantity)).collect())),
            false => Err(invalid(errors)),
        }
    }
}

impl From<Refund> for RefundBody {
    fn from(refund: Refund) -> RefundBody {
        RefundBody {
            id: refund.id,
            goods: refund.goods,
            reason: refund.reason,
            lines: refund.lines.into_iter().map(RefundLineBody::from).collect(),
            net: refund.net,
            gst: refund.gst,
            qst: refund.qst,
            deposits: refund.deposit,
            total: refund.total,
            by: refund.actor,
            created_at: refund.created_at,
        }
    }
}

impl From<Refund> for ListedRefund {
    fn from(refund: Refund) -> ListedRefund {
        let settled_at = refund.settled_at;
        ListedRefund { refund: refund.into(), settled_at }
    }
}

impl From<RefundLine> for RefundLineBody {
    fn from(line: RefundLine) -> RefundLineBody {
        RefundLineBody {
            line: line.line,
            product_id: line.product_id,
            quantity: line.quantity,
            net: line.net,
            gst: line.gst,
            qst: line.qst,
            deposit: line.deposit,
            total: line.total,
        }
    }
}
