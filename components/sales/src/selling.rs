//! A till's sale and an online one are recorded: once for each id, with the next number of the register.
//!
//! Whoever asks for the same again is answered with the sale as it is; what it costs is asked for only when it is
//! not there, and before anything is locked. Two that record the same at once are kept apart by the keys of the
//! table: the second one rolls back, number and all, and finds what the first one has recorded.

use jiff::Timestamp;
use pricing::Money;
use sdk::idempotency::{Claim, reused};
use sdk::outbox::{self, Event};
use sdk::{Context, OnConstraint, Problem, Result, Tx, log, metrics, new_uuid_v7};

use crate::api::access::Teller;
use crate::domain::draft::{NewSale, Priced};
use crate::domain::effect::Effect;
use crate::domain::online::OnlineSale;
use crate::domain::sale::{Dossier, Payment, Sale, Totals};
use crate::domain::session::{Register, RegisterKind, Session, SessionKind};
use crate::domain::tender::{self, Settled, Unsettled};
use crate::domain::{Channel, LocationId, Method, OrderId, Paper, RegisterId, SaleId, Status, in_microseconds};
use crate::store::registers::Numbered;
use crate::store::sessions::NewSession;
use crate::store::{self, Asked, Key, effects, registers, sessions};
use crate::{events, quoting, settling};

/// Of a sale that somebody else has just recorded.
const TAKEN: &str = "sale-taken";

/// How often a session is looked for that is closed at that very moment.
const ATTEMPTS: u32 = 3;

/// Whether a sale was recorded by this request, or by one before of which this is a repetition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    Now,
    Before,
}

/// Where a till's sale is made, as far as that is known before it is recorded.
#[derive(Clone, Debug)]
enum Place {
    Session(Session),
    Register(Register),
}

impl Place {
    fn register(&self) -> RegisterId {
        match self {
            Place::Session(session) => session.register_id,
            Place::Register(register) => register.id,
        }
    }

    fn store(&self) -> LocationId {
        match self {
            Place::Session(session) => session.store_id,
            Place::Register(register) => register.store_id,
        }
    }
}

/// A till's sale that only needs its place and its number.
struct Draft<'a> {
    id: SaleId,
    new: &'a NewSale,
    place: Place,
    priced: Priced,
    settled: Settled,
    asked: Asked<'a>,
    teller: &'a Teller,
}

/// Records a till's sale; with a claim, under its key instead of the id.
///
/// # Errors
/// 409 `sale-differs` when the id stands for another sale, 422 `idempotency-key-reused` when the key does; 409
/// `price-changed`, `session-closed`; 422 with what is wrong; 503 when products is away.
pub async fn sell(
    context: &Context,
    teller: &Teller,
    id: SaleId,
    new: &NewSale,
    claim: Option<&Claim>,
) -> Result<(Dossier, Made)> {
    let key = claim.map_or(Key::Id(id), Key::Claim);
    let request = serde_json::to_value(new).map_err(Problem::internal)?;
    if let Some(before) = store::find(&context.db, key).await? {
        return repeated(before, &request, claim);
    }
    let mistakes = new.mistakes(context.clock.now());
    if !mistakes.is_empty() {
        return Err(mistakes.into_iter().fold(Problem::unprocessable("validation-failed"), Problem::error));
    }
    let place = place(context, teller, new).await?;
    let priced = quoting::price(context, new, place.store()).await?;
    let settled = settled(new, &priced)?;
    let asked = Asked { request, claim };
    let draft = &Draft { id, new, place, priced, settled, asked, teller };
    match context.db.transaction(|tx| async move { record(&tx, context, draft).await }).await {
        Ok(dossier) => {
            if dossier.sale.price_differs {
                metrics::counter("sales_price_differs_total", &[], 1.0);
                log::warn!("a sale was charged at other prices than the catalogue's", sale = dossier.sale.id);
            }
            settling::settle_now(context, dossier.sale.id).await;
            Ok((dossier, Made::Now))
        }
        Err(problem) if problem.get_code() == TAKEN => match store::find(&context.db, key).await? {
            Some(before) => repeated(before, &draft.asked.request, claim),
            None => Err(differs()),
        },
        Err(problem) => Err(problem),
    }
}

