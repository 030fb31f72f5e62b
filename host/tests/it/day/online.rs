//! Buyers online, who keep asking for what was not answered.

use http::Method;
use serde_json::{Value, json};

use super::cents;
use super::running::{PAUSE, Running};
use crate::support::shop::delivery;

const PASSWORD: &str = "quatre chats gris jouent";

/// What somebody paid for so many purchases, in cents.
pub async fn buy(running: Running, number: usize, purchases: usize) -> i64 {
    let email = format!("buyer-{number}@example.com");
    let post =
        async |path: &str, headers: &[(&str, &str)], body: &Value| running.ask(Method::POST, path, headers, body).await;
    let account = json!({"email": email, "password": PASSWORD, "name": "Marie Tremblay"});
    // It may have been made by a request that was not answered.
    let made = post("/api/v1/customers", &[], &account).await;
    assert!(matches!(made.status.as_u16(), 201 | 409), "{made:?}");
    let mut paid = 0;
    for purchase in 0..purchases {
        // A token lasts ten minutes, and a day may take longer.
        let login = json!({"email": email, "password": PASSWORD});
        let login = post("/api/v1/auth/login", &[], &login).await.expect_status(200).json();
        let bearer = format!("Bearer {}", login["access_token"].as_str().expect("a token"));
        let cart = post("/api/v1/carts", &[], &json!({})).await.expect_status(201).json();
        let cart = cart["id"].as_str().expect("an id").to_owned();
        for (product, quantity) in [(1, 2), (purchase % 20 + 2, 1)] {
            let key = format!("{cart}-{product}");
            let item = json!({"product_id": product, "quantity": quantity});
            post(&format!("/api/v1/carts/{cart}/items"), &[("idempotency-key", &key)], &item).await.expect_status(200);
        }
        let signed_in = [("authorization", bearer.as_str())];
        let quote = post("/api/v1/checkouts/quote", &signed_in, &json!({"cart_id": cart})).await;
        let total = quote.expect_status(200).json()["total"].clone();
        let body = json!({
            "cart_id": cart, "fulfilment": delivery(), "payment": {"method": "card", "token": "tok_ok"},
            "expected_total": total,
        });
        let key = format!("{number}-{purchase}");
        let keyed = [signed_in[0], ("idempotency-key", key.as_str())];
        let mut bought = post("/api/v1/checkouts", &keyed, &body).await;
        while bought.status == 202 {
            // It goes on by itself, and says what came of it to whoever asks with the same key.
            tokio::time::sleep(PAUSE).await;
            bought = post("/api/v1/checkouts", &keyed, &body).await;
        }
        let bought = bought.expect_status(201).json();
        assert_eq!(bought["state"], "completed", "{bought:#}");
        paid += cents(&total);
    }
    paid
}
