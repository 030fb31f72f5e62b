//! A whole shop in one process, and the books of all of its services, compared.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use sdk::testing::{TestApp, TestRequest, TestResponse};
use sdk::{Client, Clock, Definition, Executor, FromRow, Role, Secrets, params};
use serde_json::{Value, json};
use uuid::Uuid;

pub const COKE: i64 = 1;
pub const JUICE: i64 = 3;
/// Of two cokes and a juice: 9.47, 0.47 and 0.94 of tax, 0.30 of deposits.
pub const TOTAL: i64 = 1_118;
/// Where deliveries leave from.
pub const WAREHOUSE: i64 = 100;
/// Longer than a lease.
pub const LEASE_S: i64 = 11;

/// Every service of a purchase, their clock, and the client that they call each other with.
pub struct Shop {
    pub clock: Clock,
    pub client: Client,
    pub products: TestApp,
    pub inventory: TestApp,
    pub customers: TestApp,
    pub cart: TestApp,
    pub orders: TestApp,
    pub sales: TestApp,
    pub checkout: TestApp,
}

/// A customer with a cart, and what a checkout of it is asked for.
#[derive(Clone, Debug)]
pub struct Purchase {
    pub customer: i64,
    pub cart: Uuid,
    pub key: String,
    pub body: Value,
}

/// A checkout as the books of all services have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Books {
    pub state: String,
    pub failure: Option<String>,
    /// `none`, `barred` or the order's own.
    pub order: String,
    pub order_captured: i64,
    pub order_refunded: i64,
    /// `none` or the reservation's own.
    pub reservation: String,
    /// `none` or the payment's own.
    pub payment: String,
    pub captured: i64,
    pub refunded: i64,
    /// The totals of the sales of the order: one, or none.
    pub sales: Vec<i64>,
}

impl Shop {
    /// At an instant that does not move by itself.
    pub async fn open() -> Shop {
        // The present, because audits compare with the database's clock.
        let clock = Clock::fixed(Timestamp::from_second(Timestamp::now().as_second()).unwrap());
        let client = Client::from_routers(Vec::<(String, _)>::new());
        let start = |service: &'static Definition| {
            let secrets = Secrets::fixed([("token-key", "0123456789abcdef0123456789abcdef")]);
            TestApp::of(service).clock(clock.clone()).client(client.clone()).secrets(secrets).build()
        };
        let (products, inventory, customers, cart, orders, sales, checkout) = tokio::join!(
            start(&products::SERVICE),
            start(&inventory::SERVICE),
            start(&customers::SERVICE),
            start(&cart::SERVICE),
            start(&orders::SERVICE),
            start(&sales::SERVICE),
            start(&checkout::SERVICE),
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
        Shop { clock, client, products, inventory, customers, cart, orders, sales, checkout }
    }

