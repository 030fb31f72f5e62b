//! Decisions: what a step, a cancellation, a refund or a payment changes of an order; what is written to
//! its timeline, told to the world and asked of other services because of it.
//!
//! Pure: a decision is made on an order that is locked, and written as a whole (`store.rs`). It either
//! is refused and changes nothing, or all of it happens.

use jiff::Timestamp;
use pricing::Money;

use super::effect::{Effect, Units, cancellation_receipt, refund_receipt};
use super::order::{Dossier, Line, Order};
use super::payment::{self, PaymentEvent, PaymentEventKind};
use super::refund::{Goods, Refund, Wanted, priced};
use super::{Grounds, PaymentStatus, RefundId, Refusal, Status};

sdk::text_enum!(
    /// What an entry of a timeline is about.
    What {
        /// A step of the order.
        Status = "status",
        /// The same of its payment.
        Payment = "payment",
        /// A wrong code.
        Pickup = "pickup",
    }
);

/// An entry of a timeline that is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub what: What,
    pub from: Option<&'static str>,
    pub to: Option<&'static str>,
    pub note: Option<String>,
}

/// Something to be told to the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happening {
    /// `order.confirmed`
    pub kind: &'static str,
    /// The order's version since.
    pub version: i64,
    /// Of a refund, which.
    pub refund: Option<RefundId>,
}

/// An order while it is decided about.
#[derive(Clone, Debug)]
pub struct Decision {
    pub order: Order,
    pub lines: Vec<Line>,
    pub entries: Vec<Entry>,
    pub happenings: Vec<Happening>,
    pub refunds: Vec<Refund>,
    pub effects: Vec<Effect>,
    /// Who decides.
    pub actor: String,
    pub now: Timestamp,
    /// Of the refund, if there is one: at most one in a decision.
    refund_id: RefundId,
}

/// What became of a confirmation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirmation {
    Now,
    Before,
    /// It was cancelled first: the money goes back.
    Cancelled,
}

impl Decision {
    pub fn on(dossier: Dossier, actor: String, now: Timestamp, refund_id: RefundId) -> Decision {
        let Dossier { order, lines } = dossier;
        let (entries, happenings, refunds, effects) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Decision { order, lines, entries, happenings, refunds, effects, actor, now, refund_id }
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.happenings.is_empty() && self.effects.is_empty()
    }

    /// An order that was just made.
    pub fn made(&mut self) {
        let to = Some(self.order.status.as_str());
        self.entries.push(Entry { what: What::Status, from: None, to, note: None });
        let version = self.order.version;
        self.happenings.push(Happening { kind: "order.created", version, refund: None });
    }

    /// The next step. Cancelling is one: before payment the reservation is released and the payment
    /// voided, after it the money and the goods come back.
    ///
    /// # Errors
    /// [`Refusal::Step`] when it may not be taken now.
    pub fn advance(&mut self, to: Status, grounds: Grounds, note: Option<String>) -> Result<(), Refusal> {
        if !self.order.standing().permits(to, grounds) {
            return Err(self.refused(to, grounds));
        }
        match to {
            Status::Cancelled => self.cancel(note),
            Status::Confirmed => {
                self.confirmed(note);
                Ok(())
            }
            _ => {
                self.step(to, note);
                self.tell("order.changed", None);
                Ok(())
            }
        }
    }

    /// The checkout has captured the payment.
    ///
    /// # Errors
    /// [`Refusal::Broken`] when the stored lines do not add up.
    pub fn confirm(&mut self) -> Result<Confirmation, Refusal> {
        match self.order.status {
            Status::Pending => {
                if self.order.payment_status != PaymentStatus::Paid {
                    self.captured();
                }
                self.confirmed(None);
                Ok(Confirmation::Now)
            }
            Status::Cancelled => {
                self.captured_already()?;
                Ok(Confirmation::Cancelled)
            }
            Status::Confirmed | Status::Processing | Status::Ready | Status::Completed => Ok(Confirmation::Before),
        }
    }

