//! A service of sales between the real products and the real inventory, and the requests tests make.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use sdk::testing::{TestApp, TestRequest, TestResponse};
use sdk::{Client, Clock, Executor, FromRow, Role, new_uuid_v7, params};
use serde_json::{Value, json};
use uuid::Uuid;

pub const COKE: i64 = 1;
pub const JUICE: i64 = 3;
/// Zero-rated, without a deposit, 4.25.
pub const MILK: i64 = 4;
/// Of two cokes and a juice: 9.47, 0.47 and 0.94 of tax, 0.30 of deposits.
pub const TOTAL: i64 = 1_118;
/// Till 2 of store 1.
pub const TILL: i64 = 12;
/// What every drawer of a test opens with.
pub const FLOAT: i64 = 10_000;

/// One service of sales, its clock, and what it calls.
pub struct Shop {
    pub app: TestApp,
    pub products: TestApp,
    pub inventory: TestApp,
    pub clock: Clock,
    pub client: Client,
}

impl Shop {
    /// At an instant that does not move by itself.
    pub async fn open() -> Shop {
        // The present, because audits compare with the database's clock.
        Shop::at(Timestamp::from_second(Timestamp::now().as_second()).unwrap()).await
    }

    pub async fn at(now: Timestamp) -> Shop {
        let clock = Clock::fixed(now);
        let client = Client::from_routers(Vec::<(String, _)>::new());
        let start = |service| TestApp::of(service).clock(clock.clone()).client(client.clone()).build();
        let (app, products, inventory) =
            tokio::join!(start(&sales::SERVICE), start(&products::SERVICE), start(&inventory::SERVICE));
        client.connect("products", products.router());
        client.connect("inventory", inventory.router());
        Shop { app, products, inventory, clock, client }
    }

    pub fn id(&self) -> Uuid {
        new_uuid_v7(&self.clock)
    }

