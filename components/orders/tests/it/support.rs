//! An orders service between an inventory and a checkout in the small, which keep books of their own,
//! and the requests tests make.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{post, put};
use axum::{Json, Router};
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use sdk::testing::{TestApp, TestRequest, TestResponse};
use sdk::{Client, Clock, Role, new_uuid_v7};
use serde_json::{Value, json};
use uuid::Uuid;

pub const COKE: i64 = 1;
pub const JUICE: i64 = 3;
/// Of two cokes and a juice: 9.47, 0.47 and 0.94 of tax, 0.30 of deposits.
pub const TOTAL: i64 = 1_118;
/// Whose orders these are.
pub const CUSTOMER: i64 = 7;

/// One orders service, its clock, and what it calls.
pub struct Shop {
    pub app: TestApp,
    pub clock: Clock,
    pub client: Client,
    pub peers: Peers,
}

/// What inventory and checkout know. It is an error for them to do something twice.
#[derive(Clone, Default)]
pub struct Peers(Arc<Mutex<Books>>);

#[derive(Default)]
pub struct Books {
    /// By reservation: `pinned`, `committed`, `released`.
    pub reservations: BTreeMap<Uuid, &'static str>,
    /// By reference: what came back.
    pub receipts: BTreeMap<String, Value>,
    pub payments: BTreeMap<Uuid, Payment>,
    /// What checkout asks before it answers to a refund, and the statuses that it was answered with.
    pub ask_back: Option<(Client, String)>,
    pub answers: Vec<u16>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Payment {
    /// `authorized`, `captured`, `voided`.
    pub state: &'static str,
    pub refunds: BTreeMap<Uuid, i64>,
}

impl Payment {
    pub fn refunded(&self) -> i64 {
        self.refunds.values().sum()
    }
}

/// An order of a test, and its ids elsewhere.
#[derive(Clone, Debug)]
pub struct Made {
    pub id: Uuid,
    pub reservation: Uuid,
    pub payment: Uuid,
    pub draft: Value,
}

impl Made {
    pub fn path(&self) -> String {
        format!("/api/v1/orders/{}", self.id)
    }

    pub fn internal(&self) -> String {
        format!("/internal/v1/orders/{}", self.id)
    }

    pub fn total(&self) -> i64 {
        int(&self.draft["total"]["amount"])
    }
}

impl Peers {
    pub fn books(&self) -> MutexGuard<'_, Books> {
        self.0.lock().unwrap()
    }

    pub fn payment(&self, made: &Made) -> Payment {
        self.books().payments.get(&made.payment).cloned().unwrap_or_default()
    }

    pub fn reservation(&self, made: &Made) -> &'static str {
        self.books().reservations.get(&made.reservation).copied().unwrap_or_default()
    }

    pub fn set(&self, made: &Made, reservation: &'static str, payment: &'static str) {
        let mut books = self.books();
        books.reservations.insert(made.reservation, reservation);
        books.payments.entry(made.payment).or_default().state = payment;
    }

    /// Units of a product that came back, over all receipts.
    pub fn restocked(&self, product: i64) -> i64 {
        let books = self.books();
        let lines = books.receipts.values().flat_map(|receipt| receipt["lines"].as_array().unwrap());
        lines.filter(|line| line["product_id"] == product).map(|line| int(&line["quantity"])).sum()
    }

    fn routers(&self) -> [(&'static str, Router); 2] {
        let inventory = Router::new()
            .route("/internal/v1/reservations/{id}/release", post(release))
            .route("/internal/v1/receipts/{reference}", put(receipt));
        let checkout = Router::new()
            .route("/internal/v1/payments/{id}/void", post(void))
            .route("/internal/v1/payments/{id}/refunds/{refund}", put(refund));
        [("inventory", inventory.with_state(self.clone())), ("checkout", checkout.with_state(self.clone()))]
    }
}

fn conflict(state: &str) -> Response {
    (StatusCode::CONFLICT, Json(json!({"code": "state", "state": state}))).into_response()
}

async fn release(State(peers): State<Peers>, Path(id): Path<Uuid>) -> Response {
    match peers.books().reservations.get_mut(&id) {
        None => StatusCode::NOT_FOUND.into_response(),
        Some(state) if *state == "committed" => conflict(state),
        Some(state) => {
            *state = "released";
            Json(json!({})).into_response()
        }
    }
}

async fn receipt(State(peers): State<Peers>, Path(reference): Path<String>, Json(body): Json<Value>) -> Response {
    let mut books = peers.books();
    let known = books.receipts.entry(reference).or_insert_with(|| body.clone());
    if *known == body { Json(json!({})).into_response() } else { conflict("voucher-differs") }
}

async fn void(State(peers): State<Peers>, Path(id): Path<Uuid>) -> Response {
    match peers.books().payments.get_mut(&id) {
        None => StatusCode::NOT_FOUND.into_response(),
        Some(payment) if payment.state == "captured" => conflict("captured"),
        Some(payment) => {
            payment.state = "voided";
            Json(json!({})).into_response()
        }
    }
}

