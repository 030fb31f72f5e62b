//! An order is called off: before the payment, after it, and while it happens.

use sdk::Role;
use serde_json::{Value, json};

use crate::support::{COKE, CUSTOMER, JUICE, Shop, TOTAL, cents};

fn state(status: &str, payment: &str) -> (String, String) {
    (status.to_owned(), payment.to_owned())
}

#[tokio::test]
async fn before_the_payment_the_reservation_is_released_and_the_authorization_voided() {
    let shop = Shop::open().await;
    let made = shop.pending().await;
    let order: Value = shop.cancel(&made).send().await.expect_status(200).json();
    assert_eq!((&order["status"], &order["payment_status"]), (&json!("cancelled"), &json!("unpaid")));
    // At once: no task has run.
    assert_eq!((shop.peers.reservation(&made), shop.peers.payment(&made).state), ("released", "voided"));
    assert_eq!(shop.state(&made).await, state("cancelled", "voided"));
    assert_eq!(shop.peers.restocked(COKE), 0);
    assert_eq!(
        shop.timeline(&made).await,
        [
            "status - pending service:test",
            "status pending cancelled customer:7",
            "payment unpaid voided service:orders",
        ]
    );
    shop.audited().await;
}

#[tokio::test]
async fn before_there_is_a_reservation_or_a_payment_there_is_nothing_to_undo() {
    let shop = Shop::open().await;
    let made = shop.two_cokes_and_a_juice(CUSTOMER);
    let _ = shop.make(&made).send().await.expect_status(201);
    let _ = shop.cancel(&made).send().await.expect_status(200);
    assert_eq!(shop.state(&made).await, state("cancelled", "unpaid"));
    shop.settle().await;
    assert_eq!((shop.client.calls("inventory"), shop.client.calls("checkout")), (1, 1), "asked once each");
    shop.audited().await;
}

#[tokio::test]
async fn after_the_payment_the_money_and_the_goods_come_back() {
    let shop = Shop::open().await;
    for steps in [&[][..], &["processing"], &["processing", "ready"]] {
        let made = shop.confirmed().await;
        for to in steps {
            let _ = shop.step(&made, Role::Logistics, to).await.send().await.expect_status(200);
        }
        let (cokes, juices) = (shop.peers.restocked(COKE), shop.peers.restocked(JUICE));
        let order: Value = shop.cancel(&made).send().await.expect_status(200).json();
        assert_eq!((&order["status"], &order["payment_status"]), (&json!("cancelled"), &json!("refunded")));
        assert_eq!(cents(&order["refunded"]), TOTAL);
        assert_eq!(shop.peers.payment(&made).refunded(), TOTAL);
        assert_eq!((shop.peers.restocked(COKE), shop.peers.restocked(JUICE)), (cokes + 2, juices + 1));
        let reference = format!("order-{}-cancelled", made.id);
        assert_eq!(shop.peers.books().receipts[&reference]["location_id"], 100);
        let refunds = shop.refunds(&made).await;
        assert_eq!((refunds.len(), cents(&refunds[0]["total"])), (1, TOTAL));
        assert!(refunds[0]["settled_at"].is_string(), "{refunds:?}");
        assert_eq!(refunds[0]["by"], "customer:7");
    }
    shop.audited().await;
}

#[tokio::test]
async fn what_came_back_before_comes_back_no_second_time() {
    let shop = Shop::open().await;
    let made = shop.confirmed().await;
    let one = json!({"lines": [{"product_id": COKE, "quantity": 1}], "goods": "keep"});
    let first: Value = shop.refund(&made, &one).send().await.expect_status(201).json();
    let _ = shop.cancel(&made).send().await.expect_status(200);
    let refunds = shop.refunds(&made).await;
    assert_eq!(cents(&refunds[1]["total"]), TOTAL - cents(&first["total"]));
    assert_eq!(shop.peers.payment(&made).refunded(), TOTAL);
    assert_eq!((shop.peers.restocked(COKE), shop.peers.restocked(JUICE)), (1, 1), "the kept one is gone");
    shop.audited().await;
}

#[tokio::test]
async fn what_is_with_the_customer_is_not_cancelled_nor_what_is_cancelled() {
    let shop = Shop::open().await;
    let made = shop.confirmed().await;
    for to in ["processing", "ready", "completed"] {
        let _ = shop.step(&made, Role::Hq, to).await.send().await.expect_status(200);
    }
    let problem = shop.cancel(&made).send().await.expect_problem(409, "transition-not-allowed");
    assert_eq!((&problem["state"], &problem["allowed"]), (&json!("completed"), &json!([])));
    let made = shop.pending().await;
    let _ = shop.cancel(&made).send().await.expect_status(200);
    shop.cancel(&made).send().await.expect_problem(409, "transition-not-allowed");
    shop.audited().await;
}