    pub fn pass(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// Runs the task once.
    pub async fn settle(&self) {
        sales::tasks::settle(self.app.context().clone()).await.unwrap();
    }

    /// Sends so many requests side by side, over connections that are open already. What is turned away because
    /// everybody is busy is sent again, as a till does it.
    pub async fn at_once(&self, count: usize, request: impl Fn(usize) -> TestRequest) -> Vec<TestResponse> {
        self.app.warm_up().await;
        self.inventory.warm_up().await;
        let sent: Vec<_> = (0..count).map(|number| tokio::spawn(request(number).send())).collect();
        let mut answers: Vec<TestResponse> = join_all(sent).await.into_iter().map(Result::unwrap).collect();
        for (number, answer) in answers.iter_mut().enumerate() {
            while answer.status == 503 {
                *answer = request(number).send().await;
            }
        }
        answers
    }

    pub fn open_drawer(&self, register: i64) -> TestRequest {
        let post = self.app.post(format!("/api/v1/registers/{register}/sessions")).as_role(Role::Pos);
        post.json(&json!({"cashier": "Julie", "opening_float": money(FLOAT)}))
    }

    /// A session at that till, with 100.00 in its drawer.
    pub async fn session(&self, register: i64) -> Uuid {
        let opened: Value = self.open_drawer(register).send().await.expect_status(201).json();
        uuid(&opened["id"])
    }

    pub fn close(&self, session: Uuid, counted: i64) -> TestRequest {
        let post = self.app.post(format!("/api/v1/sessions/{session}/close")).as_role(Role::Pos);
        post.json(&json!({"counted_cash": money(counted)}))
    }

    pub fn move_cash(&self, session: Uuid, kind: &str, amount: i64) -> TestRequest {
        let post = self.app.post(format!("/api/v1/sessions/{session}/cash-movements")).as_role(Role::Pos);
        post.json(&json!({"kind": kind, "amount": money(amount), "reason": "to the safe"}))
    }

    /// A sale under that id.
    pub fn put(&self, id: Uuid, body: &Value) -> TestRequest {
        self.app.put(format!("/api/v1/sales/{id}")).as_role(Role::Pos).json(body)
    }

    /// Records it, and shows it.
    pub async fn sell(&self, body: &Value) -> Value {
        self.put(self.id(), body).send().await.expect_status(201).json()
    }

    /// Two cokes and a juice, paid with a twenty.
    pub async fn sold(&self, session: Uuid) -> Value {
        self.sell(&two_cokes_and_a_juice(session, &[("cash", 2_000)])).await
    }

    pub async fn read(&self, id: &Value) -> Value {
        let get = self.app.get(format!("/api/v1/sales/{}", id.as_str().unwrap())).as_role(Role::Hq);
        get.send().await.expect_status(200).json()
    }

    pub fn void(&self, sale: &Value) -> TestRequest {
        let post = self.app.post(format!("/api/v1/sales/{}/void", sale["id"].as_str().unwrap())).as_role(Role::Pos);
        post.json(&json!({"reason": "rung up twice"}))
    }

    /// Line, quantity and condition of what comes back, in that session.
    pub fn bring_back(&self, sale: &Value, session: Uuid, lines: &[(i64, i64, &str)]) -> TestRequest {
        self.bring_back_to(sale, session, lines, "original")
    }

    pub fn bring_back_to(&self, sale: &Value, session: Uuid, lines: &[(i64, i64, &str)], to: &str) -> TestRequest {
        let lines = lines.iter().map(
            |(line, quantity, disposition)| json!({"line": line, "quantity": quantity, "disposition": disposition}),
        );
        let body = json!({"session_id": session, "lines": lines.collect::<Vec<_>>(), "refund_to": to});
        self.app.post(format!("{}/returns", path(sale))).as_role(Role::Pos).json(&body)
    }

    pub async fn returns(&self, sale: &Value) -> Vec<Value> {
        let get = self.app.get(format!("{}/returns", path(sale))).as_role(Role::Hq);
        get.send().await.expect_status(200).json::<Value>()["data"].as_array().unwrap().clone()
    }

    /// What an open session comes to.
    pub async fn x_report(&self, session: Uuid) -> Value {
        let get = self.app.get(format!("/api/v1/sessions/{session}/x-report")).as_role(Role::Pos);
        get.send().await.expect_status(200).json()
    }

    /// Cents that should be in the drawer.
    pub async fn drawer(&self, session: Uuid) -> i64 {
        cents(&self.x_report(session).await["expected_cash"])
    }

    pub async fn listed(&self, query: &str) -> Vec<Value> {
        let get = self.app.get(format!("/api/v1/sales{query}")).as_role(Role::Hq);
        get.send().await.expect_status(200).json::<Value>()["data"].as_array().unwrap().clone()
    }

    /// Units of the product that the store has.
    pub async fn stock(&self, store: i64, product: i64) -> i64 {
        let sql = "select on_hand from stock where location_id = $1 and product_id = $2";
        let (on_hand,): (i64,) = self.inventory.db().query_one(sql, params![store, product]).await.unwrap();
        on_hand
    }

    pub async fn rows<T: FromRow>(&self, sql: &str) -> Vec<T> {
        self.app.db().query(sql, params![]).await.unwrap()
    }

    pub async fn count(&self, sql: &str) -> i64 {
        let rows: Vec<(i64,)> = self.rows(sql).await;
        rows[0].0
    }

    pub async fn violations(&self) -> Vec<Value> {
        self.app.violations().await.into_iter().map(|violation| json!(violation)).collect()
    }

    /// That every rule is kept here and in inventory, and that the shelves have lost exactly what was sold and did
    /// not come back, as far as they had it.
    pub async fn audited(&self) {
        for _ in 0..3 {
            self.pass(600);
            self.settle().await;
        }
        assert_eq!(self.violations().await, [] as [Value; 0]);
        let inventory: Vec<Value> = self.inventory.violations().await.into_iter().map(|found| json!(found)).collect();
        assert_eq!(inventory, [] as [Value; 0]);
        assert_eq!(self.count("select count(*) from effects where done_at is null").await, 0);
        let sold = "select s.store_id, l.product_id, sum(l.quantity)::bigint
            from sales s join sale_lines l on l.sale_id = s.id
            where s.channel = 'store' and s.status = 'completed' group by 1, 2";
        let back = "select r.store_id, l.product_id, sum(b.quantity)::bigint
            from returns r join return_lines b on b.return_id = r.id
            join sale_lines l on l.sale_id = b.sale_id and l.line = b.line
            where b.disposition = 'resalable' group by 1, 2";
        let mut expected: BTreeMap<(i64, i64), i64> = BTreeMap::new();
        for (sql, sign) in [(sold, 1), (back, -1)] {
            for (store, product, units) in self.rows::<(i64, i64, i64)>(sql).await {
                *expected.entry((store, product)).or_default() += sign * units;
            }
        }
        let gone = "select location_id, product_id, sum(units)::bigint from (
                select location_id, product_id, -delta as units from movements
                where split_part(reference, '/', 1) in ('issue', 'receipt', 'write-off')
                union all
                select location_id, product_id, quantity from discrepancies where kind = 'sold_without_stock'
            ) m group by 1, 2";
        let gone: Vec<(i64, i64, i64)> = self.inventory.db().query(gone, params![]).await.unwrap();
        let mut gone: BTreeMap<_, _> =
            gone.into_iter().map(|(store, product, units)| ((store, product), units)).collect();
        for all in [&mut expected, &mut gone] {
            all.retain(|_, units| *units != 0);
        }
        assert_eq!(gone, expected);
    }
}