/// The same again, or something else under its name.
fn repeated(
    (before, asked): (Dossier, serde_json::Value),
    request: &serde_json::Value,
    claim: Option<&Claim>,
) -> Result<(Dossier, Made)> {
    match (asked == *request, claim) {
        (true, _) => Ok((before, Made::Before)),
        (false, Some(_)) => Err(reused()),
        (false, None) => Err(differs()),
    }
}

fn differs() -> Problem {
    Problem::conflict("sale-differs").detail("this id stands for another sale")
}

fn taken() -> Problem {
    Problem::conflict(TAKEN)
}

/// Where it is made: nothing is locked yet.
async fn place(context: &Context, teller: &Teller, new: &NewSale) -> Result<Place> {
    let unknown =
        |pointer, code, detail: String| Problem::unprocessable("validation-failed").field(pointer, code, detail);
    match (new.session_id, new.register_id) {
        (Some(id), _) => {
            let session = sessions::get(&context.db, id).await?;
            let session = session
                .ok_or_else(|| unknown("/session_id", "session-not-found", format!("there is no session {id}")))?;
            // What was paid is recorded, whoever brings it.
            if new.offline.is_none() {
                teller.works_in(&session)?;
                open(&session)?;
            }
            Ok(Place::Session(session))
        }
        (None, Some(id)) => {
            let register = registers::get(&context.db, id).await?.filter(|found| found.kind == RegisterKind::Till);
            let register = register
                .ok_or_else(|| unknown("/register_id", "register-not-found", format!("there is no till {id}")))?;
            Ok(Place::Register(register))
        }
        (None, None) => Err(Problem::internal("a sale without a place was not refused")),
    }
}

/// That a session goes on.
///
/// # Errors
/// 409 `session-closed`.
pub fn open(session: &Session) -> Result<()> {
    match session.is_open() {
        true => Ok(()),
        false => Err(Problem::conflict("session-closed")
            .detail("the drawer was counted: nothing happens in this session any more")
            .with("session_id", session.id.to_string())),
    }
}

/// How it is paid. A connected sale costs what the customer was told.
fn settled(new: &NewSale, priced: &Priced) -> Result<Settled> {
    let total = priced.quote.total;
    if let Some(expected) = new.expected_total.filter(|expected| *expected != total) {
        return Err(Problem::conflict("price-changed")
            .detail(format!("it costs {total} now, and not {expected}"))
            .with("total", serde_json::json!(total)));
    }
    let wrong = |code, detail: String| Problem::unprocessable("validation-failed").field("/payments", code, detail);
    tender::settle(total, &new.tenders()).map_err(|unsettled| match unsettled {
        Unsettled::Insufficient { payable, missing } => {
            wrong("payment-insufficient", format!("{missing} of {payable} are missing"))
                .with("payable", serde_json::json!(payable))
                .with("missing", serde_json::json!(missing))
        }
        Unsettled::Overpaid { surplus } => {
            wrong("overpaid", format!("{surplus} too much: there is no change but for cash"))
                .with("surplus", serde_json::json!(surplus))
        }
        Unsettled::OutOfRange => wrong("amount-out-of-range", "the payments are beyond all bounds".to_owned()),
    })
}

async fn record(tx: &Tx, context: &Context, draft: &Draft<'_>) -> Result<Dossier> {
    let mut told = Vec::new();
    let session = session(tx, context, draft, &mut told).await?;
    let numbered = registers::number(tx, session.register_id, Paper::Sale).await?;
    let dossier = dossier(context, draft, &session, &numbered);
    store::insert(tx, &dossier, &draft.asked)
        .await
        .on_constraint("sales_pkey", taken)
        .on_constraint("sales_key_key", taken)?;
    let sold = Effect::sold(draft.id, session.store_id, dossier.units());
    effects::insert(tx, draft.id, &[sold], dossier.sale.recorded_at).await?;
    told.push(events::completed(&dossier)?);
    outbox::publish(tx, context, told).await?;
    Ok(dossier)
}

