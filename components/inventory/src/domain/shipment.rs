//! Restock requests and transfers: their states, and what arrives of what was shipped.

use super::{LocationId, Place, ProductId, ShipmentId};
use jiff::Timestamp;

sdk::text_enum!(
    /// Who asked, and for whom.
    ShipmentKind {
        /// A store, from a warehouse.
        Restock = "restock",
        /// Anybody, between any two locations.
        Transfer = "transfer",
    }
);

sdk::text_enum!(
    /// What becomes of a shipment. The last three are final.
    Status {
        /// Asked for.
        Pending = "pending",
        /// To be shipped.
        Approved = "approved",
        /// Shipped, and nothing has arrived.
        InTransit = "in_transit",
        /// Some of it has arrived or was lost, the rest is under way.
        PartiallyReceived = "partially_received",
        /// All of it has arrived or was lost.
        Received = "received",
        /// Refused.
        Rejected = "rejected",
        /// Given up before it was shipped.
        Cancelled = "cancelled",
    }
);

sdk::text_enum!(
    /// What can be asked of a shipment.
    Verb {
        Approve = "approve",
        Reject = "reject",
        Ship = "ship",
        Receive = "receive",
        Cancel = "cancel",
    }
);

use Status::{Approved, Cancelled, InTransit, PartiallyReceived, Pending, Received, Rejected};
use Verb::{Approve, Cancel, Receive, Reject, Ship};

/// Everything that is allowed. A receipt leads to the last but one state or, of all that is still
/// under way, to the last: [`receive`] says.
const TABLE: &[(Status, Verb, Status)] = &[
    (Pending, Approve, Approved),
    (Pending, Reject, Rejected),
    (Pending, Cancel, Cancelled),
    (Approved, Ship, InTransit),
    (Approved, Cancel, Cancelled),
    (InTransit, Receive, PartiallyReceived),
    (PartiallyReceived, Receive, PartiallyReceived),
];

impl Status {
    /// Where the verb leads; none: it is not allowed.
    pub fn on(self, verb: Verb) -> Option<Status> {
        TABLE.iter().find(|(status, on, _)| *status == self && *on == verb).map(|(_, _, next)| *next)
    }

    pub fn allowed(self) -> Vec<&'static str> {
        Verb::ALL.iter().filter(|verb| self.on(**verb).is_some()).map(|verb| verb.as_str()).collect()
    }
}

impl ShipmentKind {
    /// `R-100001`, `T-100002`.
    pub fn number(self, number: i64) -> String {
        match self {
            ShipmentKind::Restock => format!("R-{number}"),
            ShipmentKind::Transfer => format!("T-{number}"),
        }
    }

    /// What became of one, as an event.
    pub const fn event(self, status: Status) -> &'static str {
        match (self, status) {
            (ShipmentKind::Restock, Pending) => "restock.requested",
            (ShipmentKind::Restock, Approved) => "restock.approved",
            (ShipmentKind::Restock, InTransit) => "restock.shipped",
            (ShipmentKind::Restock, PartiallyReceived) => "restock.partially_received",
            (ShipmentKind::Restock, Received) => "restock.received",
            (ShipmentKind::Restock, Rejected) => "restock.rejected",
            (ShipmentKind::Restock, Cancelled) => "restock.cancelled",
            (ShipmentKind::Transfer, Pending) => "transfer.requested",
            (ShipmentKind::Transfer, Approved) => "transfer.approved",
            (ShipmentKind::Transfer, InTransit) => "transfer.shipped",
            (ShipmentKind::Transfer, PartiallyReceived) => "transfer.partially_received",
            (ShipmentKind::Transfer, Received) => "transfer.received",
            (ShipmentKind::Transfer, Rejected) => "transfer.rejected",
            (ShipmentKind::Transfer, Cancelled) => "transfer.cancelled",
        }
    }
}

/// A restock request or a transfer, without its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shipment {
    pub id: ShipmentId,
    pub kind: ShipmentKind,
    pub number: i64,
    pub source_id: LocationId,
    pub destination_id: LocationId,
    pub status: Status,
    pub note: Option<String>,
    pub reason: Option<String>,
    pub requested_by: String,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Shipment {
    /// `restock/0190..`: the subject of its events, and what references begin with.
    pub fn subject(&self) -> String {
        format!("{}/{}", self.kind.as_str(), self.id)
    }

    pub const fn at_source(&self, product: ProductId) -> Place {
        Place { location: self.source_id, product }
    }

    pub const fn at_destination(&self, product: ProductId) -> Place {
        Place { location: self.destination_id, product }
    }
}

