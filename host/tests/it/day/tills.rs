//! Tills, each with a book of its own in which it writes what it was answered.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::stream::{self, StreamExt as _};
use http::Method;
use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};
use uuid::Uuid;

use super::running::Running;
use super::{Sums, cents, money};

/// What every drawer opens with.
const FLOAT: i64 = 30_000;
/// Every so many sales.
const VOID_EVERY: usize = 19;
const RETURN_EVERY: usize = 13;

/// What tills share.
#[derive(Clone)]
pub struct Day {
    running: Running,
    sales: Arc<AtomicUsize>,
}

/// What a till has in its books: of stores, because a return counts where it is brought back.
#[derive(Default)]
pub struct Book {
    stores: BTreeMap<i64, Sums>,
    /// What should be in the drawer.
    drawer: i64,
}

impl Book {
    pub fn entries(&self) -> impl Iterator<Item = (i64, &'static str, i64)> {
        self.stores.iter().flat_map(|(store, sums)| sums.iter().map(|(figure, cents)| (*store, *figure, *cents)))
    }

    fn count(&mut self, of: &Value, figure: &'static str, amount: i64) {
        let store = of["store_id"].as_i64().expect("a store");
        *self.stores.entry(store).or_default().entry(figure).or_default() += amount;
    }

    fn sums(&mut self, of: &Value, net: &'static str, sign: i64) {
        let members = [
            ("net", net),
            ("gst", "gst"),
            ("qst", "qst"),
            ("deposits", "deposits"),
            ("total", "total"),
            ("cash_rounding", "cash_rounding"),
        ];
        for (figure, member) in members {
            self.count(of, figure, sign * cents(&of[member]));
        }
    }

    fn sold(&mut self, sale: &Value) {
        for figure in super::FIGURES {
            self.count(sale, figure, 0);
        }
        self.count(sale, "sales", 1);
        self.sums(sale, "subtotal", 1);
        self.drawer += by_cash(&sale["payments"]) - cents(&sale["change"]);
    }

    fn called_off(&mut self, sale: &Value) {
        self.count(sale, "sales", -1);
        self.count(sale, "voids", 1);
        self.count(sale, "voided", cents(&sale["total"]));
        self.sums(sale, "subtotal", -1);
        self.drawer -= by_cash(&sale["payments"]) - cents(&sale["change"]);
    }

    fn brought_back(&mut self, back: &Value) {
        self.count(back, "returns", 1);
        self.count(back, "refunded", cents(&back["total"]));
        self.sums(back, "net", -1);
        self.drawer -= by_cash(&back["refunds"]);
    }
}

fn by_cash(payments: &Value) -> i64 {
    let payments = payments.as_array().expect("a list").iter();
    payments.filter(|payment| payment["method"] == "cash").map(|payment| cents(&payment["amount"])).sum()
}

impl Day {
    pub fn new(running: &Running) -> Self {
        Self { running: running.clone(), sales: Arc::default() }
    }

    /// So far.
    pub fn sales(&self) -> usize {
        self.sales.load(Ordering::Relaxed)
    }

    async fn post(&self, path: &str, key: &str, body: &Value) -> Value {
        let answer = self.running.staff("pos", Method::POST, path, key, body).await;
        assert!(answer.status.is_success(), "{path}: {answer:?}");
        answer.json()
    }

    async fn open(&self, register: i64) -> String {
        let drawer = json!({"cashier": format!("cashier-{register}"), "opening_float": money(FLOAT)});
        let path = format!("/api/v1/registers/{register}/sessions");
        let session = self.post(&path, &format!("open-{register}"), &drawer).await;
        session["id"].as_str().expect("an id").to_owned()
    }

    /// Under an id of the till's, and so as often as it takes.
    async fn record(&self, id: Uuid, sale: &Value) -> Value {
        let path = format!("/api/v1/sales/{id}");
        let answer = self.running.staff("pos", Method::PUT, &path, "", sale).await;
        assert!(answer.status.is_success(), "{answer:?}");
        answer.json()
    }

    /// The drawer holds what the book says, but for what somebody has taken out of it.
    async fn close(&self, session: &str, book: &Book, missing: i64) {
        let counted = json!({"counted_cash": money(FLOAT + book.drawer - missing)});
        let (path, key) = (format!("/api/v1/sessions/{session}/close"), format!("close-{session}"));
        let report = self.post(&path, &key, &counted).await;
        assert_eq!(cents(&report["difference"]), -missing, "{report:#}");
    }
}

