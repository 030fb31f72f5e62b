//! The books of all services, read beside them: what each says of itself, and whether they say the
//! same of every purchase.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use http::Method;
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Connection as _, FromRow};
use uuid::Uuid;

use super::client::{self, Client};

/// How long a checkout may take after the last fault.
const PROMISED: Duration = Duration::from_secs(60);

/// Where a service and its database are.
#[derive(Clone, Debug)]
pub struct Service {
    pub address: SocketAddr,
    pub database: PgConnectOptions,
}

pub struct Books {
    services: BTreeMap<&'static str, Service>,
    service_secret: String,
    client: Client,
}

/// A checkout, and what the other services know by its ids.
#[derive(Clone, Debug)]
pub struct Entry {
    pub cart: Uuid,
    pub state: String,
    /// Status, captured, refunded; none if there is no order.
    order: Option<(String, i64, i64)>,
    reservation: Option<String>,
    /// Status, captured, refunded; none if the provider was never asked.
    payment: Option<(String, i64, i64)>,
    /// Its total; none if it was not recorded.
    sale: Option<i64>,
}

impl Books {
    pub fn new(services: BTreeMap<&'static str, Service>, service_secret: &str) -> Self {
        Self { services, service_secret: service_secret.to_owned(), client: Client::fresh() }
    }

    /// Waits until every checkout has ended, and nothing is owed between services.
    pub async fn at_rest(&self) {
        let start = Instant::now();
        loop {
            let live = self.number("checkout", "select count(*) from checkouts where ended_at is null").await;
            let owed = self.owed("orders").await + self.owed("sales").await;
            if (live, owed) == (0, 0) {
                return;
            }
            let passed = start.elapsed();
            assert!(passed < PROMISED, "after {passed:?} {live} checkouts have not ended, and {owed} effects are owed");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// That every service keeps its rules, and that the books of all agree.
    pub async fn audited(&self) -> Vec<Entry> {
        for name in self.services.keys() {
            assert_eq!(self.violations(name).await, json!([]), "{name} breaks its own rules");
        }
        let entries = self.entries().await;
        for entry in &entries {
            entry.is_settled();
        }
        self.nothing_is_lost().await;
        entries
    }

    async fn violations(&self, name: &str) -> Value {
        let headers = [("x-service-name", "reports"), ("x-service-secret", self.service_secret.as_str())];
        let url = format!("http://{}/internal/v1/audit", self.services[name].address);
        let answer = self.client.send(client::request(Method::GET, &url, &headers)).await;
        answer.expect_status(200).json()["data"].clone()
    }

    async fn entries(&self) -> Vec<Entry> {
        type Row = (Uuid, String, Uuid, Uuid, Uuid);
        let sql = "select cart_id, state, order_id, reservation_id, payment_id from checkouts order by id";
        let checkouts: Vec<Row> = self.rows("checkout", sql).await;
        let orders: Vec<(Uuid, String, i64, i64)> =
            self.rows("orders", "select id, status, captured_cents, refunded_cents from orders").await;
        let reservations: Vec<(Uuid, String)> = self.rows("inventory", "select id, status from reservations").await;
        let sql = "select id, status, case status when 'captured' then amount_cents else 0 end, refunded_cents
            from provider_payments";
        let payments: Vec<(Uuid, String, i64, i64)> = self.rows("checkout", sql).await;
        let sales: Vec<(Uuid, i64)> =
            self.rows("sales", "select order_id, total_cents from sales where order_id is not null").await;
        let sales: BTreeMap<Uuid, i64> = sales.into_iter().collect();
        let money = |rows: Vec<(Uuid, String, i64, i64)>| -> BTreeMap<Uuid, (String, i64, i64)> {
            rows.into_iter().map(|(id, status, captured, refunded)| (id, (status, captured, refunded))).collect()
        };
        let (orders, payments) = (money(orders), money(payments));
        let reservations: BTreeMap<Uuid, String> = reservations.into_iter().collect();
        let entry = |(cart, state, order, reservation, payment): Row| Entry {
            cart,
            state,
            order: orders.get(&order).cloned(),
            reservation: reservations.get(&reservation).cloned(),
            payment: payments.get(&payment).cloned(),
            sale: sales.get(&order).copied(),
        };
        checkouts.into_iter().map(entry).collect()
    }

    /// What is not on the shelves any more, or never was, is what orders have that were confirmed and not cancelled,
    /// and what tills have sold and not taken back in good condition.
    async fn nothing_is_lost(&self) {
        let ordered =
            "select l.product_id, sum(l.quantity)::bigint from order_lines l join orders o on o.id = l.order_id
            where o.status not in ('pending', 'cancelled') group by l.product_id";
        let sold = "select product_id, sum(units)::bigint from (
                select l.product_id, l.quantity as units from sale_lines l join sales s on s.id = l.sale_id
                where s.channel = 'store' and s.status = 'completed'
                union all
                select l.product_id, -b.quantity from return_lines b
                join sale_lines l on l.sale_id = b.sale_id and l.line = b.line where b.disposition = 'resalable'
            ) as units group by product_id";
        let gone = "select product_id, sum(units)::bigint from (
                select product_id, -delta as units from movements
                where kind in ('order', 'sale', 'return') or reference like 'write-off/%'
                union all
                select product_id, quantity from discrepancies where kind = 'sold_without_stock'
            ) as units group by product_id having sum(units) <> 0 order by product_id";
        let mut left: BTreeMap<i64, i64> = BTreeMap::new();
        for (service, sql) in [("orders", ordered), ("sales", sold)] {
            for (product, units) in self.rows::<(i64, i64)>(service, sql).await {
                *left.entry(product).or_default() += units;
            }
        }
        left.retain(|_, units| *units != 0);
        let gone: Vec<(i64, i64)> = self.rows("inventory", gone).await;
        assert_eq!(gone, left.into_iter().collect::<Vec<_>>(), "what left the shelves and what was sold");
        let promised = self.number("inventory", "select count(*) from stock where reserved <> 0").await;
        assert_eq!(promised, 0, "units are promised to nobody");
    }

