//! The days of a report. A day is one of the business: from midnight to midnight in Toronto.

use jiff::ToSpan;
use jiff::civil::{Date, date};

/// The most days of a report: a year.
pub const DAYS_MAX: i32 = 366;

/// Days, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    pub from: Date,
    pub to: Date,
}

/// Why days are no period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// It ends before it begins.
    Reversed,
    /// More than [`DAYS_MAX`] days.
    TooLong,
    /// Not of our time.
    OutOfRange,
}

impl Period {
    /// From one day to another; without either, the other alone; without both, `today`.
    pub fn new(from: Option<Date>, to: Option<Date>, today: Date) -> Result<Period, Mistake> {
        let (from, to) = match (from, to) {
            (Some(from), Some(to)) => (from, to),
            (Some(day), None) | (None, Some(day)) => (day, day),
            (None, None) => (today, today),
        };
        if from < date(2000, 1, 1) || to > date(9000, 1, 1) {
            return Err(Mistake::OutOfRange);
        }
        if to < from {
            return Err(Mistake::Reversed);
        }
        let days = from.until(to).map_or(i32::MAX, |span| span.get_days());
        if days >= DAYS_MAX { Err(Mistake::TooLong) } else { Ok(Period { from, to }) }
    }

    /// All days of a month, written `2026-11`.
    pub fn of_month(text: &str) -> Option<Period> {
        let (year, month) = text.split_once('-').filter(|(year, month)| (year.len(), month.len()) == (4, 2))?;
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(year) || !digits(month) {
            return None;
        }
        let from = Date::new(year.parse().ok()?, month.parse().ok()?, 1).ok()?;
        Period::new(Some(from), Some(from.last_of_month()), from).ok()
    }

    /// The seven full days before `today`, and the seven before those.
    pub fn last_two_weeks(today: Date) -> [Period; 2] {
        let week = |ends: i32| {
            let to = today.saturating_sub(ends.days());
            Period { from: to.saturating_sub(6.days()), to }
        };
        [week(1), week(8)]
    }
}