#[tokio::test]
async fn a_cancellation_that_is_sent_again_with_its_key_is_one() {
    let shop = Shop::open().await;
    let made = shop.confirmed().await;
    let send = || shop.cancel(&made).idempotency_key("cancel-1").send();
    let (first, again) = (send().await.expect_status(200), send().await.expect_status(200));
    assert_eq!((first.text(), again.header("idempotent-replayed")), (again.text(), "true"));
    let other = shop.cancel(&made).json(&json!({"reason": "changed my mind"})).idempotency_key("cancel-1");
    other.send().await.expect_problem(422, "idempotency-key-reused");
    assert_eq!(shop.refunds(&made).await.len(), 1);
    shop.audited().await;
}

/// The checkout captures while the customer cancels, and the void comes too late.
#[tokio::test]
async fn a_payment_that_turns_out_to_be_captured_goes_back() {
    let shop = Shop::open().await;
    let made = shop.pending().await;
    shop.peers.set(&made, "pinned", "captured");
    let _ = shop.cancel(&made).send().await.expect_status(200);
    assert_eq!(shop.peers.payment(&made).refunded(), TOTAL);
    assert_eq!((shop.peers.reservation(&made), shop.peers.restocked(COKE)), ("released", 0));
    assert_eq!(shop.state(&made).await, state("cancelled", "refunded"));
    // The checkout goes on, and is told.
    let problem = shop.confirm(&made).send().await.expect_problem(409, "order-cancelled");
    assert_eq!(problem["allowed"], json!([]));
    shop.settle().await;
    assert_eq!(shop.refunds(&made).await.len(), 1);
    shop.audited().await;
}

/// And its stock is gone as well.
#[tokio::test]
async fn a_reservation_that_turns_out_to_be_committed_comes_back_to_the_shelf() {
    let shop = Shop::open().await;
    let made = shop.pending().await;
    shop.peers.set(&made, "committed", "captured");
    let _ = shop.cancel(&made).send().await.expect_status(200);
    assert_eq!((shop.peers.restocked(COKE), shop.peers.restocked(JUICE)), (2, 1));
    assert_eq!(shop.peers.payment(&made).refunded(), TOTAL);
    shop.confirm(&made).send().await.expect_problem(409, "order-cancelled");
    shop.settle().await;
    assert_eq!((shop.peers.restocked(COKE), shop.peers.restocked(JUICE)), (2, 1));
    shop.audited().await;
}

/// Whoever tells of the capture first, the money goes back once.
#[tokio::test]
async fn a_late_confirmation_or_a_late_event_finds_its_money_on_the_way_back() {
    for confirmed in [true, false] {
        let shop = Shop::open().await;
        let made = shop.pending().await;
        shop.client.set_down("checkout", true);
        let _ = shop.cancel(&made).send().await.expect_status(200);
        shop.peers.set(&made, "released", "captured");
        match confirmed {
            true => drop(shop.confirm(&made).send().await.expect_problem(409, "order-cancelled")),
            false => drop(shop.tell(&made, "captured", 1, TOTAL).send().await.expect_status(200)),
        }
        assert_eq!(shop.state(&made).await, state("cancelled", "refunded"));
        shop.client.set_down("checkout", false);
        shop.pass(60);
        shop.settle().await;
        assert_eq!(shop.peers.payment(&made).refunded(), TOTAL);
        let refunds = shop.refunds(&made).await;
        assert_eq!((refunds.len(), refunds[0]["settled_at"].is_string()), (1, true));
        shop.confirm(&made).send().await.expect_problem(409, "order-cancelled");
        shop.audited().await;
    }
}

/// Whichever is first, in the end the customer has either the goods or the money.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cancellation_that_races_the_confirmation_loses_nothing() {
    let shop = Shop::open().await;
    let mut outcomes = Vec::new();
    for round in 0..20 {
        let made = shop.pending().await;
        shop.peers.set(&made, "committed", "captured");
        // Each goes first in every other round.
        let mut race = vec![shop.cancel(&made), shop.confirm(&made)];
        race.rotate_left(round % 2);
        let mut answers = shop.at_once(race).await;
        answers.rotate_left(round % 2);
        let [cancel, confirm] = answers.try_into().unwrap();
        let _ = cancel.expect_status(200);
        shop.settle().await;
        assert_eq!(shop.state(&made).await, state("cancelled", "refunded"), "round {round}");
        assert_eq!(shop.peers.payment(&made).refunded(), TOTAL);
        assert_eq!(shop.refunds(&made).await.len(), 1);
        outcomes.push(confirm.status.as_u16());
        if confirm.status != 200 {
            confirm.expect_problem(409, "order-cancelled");
        }
    }
    assert_eq!(shop.peers.restocked(COKE), 40);
    assert!(outcomes.iter().all(|status| [200, 409].contains(status)), "{outcomes:?}");
    shop.audited().await;
}