    /// The checkout gives up before its pivot. It releases and voids what it made itself; an authorization
    /// that is known here is voided from here as well, because twice is once.
    ///
    /// # Errors
    /// [`Refusal::Step`] once the order is paid or confirmed: then a checkout only goes forward.
    pub fn compensate(&mut self, note: Option<String>) -> Result<(), Refusal> {
        match (self.order.status, self.order.payment_status) {
            (Status::Cancelled, _) => Ok(()),
            (Status::Pending, PaymentStatus::Paid) => {
                Err(Refusal::Step { from: Status::Pending, to: Status::Cancelled, allowed: vec![Status::Confirmed] })
            }
            (Status::Pending, status) => {
                self.step(Status::Cancelled, note);
                self.tell("order.cancelled", None);
                if status == PaymentStatus::Authorized {
                    self.effects.push(self.void());
                }
                Ok(())
            }
            _ => Err(self.refused(Status::Cancelled, Grounds::Word)),
        }
    }

    /// The payment's owner tells something. False when it changes nothing, because it comes late.
    ///
    /// # Errors
    /// [`Refusal::AmountDiffers`] for a capture of another amount.
    pub fn learn(&mut self, event: &PaymentEvent) -> Result<bool, Refusal> {
        let order = &self.order;
        if event.kind != PaymentEventKind::Refunded && event.amount != order.totals.total {
            return Err(Refusal::AmountDiffers);
        }
        let cancelled = order.status == Status::Cancelled;
        if cancelled && event.kind == PaymentEventKind::Authorized && order.captured.is_zero() {
            // Whether this was before the void or after it cannot be told: once more does no harm.
            self.effects.push(self.void());
        }
        let Some(to) = payment::after(self.order.payment_status, event.kind) else {
            return Ok(!self.effects.is_empty());
        };
        match to {
            PaymentStatus::Paid if cancelled => self.captured_too_late()?,
            PaymentStatus::Paid => {
                self.captured();
                self.tell("order.changed", None);
            }
            _ => {
                self.pay(to, None);
                self.tell("order.changed", None);
            }
        }
        Ok(true)
    }

    /// The void was carried out.
    pub fn voided(&mut self) {
        if let Some(to) = payment::after(self.order.payment_status, PaymentEventKind::Voided) {
            self.pay(to, None);
            self.tell("order.changed", None);
        }
    }

    /// A void was refused because the payment is captured, which may be known by now.
    ///
    /// # Errors
    /// [`Refusal::Broken`] when the stored lines do not add up.
    pub fn captured_already(&mut self) -> Result<(), Refusal> {
        match payment::after(self.order.payment_status, PaymentEventKind::Captured) {
            Some(_) => self.captured_too_late(),
            None => Ok(()),
        }
    }

    /// The payment of a cancelled order turns out to be captured: the money goes back, and with it the
    /// units, if they are gone.
    fn captured_too_late(&mut self) -> Result<(), Refusal> {
        self.captured();
        self.tell("order.changed", None);
        self.effects.push(self.release());
        self.give_back_all(Some("captured after the order was cancelled".to_owned()))
    }

    /// The reservation of a cancelled order turns out to be committed: the units come back.
    pub fn committed_too_late(&mut self) {
        let units = self.lines.iter().map(|line| line.quantity).collect::<Vec<_>>();
        self.restock(cancellation_receipt(self.order.id), &units);
    }

    /// Some of the goods come back, or all of them.
    ///
    /// # Errors
    /// When there is nothing to refund, or less than is wanted.
    pub fn refund(&mut self, wanted: &Wanted, goods: Goods, reason: Option<String>) -> Result<(), Refusal> {
        let Order { status, payment_status, .. } = self.order;
        let payment = payment_status;
        let sold = matches!(status, Status::Confirmed | Status::Processing | Status::Ready | Status::Completed);
        match payment {
            PaymentStatus::Paid | PaymentStatus::PartiallyRefunded if sold => {}
            PaymentStatus::Refunded if sold => return Err(Refusal::NothingLeft),
            _ => return Err(Refusal::NotRefundable { payment }),
        }
        let units = wanted.units(&self.lines)?;
        self.give_back(&units, goods, reason)?;
        if goods == Goods::Restock {
            self.restock(refund_receipt(self.refund_id), &units);
        }
        Ok(())
    }

