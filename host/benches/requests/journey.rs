//! Whole checkouts, one after the other by each buyer, through the gateway of the whole platform: how
//! many a second, how long each takes, and what it asks of the databases. Then tills that sell while the
//! head office looks on: how far behind its dashboard is.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use futures_util::future::try_join_all;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use crate::load::{self, Measured};
use crate::platform::Platform;

const BUYERS: usize = 8;
const CHECKOUTS: usize = 800;
const WARM_UP: usize = 80;
/// Where deliveries leave from, and what everybody buys.
const WAREHOUSE: i64 = 100;
const COKE: i64 = 1;
const JUICE: i64 = 3;
/// The first till of the first four stores.
const TILLS: [i64; 4] = [11, 21, 31, 41];
const SELLING: Duration = Duration::from_secs(15);
/// Between two looks at the dashboard.
const LOOK: Duration = Duration::from_millis(100);

pub fn measure() -> Result<()> {
    let platform = Platform::start()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let shop = Shop { platform: &platform, client: Client::builder(TokioExecutor::new()).build_http() };
    let (buyers, carts) = runtime.block_on(shop.prepare())?;
    let before = round_trips(&platform)?;
    let (latencies, time) = runtime.block_on(shop.buy(&buyers, carts))?;
    let after = round_trips(&platform)?;
    report(Measured::of(latencies, time), &before, after);
    let (sales, looks) = runtime.block_on(shop.sell_and_look_on())?;
    report_dashboard(sales, looks);
    platform.stop()
}

fn report(measured: Measured, before: &BTreeMap<String, f64>, after: BTreeMap<String, f64>) {
    println!("\n{CHECKOUTS} checkouts of {BUYERS} buyers through the gateway of `comptoir up`");
    println!(
        "{:.0} checkouts/s, p50 {:.1} ms, p99 {:.1} ms",
        measured.rate,
        milliseconds(measured.p50_us),
        milliseconds(measured.p99_us)
    );
    println!("database round trips a checkout, background tasks included:");
    let mut all = 0.0;
    for (service, count) in after {
        let each = (count - before.get(&service).copied().unwrap_or_default()) / CHECKOUTS as f64;
        println!("  {service:<12} {each:>6.1}");
        all += each;
    }
    println!("  {:<12} {all:>6.1}", "all");
}

/// A look at the dashboard: how long it took, and how long ago all was known that it shows.
struct Look {
    took: Duration,
    lag_ms: i64,
}

fn report_dashboard(sales: usize, looks: Vec<Look>) {
    let at = |mut values: Vec<f64>, hundredth: usize| {
        values.sort_by(f64::total_cmp);
        values[(values.len() - 1) * hundredth / 100]
    };
    let count = looks.len();
    let (took, lag): (Vec<f64>, Vec<f64>) =
        looks.into_iter().map(|look| (look.took.as_secs_f64() * 1e3, look.lag_ms as f64)).unzip();
    println!(
        "\n{:.0} sales/s of {} tills, and {count} looks at the dashboard meanwhile: answered in p50 {:.0} ms, p99 {:.0} \
         ms; behind by p50 {:.0} ms, p99 {:.0} ms",
        sales as f64 / SELLING.as_secs_f64(),
        TILLS.len(),
        at(took.clone(), 50),
        at(took, 99),
        at(lag.clone(), 50),
        at(lag, 99)
    );
}

fn milliseconds(us: u128) -> f64 {
    Duration::from_micros(u64::try_from(us).unwrap_or(u64::MAX)).as_secs_f64() * 1e3
}

