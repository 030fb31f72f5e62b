//! `/api/v1/sales/{id}/returns`: some of a sale comes back, at any till.

use std::collections::BTreeSet;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use jiff::Timestamp;
use pricing::Money;
use sdk::outbox;
use sdk::problem::{FieldError, ProblemBody};
use sdk::{Context, Idempotency, Json, NoQuery, Page, Path, Query, Reply, Result, Tx, new_uuid_v7};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::access::{Reader, Teller};
use super::body::tag;
use super::{cash_insufficient, invalid, invalid_member, optional_reason, sale_not_found};
use crate::domain::effect::{Effect, Units};
use crate::domain::returning::{Back, RefundTo, Refunded, Return, Wanted, take_back};
use crate::domain::sale::Sale;
use crate::domain::session::SessionKind;
use crate::domain::{
    Disposition, LocationId, MAX_LINES, Paper, ProductId, RegisterId, ReturnId, SaleId, SessionId, Tender,
};
use crate::selling::open;
use crate::store::{self, effects, registers, reports, returns, sessions};
use crate::{events, settling};

pub fn routes() -> Router<Context> {
    Router::new().route("/api/v1/sales/{id}/returns", get(list).post(create))
}

/// What comes back, and where the money goes.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReturn {
    /// Of the till where it comes back.
    session_id: SessionId,
    /// A line of the sale once for each condition.
    #[schema(min_items = 1, max_items = 200)]
    lines: Vec<NewReturnLine>,
    /// `original` if left out.
    #[serde(default)]
    refund_to: Option<RefundTo>,
    #[serde(default)]
    #[schema(example = "too sweet", max_length = 500)]
    reason: Option<String>,
}

/// Units of a line that come back in one condition.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReturnLine {
    /// Of the sale.
    #[schema(example = 1)]
    line: i32,
    #[schema(example = 1, minimum = 1)]
    quantity: u32,
    disposition: Disposition,
}

/// A return. It never changes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Return)]
pub struct ReturnBody {
    pub id: ReturnId,
    pub sale_id: SaleId,
    /// As it is printed: store, register, and the register's own number without a gap.
    #[schema(example = "1-2-R000007")]
    pub number: String,
    /// Where it came back.
    #[schema(example = 1)]
    pub store_id: LocationId,
    #[schema(example = 12)]
    pub register_id: RegisterId,
    pub session_id: SessionId,
    #[schema(example = "Julie")]
    pub cashier: String,
    #[schema(example = "too sweet")]
    pub reason: Option<String>,
    pub lines: Vec<ReturnLineBody>,
    pub net: Money,
    pub gst: Money,
    pub qst: Money,
    pub deposits: Money,
    pub total: Money,
    /// What is paid back less the total.
    pub cash_rounding: Money,
    /// What is paid back, by means.
    pub refunds: Vec<RefundBody>,
    #[schema(value_type = String, format = DateTime)]
    pub returned_at: Timestamp,
}

/// What came back of a line.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReturnLine)]
pub struct ReturnLineBody {
    #[schema(example = 1)]
    pub line: i32,
    #[schema(example = 1)]
    pub product_id: ProductId,
    #[schema(example = 1)]
    pub quantity: u32,
    pub disposition: Disposition,
    pub net: Money,
    pub gst: Money,
    pub qst: Money,
    pub deposit: Money,
    pub total: Money,
}

/// Money that goes back.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReturnRefund)]
pub struct RefundBody {
    pub method: Tender,
    pub amount: Money,
}

/// Take some of a sale back
///
/// Within thirty days, at any till, and never more units than were sold. What comes back is worth its part of what
/// was paid, and all of it exactly what was paid, in however many steps: the last one pays what is left.
#[utoipa::path(
    post, path = "/api/v1/sales/{id}/returns", operation_id = "returnSale", tag = "sales", request_body = NewReturn,
    params(
        ("id" = SaleId, Path, description = "The sale"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless"),
    ),
    responses(
        (status = 201, description = "Taken back", body = ReturnBody, headers(
            ("Location" = String, description = "The returns of the sale"),
            ("ETag" = String, description = "The sale's version"),
        )),
        (status = 409, description = "`return-too-late`, `sale-voided`, `nothing-left-to-return`, `session-closed`; \
            `online-sale`: it comes back to its order; `cash-insufficient`: `cash` says what there is; \
            `idempotency-in-progress`", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("key" = [])),
)]
pub(super) async fn create(
    teller: Teller,
    State(context): State<Context>,
    Path(id): Path<SaleId>,
    Query(NoQuery {}): Query<NoQuery>,
    idempotency: Idempotency,
    Json(body): Json<NewReturn>,
) -> Result<Reply> {
    let wanted = body.wanted()?;
    let reason = optional_reason(body.reason.as_deref())?;
    let (context, teller, new, wanted, reason) = (&context, &teller, &body, &wanted, &reason);
    let reply = idempotency
        .run(&context.db, &body, |tx| async move {
            let (sale, back) = bring_back(&tx, context, teller, id, new, wanted, reason.clone()).await?;
            Ok(Reply::created(format!("/api/v1/sales/{id}/returns"), &ReturnBody::from(back)).etag(tag(&sale)))
        })
        .await?;
    settling::settle_now(context, id).await;
    Ok(reply)
}