    fn cancel(&mut self, note: Option<String>) -> Result<(), Refusal> {
        let (from, payment) = (self.order.status, self.order.payment_status);
        let kept: Vec<u32> = self.lines.iter().map(Line::kept).collect();
        self.step(Status::Cancelled, note);
        self.tell("order.cancelled", None);
        // A confirmed order's units are gone from the shelf; before that they are promised, or gone.
        match from {
            Status::Pending => self.effects.push(self.release()),
            _ => self.restock(cancellation_receipt(self.order.id), &kept),
        }
        match payment {
            PaymentStatus::Unpaid | PaymentStatus::Authorized => self.effects.push(self.void()),
            PaymentStatus::Paid | PaymentStatus::PartiallyRefunded => {
                return self.give_back_all(Some("cancelled".to_owned()));
            }
            PaymentStatus::Refunded | PaymentStatus::Voided => {}
        }
        Ok(())
    }

    fn give_back_all(&mut self, reason: Option<String>) -> Result<(), Refusal> {
        match Wanted::Whole.units(&self.lines) {
            Ok(units) => self.give_back(&units, Goods::Restock, reason),
            Err(_) => Ok(()),
        }
    }

    fn give_back(&mut self, units: &[u32], goods: Goods, reason: Option<String>) -> Result<(), Refusal> {
        let broken = |err: pricing::MoneyError| Refusal::Broken(err.to_string());
        let (amounts, lines) = priced(&self.lines, units)?;
        let total = amounts.total;
        self.order.refunded = self.order.refunded.try_add(total).map_err(broken)?;
        for (line, units) in self.lines.iter_mut().zip(units) {
            line.returned += units;
        }
        let to = match self.order.refunded == self.order.captured {
            true => PaymentStatus::Refunded,
            false => PaymentStatus::PartiallyRefunded,
        };
        self.pay(to, Some(format!("refund of {total}")));
        if total > Money::ZERO {
            let (payment, refund) = (self.order.payment_id, self.refund_id);
            self.effects.push(Effect::Refund { payment, refund, amount: total });
        }
        self.refunds.push(Refund {
            id: self.refund_id,
            goods,
            reason,
            lines,
            net: amounts.net,
            gst: amounts.gst,
            qst: amounts.qst,
            deposit: amounts.deposits,
            total,
            actor: self.actor.clone(),
            created_at: self.now,
            // Nothing is on its way when nothing is due.
            settled_at: total.is_zero().then_some(self.now),
        });
        self.tell("order.refunded", Some(self.refund_id));
        Ok(())
    }

    fn restock(&mut self, reference: String, units: &[u32]) {
        let back = self.lines.iter().zip(units).filter(|(_, quantity)| **quantity > 0);
        let back = back.map(|(line, quantity)| Units { product_id: line.product_id, quantity: *quantity });
        let lines: Vec<Units> = back.collect();
        if !lines.is_empty() {
            self.effects.push(Effect::Restock { reference, location: self.order.location_id, lines });
        }
    }

    fn confirmed(&mut self, note: Option<String>) {
        self.step(Status::Confirmed, note);
        self.order.confirmed_at = Some(self.now);
        self.tell("order.confirmed", None);
    }

    fn captured(&mut self) {
        self.order.captured = self.order.totals.total;
        self.pay(PaymentStatus::Paid, None);
    }

    fn step(&mut self, to: Status, note: Option<String>) {
        let from = Some(self.order.status.as_str());
        self.entries.push(Entry { what: What::Status, from, to: Some(to.as_str()), note });
        self.order.status = to;
    }

    fn pay(&mut self, to: PaymentStatus, note: Option<String>) {
        let from = Some(self.order.payment_status.as_str());
        self.entries.push(Entry { what: What::Payment, from, to: Some(to.as_str()), note });
        self.order.payment_status = to;
    }

    fn tell(&mut self, kind: &'static str, refund: Option<RefundId>) {
        self.order.version += 1;
        self.order.updated_at = self.now;
        self.happenings.push(Happening { kind, version: self.order.version, refund });
    }

    fn release(&self) -> Effect {
        Effect::Release { reservation: self.order.reservation_id }
    }

    fn void(&self) -> Effect {
        Effect::Void { payment: self.order.payment_id }
    }

    fn refused(&self, to: Status, grounds: Grounds) -> Refusal {
        Refusal::Step { from: self.order.status, to, allowed: self.order.standing().allowed(grounds) }
    }
}