/// The session that it is booked in. What was sold in one that has been counted meanwhile, or at a till where none
/// is open, is booked in one of its own: a drawer that was counted is not counted again, and no other one has that
/// cash.
async fn session(tx: &Tx, context: &Context, draft: &Draft<'_>, told: &mut Vec<Event>) -> Result<Session> {
    let found = match &draft.place {
        Place::Session(session) => sessions::lock(tx, session.id).await?.filter(Session::is_open),
        Place::Register(register) => sessions::lock_open(tx, register.id, SessionKind::Till).await?,
    };
    if let Some(session) = found {
        return Ok(session);
    }
    let Some(offline) = &draft.new.offline else {
        return Err(match &draft.place {
            Place::Session(session) => Problem::conflict("session-closed")
                .detail("the drawer was counted meanwhile")
                .with("session_id", session.id.to_string()),
            Place::Register(_) => Problem::internal("a connected sale without a session was not refused"),
        });
    };
    let cashier = match (&offline.cashier, &draft.place) {
        (Some(cashier), _) => cashier.trim(),
        (None, Place::Session(session)) => session.cashier.as_str(),
        (None, Place::Register(_)) => return Err(Problem::internal("a sale without a cashier was not refused")),
    };
    let new = NewSession {
        id: new_uuid_v7(&context.clock).into(),
        register_id: draft.place.register(),
        kind: SessionKind::Late,
        cashier,
        opening_float: Money::ZERO,
        by: &draft.teller.actor(),
        at: context.clock.now(),
    };
    for _ in 0..ATTEMPTS {
        if let Some(session) = sessions::open(tx, new).await? {
            told.push(events::opened(&session)?);
            return Ok(session);
        }
        if let Some(session) = sessions::lock_open(tx, new.register_id, SessionKind::Late).await? {
            return Ok(session);
        }
    }
    Err(Problem::unavailable(1).code("database-busy").cause("a session is closed whenever it is looked for"))
}

fn dossier(context: &Context, draft: &Draft<'_>, session: &Session, numbered: &Numbered) -> Dossier {
    let Draft { new, priced, settled, .. } = draft;
    let now = context.clock.now();
    let uploaded_by = new.offline.as_ref().and_then(|offline| offline.cashier.as_deref());
    let cashier = match (uploaded_by, &draft.place) {
        (Some(cashier), _) => cashier.trim(),
        (None, Place::Session(sold_in)) => sold_in.cashier.as_str(),
        (None, Place::Register(_)) => session.cashier.as_str(),
    };
    let origin = Origin {
        id: draft.id,
        register_id: session.register_id,
        store_id: session.store_id,
        numbered,
        channel: Channel::Store,
        sold_at: new.sold_at(now),
        recorded_at: now,
        recorded_by: draft.teller.actor(),
    };
    let sale = Sale {
        session_id: Some(session.id),
        cashier: Some(cashier.to_owned()),
        customer_id: new.customer_id,
        offline: new.offline.is_some(),
        price_differs: priced.differs(),
        cash_rounding: settled.rounding,
        payable: settled.payable,
        change: settled.change,
        ..origin.sale(Totals::from(&priced.quote))
    };
    let payments = new.payments.iter().map(|payment| Payment {
        method: payment.method.into(),
        amount: payment.amount,
        reference: payment.reference.as_deref().map(|text| text.trim().to_owned()),
    });
    Dossier { sale, lines: priced.lines.clone(), payments: payments.collect() }
}