struct Shop<'a> {
    platform: &'a Platform,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Shop<'_> {
    /// Who buys, and what: some have bought before.
    async fn prepare(&self) -> Result<(Vec<String>, VecDeque<String>)> {
        for product in [COKE, JUICE] {
            self.count(product, 1_000_000).await?;
        }
        let buyers = try_join_all((0..BUYERS).map(|number| self.sign_in(number))).await?;
        let mut carts = VecDeque::new();
        for _ in 0..WARM_UP + CHECKOUTS {
            carts.push_back(self.cart().await?);
        }
        let rest = carts.split_off(WARM_UP);
        self.buy(&buyers, carts).await?;
        Ok((buyers, rest))
    }

    /// All of them, each by whoever is free; how long each took, and all of them together.
    async fn buy(&self, buyers: &[String], carts: VecDeque<String>) -> Result<(Vec<Duration>, Duration)> {
        let total = self.total(carts.front().context("a cart")?).await?;
        let (carts, started) = (Mutex::new(carts), Instant::now());
        let next = || carts.lock().expect("no panic").pop_front();
        let bought = buyers.iter().map(async |bearer| {
            let mut latencies = Vec::new();
            while let Some(cart) = next() {
                let body = order(&cart, &total);
                let headers = [("authorization", bearer.as_str()), ("idempotency-key", &cart)];
                let sent = Instant::now();
                let (status, answer) = self.send("POST", "/api/v1/checkouts", &headers, &body).await?;
                ensure!(status == 201, "a checkout was answered with {status}: {answer:#}");
                latencies.push(sent.elapsed());
            }
            Ok(latencies)
        });
        let latencies = try_join_all(bought).await?.concat();
        Ok((latencies, started.elapsed()))
    }

    /// Sells at all tills for a while; how much, and what the dashboard had to say meanwhile.
    async fn sell_and_look_on(&self) -> Result<(usize, Vec<Look>)> {
        let until = Instant::now() + SELLING;
        let tills = try_join_all(TILLS.map(|register| self.till(register, until)));
        let (sales, looks) = futures_util::future::try_join(tills, self.look_on(until)).await?;
        Ok((sales.into_iter().sum(), looks))
    }

    async fn till(&self, register: i64, until: Instant) -> Result<usize> {
        let key = self.platform.key("pos")?;
        let headers = [("x-api-key", key.as_str())];
        let drawer = json!({"cashier": "Julie", "opening_float": {"amount": 10_000, "currency": "CAD"}});
        let path = format!("/api/v1/registers/{register}/sessions");
        let (status, session) = self.send("POST", &path, &headers, &drawer).await?;
        ensure!(status == 201, "a drawer was answered with {status}: {session:#}");
        let sale = json!({
            "session_id": session["id"],
            "lines": [{"product_id": COKE, "quantity": 2}, {"product_id": JUICE, "quantity": 1}],
            "payments": [{"method": "cash", "amount": {"amount": 2_000, "currency": "CAD"}}],
        });
        let mut sales = 0;
        while Instant::now() < until {
            let path = format!("/api/v1/sales/{}", uuid::Uuid::now_v7());
            let (status, answer) = self.send("PUT", &path, &headers, &sale).await?;
            ensure!(status == 201, "a sale was answered with {status}: {answer:#}");
            sales += 1;
        }
        Ok(sales)
    }

    async fn look_on(&self, until: Instant) -> Result<Vec<Look>> {
        let key = self.platform.key("hq")?;
        let (mut looks, mut clock) = (Vec::new(), tokio::time::interval(LOOK));
        while Instant::now() < until {
            clock.tick().await;
            let sent = Instant::now();
            let headers = [("x-api-key", key.as_str())];
            let (status, answer) = self.send("GET", "/api/v1/reports/dashboard", &headers, &Value::Null).await?;
            ensure!(status == 200, "a dashboard was answered with {status}: {answer:#}");
            let lag_ms = answer["freshness"]["lag_ms"].as_i64().context("a lag")?;
            looks.push(Look { took: sent.elapsed(), lag_ms });
        }
        Ok(looks)
    }

    /// An account, and its token.
    async fn sign_in(&self, number: usize) -> Result<String> {
        let (email, password) = (format!("buyer-{number}@example.com"), "quatre chats gris jouent");
        let account = json!({"email": email, "password": password, "name": email});
        let (status, answer) = self.send("POST", "/api/v1/customers", &[], &account).await?;
        ensure!(status == 201, "a registration was answered with {status}: {answer:#}");
        let login = json!({"email": email, "password": password});
        let (_, answer) = self.send("POST", "/api/v1/auth/login", &[], &login).await?;
        Ok(format!("Bearer {}", answer["access_token"].as_str().context("a token")?))
    }

    /// Two cokes and a juice.
    async fn cart(&self) -> Result<String> {
        let (_, cart) = self.send("POST", "/api/v1/carts", &[], &json!({})).await?;
        let cart = cart["id"].as_str().context("a cart")?.to_owned();
        for (product, quantity) in [(COKE, 2), (JUICE, 1)] {
            let item = json!({"product_id": product, "quantity": quantity});
            let (status, answer) = self.send("POST", &format!("/api/v1/carts/{cart}/items"), &[], &item).await?;
            ensure!(status == 200, "an item was answered with {status}: {answer:#}");
        }
        Ok(cart)
    }

    async fn total(&self, cart: &str) -> Result<Value> {
        let (_, estimate) = self.send("GET", &format!("/api/v1/carts/{cart}/estimate"), &[], &Value::Null).await?;
        Ok(estimate["total"].clone())
    }

    /// So that there is enough for everybody.
    async fn count(&self, product: i64, units: i64) -> Result<()> {
        let path = format!("/api/v1/stock/{WAREHOUSE}/{product}");
        let key = self.platform.key("logistics")?;
        let (_, tag) = self.exchange("GET", &path, &[("x-api-key", &key)], &Value::Null).await?;
        let headers = [("x-api-key", key.as_str()), ("if-match", &tag.context("an ETag")?)];
        let (status, answer) = self.send("PUT", &path, &headers, &json!({"on_hand": units})).await?;
        ensure!(status == 200, "a count was answered with {status}: {answer:#}");
        Ok(())
    }

    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Result<(u16, Value)> {
        let (answer, _) = self.exchange(method, path, headers, body).await?;
        Ok(answer)
    }

    /// Status and body; and the ETag.
    async fn exchange(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Result<((u16, Value), Option<String>)> {
        let mut request = Request::builder().method(method).uri(format!("http://{}{path}", self.platform.gateway));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = if body.is_null() { Bytes::new() } else { body.to_string().into() };
        let request = request.header("content-type", "application/json").body(Full::new(body))?;
        let (parts, body) = self.client.request(request).await?.into_parts();
        let body = serde_json::from_slice(&body.collect().await?.to_bytes())?;
        let tag = parts.headers.get("etag").map(|tag| tag.to_str().map(str::to_owned)).transpose()?;
        Ok(((parts.status.as_u16(), body), tag))
    }
}

fn order(cart: &str, total: &Value) -> Value {
    json!({
        "cart_id": cart,
        "fulfilment": {"method": "delivery", "address": {
            "recipient": "Marie Tremblay", "line1": "1000, rue De La Gauchetière O", "city": "Montréal",
            "province": "QC", "postal_code": "H3B 4W5",
        }},
        "payment": {"method": "card", "token": "tok_ok"},
        "expected_total": total,
    })
}

/// What each service has asked its database so far: each operation is a round trip.
fn round_trips(platform: &Platform) -> Result<BTreeMap<String, f64>> {
    const FAMILY: &str = "db_client_operation_duration_seconds_count";
    let request = format!("GET /metrics HTTP/1.1\r\nhost: {}\r\n\r\n", platform.admin);
    let (_, body) = load::send(platform.admin, request.into_bytes())?;
    let mut counts = BTreeMap::new();
    for line in String::from_utf8(body)?.lines().filter(|line| line.starts_with(FAMILY)) {
        let service = line.split("service=\"").nth(1).and_then(|rest| rest.split('"').next()).context("a service")?;
        let count: f64 = line.rsplit(' ').next().context("a value")?.parse()?;
        *counts.entry(service.to_owned()).or_default() += count;
    }
    Ok(counts)
}