    pub fn pass(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// An account.
    pub async fn customer(&self, name: &str) -> i64 {
        let body = json!({
            "email": format!("{name}@example.com"), "password": "quatre chats gris jouent", "name": name,
        });
        let made = self.customers.post("/api/v1/customers").json(&body).send().await.expect_status(201);
        int(&made.json::<Value>()["id"])
    }

    /// A cart with these units of these products.
    pub async fn cart_of(&self, customer: i64, lines: &[(i64, i64)]) -> Uuid {
        let post = self.cart.post("/api/v1/carts").json(&json!({"customer_id": customer}));
        let made: Value = post.send().await.expect_status(201).json();
        let id = uuid(&made["id"]);
        for (product, quantity) in lines {
            self.add(id, *product, *quantity).await;
        }
        id
    }

    pub async fn add(&self, cart: Uuid, product: i64, quantity: i64) {
        let post = self.cart.post(format!("/api/v1/carts/{cart}/items"));
        let _ = post.json(&json!({"product_id": product, "quantity": quantity})).send().await.expect_status(200);
    }

    /// Product and quantity of each line of the cart.
    pub async fn lines(&self, cart: Uuid) -> BTreeMap<i64, i64> {
        let body: Value = self.cart.get(format!("/api/v1/carts/{cart}")).send().await.expect_status(200).json();
        let lines = body["lines"].as_array().unwrap();
        lines.iter().map(|line| (int(&line["product_id"]), int(&line["quantity"]))).collect()
    }

    /// Two cokes and a juice, to be delivered and paid with that token; nothing is asked yet.
    pub async fn purchase(&self, customer: i64, token: &str) -> Purchase {
        self.purchase_of(customer, &[(COKE, 2), (JUICE, 1)], TOTAL, token).await
    }

    pub async fn purchase_of(&self, customer: i64, lines: &[(i64, i64)], total: i64, token: &str) -> Purchase {
        let cart = self.cart_of(customer, lines).await;
        let body = json!({
            "cart_id": cart, "fulfilment": delivery(), "payment": {"method": "card", "token": token},
            "expected_total": money(total),
        });
        Purchase { customer, cart, key: Uuid::now_v7().to_string(), body }
    }

    pub fn check_out(&self, purchase: &Purchase) -> TestRequest {
        let post = self.checkout.post("/api/v1/checkouts").as_customer(purchase.customer);
        post.idempotency_key(&purchase.key).json(&purchase.body)
    }

    pub fn quote(&self, customer: i64, cart: Uuid) -> TestRequest {
        self.checkout.post("/api/v1/checkouts/quote").as_customer(customer).json(&json!({"cart_id": cart}))
    }

    pub fn cancel(&self, customer: i64, id: Uuid) -> TestRequest {
        self.checkout.post(format!("/api/v1/checkouts/{id}/cancel")).as_customer(customer)
    }

    pub async fn read(&self, id: Uuid) -> Value {
        let get = self.checkout.get(format!("/api/v1/checkouts/{id}")).as_role(Role::Hq);
        get.send().await.expect_status(200).json()
    }

    /// The checkout of that cart that was accepted last.
    pub async fn checkout_of(&self, cart: Uuid) -> Uuid {
        let sql = "select id from checkouts where cart_id = $1 order by created_at desc, id desc limit 1";
        let (id,): (Uuid,) = self.checkout.db().query_one(sql, params![cart]).await.unwrap();
        id
    }

    /// Step and state of each step, in their order.
    pub async fn steps(&self, id: Uuid) -> Vec<String> {
        let body = self.read(id).await;
        let text = |step: &Value| format!("{} {}", step["step"].as_str().unwrap(), step["state"].as_str().unwrap());
        body["steps"].as_array().unwrap().iter().map(text).collect()
    }

    /// Runs the task once.
    pub async fn resume(&self) {
        checkout::tasks::resume(self.checkout.context().clone()).await.unwrap();
    }

    /// Runs every task, time and again, until every checkout has ended: within a minute of the clock, at most.
    pub async fn settle(&self) {
        for _ in 0..10 {
            self.resume().await;
            orders::tasks::settle(self.orders.context().clone()).await.unwrap();
            inventory::tasks::expire_reservations(self.inventory.context().clone()).await.unwrap();
            let live = "select count(*) from checkouts where ended_at is null";
            let owed = "select count(*) from effects where done_at is null";
            if count(&self.checkout, live).await + count(&self.orders, owed).await == 0 {
                return;
            }
            self.pass(6);
        }
        panic!("not every checkout has ended");
    }

    pub async fn books(&self, id: Uuid) -> Books {
        type Ids = (String, Option<String>, Uuid, Uuid, Uuid);
        let sql = "select state, failure, order_id, reservation_id, payment_id from checkouts where id = $1";
        let (state, failure, order_id, reservation, payment): Ids =
            self.checkout.db().query_one(sql, params![id]).await.unwrap();
        let sql = "select coalesce(o.status, 'barred'), coalesce(o.captured_cents, 0), coalesce(o.refunded_cents, 0)
            from order_ids i left join orders o on o.id = i.order_id where i.order_id = $1";
        let found: Option<(String, i64, i64)> = one(&self.orders, sql, order_id).await;
        let (order, order_captured, order_refunded) = found.unwrap_or(("none".to_owned(), 0, 0));
        let found: Option<(String,)> =
            one(&self.inventory, "select status from reservations where id = $1", reservation).await;
        let reservation = found.map_or("none".to_owned(), |(status,)| status);
        let sql = "select status, case status when 'captured' then amount_cents else 0 end, refunded_cents
            from provider_payments where id = $1";
        let found: Option<(String, i64, i64)> = one(&self.checkout, sql, payment).await;
        let (payment, captured, refunded) = found.unwrap_or(("none".to_owned(), 0, 0));
        let sql = "select total_cents from sales where order_id = $1";
        let sales: Vec<(i64,)> = self.sales.db().query(sql, params![order_id]).await.unwrap();
        let sales = sales.into_iter().map(|(total,)| total).collect();
        Books { state, failure, order, order_captured, order_refunded, reservation, payment, captured, refunded, sales }
    }

    /// Units of the product that the warehouse has, and that are promised.
    pub async fn stock(&self, product: i64) -> (i64, i64) {
        let sql = "select on_hand, reserved from stock where location_id = $1 and product_id = $2";
        self.inventory.db().query_one(sql, params![WAREHOUSE, product]).await.unwrap()
    }

    /// That every service keeps its rules, and that the books of all of them say the same of every checkout:
    /// paid <=> ordered <=> a sale <=> the units are gone, once each (8); and nothing is kept for what was given up (9, 14).
    pub async fn audited(&self) {
        let (front, back) = ([&self.products, &self.cart, &self.checkout], [&self.inventory, &self.customers]);
        for app in front.into_iter().chain(back).chain([&self.orders, &self.sales]) {
            let violations: Vec<Value> = app.violations().await.into_iter().map(|found| json!(found)).collect();
            assert_eq!(violations, [] as [Value; 0]);
        }
        let all: Vec<(Uuid,)> = self.checkout.db().query("select id from checkouts", params![]).await.unwrap();
        for (id,) in all {
            let books = self.books(id).await;
            let kept = (books.captured - books.refunded, books.order_captured - books.order_refunded);
            assert_eq!(kept.0, kept.1, "{books:?}");
            match books.state.as_str() {
                "completed" => {
                    assert_eq!((books.payment.as_str(), books.reservation.as_str()), ("captured", "committed"));
                    assert!(["confirmed", "cancelled"].contains(&books.order.as_str()), "{books:?}");
                    assert_eq!(books.order == "cancelled", kept.0 == 0, "{books:?}");
                    assert_eq!(books.sales, [books.captured], "{books:?}");
                }
                "failed" | "cancelled" => {
                    assert_eq!((kept.0, books.sales.len()), (0, 0), "{books:?}");
                    assert!(["none", "barred", "cancelled"].contains(&books.order.as_str()), "{books:?}");
                    assert!(["none", "declined", "voided", "captured"].contains(&books.payment.as_str()), "{books:?}");
                    let committed = books.reservation == "committed";
                    let given_back = ["none", "released", "expired"].contains(&books.reservation.as_str());
                    assert!(given_back || (committed && books.payment == "captured"), "{books:?}");
                }
                _ => panic!("it has not ended: {books:?}"),
            }
        }
        self.nothing_is_lost().await;
    }

    /// What is not on the shelves any more is what orders have that were confirmed and not cancelled.
    async fn nothing_is_lost(&self) {
        let sold = "select l.product_id, sum(l.quantity)::bigint from order_lines l join orders o on o.id = l.order_id
            where o.status not in ('pending', 'cancelled') group by l.product_id order by l.product_id";
        let gone = "select product_id, -sum(delta)::bigint from movements where kind in ('order', 'return')
            group by product_id having sum(delta) <> 0 order by product_id";
        let sold: Vec<(i64, i64)> = self.orders.db().query(sold, params![]).await.unwrap();
        let gone: Vec<(i64, i64)> = self.inventory.db().query(gone, params![]).await.unwrap();
        assert_eq!(gone, sold);
        let promised = "select count(*) from stock where reserved <> 0";
        assert_eq!(count(&self.inventory, promised).await, 0);
    }

    /// Sends them side by side, over connections that are open already.
    pub async fn at_once(&self, requests: impl IntoIterator<Item = TestRequest>) -> Vec<TestResponse> {
        for app in [&self.checkout, &self.orders, &self.inventory, &self.cart] {
            app.warm_up().await;
        }
        let sent: Vec<_> = requests.into_iter().map(|request| tokio::spawn(request.send())).collect();
        join_all(sent).await.into_iter().map(Result::unwrap).collect()
    }
}

async fn one<T: FromRow>(app: &TestApp, sql: &str, id: Uuid) -> Option<T> {
    app.db().query_opt(sql, params![id]).await.unwrap()
}

pub async fn count(app: &TestApp, sql: &str) -> i64 {
    let (count,): (i64,) = app.db().query_one(sql, params![]).await.unwrap();
    count
}

pub fn delivery() -> Value {
    json!({"method": "delivery", "address": {
        "recipient": "Marie Tremblay", "line1": "1000, rue De La Gauchetière O", "city": "Montréal",
        "province": "QC", "postal_code": "H3B 4W5",
    }})
}

pub fn money(cents: i64) -> Value {
    json!({"amount": cents, "currency": "CAD"})
}

#[track_caller]
pub fn int(value: &Value) -> i64 {
    value.as_i64().unwrap()
}

#[track_caller]
pub fn uuid(value: &Value) -> Uuid {
    value.as_str().unwrap().parse().unwrap()
}