pub fn path(sale: &Value) -> String {
    format!("/api/v1/sales/{}", sale["id"].as_str().unwrap())
}

/// Products and quantities, methods and cents.
pub fn basket(session: Uuid, lines: &[(i64, i64)], payments: &[(&str, i64)]) -> Value {
    let lines = lines.iter().map(|(product, quantity)| json!({"product_id": product, "quantity": quantity}));
    json!({"session_id": session, "lines": lines.collect::<Vec<_>>(), "payments": paid(payments)})
}

pub fn paid(payments: &[(&str, i64)]) -> Value {
    payments.iter().map(|(method, amount)| json!({"method": method, "amount": money(*amount)})).collect()
}

pub fn two_cokes_and_a_juice(session: Uuid, payments: &[(&str, i64)]) -> Value {
    basket(session, &[(COKE, 2), (JUICE, 1)], payments)
}

/// The same, at the prices that the till had.
pub fn offline(session: Uuid, sold_at: Timestamp, coke: i64, payments: &[(&str, i64)]) -> Value {
    let mut body = two_cokes_and_a_juice(session, payments);
    body["lines"][0]["unit_price"] = money(coke);
    body["lines"][1]["unit_price"] = money(349);
    body["offline"] = json!({"sold_at": sold_at});
    body
}

/// What a checkout has sold: two cokes and a juice.
pub fn online(shop: &Shop, store: i64) -> Value {
    let line = |product: i64, quantity: i64, price: i64| {
        json!({
            "product_id": product, "sku": format!("P-{product}"), "name": format!("Product {product}"),
            "quantity": quantity, "unit_price": money(price), "discount": money(0), "unit_deposit": money(10),
            "tax_category": "standard", "rates": {"gst": 5_000, "qst": 9_975},
        })
    };
    json!({
        "checkout_id": shop.id(), "payment_id": shop.id(), "customer_id": 7, "store_id": store,
        "sold_at": shop.clock.now(), "lines": [line(COKE, 2, 299), line(JUICE, 1, 349)], "total": money(TOTAL),
    })
}

pub fn money(cents: i64) -> Value {
    json!({"amount": cents, "currency": "CAD"})
}

#[track_caller]
pub fn int(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("{value} is no integer"))
}

#[track_caller]
pub fn cents(value: &Value) -> i64 {
    int(&value["amount"])
}

#[track_caller]
pub fn uuid(value: &Value) -> Uuid {
    value.as_str().unwrap().parse().unwrap()
}