    /// What a service has decided and not told all others yet.
    pub async fn owed(&self, service: &str) -> i64 {
        self.number(service, "select count(*) from effects where done_at is null").await
    }

    pub async fn number(&self, service: &str, sql: &str) -> i64 {
        let [(number,)] = self.rows(service, sql).await[..] else { panic!("{sql}: one number") };
        number
    }

    async fn rows<T: for<'r> FromRow<'r, PgRow> + Send + Unpin>(&self, service: &str, sql: &str) -> Vec<T> {
        let database = &self.services[service].database;
        let mut connection = PgConnection::connect_with(database).await.expect("the database answers");
        sqlx::query_as(AssertSqlSafe(sql)).fetch_all(&mut connection).await.expect("rows")
    }
}

impl Entry {
    /// Paid, ordered, and the units are gone; or none of it (invariants 8, 9 and 14).
    fn is_settled(&self) {
        let status = |of: &Option<(String, i64, i64)>| of.as_ref().map(|(status, _, _)| status.clone());
        let kept =
            |of: &Option<(String, i64, i64)>| of.as_ref().map_or(0, |(_, captured, refunded)| captured - refunded);
        let (order, payment) = (status(&self.order), status(&self.payment));
        let (order, payment, reservation) = (order.as_deref(), payment.as_deref(), self.reservation.as_deref());
        assert_eq!(kept(&self.order), kept(&self.payment), "what orders and the provider think was paid: {self:?}");
        match self.state.as_str() {
            "completed" => {
                assert_eq!((payment, reservation), (Some("captured"), Some("committed")), "{self:?}");
                assert!(matches!(order, Some("confirmed" | "cancelled")), "{self:?}");
                assert_eq!(order == Some("cancelled"), kept(&self.payment) == 0, "{self:?}");
                assert_eq!(self.sale, self.order.as_ref().map(|(_, captured, _)| *captured), "{self:?}");
            }
            "failed" | "cancelled" => {
                assert_eq!((kept(&self.payment), self.sale), (0, None), "{self:?}");
                assert!(matches!(order, None | Some("cancelled")), "{self:?}");
                let given_back = matches!(reservation, None | Some("released" | "expired"));
                assert!(given_back || payment == Some("captured"), "{self:?}");
            }
            _ => panic!("it has not ended: {self:?}"),
        }
    }
}