/// A till from the morning to the evening.
pub async fn work(day: Day, register: i64, sales: usize) -> Book {
    let (mut book, mut rng) = (Book::default(), rng(register));
    let session = day.open(register).await;
    for number in 1..=sales {
        let sale = json!({
            "session_id": session, "lines": basket(&mut rng), "payments": tender(&mut rng),
        });
        let sale = day.record(Uuid::now_v7(), &sale).await;
        book.sold(&sale);
        day.sales.fetch_add(1, Ordering::Relaxed);
        let path = format!("/api/v1/sales/{}", sale["id"].as_str().expect("an id"));
        if number % VOID_EVERY == 0 {
            let key = format!("void-{register}-{number}");
            let sale = day.post(&format!("{path}/void"), &key, &json!({"reason": "rung up twice"})).await;
            book.called_off(&sale);
        } else if number % RETURN_EVERY == 0 {
            let disposition = if number % 2 == 0 { "resalable" } else { "damaged" };
            let back = json!({
                "session_id": session, "lines": [{"line": 1, "quantity": 1, "disposition": disposition}],
            });
            let back = day.post(&format!("{path}/returns"), &format!("back-{register}-{number}"), &back).await;
            book.brought_back(&back);
        }
    }
    let safe = json!({"kind": "out", "amount": money(10_000), "reason": "to the safe"});
    day.post(&format!("/api/v1/sessions/{session}/cash-movements"), &format!("safe-{register}"), &safe).await;
    book.drawer -= 10_000;
    // One of them has given a coin too much.
    day.close(&session, &book, if register == 22 { 200 } else { 0 }).await;
    book
}

/// So many sales of a till that could ask nobody, uploaded twice each in any order, half of them side by side: of a
/// product of which the store has fewer.
pub async fn offline(day: &Day, register: i64, sales: usize) -> Book {
    const PRODUCT: i64 = 7;
    const THERE: i64 = 600;
    let (mut book, mut rng, store) = (Book::default(), rng(register), register / 10);
    let shelf = format!("/api/v1/stock/{store}/{PRODUCT}");
    let books = day.running.platform().await.books();
    day.running.wait("the shelves know of the day", async || books.owed("sales").await == 0).await;
    day.running.count(&shelf, THERE).await;
    let missing = async || {
        let found = day.running.all(&format!("/api/v1/discrepancies?location={store}")).await;
        let found = found.iter().filter(|found| found["product_id"] == PRODUCT);
        found.map(|found| found["quantity"].as_i64().expect("units")).sum::<i64>()
    };
    let before = missing().await;
    let price = json!({"store_id": store, "lines": [{"product_id": PRODUCT, "quantity": 1}]});
    let price = day.running.ask(Method::POST, "/api/v1/price-quotes", &[], &price).await.expect_status(200).json();
    let (each, total) = (&price["lines"][0]["unit_price"], &price["total"]);

    let sold_at = Timestamp::now();
    let sale = |_| {
        let sale = json!({
            "register_id": register, "offline": {"sold_at": sold_at, "cashier": "cashier-33"},
            "lines": [{"product_id": PRODUCT, "quantity": 1, "unit_price": each}],
            "payments": [{"method": "card", "amount": total}],
        });
        (Uuid::now_v7(), sale)
    };
    let made: Vec<(Uuid, Value)> = (0..sales).map(sale).collect();
    let mut uploads: Vec<&(Uuid, Value)> = made.iter().chain(&made).collect();
    for last in (1..uploads.len()).rev() {
        uploads.swap(last, rng.random_range(0..=last));
    }
    let (together, alone) = uploads.split_at(sales);
    let upload = async |(id, sale): &(Uuid, Value)| (*id, day.record(*id, sale).await);
    let (mut answers, others): (Vec<_>, Vec<_>) = tokio::join!(
        stream::iter(together).map(|made| upload(made)).buffer_unordered(16).collect(),
        stream::iter(alone).then(|made| upload(made)).collect(),
    );
    answers.extend(others);
    let answers: BTreeMap<Uuid, Value> = answers.into_iter().collect();
    assert_eq!(answers.len(), sales);
    for sale in answers.values() {
        book.sold(sale);
    }
    day.running.wait("the shelf has heard of all of them", async || books.owed("sales").await == 0).await;
    assert_eq!(missing().await - before, i64::try_from(sales).expect("few") - THERE);
    let left = day.running.staff("logistics", Method::GET, &shelf, "", &Value::Null).await.expect_status(200).json();
    assert_eq!(left["on_hand"], 0, "{left:#}");
    book
}

/// Another for each till, and the same in every run.
fn rng(register: i64) -> StdRng {
    StdRng::seed_from_u64(u64::try_from(register).expect("a register"))
}

fn basket(rng: &mut StdRng) -> Value {
    let lines = rng.random_range(1..5_i64);
    let first = rng.random_range(1..30_i64);
    (0..lines).map(|line| json!({"product_id": first + 2 * line, "quantity": rng.random_range(1..4)})).collect()
}

/// More than anything costs, or a part by card.
fn tender(rng: &mut StdRng) -> Value {
    let note = json!({"method": "cash", "amount": money(20_000)});
    match rng.random_range(0..3) {
        0 => json!([note]),
        _ => json!([{"method": "card", "amount": money(rng.random_range(1..100))}, note]),
    }
}
