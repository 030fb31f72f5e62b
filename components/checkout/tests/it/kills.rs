//! Every call of a checkout, there and back, lost on its way, lost on the way back, or its caller gone at that very
//! moment: whatever it was, the checkout ends, and the books of all services say the same.

use sdk::testing::{Fault, Moment, TestRequest};
use serde_json::Value;

use crate::support::{Books, LEASE_S, Purchase, Shop};

/// What happens to one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mishap {
    /// The other service has not heard of it.
    LostBefore,
    /// It has done it, and the caller does not know.
    LostAfter,
    /// Nobody waits for the answer any more, and the other service has not heard of it.
    GoneBefore,
    /// Nobody waits for the answer any more.
    GoneAfter,
}

const MISHAPS: [Mishap; 4] = [Mishap::LostBefore, Mishap::LostAfter, Mishap::GoneBefore, Mishap::GoneAfter];

/// Service, and what of the path tells the call from those before it.
type Call = (&'static str, &'static str);

/// The calls of the way forward.
const THERE: [Call; 13] = [
    ("cart", "/snapshot"),
    ("products", "/price-quotes"),
    ("customers", "/internal/v1/customers/"),
    ("inventory", "/internal/v1/reservations/"),
    ("orders", "/internal/v1/orders/"),
    ("payments", "/simulator/v1/payments/"),
    ("inventory", "/pin"),
    ("payments", "/capture"),
    ("inventory", "/commit"),
    ("orders", "/confirm"),
    ("sales", "/internal/v1/sales/"),
    ("cart", "/consume"),
    ("customers", "/internal/v1/loyalty/"),
];

/// Those of the way back.
const BACK: [Call; 3] = [("payments", "/void"), ("orders", "/cancel"), ("inventory", "/release")];

/// Sends it, and lets that happen to that call. Whoever is not gone is answered.
async fn send(shop: &Shop, request: TestRequest, call: Call, mishap: Mishap) -> Option<u16> {
    let (service, part) = call;
    match mishap {
        Mishap::LostBefore => shop.client.set_fault_once(service, part, Fault::Down),
        Mishap::LostAfter => shop.client.set_fault_once(service, part, Fault::LoseAnswer),
        Mishap::GoneBefore | Mishap::GoneAfter => {
            let moment = if mishap == Mishap::GoneBefore { Moment::Before } else { Moment::After };
            let trap = shop.client.set_trap(service, part, moment);
            let sent = tokio::spawn(request.send());
            trap.sprung().await;
            sent.abort();
            assert!(sent.await.unwrap_err().is_cancelled());
            shop.pass(LEASE_S);
            return None;
        }
    }
    Some(request.send().await.status.as_u16())
}

async fn after(shop: &Shop, purchase: &Purchase, context: &str) -> Books {
    shop.settle().await;
    let books = shop.books(shop.checkout_of(purchase.cart).await).await;
    assert!(shop.checkout.violations().await.is_empty(), "{context}: {books:?}");
    books
}

#[tokio::test]
async fn whatever_happens_to_a_call_on_the_way_there_it_is_bought_once() {
    let shop = Shop::open().await;
    let marie = shop.customer("marie").await;
    for call in THERE {
        for mishap in MISHAPS {
            let context = format!("{call:?} {mishap:?}");
            let purchase = shop.purchase(marie, "tok_ok").await;
            let answer = send(&shop, shop.check_out(&purchase), call, mishap).await;
            assert!(answer.is_none_or(|status| status == 201), "{context}: {answer:?}");
            let books = after(&shop, &purchase, &context).await;
            assert_eq!((books.state.as_str(), books.sales.len()), ("completed", 1), "{context}");
            assert!(shop.lines(purchase.cart).await.is_empty(), "{context}");
            // Whoever asks again is told what came of it.
            let again = shop.check_out(&purchase).send().await.expect_status(201);
            assert_eq!(again.header("idempotent-replayed"), "true", "{context}");
        }
    }
    shop.audited().await;
}

/// The goods are kept no longer when it is about to be paid for: everything is undone.
#[tokio::test]
async fn whatever_happens_to_a_call_on_the_way_back_nothing_is_left() {
    let shop = Shop::open().await;
    let marie = shop.customer("marie").await;
    for call in BACK {
        for mishap in MISHAPS {
            let context = format!("{call:?} {mishap:?}");
            let purchase = shop.purchase(marie, "tok_ok").await;
            let late = shop.client.set_trap("inventory", "/pin", Moment::Before);
            let request = shop.check_out(&purchase);
            let expiring = async {
                late.sprung().await;
                shop.pass(121);
                inventory::tasks::expire_reservations(shop.inventory.context().clone()).await.unwrap();
                late.let_go();
            };
            let (answer, ()) = tokio::join!(send(&shop, request, call, mishap), expiring);
            assert!(answer.is_none_or(|status| status == 409 || status == 202), "{context}: {answer:?}");
            let books = after(&shop, &purchase, &context).await;
            assert_eq!((books.state.as_str(), books.failure.as_deref()), ("failed", Some("reservation-expired")));
            assert_eq!((books.payment.as_str(), books.order.as_str()), ("voided", "cancelled"), "{context}");
            let again = shop.check_out(&purchase).send().await;
            let problem: Value = again.expect_problem(409, "reservation-expired");
            assert_eq!(problem["checkout_id"], shop.checkout_of(purchase.cart).await.to_string());
            assert_eq!(shop.lines(purchase.cart).await.len(), 2, "the cart is as it was");
        }
    }
    shop.audited().await;
}

/// Two mishaps in a row: whoever goes on after the first one is gone at the second.
#[tokio::test]
async fn whoever_goes_on_may_go_as_well() {
    let shop = Shop::open().await;
    let marie = shop.customer("marie").await;
    for pair in THERE.windows(2) {
        let purchase = shop.purchase(marie, "tok_ok").await;
        send(&shop, shop.check_out(&purchase), pair[0], Mishap::GoneAfter).await;
        let (service, part) = pair[1];
        let trap = shop.client.set_trap(service, part, Moment::After);
        let resuming = tokio::spawn(checkout::tasks::resume(shop.checkout.context().clone()));
        trap.sprung().await;
        resuming.abort();
        assert!(resuming.await.unwrap_err().is_cancelled());
        shop.pass(LEASE_S);
        let books = after(&shop, &purchase, &format!("{pair:?}")).await;
        assert_eq!(books.state, "completed", "{pair:?}");
    }
    shop.audited().await;
}