async fn refund(
    State(peers): State<Peers>,
    Path((id, refund)): Path<(Uuid, Uuid)>,
    Json(body): Json<Value>,
) -> Response {
    let ask_back = peers.books().ask_back.clone();
    if let Some((client, url)) = ask_back {
        let answer = client.post(url).send().await.map(|response| response.status.as_u16());
        peers.books().answers.push(answer.unwrap_or_default());
    }
    let mut books = peers.books();
    let Some(payment) = books.payments.get_mut(&id).filter(|payment| payment.state == "captured") else {
        return conflict("not-captured");
    };
    let amount = int(&body["amount"]["amount"]);
    match payment.refunds.insert(refund, amount) {
        None => Json(json!({})).into_response(),
        Some(before) if before == amount => Json(json!({})).into_response(),
        Some(_) => conflict("another-amount"),
    }
}

impl Shop {
    /// At an instant that does not move by itself.
    pub async fn open() -> Shop {
        // The present, because the audit compares with the database's clock.
        let clock = Clock::fixed(Timestamp::from_second(Timestamp::now().as_second()).unwrap());
        let peers = Peers::default();
        let client = Client::from_routers(peers.routers());
        let app = TestApp::of(&orders::SERVICE).clock(clock.clone()).client(client.clone()).build().await;
        Shop { app, clock, client, peers }
    }

    /// Sends them side by side: over connections that are open already, because else the first request is
    /// through before the second one has its own.
    pub async fn at_once(&self, requests: impl IntoIterator<Item = TestRequest>) -> Vec<TestResponse> {
        self.app.warm_up().await;
        let sent: Vec<_> = requests.into_iter().map(|request| tokio::spawn(request.send())).collect();
        join_all(sent).await.into_iter().map(Result::unwrap).collect()
    }

