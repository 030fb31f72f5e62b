//! The customers service: whether somebody may order, and their points.

use sdk::{Client, ClientError};
use serde::{Deserialize, Serialize};

use super::{Said, read, unforeseen};
use crate::domain::failure::{Code, Failure};
use crate::domain::{CustomerId, OrderId};

#[derive(Deserialize)]
struct Buyer {
    status: String,
}

#[derive(Serialize)]
struct Points {
    customer_id: CustomerId,
    kind: &'static str,
    points: i64,
}

/// Whether the account is in use.
///
/// # Errors
/// When there is no answer that can be relied upon.
pub async fn may_order(http: &Client, id: CustomerId) -> Result<Said, ClientError> {
    let response = http.get(format!("http://customers/internal/v1/customers/{id}")).send().await?;
    match read(response)? {
        Ok(response) if response.json::<Buyer>()?.status == "active" => Ok(Said::Done),
        Ok(_) => Ok(Said::No(inactive())),
        Err(problem) if problem.code == "customer-not-found" => Ok(Said::No(inactive())),
        Err(problem) => Err(unforeseen(&problem)),
    }
}

fn inactive() -> Failure {
    Failure::new(Code::CustomerInactive, "the account is closed")
}

/// Gives points for an order, once.
///
/// # Errors
/// When there is no answer that can be relied upon.
pub async fn earn(http: &Client, order: OrderId, customer_id: CustomerId, points: i64) -> Result<Said, ClientError> {
    let put = http.put(format!("http://customers/internal/v1/loyalty/order-{order}-earn"));
    match read(put.json(&Points { customer_id, kind: "earn", points }).send().await?)? {
        Ok(_) => Ok(Said::Done),
        Err(problem) => match problem.code.as_str() {
            "customer-erased" | "customer-not-found" | "points-full" => Ok(Said::No(inactive())),
            _ => Err(unforeseen(&problem)),
        },
    }
}
