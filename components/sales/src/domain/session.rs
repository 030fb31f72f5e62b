//! Registers, and sessions at them: a drawer from its opening to its count.

use jiff::Timestamp;
use pricing::Money;
use sdk::problem::FieldError;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::report::Report;
use super::{LocationId, MAX_AMOUNT, MovementId, RegisterId, SessionId, amount_mistake};

sdk::text_enum!(
    /// What a register is for.
    RegisterKind {
        /// Somebody stands at it.
        Till = "till",
        /// It numbers what is bought online.
        Online = "online",
    }
);

sdk::text_enum!(
    /// What a session is.
    SessionKind {
        /// A drawer, from its opening to its count.
        Till = "till",
        /// What was uploaded after its drawer had been counted.
        Late = "late",
    }
);

sdk::text_enum!(
    /// Whether it goes on. What is closed is closed for good.
    SessionStatus {
        Open = "open",
        Closed = "closed",
    }
);

sdk::text_enum!(
    /// Which way cash went.
    MovementKind {
        In = "in",
        Out = "out",
    }
);

/// A register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Register {
    pub id: RegisterId,
    pub store_id: LocationId,
    /// Printed on every receipt.
    pub code: String,
    pub name: String,
    pub kind: RegisterKind,
    pub created_at: Timestamp,
}

/// A session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub register_id: RegisterId,
    pub store_id: LocationId,
    pub kind: SessionKind,
    pub status: SessionStatus,
    pub cashier: String,
    pub opening_float: Money,
    /// The principal that did it.
    pub opened_by: String,
    pub opened_at: Timestamp,
    pub closed: Option<Box<Closed>>,
    /// Counts its events.
    pub version: i64,
}

/// What a session ended with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    pub at: Timestamp,
    pub by: String,
    /// Of the register, from 1.
    pub z_seq: i64,
    pub counted: Money,
    pub expected: Money,
    pub denominations: Option<Vec<Denomination>>,
    pub report: Report,
}

/// Cash that came into a drawer or went out of it without a sale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movement {
    pub id: MovementId,
    pub kind: MovementKind,
    pub amount: Money,
    pub reason: String,
    pub actor: String,
    pub at: Timestamp,
}

/// Coins or notes of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Denomination {
    /// What one of them is worth.
    pub value: Money,
    /// How many there are.
    #[schema(example = 4)]
    pub count: u32,
}

/// The coins and notes of Canada, in cents, that a till has to do with.
const DENOMINATIONS: [i64; 10] = [5, 10, 25, 100, 200, 500, 1_000, 2_000, 5_000, 10_000];

/// What is in a drawer at its end: an amount, or coins and notes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Count {
    /// Either this,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted_cash: Option<Money>,
    /// or this: each coin and note once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denominations: Option<Vec<Denomination>>,
}

impl Session {
    pub fn is_open(&self) -> bool {
        self.status == SessionStatus::Open
    }
}

impl Count {
    /// What was counted.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn total(&self) -> Result<Money, Vec<FieldError>> {
        let error = |pointer: &str, code, detail: &str| FieldError::at_pointer(pointer, code, detail);
        match (self.counted_cash, &self.denominations) {
            (Some(counted), None) => {
                let mistake = amount_mistake("/counted_cash", counted, Money::ZERO);
                mistake.map_or(Ok(counted), |mistake| Err(vec![mistake]))
            }
            (None, Some(denominations)) => counted(denominations),
            (Some(_), Some(_)) => {
                Err(vec![error("/denominations", "surplus-field", "an amount was given, and is enough")])
            }
            (None, None) => Err(vec![error("/counted_cash", "missing-field", "an amount, or coins and notes")]),
        }
    }
}

fn counted(denominations: &[Denomination]) -> Result<Money, Vec<FieldError>> {
    let mut errors = Vec::new();
    let mut total = Some(Money::ZERO);
    for (index, denomination) in denominations.iter().enumerate() {
        let at = format!("/denominations/{index}/value/amount");
        let Denomination { value, count } = *denomination;
        if !DENOMINATIONS.contains(&value.cents()) {
            errors.push(FieldError::at_pointer(at, "denomination-unknown", "there is no such coin and no such note"));
        } else if denominations.iter().take(index).any(|before| before.value == value) {
            errors.push(FieldError::at_pointer(at, "denomination-repeated", "each coin and note must be named once"));
        }
        total = total.and_then(|total| total.try_add(value.try_mul(count).ok()?).ok());
    }
    match total {
        _ if !errors.is_empty() => Err(errors),
        Some(total) if total <= MAX_AMOUNT => Ok(total),
        _ => {
            let detail = format!("must come to at most {MAX_AMOUNT}");
            Err(vec![FieldError::at_pointer("/denominations", "amount-out-of-range", detail)])
        }
    }
}