/// Records what a checkout has sold: one sale for each order.
///
/// # Errors
/// 422 with what does not add up; 409 `sale-differs` when the order has another sale.
pub async fn sell_online(
    context: &Context,
    order: OrderId,
    online: &OnlineSale,
    actor: &str,
) -> Result<(Dossier, Made)> {
    let priced = online
        .priced()
        .map_err(|mistakes| mistakes.into_iter().fold(Problem::unprocessable("validation-failed"), Problem::error))?;
    if let Some(before) = store::find(&context.db, Key::Order(order)).await? {
        return repeated_online(before, online);
    }
    let request = serde_json::to_value(online).map_err(Problem::internal)?;
    let register = registers::online(&context.db, online.store_id).await?;
    let (priced, asked) = (&priced, &Asked { request, claim: None });
    let recorded = context
        .db
        .transaction(|tx| async move {
            let numbered = registers::number(&tx, register, Paper::Sale).await?;
            let origin = Origin {
                id: new_uuid_v7(&context.clock).into(),
                register_id: register,
                store_id: online.store_id,
                numbered: &numbered,
                channel: Channel::Online,
                sold_at: in_microseconds(online.sold_at),
                recorded_at: context.clock.now(),
                recorded_by: actor.to_owned(),
            };
            let dossier = online_dossier(origin, order, online, priced);
            store::insert(&tx, &dossier, asked).await.on_constraint("sales_order_id_key", taken)?;
            outbox::publish(&tx, context, vec![events::completed(&dossier)?]).await?;
            Ok::<_, Problem>(dossier)
        })
        .await;
    match recorded {
        Ok(dossier) => Ok((dossier, Made::Now)),
        Err(problem) if problem.get_code() == TAKEN => {
            let before = store::find(&context.db, Key::Order(order)).await?;
            repeated_online(before.ok_or(problem)?, online)
        }
        Err(problem) => Err(problem),
    }
}

fn repeated_online((before, asked): (Dossier, serde_json::Value), online: &OnlineSale) -> Result<(Dossier, Made)> {
    let asked: OnlineSale = serde_json::from_value(asked).map_err(Problem::internal)?;
    match online.is_same(&asked) {
        true => Ok((before, Made::Before)),
        false => Err(Problem::conflict("sale-differs").detail("this order has another sale")),
    }
}

fn online_dossier(origin: Origin<'_>, order: OrderId, online: &OnlineSale, priced: &Priced) -> Dossier {
    let total = priced.quote.total;
    let sale = Sale {
        customer_id: Some(online.customer_id),
        order_id: Some(order),
        checkout_id: Some(online.checkout_id),
        payment_id: Some(online.payment_id),
        ..origin.sale(Totals::from(&priced.quote))
    };
    // What costs nothing is not paid for.
    let paid = (!total.is_zero()).then(|| Payment {
        method: Method::Online,
        amount: total,
        reference: Some(online.payment_id.to_string()),
    });
    Dossier { sale, lines: priced.lines.clone(), payments: paid.into_iter().collect() }
}

/// What every sale has from the moment that it has a number.
struct Origin<'a> {
    id: SaleId,
    register_id: RegisterId,
    store_id: LocationId,
    numbered: &'a Numbered,
    channel: Channel,
    sold_at: Timestamp,
    recorded_at: Timestamp,
    recorded_by: String,
}

impl Origin<'_> {
    /// A sale that is paid to the cent, and of which nothing else is known.
    fn sale(self, totals: Totals) -> Sale {
        Sale {
            id: self.id,
            register_id: self.register_id,
            store_id: self.store_id,
            session_id: None,
            seq: self.numbered.seq,
            number: self.numbered.text(Paper::Sale),
            channel: self.channel,
            status: Status::Completed,
            cashier: None,
            customer_id: None,
            order_id: None,
            checkout_id: None,
            payment_id: None,
            offline: false,
            price_differs: false,
            totals,
            cash_rounding: Money::ZERO,
            payable: totals.total,
            change: Money::ZERO,
            refunded: Money::ZERO,
            version: 1,
            sold_at: self.sold_at,
            recorded_at: self.recorded_at,
            recorded_by: self.recorded_by,
            voided_at: None,
            voided_by: None,
            void_reason: None,
        }
    }
}
