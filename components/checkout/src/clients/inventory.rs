//! The inventory service: units that are promised, and taken.

use sdk::{Client, ClientError};
use serde::Serialize;

use super::{Problem, Said, read, unforeseen};
use crate::domain::basket::{Basket, CartLine};
use crate::domain::failure::{Code, Failure};
use crate::domain::{LocationId, RESERVED_FOR_S, ReservationId};

#[derive(Serialize)]
struct NewReservation<'a> {
    location_id: LocationId,
    lines: &'a [CartLine],
    ttl_s: i64,
}

/// Every unit of the basket, or none.
///
/// # Errors
/// When there is no answer that can be relied upon.
pub async fn reserve(http: &Client, id: ReservationId, basket: &Basket) -> Result<Said, ClientError> {
    let lines = basket.units();
    let wanted = NewReservation { location_id: basket.location_id, lines: &lines, ttl_s: RESERVED_FOR_S };
    let put = http.put(format!("http://inventory/internal/v1/reservations/{id}")).json(&wanted);
    match read(put.send().await?)? {
        Ok(_) => Ok(Said::Done),
        Err(problem) => match problem.code.as_str() {
            "insufficient-stock" => {
                let failure = Failure::new(Code::InsufficientStock, "there is not enough of every product");
                Ok(Said::No(failure.with("shortages", problem.shortages)))
            }
            "reservation-ended" => Ok(Said::No(ended(&problem))),
            "validation-failed" if problem.errors.iter().all(|mistake| mistake.code == "location-not-found") => {
                let detail = format!("there is no store {}", basket.location_id);
                Ok(Said::No(Failure::new(Code::LocationNotFound, detail)))
            }
            _ => Err(unforeseen(&problem)),
        },
    }
}

/// It does not expire any more.
///
/// # Errors
/// When there is no answer that can be relied upon.
pub async fn pin(http: &Client, id: ReservationId) -> Result<Said, ClientError> {
    turn(http, id, "pin").await
}

/// The units are gone.
///
/// # Errors
/// When there is no answer that can be relied upon.
pub async fn commit(http: &Client, id: ReservationId) -> Result<Said, ClientError> {
    turn(http, id, "commit").await
}

/// The units are promised no more, and will not be.
///
/// # Errors
/// When there is no answer that can be relied upon.
pub async fn release(http: &Client, id: ReservationId) -> Result<Said, ClientError> {
    turn(http, id, "release").await
}

async fn turn(http: &Client, id: ReservationId, verb: &str) -> Result<Said, ClientError> {
    let post = http.post(format!("http://inventory/internal/v1/reservations/{id}/{verb}"));
    match read(post.send().await?)? {
        Ok(_) => Ok(Said::Done),
        Err(problem) if problem.code == "reservation-state" && verb != "release" => Ok(Said::No(ended(&problem))),
        Err(problem) => Err(unforeseen(&problem)),
    }
}

/// Released by orders, because the order was cancelled; or expired by inventory.
fn ended(problem: &Problem) -> Failure {
    match problem.state.as_deref() {
        Some("released") => Failure::new(Code::OrderCancelled, "the order was cancelled while it was being paid for"),
        _ => Failure::new(Code::ReservationExpired, "it took too long to pay, and the goods are not kept any more"),
    }
}
