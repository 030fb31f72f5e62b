//! The real services: what they tell can be read, all of it, and their books agree.

use jiff::Timestamp;
use reports::domain::Source;
use sdk::testing::TestApp;
use sdk::{Client, Clock, Definition, Executor, Role, Secrets, params};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Told, Town, int, money};

const COKE: i64 = 1;

/// Every service of a purchase, and reports.
struct Shop {
    town: Town,
    products: TestApp,
    inventory: TestApp,
    customers: TestApp,
    cart: TestApp,
    orders: TestApp,
    sales: TestApp,
    checkout: TestApp,
}

impl Shop {
    async fn open() -> Shop {
        // The present, because audits compare with the database's clock.
        let clock = Clock::fixed(Timestamp::from_second(Timestamp::now().as_second()).unwrap());
        let (told, client) = (Told::default(), Client::from_routers(Vec::<(String, _)>::new()));
        let start = |service: &'static Definition| {
            let secrets = Secrets::fixed([("token-key", "0123456789abcdef0123456789abcdef")]);
            TestApp::of(service).clock(clock.clone()).client(client.clone()).secrets(secrets).build()
        };
        let (products, inventory, customers, cart, orders, sales, checkout, app) = tokio::join!(
            start(&products::SERVICE),
            start(&inventory::SERVICE),
            start(&customers::SERVICE),
            start(&cart::SERVICE),
            start(&orders::SERVICE),
            start(&sales::SERVICE),
            start(&checkout::SERVICE),
            start(&reports::SERVICE),
        );
        for (name, app) in [
            ("products", &products),
            ("inventory", &inventory),
            ("customers", &customers),
            ("cart", &cart),
            ("orders", &orders),
            ("sales", &sales),
            ("checkout", &checkout),
            ("payments", &checkout),
        ] {
            client.connect(name, app.router());
        }
        let town = Town { app, clock, client, told };
        Shop { town, products, inventory, customers, cart, orders, sales, checkout }
    }

    async fn customer(&self, name: &str) -> i64 {
        let body = json!({
            "email": format!("{name}@example.com"), "password": "quatre chats gris jouent", "name": name,
        });
        let made = self.customers.post("/api/v1/customers").json(&body).send().await.expect_status(201);
        int(&made.json::<Value>()["id"])
    }

    /// Buys so many cokes at 2.99; the checkout's answer.
    async fn buy(&self, customer: i64, cokes: i64, token: &str) -> Value {
        let post = self.cart.post("/api/v1/carts").json(&json!({"customer_id": customer}));
        let cart: Value = post.send().await.expect_status(201).json();
        let add = self.cart.post(format!("/api/v1/carts/{}/items", cart["id"].as_str().unwrap()));
        let _ = add.json(&json!({"product_id": COKE, "quantity": cokes})).send().await.expect_status(200);
        let quote = self.checkout.post("/api/v1/checkouts/quote").as_customer(customer);
        let quote: Value = quote.json(&json!({"cart_id": cart["id"]})).send().await.expect_status(200).json();
        let body = json!({
            "cart_id": cart["id"], "payment": {"method": "card", "token": token},
            "expected_total": quote.pointer("/quote/total").or(quote.get("total")).unwrap(),
            "fulfilment": {"method": "delivery", "address": {
                "recipient": "Marie Tremblay", "line1": "1000, rue De La Gauchetière O", "city": "Montréal",
                "province": "QC", "postal_code": "H3B 4W5",
            }},
        });
        let post = self.checkout.post("/api/v1/checkouts").as_customer(customer);
        post.idempotency_key(Uuid::now_v7().to_string()).json(&body).send().await.json()
    }

    async fn order(&self, checkout: &Value, rest: &str) -> String {
        let sql = "select order_id from checkouts where id = $1";
        let id: Uuid = serde_json::from_value(checkout["id"].clone()).unwrap();
        let (order,): (Uuid,) = self.checkout.db().query_one(sql, params![id]).await.unwrap();
        format!("/api/v1/orders/{order}{rest}")
    }

    /// Until everything that was told has been read: a feed ends before the oldest transaction of the whole server,
    /// which may be another test's.
    async fn read_all(&self) {
        for (source, app) in [
            (Source::Products, &self.products),
            (Source::Inventory, &self.inventory),
            (Source::Customers, &self.customers),
            (Source::Cart, &self.cart),
            (Source::Orders, &self.orders),
            (Source::Sales, &self.sales),
            (Source::Checkout, &self.checkout),
        ] {
            let told = app.events().await.len();
            let read = async {
                while self.town.feed(source).await["consumed"] != told {
                    self.town.consume().await;
                }
            };
            tokio::time::timeout(std::time::Duration::from_secs(60), read).await.expect("all that was told");
        }
        self.town.consume().await;
    }
}

#[tokio::test]
async fn what_the_real_services_tell_can_be_read_and_agrees() {
    let shop = Shop::open().await;
    let marie = shop.customer("marie").await;
    let bought = shop.buy(marie, 2, "tok_ok").await;
    assert_eq!(bought["state"], "completed", "{bought:#}");
    let refunded = shop.buy(marie, 3, "tok_ok").await;
    let one = json!({"lines": [{"product_id": COKE, "quantity": 1}]});
    let refund = shop.orders.post(shop.order(&refunded, "/refunds").await).as_role(Role::Hq);
    let _ = refund.idempotency_key("refund").json(&one).send().await.expect_status(201);
    let cancelled = shop.buy(marie, 1, "tok_ok").await;
    let cancel = shop.orders.post(shop.order(&cancelled, "/cancel").await).as_role(Role::Hq);
    let _ = cancel.json(&json!({})).send().await.expect_status(200);
    shop.buy(marie, 4, "tok_declined").await;
    let stock = json!({"location_id": 1, "reason": "found", "lines": [{"product_id": COKE, "delta": 5}]});
    let _ = shop.inventory.post("/api/v1/adjustments").as_role(Role::Hq).json(&stock).send().await;
    shop.read_all().await;

    for feed in shop.town.read("freshness").await["data"].as_array().unwrap() {
        assert_eq!((&feed["ignored"], &feed["rejected"]), (&json!(0), &json!(0)), "{feed:#}");
        assert!(int(&feed["consumed"]) > 0, "{feed:#}");
    }
    assert_eq!(shop.town.count("select count(*) from missing").await, 0);
    shop.town.pass(61);
    // Other tests' transactions hide nothing any more: everything was read above.
    assert_eq!(shop.town.broken().await, []);
    let body = shop.town.read("consolidated").await;
    let totals = &body["totals"];
    assert_eq!((&totals["sales"], &totals["returns"]), (&json!(3), &json!(2)));
    assert_eq!((&totals["gross"], &totals["net"]), (&money(6 * 299), &money(4 * 299)));
    assert_eq!(body["top_products"][0]["name"], "Coke");
    let names = shop.town.count("select count(*) from products").await;
    assert_eq!(names, 228);

    // And of all of it a rebuild is the same.
    let rebuild = shop.town.app.post("/api/v1/reports/rebuilds").as_role(Role::Hq);
    let rebuild: Value = rebuild.idempotency_key("again").send().await.expect_status(202).json();
    let path = format!("rebuilds/{}", rebuild["id"].as_str().unwrap());
    let built = async {
        while shop.town.read(&path).await["status"] != "switched" {
            reports::tasks::rebuild(shop.town.app.context().clone()).await.unwrap();
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), built).await.expect("a rebuild");
    assert_eq!(shop.town.read(&path).await["comparison"]["differing"], 0);
}
