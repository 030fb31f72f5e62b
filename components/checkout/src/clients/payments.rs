//! The payment provider, by a name of its own: in production another company's, here the simulator of this very
//! service, behind the same HTTP.
//!
//! A payment whose answer is lost is asked for by its id, and asked for again under that id alone.

use pricing::Money;
use sdk::{Client, ClientError, client};
use serde::{Deserialize, Serialize};

use super::Said;
use crate::domain::checkout::Checkout;
use crate::domain::failure::{Code, Failure};
use crate::domain::{PaymentId, RefundId};

#[derive(Serialize)]
struct Authorization<'a> {
    amount: Money,
    token: &'a str,
}

#[derive(Serialize)]
struct Refund {
    amount: Money,
}

/// A payment, as the provider tells of it.
#[derive(Clone, Debug, Deserialize)]
struct Payment {
    status: String,
    reason: Option<String>,
}

/// What became of a void.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voided {
    /// Now or before, or it was declined.
    Yes,
    /// There was none of that id, and there will be none.
    Unknown,
    /// It is captured.
    TooLate,
}

/// What became of a refund.
#[derive(Clone, Debug)]
pub enum Refunded {
    Yes,
    /// As the provider says it: to be handed on.
    No(client::Response),
}

fn url(id: PaymentId) -> String {
    format!("http://payments/simulator/v1/payments/{id}")
}

/// Sets the total aside. Whoever may have asked before looks first.
///
/// # Errors
/// When there is no answer that can be relied upon.
pub async fn authorize(http: &Client, checkout: &Checkout, total: Money) -> Result<Said, ClientError> {
    if checkout.attempts > 0
        && let Some(payment) = find(http, checkout.payment_id).await?
    {
        return authorized(&payment);
    }
    let token = checkout.token.as_ref().map(|token| token.0.as_str()).unwrap_or_default();
    let put = http.put(url(checkout.payment_id)).json(&Authorization { amount: total, token });
    authorized(&payment(put.send().await?)?)
}

fn authorized(payment: &Payment) -> Result<Said, ClientError> {
    match payment.status.as_str() {
        "authorized" | "captured" => Ok(Said::Done),
        _ => ended(payment),
    }
}

/// Takes what was set aside. Whoever may have asked before looks first.
///
/// # Errors
/// When there is no answer that can be relied upon.
pub async fn capture(http: &Client, id: PaymentId, attempts: i32) -> Result<Said, ClientError> {
    if attempts > 0 {
        match find(http, id).await? {
            Some(found) if found.status == "authorized" => {}
            Some(found) => return captured(&found),
            None => return Err(ClientError::Protocol("the provider does not know what it has authorized".to_owned())),
        }
    }
    captured(&payment(http.post(format!("{}/capture", url(id))).send().await?)?)
}

fn captured(payment: &Payment) -> Result<Said, ClientError> {
    match payment.status.as_str() {
        "captured" => Ok(Said::Done),
        _ => ended(payment),
    }
}

/// Sets the money free, and leaves word that it is not to be set aside any more.
///
/// # Errors
/// When there is no answer that can be relied upon.
pub async fn void(http: &Client, id: PaymentId) -> Result<Voided, ClientError> {
    let response = http.post(format!("{}/void", url(id))).send().await?;
    match response.status.as_u16() {
        404 => Ok(Voided::Unknown),
        409 if response.json::<Payment>()?.status == "captured" => Ok(Voided::TooLate),
        _ => response.success().map(|_| Voided::Yes),
    }
}

/// Pays some of it back, once for each refund.
///
/// # Errors
/// When there is no answer that can be relied upon.
pub async fn refund(http: &Client, id: PaymentId, refund: RefundId, amount: Money) -> Result<Refunded, ClientError> {
    let put = http.put(format!("{}/refunds/{refund}", url(id)));
    let response = put.json(&Refund { amount }).send().await?;
    match response.status.as_u16() {
        404 | 409 | 422 => Ok(Refunded::No(response)),
        _ => response.success().map(|_| Refunded::Yes),
    }
}

async fn find(http: &Client, id: PaymentId) -> Result<Option<Payment>, ClientError> {
    let response = http.get(url(id)).send().await?;
    match response.status.as_u16() {
        404 => Ok(None),
        _ => payment(response).map(Some),
    }
}

/// A refusal shows the payment as well: declined with 402, and with 409 what it is instead.
fn payment(response: client::Response) -> Result<Payment, ClientError> {
    match response.status.as_u16() {
        402 | 409 => response.json(),
        _ => response.success()?.json(),
    }
}

/// A payment that has come to nothing; what else it could be, nobody knows.
fn ended(payment: &Payment) -> Result<Said, ClientError> {
    let failure = match payment.status.as_str() {
        "declined" => {
            let failure = Failure::new(Code::PaymentDeclined, "the payment was declined; nothing was charged");
            failure.with("reason", payment.reason.clone())
        }
        "voided" => Failure::new(Code::OrderCancelled, "the order was cancelled while it was being paid for"),
        other => return Err(ClientError::Protocol(format!("a payment that is {other:?}"))),
    };
    Ok(Said::No(failure))
}