#[tokio::test]
async fn a_checkout_gives_up_what_it_made_and_undoes_the_rest_itself() {
    let shop = Shop::open().await;
    let made = shop.pending().await;
    let path = format!("{}/cancel", made.internal());
    let send = || shop.app.post(&path).as_role(Role::Service).json(&json!({"reason": "declined"})).send();
    let first = send().await.expect_status(200);
    let again = send().await.expect_status(200);
    assert_eq!((first.text(), first.json::<Value>()["status"].clone()), (again.text(), json!("cancelled")));
    shop.settle().await;
    assert_eq!((shop.client.calls("inventory"), shop.client.calls("checkout")), (0, 0));
    shop.peers.set(&made, "released", "voided");
    shop.audited().await;
}

/// Should the checkout not get so far as to void.
#[tokio::test]
async fn an_authorization_that_is_known_is_voided_when_a_checkout_gives_up() {
    let shop = Shop::open().await;
    let made = shop.pending().await;
    let _ = shop.tell(&made, "authorized", 1, TOTAL).send().await.expect_status(200);
    let give_up = shop.app.post(format!("{}/cancel", made.internal())).as_role(Role::Service).json(&json!({}));
    let _ = give_up.send().await.expect_status(200);
    assert_eq!(shop.client.calls("checkout"), 0, "not while the checkout waits for the answer");
    shop.settle().await;
    assert_eq!(shop.peers.payment(&made).state, "voided");
    assert_eq!(shop.state(&made).await, state("cancelled", "voided"));
    shop.audited().await;
}

#[tokio::test]
async fn past_its_pivot_a_checkout_only_goes_forward() {
    let shop = Shop::open().await;
    let give_up = |made: &crate::support::Made| {
        shop.app.post(format!("{}/cancel", made.internal())).as_role(Role::Service).json(&json!({}))
    };
    let made = shop.pending().await;
    shop.peers.set(&made, "committed", "captured");
    let _ = shop.tell(&made, "captured", 1, TOTAL).send().await.expect_status(200);
    let problem = give_up(&made).send().await.expect_problem(409, "transition-not-allowed");
    assert_eq!(problem["allowed"], json!(["confirmed"]));
    let confirmed = shop.confirmed().await;
    give_up(&confirmed).send().await.expect_problem(409, "transition-not-allowed");
    shop.audited().await;
}

/// Whoever compensates does not know whether the order was made, and whoever makes it may be late.
#[tokio::test]
async fn what_is_called_off_before_it_is_made_is_never_made() {
    let shop = Shop::open().await;
    let made = shop.two_cokes_and_a_juice(CUSTOMER);
    let give_up = || shop.app.post(format!("{}/cancel", made.internal())).as_role(Role::Service).json(&json!({}));
    for _ in 0..2 {
        assert_eq!(give_up().send().await.expect_status(204).text(), "");
    }
    for _ in 0..2 {
        shop.make(&made).send().await.expect_problem(409, "order-cancelled");
    }
    shop.app.get(made.path()).as_role(Role::Hq).send().await.expect_problem(404, "order-not-found");
    shop.confirm(&made).send().await.expect_problem(404, "order-not-found");
    shop.audited().await;
}

/// The one that comes first decides; either way nothing is left of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn making_and_calling_off_at_once_leaves_nothing() {
    let shop = Shop::open().await;
    for _ in 0..20 {
        let made = shop.two_cokes_and_a_juice(CUSTOMER);
        let give_up = shop.app.post(format!("{}/cancel", made.internal())).as_role(Role::Service).json(&json!({}));
        let answers = shop.at_once([shop.make(&made), give_up]).await;
        match (answers[0].status.as_u16(), answers[1].status.as_u16()) {
            (201, 200) => assert_eq!(shop.state(&made).await.0, "cancelled"),
            (409, 204) => drop(answers[0].expect_problem(409, "order-cancelled")),
            other => panic!("{other:?}"),
        }
    }
    shop.audited().await;
}