/// A product of a shipment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShipmentLine {
    pub line: i64,
    pub product_id: ProductId,
    pub requested: i64,
    pub shipped: i64,
    pub received: i64,
    pub lost: i64,
}

impl ShipmentLine {
    /// Still under way.
    pub const fn outstanding(&self) -> i64 {
        self.shipped - self.received - self.lost
    }
}

/// What arrived of a product, and what is known to be lost. Both from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    pub product: ProductId,
    pub received: i64,
    pub lost: i64,
}

/// What is wrong with one of several products; the place among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// It is not in the shipment.
    Unknown(usize),
    /// More than is there to be shipped or received: this much is.
    TooMuch(usize, i64),
    Repeated(usize),
}

/// A line as it is after some of it was shipped, received or lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    pub before: ShipmentLine,
    pub after: ShipmentLine,
}

/// What is shipped: of every line what was asked for, or of those that are named this much, and nothing
/// of the others.
pub fn ship(lines: &[ShipmentLine], named: Option<&[(ProductId, i64)]>) -> Result<Vec<Moved>, Vec<Mistake>> {
    let all: Vec<(ProductId, i64)> = lines.iter().map(|line| (line.product_id, line.requested)).collect();
    let wanted = named.unwrap_or(&all);
    moved(lines, wanted.iter().map(|(product, _)| *product), |index, line| {
        let (_, quantity) = wanted.get(index)?;
        if *quantity > line.requested {
            return Some(Err(Mistake::TooMuch(index, line.requested)));
        }
        (*quantity > 0).then_some(Ok(ShipmentLine { shipped: *quantity, ..line }))
    })
}

/// What arrives: everything that is under way, or what is named. And whether that was the last of it.
pub fn receive(lines: &[ShipmentLine], named: Option<&[Arrival]>) -> Result<(Vec<Moved>, Status), Vec<Mistake>> {
    let all: Vec<Arrival> =
        lines.iter().map(|line| Arrival { product: line.product_id, received: line.outstanding(), lost: 0 }).collect();
    let arrivals = named.unwrap_or(&all);
    let moved = moved(lines, arrivals.iter().map(|arrival| arrival.product), |index, line| {
        let Arrival { received, lost, .. } = *arrivals.get(index)?;
        if received + lost > line.outstanding() {
            return Some(Err(Mistake::TooMuch(index, line.outstanding())));
        }
        let after = ShipmentLine { received: line.received + received, lost: line.lost + lost, ..line };
        (received + lost > 0).then_some(Ok(after))
    })?;
    let now = |line: &ShipmentLine| moved.iter().find(|moved| moved.before.line == line.line).map(|moved| moved.after);
    let left: i64 = lines.iter().map(|line| now(line).unwrap_or(*line).outstanding()).sum();
    Ok((moved, if left == 0 { Received } else { PartiallyReceived }))
}

/// Those of the lines that something happens to, in the order of lines, or every mistake.
fn moved(
    lines: &[ShipmentLine],
    products: impl Iterator<Item = ProductId>,
    mut step: impl FnMut(usize, ShipmentLine) -> Option<Result<ShipmentLine, Mistake>>,
) -> Result<Vec<Moved>, Vec<Mistake>> {
    let (mut moved, mut mistakes, mut seen) = (Vec::<Moved>::new(), Vec::new(), Vec::new());
    for (index, product) in products.enumerate() {
        let Some(before) = lines.iter().find(|line| line.product_id == product) else {
            mistakes.push(Mistake::Unknown(index));
            continue;
        };
        if seen.contains(&product) {
            mistakes.push(Mistake::Repeated(index));
            continue;
        }
        seen.push(product);
        match step(index, *before) {
            Some(Ok(after)) => moved.push(Moved { before: *before, after }),
            Some(Err(mistake)) => mistakes.push(mistake),
            None => {}
        }
    }
    moved.sort_by_key(|moved| moved.before.line);
    if mistakes.is_empty() { Ok(moved) } else { Err(mistakes) }
}
