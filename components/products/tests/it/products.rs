//! One product: created, read, replaced, changed, archived.

use serde_json::{Value, json};

use crate::support::{
    SECOND, cad, created, etag, id, ids, later, lemonade, listed, manager, patched, product, shop, without_price,
};

#[tokio::test]
async fn a_product_is_created_with_its_first_price() {
    let shop = shop().await;
    let answer = manager(shop.post("/api/v1/products")).json(&lemonade("LIMX-355")).send().await;
    let answer = answer.expect_status(201);
    let id = id(&answer);
    assert_eq!(answer.header("location"), format!("/api/v1/products/{id}"));
    let body: Value = answer.json();
    assert_eq!(
        body,
        json!({
            "id": id,
            "sku": "LIMX-355",
            "name": "Limonade",
            "name_en": "Lemonade, 355 ml can",
            "name_fr": "Limonade, canette 355 ml",
            "description": null,
            "barcode": null,
            "category": "soft-drinks",
            "tax_category": "standard",
            "price": cad(259),
            "price_kind": "regular",
            "deposit": cad(10),
            "status": "active",
            "version": 1,
            "created_at": "2026-11-22T17:00:00Z",
            "updated_at": "2026-11-22T17:00:00Z",
        })
    );
    let read = shop.get(answer.header("location")).send().await.expect_status(200);
    assert_eq!(read.json::<Value>(), body);
    assert_eq!(read.header("etag"), answer.header("etag"));
    let prices: Value = shop.get(format!("/api/v1/products/{id}/prices")).send().await.json();
    assert_eq!(prices["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_product_that_is_wrong_is_refused_with_everything_that_is() {
    let shop = shop().await;
    let mut wrong = lemonade("lim 355");
    wrong["name"] = json!("");
    wrong["barcode"] = json!("628501000375");
    let answer = manager(shop.post("/api/v1/products")).json(&wrong).send().await;
    let problem = answer.expect_problem(422, "validation-failed");
    let pointers: Vec<&str> =
        problem["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    assert_eq!(pointers, ["/sku", "/barcode", "/name"]);
    for (member, value, pointer) in [
        ("price", json!({ "amount": 2.5, "currency": "CAD" }), "/price/amount"),
        ("price", json!({ "amount": 250, "currency": "USD" }), "/price/currency"),
        ("price", json!({ "amount": -1, "currency": "CAD" }), "/price/amount"),
        ("price", json!({ "amount": 10_000_001, "currency": "CAD" }), "/price/amount"),
        ("price", json!(null), "/price"),
        ("category", json!("unheard-of"), "/category"),
        ("tax_category", json!("unheard-of"), "/tax_category"),
        ("status", json!("gone"), "/status"),
        ("colour", json!("red"), "/colour"),
        ("name", json!("a\u{0}b"), "/name"),
    ] {
        let mut wrong = lemonade("LIMX-355");
        wrong[member] = value;
        let answer = manager(shop.post("/api/v1/products")).json(&wrong).send().await;
        let problem = answer.expect_problem(422, "validation-failed");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    assert_eq!(ids(&listed(&shop, "?q=limx-355").await), [0; 0]);
}

#[tokio::test]
async fn a_sku_and_a_barcode_belong_to_one_product() {
    let shop = shop().await;
    let answer = manager(shop.post("/api/v1/products")).json(&lemonade("COKE-355")).send().await;
    let problem = answer.expect_problem(409, "sku-taken");
    assert_eq!(problem["errors"][0]["pointer"], "/sku");
    let mut twin = lemonade("LIMX-355");
    twin["barcode"] = json!("628501000376");
    let answer = manager(shop.post("/api/v1/products")).json(&twin).send().await;
    answer.expect_problem(409, "barcode-taken");

    let (id, tag) = created(&shop, &lemonade("LIMX-355")).await;
    let put = manager(shop.put(format!("/api/v1/products/{id}"))).header("if-match", &tag);
    let answer = put.json(&without_price(lemonade("COKE-355"))).send().await;
    answer.expect_problem(409, "sku-taken");
}

#[tokio::test]
async fn what_the_client_has_is_not_sent_again() {
    let shop = shop().await;
    let tag = etag(&shop, 1).await;
    for header in [tag.clone(), format!("W/{tag}"), format!("\"0-0\", {tag}"), "*".to_owned()] {
        let answer = shop.get("/api/v1/products/1").header("if-none-match", &header).send().await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (304, 0), "{header}");
        assert_eq!(answer.header("etag"), tag);
    }
    let answer = shop.get("/api/v1/products/1").header("if-none-match", "\"0-0\"").send().await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_put_replaces_everything_but_the_price() {
    let shop = shop().await;
    let mut given = lemonade("LIMX-355");
    given["description"] = json!("Fraîche.");
    given["barcode"] = json!("4006381333931");
    let (id, tag) = created(&shop, &given).await;
    later(&shop, SECOND);
    let body = json!({
        "sku": "LIMX-356", "name": "Limonade rose", "category": "juices", "tax_category": "zero-rated",
    });
    let put = manager(shop.put(format!("/api/v1/products/{id}"))).header("if-match", &tag);
    let answer = put.json(&body).send().await.expect_status(200);
    let after: Value = answer.json();
    assert_eq!(
        after,
        json!({
            "id": id,
            "sku": "LIMX-356",
            "name": "Limonade rose",
            "name_en": null,
            "name_fr": null,
            "description": null,
            "barcode": null,
            "category": "juices",
            "tax_category": "zero-rated",
            "price": cad(259),
            "price_kind": "regular",
            "deposit": cad(0),
            "status": "active",
            "version": 2,
            "created_at": "2026-11-22T17:00:00Z",
            "updated_at": "2026-11-22T17:00:01Z",
        })
    );
    assert_ne!(answer.header("etag"), tag);
    assert_eq!(etag(&shop, id).await, answer.header("etag"));
    assert_eq!(product(&shop, id).await, after);
}

#[tokio::test]
async fn a_put_takes_no_price() {
    let shop = shop().await;
    let (id, tag) = created(&shop, &lemonade("LIMX-355")).await;
    let put = manager(shop.put(format!("/api/v1/products/{id}"))).header("if-match", &tag);
    let problem = put.json(&lemonade("LIMX-355")).send().await.expect_problem(422, "validation-failed");
    assert_eq!(problem["errors"][0]["pointer"], "/price");
    assert_eq!(problem["errors"][0]["code"], "unknown-field");
}

#[tokio::test]
async fn a_stale_etag_is_refused_and_none_is_too() {
    let shop = shop().await;
    let (id, tag) = created(&shop, &lemonade("LIMX-355")).await;
    let path = format!("/api/v1/products/{id}");
    let patch = json!({ "name": "Limonade rose" });
    let first = manager(shop.patch(&path)).header("if-match", &tag).json(&patch).send().await;
    let current = first.expect_status(200).header("etag").to_owned();

    let body = without_price(lemonade("LIMX-355"));
    for stale in [tag.as_str(), "\"9-9\"", "W/\"2-1\""] {
        let requests = [
            manager(shop.put(&path)).json(&body),
            manager(shop.patch(&path)).json(&patch),
            manager(shop.delete(&path)),
        ];
        for request in requests {
            let answer = request.header("if-match", stale).send().await;
            answer.expect_problem(412, "precondition-failed");
            assert_eq!(answer.header("etag"), current, "the answer says what is current");
        }
    }
    let requests =
        [manager(shop.put(&path)).json(&body), manager(shop.patch(&path)).json(&patch), manager(shop.delete(&path))];
    for request in requests {
        request.send().await.expect_problem(428, "if-match-required");
    }
    assert_eq!(etag(&shop, id).await, current);
    let any = manager(shop.put(&path)).header("if-match", "*").json(&body).send().await;
    assert_eq!(any.status, 200);
}

#[tokio::test]
async fn a_put_that_is_repeated_is_answered_again_and_written_once() {
    let shop = shop().await;
    let (id, tag) = created(&shop, &lemonade("LIMX-355")).await;
    let path = format!("/api/v1/products/{id}");
    let mut body = without_price(lemonade("LIMX-355"));
    body["name"] = json!("Limonade rose");
    let put = async || manager(shop.put(&path)).header("if-match", &tag).json(&body).send().await;
    let first = put().await.expect_status(200);
    let second = put().await.expect_status(200);
    assert_eq!(first.json::<Value>(), second.json::<Value>());
    assert_eq!(first.header("etag"), second.header("etag"));
    assert_eq!(product(&shop, id).await["version"], 2);

    // Another body with that tag is somebody else's; and two writes later it is nobody's repetition.
    let mut other = body.clone();
    other["name"] = json!("Limonade verte");
    let answer = manager(shop.put(&path)).header("if-match", &tag).json(&other).send().await;
    answer.expect_problem(412, "precondition-failed");
    for name in ["Limonade verte", "Limonade rose"] {
        patched(&shop, id, json!({ "name": name })).await;
    }
    put().await.expect_problem(412, "precondition-failed");
}

#[tokio::test]
async fn a_patch_changes_what_it_names() {
    let shop = shop().await;
    let (id, tag) = created(&shop, &lemonade("LIMX-355")).await;
    let path = format!("/api/v1/products/{id}");
    let patch = manager(shop.patch(&path)).header("if-match", &tag);
    let body = r#"{"name_en":null,"deposit":{"amount":25,"currency":"CAD"},"description":" Bien fraîche. "}"#;
    let answer = patch.body("application/merge-patch+json", body).send().await.expect_status(200);
    let after: Value = answer.json();
    assert_eq!(after["name_en"], json!(null));
    assert_eq!(after["name_fr"], "Limonade, canette 355 ml");
    assert_eq!(after["description"], "Bien fraîche.");
    assert_eq!(after["deposit"], cad(25));
    assert_eq!(after["version"], 2);

    let tag = answer.header("etag");
    for (patch, pointer) in [
        (json!({ "sku": null }), "/sku"),
        (json!({ "name": null }), "/name"),
        (json!({ "deposit": null }), "/deposit"),
        (json!({ "price": cad(1) }), "/price"),
        (json!({ "id": 7 }), "/id"),
        (json!({ "name": "" }), "/name"),
    ] {
        let answer = manager(shop.patch(&path)).header("if-match", tag).json(&patch).send().await;
        let problem = answer.expect_problem(422, "validation-failed");
        assert_eq!(problem["errors"][0]["pointer"], pointer);
    }
    assert_eq!(product(&shop, id).await, after);
}

#[tokio::test]
async fn an_archived_product_is_kept_out_of_lists_and_can_come_back() {
    let shop = shop().await;
    let tag = etag(&shop, 1).await;
    let delete = async || manager(shop.delete("/api/v1/products/1")).header("if-match", &tag).send().await;
    assert_eq!(delete().await.expect_status(204).body.len(), 0);
    assert_eq!(delete().await.status, 204, "again, with the tag that is stale now");
    let archived = product(&shop, 1).await;
    assert_eq!((&archived["status"], &archived["version"]), (&json!("archived"), &json!(2)));
    assert!(!ids(&listed(&shop, "?q=coke").await).contains(&1));

    patched(&shop, 1, json!({ "status": "active" })).await;
    assert_eq!(ids(&listed(&shop, "?q=coke").await)[0], 1);
}

#[tokio::test]
async fn the_same_key_creates_once() {
    let shop = shop().await;
    let post = |body: Value| manager(shop.post("/api/v1/products")).idempotency_key("k-1").json(&body).send();
    let first = post(lemonade("LIMX-355")).await.expect_status(201);
    let second = post(lemonade("LIMX-355")).await.expect_status(201);
    assert_eq!(first.header("idempotent-replayed"), "");
    assert_eq!(second.header("idempotent-replayed"), "true");
    assert_eq!(first.body, second.body);
    for header in ["location", "etag"] {
        assert_eq!(first.header(header), second.header(header));
    }
    post(lemonade("LIMX-356")).await.expect_problem(422, "idempotency-key-reused");
    assert_eq!(listed(&shop, "?q=limonade&category=soft-drinks").await.len(), 1);
}

#[tokio::test]
async fn what_is_not_there_is_a_404() {
    let shop = shop().await;
    for path in ["/api/v1/products/999999", "/api/v1/products/0", "/api/v1/products/-1"] {
        shop.get(path).send().await.expect_problem(404, "product-not-found");
    }
    let body = without_price(lemonade("LIMX-355"));
    let put = manager(shop.put("/api/v1/products/999999")).header("if-match", "*").json(&body);
    put.send().await.expect_problem(404, "product-not-found");
    for path in ["/api/v1/products/one", "/api/v1/products/1.5", "/api/v1/produits"] {
        shop.get(path).send().await.expect_problem(404, "not-found");
    }
    shop.get("/api/v1/products/1?colour=red").send().await.expect_problem(400, "invalid-query");
    let answer = shop.post("/api/v1/products/1").send().await;
    answer.expect_problem(405, "method-not-allowed");
}
