//! The table of steps: in which order they are taken, which one undoes which, and what it means when one is
//! refused. Everything else asks this table.

sdk::text_enum!(
    /// What a checkout does.
    Step {
        /// What is in the cart.
        Cart = "cart",
        /// What that costs.
        Price = "price",
        /// Whether the customer may order.
        Customer = "customer",
        /// Units are promised to it.
        Reserve = "reserve",
        /// A pending order.
        Order = "order",
        /// The money is set aside.
        Authorize = "authorize",
        /// The promise does not expire any more.
        Pin = "pin",
        /// The money is taken. The pivot: from its intention on, its outcome alone decides.
        Capture = "capture",
        /// The units are taken.
        Commit = "commit",
        /// The order is confirmed and paid.
        Confirm = "confirm",
        /// The sale is recorded.
        Sale = "sale",
        /// What was bought leaves the cart.
        Consume = "consume",
        /// The customer's points.
        Loyalty = "loyalty",
        /// The money is set free.
        Void = "void",
        /// The order is called off.
        CancelOrder = "cancel-order",
        /// The units are promised no more.
        Release = "release",
    }
);

/// Whether a step changes anything elsewhere. One that does not may be taken again at any time, so its result
/// is written with the next intention and not before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Reads,
    Writes,
}

/// What follows when the other service says no, for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnRefusal {
    /// What was done is undone.
    Compensate,
    /// It is noted, and the checkout goes on.
    GoOn,
    /// The checkout has ended: whoever said no undoes the rest.
    End,
}

/// A step on the way forward.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    pub step: Step,
    pub effect: Effect,
    pub undo: Option<Step>,
    pub on_refusal: OnRefusal,
}

const fn rule(step: Step, effect: Effect, undo: Option<Step>, on_refusal: OnRefusal) -> Rule {
    Rule { step, effect, undo, on_refusal }
}

use Effect::{Reads, Writes};
use OnRefusal::{Compensate, End, GoOn};
use Step::{
    Authorize, CancelOrder, Capture, Cart, Commit, Confirm, Consume, Customer, Loyalty, Order, Pin, Price, Release,
    Reserve, Sale, Void,
};

/// The way forward. The way back is the column `undo`, from below.
pub const STEPS: &[Rule] = &[
    rule(Cart, Reads, None, Compensate),
    rule(Price, Reads, None, Compensate),
    rule(Customer, Reads, None, Compensate),
    rule(Reserve, Writes, Some(Release), Compensate),
    rule(Order, Writes, Some(CancelOrder), Compensate),
    rule(Authorize, Writes, Some(Void), Compensate),
    // Released with what was reserved.
    rule(Pin, Writes, None, Compensate),
    // Refused: nothing was taken.
    rule(PIVOT, Writes, None, Compensate),
    // Refused: the order was cancelled, and with it the reservation; confirming it tells.
    rule(Commit, Writes, None, GoOn),
    // Refused: the order was cancelled, and orders gives back what was captured.
    rule(Confirm, Writes, None, End),
    // Refused: sales has another opinion of what adds up, or another sale of the order. A bug, and logged as one; it
    // takes nothing from the customer.
    rule(Sale, Writes, None, GoOn),
    // Refused: the cart is gone, and with it what would be taken out of it.
    rule(Consume, Writes, None, GoOn),
    // Refused: the customer has erased the account, or has all the points that there can be.
    rule(Loyalty, Writes, None, GoOn),
];

/// Before its intention everything can be undone, after it only what follows from its outcome is done.
pub const PIVOT: Step = Capture;

impl Step {
    /// Its place and its rule; none on the way back.
    fn place(self) -> Option<(usize, &'static Rule)> {
        STEPS.iter().enumerate().find(|(_, rule)| rule.step == self)
    }

    pub fn rule(self) -> Option<&'static Rule> {
        self.place().map(|(_, rule)| rule)
    }

    /// The next one on the way forward.
    pub fn next(self) -> Option<Step> {
        let (place, _) = self.place()?;
        STEPS.get(place + 1).map(|rule| rule.step)
    }

    pub fn is_before_pivot(self) -> bool {
        let at = |step: Step| step.place().map(|(place, _)| place);
        at(self).is_some_and(|place| Some(place) < at(PIVOT))
    }

    /// Whether its intention has to be known before it is tried.
    pub fn writes(self) -> bool {
        self.rule().is_none_or(|rule| rule.effect == Writes)
    }

    /// What undoes it.
    pub fn undo(self) -> Option<Step> {
        self.rule().and_then(|rule| rule.undo)
    }

    /// The first step of the way back from before this one.
    pub fn way_back(self) -> Option<Step> {
        let before = STEPS.iter().take_while(|rule| rule.step != self);
        before.filter_map(|rule| rule.undo).last()
    }

    /// The next one on the way back.
    pub fn next_back(self) -> Option<Step> {
        STEPS.iter().find(|rule| rule.undo == Some(self)).and_then(|rule| rule.step.way_back())
    }
}
