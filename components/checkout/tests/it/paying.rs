//! Every token, to its end.

use checkout::simulator::tokens::TOKENS;
use serde_json::json;

use crate::support::{Shop, uuid};

#[tokio::test]
async fn every_token_has_its_end_and_no_payment_is_made_twice() {
    let shop = Shop::open().await;
    let marie = shop.customer("marie").await;
    for (token, _) in TOKENS {
        let purchase = shop.purchase(marie, token).await;
        let response = shop.check_out(&purchase).send().await;
        let id = shop.checkout_of(purchase.cart).await;
        let books = shop.books(id).await;
        let declined = match *token {
            "tok_declined" | "tok_timeout_then_declined" => Some("declined"),
            "tok_insufficient" => Some("insufficient-funds"),
            _ => None,
        };
        match declined {
            Some(reason) => {
                let problem = response.expect_problem(402, "payment-declined");
                assert_eq!((&problem["reason"], uuid(&problem["checkout_id"])), (&json!(reason), id), "{token}");
                // One that was declined at the first word is not voided: there is nothing.
                let payment = (books.payment.as_str(), books.order.as_str(), books.reservation.as_str());
                assert_eq!(payment, ("declined", "cancelled", "released"), "{token}");
                assert_eq!(shop.lines(purchase.cart).await.len(), 2, "{token}: the cart is as it was");
            }
            None => {
                let _ = response.expect_status(201);
                assert_eq!((books.state.as_str(), books.captured), ("completed", 1_118), "{token}");
            }
        }
        // The answer is the same ever after.
        let again = shop.check_out(&purchase).send().await;
        assert_eq!(again.status.as_u16(), if declined.is_some() { 402 } else { 201 }, "{token}");
        assert_eq!(again.header("idempotent-replayed"), "true", "{token}");
    }
    let retries = shop.read(shop_id(&shop, "tok_timeout_then_ok").await).await;
    let authorize = retries["steps"].as_array().unwrap().iter().find(|step| step["step"] == "authorize").unwrap();
    assert_eq!((&authorize["retries"], &authorize["state"]), (&json!(1), &json!("done")));
    shop.audited().await;
}

/// The checkout whose payment was authorized with that token.
async fn shop_id(shop: &Shop, token: &str) -> uuid::Uuid {
    use sdk::Executor as _;
    let sql = "select c.id from checkouts c join provider_payments p on p.id = c.payment_id where p.token = $1";
    let (id,): (uuid::Uuid,) = shop.checkout.db().query_one(sql, sdk::params![token]).await.unwrap();
    id
}

#[tokio::test]
async fn a_token_that_the_provider_does_not_know_is_refused_before_anything_is_accepted() {
    let shop = Shop::open().await;
    let marie = shop.customer("marie").await;
    let mut purchase = shop.purchase(marie, "tok_stolen").await;
    let problem = shop.check_out(&purchase).send().await.expect_problem(422, "validation-failed");
    assert_eq!(problem["errors"][0]["pointer"], "/payment/token");
    // Nothing was recorded: the same key is good for what is right.
    purchase.body["payment"]["token"] = json!("tok_ok");
    let _ = shop.check_out(&purchase).send().await.expect_status(201);
    shop.audited().await;
}

/// They are forgotten when they are not needed any more, and nobody is told.
#[tokio::test]
async fn a_token_and_an_address_are_kept_until_the_end_and_told_to_nobody() {
    let shop = Shop::open().await;
    let marie = shop.customer("marie").await;
    let purchase = shop.purchase(marie, "tok_insufficient").await;
    let answer = shop.check_out(&purchase).send().await;
    let id = shop.checkout_of(purchase.cart).await;
    let events = format!("{:?}", shop.checkout.events().await);
    for text in [answer.text(), events, shop.read(id).await.to_string()] {
        assert!(!text.contains("tok_") && !text.contains("Tremblay"), "{text}");
    }
    use sdk::Executor as _;
    let sql = "select to_jsonb(c)::text from checkouts c";
    let (row,): (String,) = shop.checkout.db().query_one(sql, sdk::params![]).await.unwrap();
    assert!(!row.contains("tok_") && !row.contains("Tremblay"), "{row}");
}
