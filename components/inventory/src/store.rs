//! The stock in PostgreSQL: every statement of this service, a file for each table.
//!
//! Owns SQL and rows; decides nothing. Where a statement is put together, it is of constant parts;
//! whatever comes from a request is a parameter.

pub mod discrepancies;
pub mod locations;
pub mod movements;
pub mod reservations;
pub mod shipments;
pub mod stock;
pub mod vouchers;

use sdk::{ToValue, Value};

use crate::domain::Place;

/// The filters of a list that a request asked for: PostgreSQL plans for those that are there.
#[derive(Debug)]
struct Conditions {
    sql: String,
    params: Vec<Value>,
}

impl Conditions {
    fn new() -> Self {
        Conditions { sql: " where true".to_owned(), params: Vec::new() }
    }

    /// Adds a condition with one `$?`, if there is a value for it.
    fn and<T: ToValue>(&mut self, condition: &str, value: Option<T>) {
        if let Some(value) = value {
            self.params.push(value.to_value());
            self.sql.push_str(" and ");
            self.sql.push_str(&condition.replace("$?", &format!("${}", self.params.len())));
        }
    }

    /// That the row comes after that place of the order.
    fn and_after(&mut self, columns: &str, place: Option<[i64; 2]>) {
        if let Some([first, second]) = place {
            self.params.extend([first.to_value(), second.to_value()]);
            let last = self.params.len();
            self.sql.push_str(&format!(" and {columns} > (${}, ${last})", last - 1));
        }
    }

    /// A condition without a value.
    fn and_that(&mut self, condition: &str) {
        self.sql.push_str(" and ");
        self.sql.push_str(condition);
    }

    /// The whole statement and its parameters; `limit` rows of it.
    fn statement(mut self, select: &str, order: &str, limit: i64) -> (String, Vec<Value>) {
        self.params.push(limit.to_value());
        (format!("{select}{}{order} limit ${}", self.sql, self.params.len()), self.params)
    }
}

/// Places as two arrays.
fn columns(places: impl Iterator<Item = Place>) -> (Vec<i64>, Vec<i64>) {
    places.map(|place| (place.location.0, place.product.0)).unzip()
}
