//! Which versions of a subject were told: all from the first to the last, but for gaps.
//!
//! A feed is in the order in which transactions began, and two of them may change a subject in the other order. So a
//! version may come after a later one, and what is missing is remembered rather than concluded.

use jiff::Timestamp;

/// Versions that were not told, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    pub low: i64,
    pub high: i64,
    /// Since when it is known.
    pub since: Timestamp,
}

/// What was told of a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track {
    pub first: i64,
    pub last: i64,
    /// In their order, apart from each other.
    pub gaps: Vec<Gap>,
}

/// What a version is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    New,
    /// It was told before.
    Repeat,
}

impl Track {
    /// The first version that is told; where it is not 1 and should be, those before it are missing.
    pub fn begin(version: i64, counts_from_one: bool, now: Timestamp) -> Track {
        match version {
            2.. if counts_from_one => {
                let gap = Gap { low: 1, high: version - 1, since: now };
                Track { first: 1, last: version, gaps: vec![gap] }
            }
            _ => Track { first: version, last: version, gaps: Vec::new() },
        }
    }

    pub fn take(&mut self, version: i64, now: Timestamp) -> Taken {
        if version > self.last {
            if version > self.last + 1 {
                self.gaps.push(Gap { low: self.last + 1, high: version - 1, since: now });
            }
            self.last = version;
            return Taken::New;
        }
        if version < self.first {
            if version < self.first - 1 {
                self.gaps.insert(0, Gap { low: version + 1, high: self.first - 1, since: now });
            }
            self.first = version;
            return Taken::New;
        }
        let Some(place) = self.gaps.iter().position(|gap| (gap.low..=gap.high).contains(&version)) else {
            return Taken::Repeat;
        };
        let gap = self.gaps.remove(place);
        let rest = [Gap { high: version - 1, ..gap }, Gap { low: version + 1, ..gap }];
        for rest in rest.into_iter().rev().filter(|rest| rest.low <= rest.high) {
            self.gaps.insert(place, rest);
        }
        Taken::New
    }
}
