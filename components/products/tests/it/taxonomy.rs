//! Categories, tax categories, and rates that change on a day.

use serde_json::{Value, json};

use crate::support::{created, every_page, lemonade, listed, manager, shop, shop_at};

#[tokio::test]
async fn a_category_is_created_below_another() {
    let shop = shop().await;
    let body = json!({ "code": "craft-sodas", "parent": "soft-drinks", "name_en": "Craft sodas", "name_fr": "Boissons artisanales" });
    let post = || manager(shop.post("/api/v1/categories")).json(&body).send();
    let answer = post().await.expect_status(201);
    assert_eq!(answer.header("location"), "/api/v1/categories/craft-sodas");
    let read: Value = shop.get("/api/v1/categories/craft-sodas").send().await.json();
    assert_eq!(read, answer.json::<Value>());
    assert_eq!(read["parent"], "soft-drinks");
    post().await.expect_problem(409, "category-exists");

    let mut product = lemonade("LIMX-355");
    product["category"] = json!("craft-sodas");
    created(&shop, &product).await;
    for category in ["craft-sodas", "soft-drinks", "beverages"] {
        let found = listed(&shop, &format!("?category={category}&q=limx-355")).await;
        assert_eq!(found.len(), 1, "{category}");
    }
}

#[tokio::test]
async fn categories_are_listed_by_parent_and_page() {
    let shop = shop().await;
    let whole = every_page(&shop, "/api/v1/categories", 200).await;
    assert_eq!(whole.len(), 20);
    for limit in [1, 3, 20] {
        assert_eq!(every_page(&shop, "/api/v1/categories", limit).await, whole);
    }
    let below = every_page(&shop, "/api/v1/categories?parent=beverages", 2).await;
    let codes: Vec<&str> = below.iter().map(|category| category["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["coffee-tea", "juices", "soft-drinks", "water"]);
    shop.get("/api/v1/categories?q=x").send().await.expect_problem(400, "invalid-query");
    shop.get("/api/v1/categories?parent=%00").send().await.expect_problem(400, "invalid-query");
    for path in ["/api/v1/categories/none", "/api/v1/categories/%00", "/api/v1/categories/A"] {
        shop.get(path).send().await.expect_problem(404, "category-not-found");
    }
    shop.get("/api/v1/categories/dairy?x=1").send().await.expect_problem(400, "invalid-query");
}

#[tokio::test]
async fn a_category_that_makes_no_sense_is_refused() {
    let shop = shop().await;
    for (body, pointer) in [
        (json!({ "code": "A b", "name_en": "a", "name_fr": "a" }), "/code"),
        (json!({ "code": "a", "name_en": "", "name_fr": "a" }), "/name_en"),
        (json!({ "code": "a", "parent": "unheard-of", "name_en": "a", "name_fr": "a" }), "/parent"),
        (json!({ "code": "a", "parent": "a", "name_en": "a", "name_fr": "a" }), "/parent"),
        (json!({ "code": "a", "name_en": "a" }), "/name_fr"),
    ] {
        let answer = manager(shop.post("/api/v1/categories")).json(&body).send().await;
        let problem = answer.expect_problem(422, "validation-failed");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
}

fn books() -> Value {
    json!({ "code": "books", "name_en": "Books", "name_fr": "Livres", "gst": "5", "qst": "0" })
}

#[tokio::test]
async fn a_tax_category_has_rates_for_all_time() {
    let shop = shop().await;
    let answer = manager(shop.post("/api/v1/tax-categories")).json(&books()).send().await;
    let answer = answer.expect_status(201);
    assert_eq!(answer.header("location"), "/api/v1/tax-categories/books");
    assert_eq!(
        answer.json::<Value>(),
        json!({
            "code": "books", "name_en": "Books", "name_fr": "Livres", "gst": "5.000", "qst": "0.000",
            "rates": [
                { "tax": "gst", "rate": "5.000", "from": null, "until": null },
                { "tax": "qst", "rate": "0.000", "from": null, "until": null },
            ],
            "created_at": "2026-11-22T17:00:00Z",
        })
    );
    let read: Value = shop.get("/api/v1/tax-categories/books").send().await.json();
    assert_eq!(read, answer.json::<Value>());
    let again = manager(shop.post("/api/v1/tax-categories")).json(&books()).send().await;
    again.expect_problem(409, "tax-category-exists");
    for (member, value) in [("gst", "101"), ("qst", "9.9751"), ("qst", "x")] {
        let mut wrong = books();
        wrong["code"] = json!("others");
        wrong[member] = json!(value);
        let answer = manager(shop.post("/api/v1/tax-categories")).json(&wrong).send().await;
        let problem = answer.expect_problem(422, "validation-failed");
        assert_eq!(problem["errors"][0]["pointer"], format!("/{member}"));
    }
}

async fn qst_of_a_coke(instant: &str, shop: &sdk::testing::TestApp) -> Value {
    let body = json!({ "at": instant, "lines": [{ "product_id": 1, "quantity": 100 }] });
    let answer = shop.post("/api/v1/price-quotes").json(&body).send().await;
    answer.expect_status(200).json::<Value>()["taxes"][1].clone()
}

#[tokio::test]
async fn a_rate_changes_at_midnight_in_montreal() {
    let shop = shop().await;
    let rate = json!({ "tax": "qst", "rate": "10.5", "from": "2027-01-01" });
    let path = "/api/v1/tax-categories/standard/rates";
    let answer = manager(shop.post(path)).json(&rate).send().await.expect_status(201);
    let category: Value = answer.json();
    assert_eq!(category["qst"], "9.975", "still");
    assert_eq!(
        category["rates"],
        json!([
            { "tax": "gst", "rate": "5.000", "from": null, "until": null },
            { "tax": "qst", "rate": "9.975", "from": null, "until": "2027-01-01" },
            { "tax": "qst", "rate": "10.500", "from": "2027-01-01", "until": null },
        ])
    );
    // 299.00: midnight is 05:00 UTC in winter.
    let before = qst_of_a_coke("2027-01-01T04:59:59.999999Z", &shop).await;
    assert_eq!((&before["rate"], &before["amount"]["amount"]), (&json!("9.975"), &json!(2_983)));
    let after = qst_of_a_coke("2027-01-01T05:00:00Z", &shop).await;
    assert_eq!((&after["rate"], &after["amount"]["amount"]), (&json!("10.500"), &json!(3_140)));
    // GST is as it was.
    for from in ["2027-01-01", "2026-12-01"] {
        let rate = json!({ "tax": "qst", "rate": "11", "from": from });
        let answer = manager(shop.post(path)).json(&rate).send().await;
        answer.expect_problem(409, "rate-overlap");
    }
}

#[tokio::test]
async fn midnight_is_an_hour_earlier_in_summer() {
    let shop = shop().await;
    let rate = json!({ "tax": "qst", "rate": "10", "from": "2027-07-01" });
    let answer = manager(shop.post("/api/v1/tax-categories/standard/rates")).json(&rate).send().await;
    assert_eq!(answer.status, 201);
    assert_eq!(qst_of_a_coke("2027-07-01T03:59:59Z", &shop).await["rate"], "9.975");
    assert_eq!(qst_of_a_coke("2027-07-01T04:00:00Z", &shop).await["rate"], "10.000");
}

#[tokio::test]
async fn the_past_of_a_rate_is_closed_by_business_days() {
    // Late on the 22nd in Montréal, already the 23rd in UTC.
    let shop = shop_at("2026-11-23T03:00:00Z").await;
    let path = "/api/v1/tax-categories/standard/rates";
    let from = |day: &str| json!({ "tax": "gst", "rate": "6", "from": day });
    let answer = manager(shop.post(path)).json(&from("2026-11-21")).send().await;
    let problem = answer.expect_problem(422, "validation-failed");
    assert_eq!(problem["errors"][0]["code"], "rate-starts-in-past");
    let answer = manager(shop.post(path)).json(&from("2026-11-22")).send().await;
    assert_eq!(answer.expect_status(201).json::<Value>()["gst"], "6.000");
}

#[tokio::test]
async fn a_rate_that_makes_no_sense_is_refused() {
    let shop = shop().await;
    let path = "/api/v1/tax-categories/standard/rates";
    for (body, pointer) in [
        (json!({ "tax": "hst", "rate": "5", "from": "2027-01-01" }), "/tax"),
        (json!({ "tax": "gst", "rate": 5, "from": "2027-01-01" }), "/rate"),
        (json!({ "tax": "gst", "rate": "-5", "from": "2027-01-01" }), "/rate"),
        (json!({ "tax": "gst", "rate": "5", "from": "01/01/2027" }), "/from"),
        (json!({ "tax": "gst", "rate": "5", "from": "-009999-01-01" }), "/from"),
    ] {
        let answer = manager(shop.post(path)).json(&body).send().await;
        let problem = answer.expect_problem(422, "validation-failed");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    let body = json!({ "tax": "gst", "rate": "5", "from": "2027-01-01" });
    for code in ["none", "A", "%00"] {
        let answer = manager(shop.post(format!("/api/v1/tax-categories/{code}/rates")));
        answer.json(&body).send().await.expect_problem(404, "tax-category-not-found");
    }
}