    pub fn pass(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// Runs the task once.
    pub async fn settle(&self) {
        orders::tasks::settle(self.app.context().clone()).await.unwrap();
    }

    /// A draft of these lines, to be delivered; nothing is asked yet.
    pub fn draft(&self, customer: i64, lines: &[Value], total: i64) -> Made {
        let [id, checkout, reservation, payment] = [(); 4].map(|()| new_uuid_v7(&self.clock));
        let draft = json!({
            "checkout_id": checkout, "reservation_id": reservation, "payment_id": payment,
            "customer_id": customer, "store_id": 1, "location_id": 100, "fulfilment": delivery(),
            "lines": lines, "total": money(total),
        });
        Made { id, reservation, payment, draft }
    }

    /// Two cokes and a juice.
    pub fn two_cokes_and_a_juice(&self, customer: i64) -> Made {
        let lines = [line(COKE, 2, 299), line(JUICE, 1, 349)];
        self.draft(customer, &lines, TOTAL)
    }

    pub fn make(&self, made: &Made) -> TestRequest {
        self.app.put(made.internal()).as_role(Role::Service).json(&made.draft)
    }

    pub fn confirm(&self, made: &Made) -> TestRequest {
        self.app.post(format!("{}/confirm", made.internal())).as_role(Role::Service)
    }

    /// Pending: its stock pinned, its money authorized, as far as the others know.
    pub async fn pending(&self) -> Made {
        self.pending_of(self.two_cokes_and_a_juice(CUSTOMER)).await
    }

    pub async fn pending_of(&self, made: Made) -> Made {
        let _ = self.make(&made).send().await.expect_status(201);
        self.peers.set(&made, "pinned", "authorized");
        made
    }

    /// Confirmed: its stock gone, its money captured.
    pub async fn confirmed(&self) -> Made {
        self.confirmed_of(self.two_cokes_and_a_juice(CUSTOMER)).await
    }

    pub async fn confirmed_of(&self, made: Made) -> Made {
        let made = self.pending_of(made).await;
        self.peers.set(&made, "committed", "captured");
        let _ = self.confirm(&made).send().await.expect_status(200);
        made
    }

    /// A confirmed order that is collected at store 2, and is ready.
    pub async fn ready_for_pickup(&self) -> Made {
        let mut made = self.two_cokes_and_a_juice(CUSTOMER);
        made.draft["fulfilment"] = json!({"method": "pickup", "store_id": 2});
        let made = self.confirmed_of(made).await;
        for to in ["processing", "ready"] {
            let _ = self.step(&made, Role::Pos, to).await.send().await.expect_status(200);
        }
        made
    }

    pub async fn read(&self, made: &Made) -> Value {
        self.app.get(made.path()).as_role(Role::Hq).send().await.expect_status(200).json()
    }

    /// Status and payment status.
    pub async fn state(&self, made: &Made) -> (String, String) {
        let order = self.read(made).await;
        let text = |member: &str| order[member].as_str().unwrap().to_owned();
        (text("status"), text("payment_status"))
    }

    pub async fn etag(&self, made: &Made) -> String {
        let response = self.app.get(made.path()).as_role(Role::Hq).send().await.expect_status(200);
        response.header("etag").to_owned()
    }

    /// With the version that is current.
    pub async fn step(&self, made: &Made, role: Role, to: &str) -> TestRequest {
        let tag = self.etag(made).await;
        self.step_from(made, role, to, &tag)
    }

    pub fn step_from(&self, made: &Made, role: Role, to: &str, tag: &str) -> TestRequest {
        let post = self.app.post(format!("{}/transitions", made.path())).as_role(role);
        post.header("if-match", tag).json(&json!({"to": to}))
    }

    /// By the customer whose order it is.
    pub fn cancel(&self, made: &Made) -> TestRequest {
        let post = self.app.post(format!("{}/cancel", made.path()));
        post.as_customer(int(&made.draft["customer_id"])).json(&json!({"reason": "ordered twice"}))
    }

    pub fn refund(&self, made: &Made, body: &Value) -> TestRequest {
        self.app.post(format!("{}/refunds", made.path())).as_role(Role::Manager).json(body)
    }

    pub async fn refunds(&self, made: &Made) -> Vec<Value> {
        let get = self.app.get(format!("{}/refunds", made.path())).as_role(Role::Manager);
        get.send().await.expect_status(200).json::<Value>()["data"].as_array().unwrap().clone()
    }

    pub fn pick_up(&self, made: &Made, code: &str) -> TestRequest {
        self.app.post(format!("{}/pickup", made.path())).as_role(Role::Pos).json(&json!({"code": code}))
    }

    pub async fn code(&self, made: &Made) -> String {
        let order: Value = self.app.get(made.path()).as_customer(CUSTOMER).send().await.expect_status(200).json();
        order["pickup_code"].as_str().unwrap().to_owned()
    }

    pub fn tell(&self, made: &Made, kind: &str, event: u128, amount: i64) -> TestRequest {
        let body = json!({
            "event_id": Uuid::from_u128(event), "order_id": made.id, "payment_id": made.payment, "type": kind,
            "amount": money(amount),
        });
        self.app.post("/internal/v1/payment-events").as_role(Role::Service).json(&body)
    }

    /// What, from, to, by whom.
    pub async fn timeline(&self, made: &Made) -> Vec<String> {
        let path = format!("{}/timeline?limit=200", made.path());
        let body: Value = self.app.get(path).as_role(Role::Hq).send().await.expect_status(200).json();
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        let entry = |e: &Value| [&e["what"], &e["from"], &e["to"], &e["by"]].map(text).join(" ");
        body["data"].as_array().unwrap().iter().map(entry).collect()
    }

    pub async fn violations(&self) -> Vec<Value> {
        self.app.violations().await.into_iter().map(|violation| json!(violation)).collect()
    }

    /// That every rule is kept here, and that the books of the others say the same: what is cancelled has
    /// cost nothing and holds nothing.
    pub async fn audited(&self) {
        assert_eq!(self.violations().await, [] as [Value; 0]);
        let list = self.app.get("/api/v1/orders?limit=200").as_role(Role::Hq);
        let list: Value = list.send().await.expect_status(200).json();
        for order in list["data"].as_array().unwrap() {
            let path = format!("/api/v1/orders/{}", order["id"].as_str().unwrap());
            let order: Value = self.app.get(path).as_role(Role::Hq).send().await.expect_status(200).json();
            let payment: Uuid = serde_json::from_value(order["payment_id"].clone()).unwrap();
            let payment = self.peers.books().payments.get(&payment).cloned().unwrap_or_default();
            assert_eq!(payment.refunded(), cents(&order["refunded"]), "{order:#}");
            if order["status"] == "cancelled" {
                let kept = if payment.state == "captured" { cents(&order["total"]) - payment.refunded() } else { 0 };
                assert_eq!((kept, payment.state == "authorized"), (0, false), "{order:#}");
            }
        }
    }
}

pub fn delivery() -> Value {
    json!({"method": "delivery", "address": {
        "recipient": "Marie Tremblay", "line1": "1000, rue De La Gauchetière O", "city": "Montréal",
        "province": "QC", "postal_code": "H3B 4W5",
    }})
}

/// At the standard rates, with a deposit of 0.10 on each.
pub fn line(product: i64, quantity: u32, price: i64) -> Value {
    json!({
        "product_id": product, "sku": format!("P-{product}"), "name": format!("Product {product}"),
        "quantity": quantity, "unit_price": money(price), "discount": money(0), "unit_deposit": money(10),
        "tax_category": "standard", "rates": {"gst": 5_000, "qst": 9_975},
    })
}

pub fn money(cents: i64) -> Value {
    json!({"amount": cents, "currency": "CAD"})
}

#[track_caller]
pub fn int(value: &Value) -> i64 {
    value.as_i64().unwrap()
}

#[track_caller]
pub fn cents(value: &Value) -> i64 {
    int(&value["amount"])
}
