//! What each step asks another service for.

use sdk::{ClientError, log};

use super::Worker;
use crate::clients::payments::{self, Voided};
use crate::clients::{Said, cart, customers, inventory, orders, products, sales};
use crate::domain::basket::Basket;
use crate::domain::failure::{Code, Failure};
use crate::domain::steps::Step;

/// What a step came to.
#[derive(Debug)]
pub(super) enum Came {
    Done,
    Skipped(&'static str),
    Refused(Failure),
    Unknown(ClientError),
}

impl From<Result<Said, ClientError>> for Came {
    fn from(said: Result<Said, ClientError>) -> Came {
        match said {
            Ok(Said::Done) => Came::Done,
            Ok(Said::No(failure)) => Came::Refused(failure),
            Err(reason) => Came::Unknown(reason),
        }
    }
}

impl Worker<'_> {
    /// Tries the step that the checkout is at.
    pub(super) async fn call(&mut self) -> Came {
        let came = self.attempt().await;
        if let Came::Unknown(reason) = &came {
            let (id, step, attempts) = (self.checkout.id, self.checkout.step.as_str(), self.checkout.attempts);
            match reason {
                ClientError::Unavailable(_) | ClientError::Timeout => {
                    log::warn!("a step waits", checkout = id, step = step, attempts = attempts, reason = reason);
                }
                ClientError::Refused(_) | ClientError::Protocol(_) => {
                    log::error!("a step was refused", checkout = id, step = step, attempts = attempts, reason = reason);
                }
            }
        }
        came
    }

    async fn attempt(&mut self) -> Came {
        let (http, checkout) = (&self.context.http, &self.checkout);
        match checkout.step {
            Step::Cart => self.read_cart().await,
            Step::Price => self.price().await,
            Step::Customer => customers::may_order(http, checkout.customer_id).await.into(),
            Step::Pin => inventory::pin(http, checkout.reservation_id).await.into(),
            Step::Capture => payments::capture(http, checkout.payment_id, checkout.attempts).await.into(),
            Step::Commit => inventory::commit(http, checkout.reservation_id).await.into(),
            Step::Confirm => orders::confirm(http, checkout.order_id).await.into(),
            Step::Void => match payments::void(http, checkout.payment_id).await {
                Ok(Voided::Yes | Voided::Unknown) => Came::Done,
                Ok(Voided::TooLate) => Came::Unknown(contradiction("a payment is captured that was never to be")),
                Err(reason) => Came::Unknown(reason),
            },
            Step::CancelOrder => {
                let reason = checkout.failure.as_ref().map_or("", |failure| failure.code.as_str());
                orders::cancel(http, checkout.order_id, reason).await.into()
            }
            Step::Release => inventory::release(http, checkout.reservation_id).await.into(),
            Step::Reserve | Step::Order | Step::Authorize | Step::Sale | Step::Consume | Step::Loyalty => {
                match &checkout.basket {
                    Some(basket) => self.with_basket(basket).await,
                    None => Came::Unknown(contradiction("there is no basket")),
                }
            }
        }
    }

    async fn with_basket(&self, basket: &Basket) -> Came {
        let (http, checkout) = (&self.context.http, &self.checkout);
        match checkout.step {
            Step::Reserve => inventory::reserve(http, checkout.reservation_id, basket).await.into(),
            Step::Order => orders::make(http, checkout, basket).await.into(),
            Step::Authorize => payments::authorize(http, checkout, basket.total()).await.into(),
            Step::Sale => self.record_sale(basket).await,
            Step::Consume => cart::consume(http, checkout.cart_id, checkout.id, &basket.units()).await.into(),
            _ => match basket.points() {
                0 => Came::Skipped("less than a point"),
                points => customers::earn(http, checkout.order_id, checkout.customer_id, points).await.into(),
            },
        }
    }

    /// The customer does not wait for whoever repairs it: what was paid is ordered, and the audit shows what is missing.
    async fn record_sale(&self, basket: &Basket) -> Came {
        let said = sales::record(&self.context.http, &self.checkout, basket).await;
        if let Ok(Said::No(failure)) = &said {
            let (id, order) = (self.checkout.id, self.checkout.order_id);
            log::error!("a sale was refused", checkout = id, order = order, reason = failure.detail);
        }
        said.into()
    }

    async fn read_cart(&mut self) -> Came {
        let checkout = &self.checkout;
        match cart::snapshot(&self.context.http, checkout.cart_id, checkout.customer_id).await {
            Ok(Ok(cart)) => {
                self.cart = Some(cart);
                Came::Done
            }
            Ok(Err(failure)) => Came::Refused(failure),
            Err(reason) => Came::Unknown(reason),
        }
    }

    /// What it costs now must be what the customer was told.
    async fn price(&mut self) -> Came {
        let Some(cart) = &self.cart else {
            return Came::Unknown(contradiction("there is no cart"));
        };
        match products::quote(&self.context.http, cart).await {
            Ok(Ok(quote)) if quote.total == self.checkout.expected => {
                self.checkout.basket = Some(Basket::of(cart, quote, &self.checkout.fulfilment));
                self.basket = true;
                Came::Done
            }
            Ok(Ok(quote)) => {
                let detail = format!("it costs {} now, and not {}", quote.total, self.checkout.expected);
                let total = serde_json::json!(quote.total);
                Came::Refused(Failure::new(Code::PriceChanged, detail).with("total", total))
            }
            Ok(Err(failure)) => Came::Refused(failure),
            Err(reason) => Came::Unknown(reason),
        }
    }
}

/// What cannot be; it is looked at again, and logged, because somebody has to.
fn contradiction(text: &str) -> ClientError {
    ClientError::Protocol(text.to_owned())
}
