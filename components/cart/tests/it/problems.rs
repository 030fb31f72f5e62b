//! Problem documents as a whole: what a client is told, word for word.

use serde_json::json;

use crate::support::{COKE, Shop, UNKNOWN, add, change, id, set};

const NOWHERE: &str = "/api/v1/carts/00000000-0000-7000-8000-000000000000";

#[tokio::test]
async fn a_cart_that_is_not_there() {
    let shop = Shop::open().await;
    let problem = shop.app.get(NOWHERE).send().await.problem();
    assert_eq!(
        problem,
        json!({
            "type": "urn:comptoir:problem:cart-not-found",
            "title": "Cart not found",
            "status": 404,
            "detail": "cart 00000000-0000-7000-8000-000000000000 does not exist",
            "instance": NOWHERE,
            "code": "cart-not-found",
            "request_id": "<request-id>",
        })
    );
}

#[tokio::test]
async fn a_product_that_does_not_exist() {
    let shop = Shop::open().await;
    let cart = shop.cart().await;
    let problem = add(&shop.app, &cart, UNKNOWN, 1).send().await.problem();
    assert_eq!(
        problem,
        json!({
            "type": "urn:comptoir:problem:validation-failed",
            "title": "Validation failed",
            "status": 422,
            "instance": format!("{cart}/items"),
            "code": "validation-failed",
            "request_id": "<request-id>",
            "errors": [{
                "pointer": "/product_id",
                "code": "product-not-found",
                "detail": "there is no such product",
            }],
        })
    );
}

#[tokio::test]
async fn less_than_nothing() {
    let shop = Shop::open().await;
    let cart = shop.cart().await;
    shop.add(&cart, COKE, 2).await;
    let problem = change(&shop.app, &cart, COKE, -3).send().await.problem();
    assert_eq!(
        problem,
        json!({
            "type": "urn:comptoir:problem:quantity-below-zero",
            "title": "Quantity below zero",
            "status": 409,
            "detail": "the cart holds 2, which is less than what is to be removed",
            "instance": format!("{cart}/items/1"),
            "code": "quantity-below-zero",
            "request_id": "<request-id>",
            "quantity": 2,
        })
    );
}

#[tokio::test]
async fn a_version_that_is_gone() {
    let shop = Shop::open().await;
    let cart = shop.cart().await;
    let old = shop.add(&cart, COKE, 2).await;
    shop.add(&cart, COKE, 2).await;
    let problem = set(&shop.app, &cart, COKE, 3, &old).send().await.problem();
    assert_eq!(
        problem,
        json!({
            "type": "urn:comptoir:problem:precondition-failed",
            "title": "Precondition failed",
            "status": 412,
            "detail": "the cart was changed in the meantime: read it again, and decide anew",
            "instance": format!("{cart}/items/1"),
            "code": "precondition-failed",
            "request_id": "<request-id>",
        })
    );
}

#[tokio::test]
async fn a_cart_that_was_merged() {
    let shop = Shop::open().await;
    let (guest, customer) = (shop.cart().await, shop.cart_of(json!({"customer_id": 7})).await);
    let _ = shop.merge(&customer, &guest).send().await.expect_status(200);
    let problem = add(&shop.app, &guest, COKE, 1).send().await.problem();
    let (guest_id, customer_id) = (id(&guest), id(&customer));
    assert_eq!(
        problem,
        json!({
            "type": "urn:comptoir:problem:cart-merged",
            "title": "Cart merged",
            "status": 409,
            "detail": format!("cart {guest_id} was merged into cart {customer_id}"),
            "instance": format!("{guest}/items"),
            "code": "cart-merged",
            "request_id": "<request-id>",
            "merged_into": customer_id,
        })
    );
}

#[tokio::test]
async fn a_product_that_nobody_can_ask_about() {
    let shop = Shop::open().await;
    let cart = shop.cart().await;
    shop.client.set_down("products", true);
    let problem = add(&shop.app, &cart, COKE, 1).send().await.problem();
    assert_eq!(
        problem,
        json!({
            "type": "urn:comptoir:problem:dependency-unavailable",
            "title": "Dependency unavailable",
            "status": 503,
            "detail": "products does not answer, and this product was never seen before",
            "instance": format!("{cart}/items"),
            "code": "dependency-unavailable",
            "request_id": "<request-id>",
        })
    );
}
