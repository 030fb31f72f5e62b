//! What is collected is handed out for a code, and guessing has an end.

use sdk::Role::{Manager, Pos};
use serde_json::{Value, json};

use crate::support::Shop;

const WRONG: &str = "not it";

#[tokio::test]
async fn the_right_code_completes_the_order_and_once_more_is_the_same() {
    let shop = Shop::open().await;
    let made = shop.ready_for_pickup().await;
    let code = shop.code(&made).await;
    let first = shop.pick_up(&made, &code).send().await.expect_status(200);
    assert_eq!(first.json::<Value>()["status"], "completed");
    let again = shop.pick_up(&made, &code).send().await.expect_status(200);
    assert_eq!((first.text(), first.header("etag")), (again.text(), again.header("etag")));
    assert_eq!(shop.timeline(&made).await.last().unwrap(), "status ready completed consumer:pos-1");
    shop.audited().await;
}

#[tokio::test]
async fn wrong_codes_are_counted_and_five_lock_it() {
    let shop = Shop::open().await;
    let made = shop.ready_for_pickup().await;
    let code = shop.code(&made).await;
    for left in [4, 3, 2, 1, 0] {
        let problem = shop.pick_up(&made, WRONG).send().await.expect_problem(422, "pickup-code-wrong");
        assert_eq!((&problem["attempts_left"], &problem["errors"][0]["pointer"]), (&json!(left), &json!("/code")));
    }
    shop.pick_up(&made, WRONG).send().await.expect_problem(409, "pickup-locked");
    shop.pick_up(&made, &code).send().await.expect_problem(409, "pickup-locked");
    // A till cannot go around it; a manager looks at the customer's papers.
    let problem = shop.step(&made, Pos, "completed").await.send().await.expect_problem(409, "transition-not-allowed");
    assert_eq!(problem["allowed"], json!(["cancelled"]));
    let _ = shop.step(&made, Manager, "completed").await.send().await.expect_status(200);
    let wrong = shop.timeline(&made).await.into_iter().filter(|entry| entry == "pickup - - consumer:pos-1");
    assert_eq!(wrong.count(), 5);
    shop.audited().await;
}

/// Side by side there are no more guesses than one after the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twenty_guesses_at_once_are_five() {
    let shop = Shop::open().await;
    let made = shop.ready_for_pickup().await;
    let answers = shop.at_once((0..20).map(|_| shop.pick_up(&made, WRONG))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 422).count(), 5);
    assert_eq!(answers.iter().filter(|answer| answer.status == 409).count(), 15);
}

#[tokio::test]
async fn what_is_not_ready_is_not_handed_out_and_no_code_is_tried_on_it() {
    let shop = Shop::open().await;
    let mut made = shop.two_cokes_and_a_juice(crate::support::CUSTOMER);
    made.draft["fulfilment"] = json!({"method": "pickup", "store_id": 2});
    let made = shop.confirmed_of(made).await;
    let code = shop.code(&made).await;
    for code in [&code, WRONG] {
        let problem = shop.pick_up(&made, code).send().await.expect_problem(409, "transition-not-allowed");
        assert_eq!(problem["allowed"], json!(["processing", "cancelled"]));
    }
    for to in ["processing", "ready"] {
        let _ = shop.step(&made, Pos, to).await.send().await.expect_status(200);
    }
    let problem = shop.pick_up(&made, WRONG).send().await.expect_problem(422, "pickup-code-wrong");
    assert_eq!(problem["attempts_left"], 4, "nothing was counted before");
    let _ = shop.pick_up(&made, &code).send().await.expect_status(200);
}

#[tokio::test]
async fn what_is_delivered_has_no_code() {
    let shop = Shop::open().await;
    let made = shop.confirmed().await;
    shop.pick_up(&made, "000000").send().await.expect_problem(409, "order-not-for-pickup");
    let order = shop.app.get(made.path()).as_customer(crate::support::CUSTOMER).send().await.expect_status(200);
    assert!(order.json::<Value>().get("pickup_code").is_none());
}

#[tokio::test]
async fn a_pickup_with_a_key_is_replayed() {
    let shop = Shop::open().await;
    let made = shop.ready_for_pickup().await;
    let code = shop.code(&made).await;
    let send = || shop.pick_up(&made, &code).idempotency_key("pickup-1").send();
    let (first, again) = (send().await.expect_status(200), send().await.expect_status(200));
    assert_eq!((first.text(), again.header("idempotent-replayed")), (again.text(), "true"));
    shop.audited().await;
}
