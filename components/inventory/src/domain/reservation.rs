//! The states of a reservation, and what leads from one to the next.

use super::lines::Line;
use super::{Change, Kind, ReservationId};
use jiff::{SignedDuration, Timestamp};

/// How long a reservation lives if nobody says.
pub const TTL_DEFAULT_S: i64 = 900;
/// How long it can live at most without being pinned.
pub const TTL_MAX_S: i64 = 86_400;

sdk::text_enum!(
    /// What becomes of a reservation. The last three are final.
    Status {
        /// Its units are promised until it expires.
        Active = "active",
        /// About to be paid for: its units are promised until it is committed or released.
        Pinned = "pinned",
        /// Its units are gone.
        Committed = "committed",
        /// Given back.
        Released = "released",
        /// Nobody pinned it in time.
        Expired = "expired",
    }
);

sdk::text_enum!(
    /// What can be asked of a reservation.
    Verb {
        Pin = "pin",
        Commit = "commit",
        Release = "release",
        /// The task's.
        Expire = "expire",
    }
);

/// What a verb means for a reservation in some state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Go(Status),
    /// It was done before, or there is nothing left to do.
    Done,
    Refused,
}

use Status::{Active, Committed, Expired, Pinned, Released};
use Step::{Done, Go};
use Verb::{Commit, Expire, Pin, Release};

/// Everything that is not refused.
///
/// What is expired can be released: who compensates wants the units back, and back they are.
const TABLE: &[(Status, Verb, Step)] = &[
    (Active, Pin, Go(Pinned)),
    (Active, Release, Go(Released)),
    (Active, Expire, Go(Expired)),
    (Pinned, Commit, Go(Committed)),
    (Pinned, Release, Go(Released)),
    (Pinned, Pin, Done),
    (Committed, Commit, Done),
    (Released, Release, Done),
    (Expired, Release, Done),
];

impl Status {
    pub fn on(self, verb: Verb) -> Step {
        let found = TABLE.iter().find(|(status, on, _)| *status == self && *on == verb);
        found.map_or(Step::Refused, |(_, _, step)| *step)
    }

    /// What a client may ask for, and would have an effect.
    pub fn allowed(self) -> Vec<&'static str> {
        let leads = |verb: &&Verb| **verb != Expire && matches!(self.on(**verb), Go(_));
        Verb::ALL.iter().filter(leads).map(|verb| verb.as_str()).collect()
    }

    /// Whether units are promised.
    pub const fn holds(self) -> bool {
        matches!(self, Active | Pinned)
    }
}

/// A reservation with its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    pub id: ReservationId,
    pub status: Status,
    pub ttl_s: i64,
    pub expires_at: Timestamp,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub lines: Vec<Line>,
}

impl Reservation {
    /// What the step into `status` does to the stock.
    pub fn changes(&self, status: Status) -> Vec<Change> {
        let change = |line: &Line| {
            let none = |kind| Change::none(line.place, kind, line.number);
            match status {
                Active => Some(none(Kind::Reservation).reserved(line.amount)),
                Pinned => None,
                Committed => Some(none(Kind::Order).on_hand(-line.amount).reserved(-line.amount)),
                Released => Some(none(Kind::Release).reserved(-line.amount)),
                Expired => Some(none(Kind::Expiry).reserved(-line.amount)),
            }
        };
        self.lines.iter().filter_map(change).collect()
    }

    /// Whether it was released before it was made, so that it never is.
    pub fn was_barred(&self) -> bool {
        self.lines.is_empty()
    }

    /// Whether that is what was asked for before.
    pub fn is_of(&self, ttl_s: i64, lines: &[Line]) -> bool {
        self.ttl_s == ttl_s && self.lines == lines
    }
}

/// When a reservation that is made `now` ends, if nobody pins it.
pub fn expiry(now: Timestamp, ttl_s: i64) -> Timestamp {
    now.saturating_add(SignedDuration::from_secs(ttl_s)).unwrap_or(now)
}