async fn bring_back(
    tx: &Tx,
    context: &Context,
    teller: &Teller,
    id: SaleId,
    new: &NewReturn,
    wanted: &[Wanted],
    reason: Option<String>,
) -> Result<(Sale, Return)> {
    let session = sessions::lock(tx, new.session_id).await?;
    let session = session.filter(|session| session.kind == SessionKind::Till).ok_or_else(|| {
        invalid_member("/session_id", "session-not-found", format!("no till has the session {}", new.session_id))
    })?;
    teller.works_in(&session)?;
    let mut dossier = store::lock(tx, id).await?.ok_or_else(|| sale_not_found(id))?;
    let now = context.clock.now();
    dossier.sale.may_come_back(now)?;
    open(&session)?;
    let paid_back = returns::paid_back(tx, id).await?;
    let priced = take_back(&mut dossier, wanted, &paid_back, new.refund_to.unwrap_or(RefundTo::Original))?;
    let cash = priced.refunds.iter().find(|refund| refund.method == Tender::Cash);
    if let Some(Refunded { amount, .. }) = cash {
        let there = reports::drawer(tx, session.id).await?.expected()?;
        if *amount > there {
            return Err(cash_insufficient(*amount, there));
        }
    }
    let numbered = registers::number(tx, session.register_id, Paper::Return).await?;
    let back = Return {
        id: new_uuid_v7(&context.clock).into(),
        sale_id: id,
        register_id: session.register_id,
        store_id: session.store_id,
        session_id: session.id,
        seq: numbered.seq,
        number: numbered.text(Paper::Return),
        cashier: session.cashier,
        reason,
        lines: priced.lines,
        net: priced.net,
        gst: priced.gst,
        qst: priced.qst,
        deposits: priced.deposits,
        total: priced.total,
        cash_rounding: priced.cash_rounding,
        refunds: priced.refunds,
        actor: teller.actor(),
        returned_at: now,
    };
    dossier.sale.version += 1;
    returns::insert(tx, &back).await?;
    store::count_returned(tx, id, &dossier.lines).await?;
    store::update(tx, &dossier.sale).await?;
    effects::insert(tx, id, &stocked(&back), now).await?;
    outbox::publish(tx, context, vec![events::returned(&dossier, &back)?]).await?;
    Ok((dossier.sale, back))
}

/// What of it goes to the shelf, and what is written off: in the store where it came back.
fn stocked(back: &Return) -> Vec<Effect> {
    let mut effects = Vec::new();
    for condition in [Disposition::Resalable, Disposition::Damaged] {
        let lines = back.lines.iter().filter(|line| line.disposition == condition);
        let units = Units::of(lines.map(|line| (line.product_id, line.quantity)));
        if !units.is_empty() {
            effects.push(Effect::returned(back.id, back.store_id, condition, units));
        }
    }
    effects
}

/// The returns of a sale, in the order of their making
#[utoipa::path(
    get, path = "/api/v1/sales/{id}/returns", operation_id = "listReturns", tag = "sales",
    params(("id" = SaleId, Path, description = "The sale")),
    responses((status = 200, description = "All of them", body = Page<ReturnBody>)),
    security(("key" = [])),
)]
pub(super) async fn list(
    _: Reader,
    State(context): State<Context>,
    Path(id): Path<SaleId>,
    Query(NoQuery {}): Query<NoQuery>,
) -> Result<Page<ReturnBody>> {
    let sale = store::get_sale(&context.db, id).await?.ok_or_else(|| sale_not_found(id))?;
    let found = returns::read(&context.db, sale.id).await?;
    Ok(Page::only(found.into_iter().map(ReturnBody::from).collect()))
}

impl NewReturn {
    fn wanted(&self) -> Result<Vec<Wanted>> {
        let mut errors = Vec::new();
        if !(1..=MAX_LINES).contains(&self.lines.len()) {
            let detail = format!("must be from 1 to {MAX_LINES} lines");
            errors.push(FieldError::at_pointer("/lines", "lines-out-of-range", detail));
        }
        let mut seen = BTreeSet::new();
        for (index, line) in self.lines.iter().enumerate() {
            if line.quantity == 0 {
                let pointer = format!("/lines/{index}/quantity");
                errors.push(FieldError::at_pointer(pointer, "quantity-out-of-range", "must be at least 1"));
            }
            if !seen.insert((line.line, line.disposition)) {
                let pointer = format!("/lines/{index}/line");
                let detail = "each line must be named once for each disposition";
                errors.push(FieldError::at_pointer(pointer, "line-repeated", detail));
            }
        }
        match errors.is_empty() {
            true => Ok(self.lines.iter().map(Wanted::from).collect()),
            false => Err(invalid(errors)),
        }
    }
}

impl From<&NewReturnLine> for Wanted {
    fn from(line: &NewReturnLine) -> Wanted {
        Wanted { line: line.line, quantity: line.quantity, disposition: line.disposition }
    }
}

impl From<Return> for ReturnBody {
    fn from(back: Return) -> ReturnBody {
        ReturnBody {
            id: back.id,
            sale_id: back.sale_id,
            number: back.number,
            store_id: back.store_id,
            register_id: back.register_id,
            session_id: back.session_id,
            cashier: back.cashier,
            reason: back.reason,
            lines: back.lines.into_iter().map(ReturnLineBody::from).collect(),
            net: back.net,
            gst: back.gst,
            qst: back.qst,
            deposits: back.deposits,
            total: back.total,
            cash_rounding: back.cash_rounding,
            refunds: back.refunds.into_iter().map(RefundBody::from).collect(),
            returned_at: back.returned_at,
        }
    }
}

impl From<Back> for ReturnLineBody {
    fn from(back: Back) -> ReturnLineBody {
        ReturnLineBody {
            line: back.line,
            product_id: back.product_id,
            quantity: back.quantity,
            disposition: back.disposition,
            net: back.net,
            gst: back.gst,
            qst: back.qst,
            deposit: back.deposit,
            total: back.total,
        }
    }
}

impl From<Refunded> for RefundBody {
    fn from(refund: Refunded) -> RefundBody {
        RefundBody { method: refund.method, amount: refund.amount }
    }
}
