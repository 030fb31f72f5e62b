//! The services of a purchase as production has them, a process each, with a gate before each and a
//! proxy before each database: what can be killed, cut and held on its own.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use futures_util::future::join_all;
use http::Method;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::books::{Books, Service};
use super::client::{self, Client, Response};
use super::database::Database;
use super::eventually;
use super::gate::Gate;
use super::host::{Host, Serve};
use super::proxy::Proxy;

const GATEWAY_SECRET: &str = "the-gateway";
const SERVICE_SECRET: &str = "the-services";

/// Each with the services that it calls.
const SERVICES: [(&str, &[&str]); 7] = [
    ("products", &[]),
    ("inventory", &[]),
    ("customers", &[]),
    ("cart", &["products"]),
    ("orders", &["inventory", "checkout"]),
    ("sales", &["products", "inventory"]),
    ("checkout", &["cart", "products", "inventory", "customers", "orders", "sales", "payments"]),
];

/// Two cokes and a juice.
pub const TOTAL: i64 = 1_118;

pub struct Shop {
    databases: BTreeMap<&'static str, (Database, Proxy)>,
    gates: BTreeMap<&'static str, Gate>,
    hosts: BTreeMap<&'static str, Host>,
    client: Client,
    customers: AtomicU32,
}

/// What a checkout is asked for, and by whom.
#[derive(Clone, Debug)]
pub struct Purchase {
    pub customer: i64,
    pub cart: String,
    pub key: String,
    pub body: Value,
}

impl Shop {
    pub async fn open() -> Self {
        let names = SERVICES.map(|(name, _)| name);
        let made = join_all(names.map(async |name| {
            let database = Database::new().await;
            let mut proxy = Proxy::new(database.address());
            proxy.connect();
            (name, (database, proxy))
        }));
        let databases = made.await.into_iter().collect();
        let nowhere = ([127, 0, 0, 1], 1).into();
        let gates = join_all(names.map(async |name| (name, Gate::new(nowhere).await)));
        let (gates, client) = (gates.await.into_iter().collect(), Client::keep_alive());
        let mut shop = Self { databases, gates, hosts: BTreeMap::new(), client, customers: AtomicU32::new(0) };
        let started = join_all(names.map(|name| shop.serve(name).start()));
        for (name, host) in names.into_iter().zip(started.await) {
            shop.gates[name].lead_to(host.address);
            shop.hosts.insert(name, host);
        }
        for name in names {
            shop.is_ready(name).await;
        }
        shop
    }

    fn serve(&self, name: &'static str) -> Serve {
        let (database, proxy) = &self.databases[name];
        let serve = Serve::service(name)
            .one_shard()
            .arg("--database-url", database.url_through(&proxy.address.to_string()))
            .arg("--database-connections", "8")
            .secret("--gateway-secret-file", GATEWAY_SECRET)
            .secret("--service-secret-file", SERVICE_SECRET)
            .granted("token-key", "0123456789abcdef0123456789abcdef");
        let (_, peers) = SERVICES.iter().find(|(known, _)| *known == name).expect("a service");
        peers.iter().fold(serve, |serve, peer| {
            // The provider is simulated by checkout itself.
            let served_by = if *peer == "payments" { "checkout" } else { peer };
            serve.peer(peer, self.gates[served_by].address)
        })
    }

    async fn is_ready(&self, name: &'static str) {
        let host = &self.hosts[name];
        eventually(&format!("{name} is ready"), async || host.admin("/ready").await.status == 200).await;
    }

    /// One more process of a service, over the same database.
    pub async fn replica(&self, name: &'static str) -> Host {
        let host = self.serve(name).start().await;
        eventually("the replica is ready", async || host.admin("/ready").await.status == 200).await;
        host
    }

    /// What stands before this service.
    pub fn gate(&self, name: &str) -> &Gate {
        &self.gates[name]
    }

    pub fn database(&mut self, name: &str) -> &mut Proxy {
        let (_, proxy) = self.databases.get_mut(name).expect("a service");
        proxy
    }

    pub fn host(&self, name: &str) -> &Host {
        &self.hosts[name]
    }

    /// At once, as the kernel does it.
    pub async fn kill(&mut self, name: &str) {
        let mut host = self.hosts.remove(name).expect("a running service");
        host.send(rustix::process::Signal::KILL);
        host.ended().await;
    }

    /// Another process over the same database, to which all calls go from now on; and the one before, if it is there.
    pub async fn restart(&mut self, name: &'static str) -> Option<Host> {
        let host = self.serve(name).start().await;
        self.gates[name].lead_to(host.address);
        let before = self.hosts.insert(name, host);
        self.is_ready(name).await;
        before
    }

    /// Those who had a checkout when they were killed will not come back for it: as if its lease were over.
    pub async fn leases_are_over(&self) {
        let (database, _) = &self.databases["checkout"];
        database.execute("update checkouts set due_at = now() where ended_at is null").await;
    }

    pub fn books(&self) -> Books {
        let service = |(name, _): &(&'static str, &[&str])| {
            let (database, _) = &self.databases[name];
            (*name, Service { address: self.hosts[name].address, database: database.options() })
        };
        Books::new(SERVICES.iter().map(service).collect(), SERVICE_SECRET)
    }

    /// A new account.
    pub async fn customer(&self) -> i64 {
        let name = format!("customer-{}", self.customers.fetch_add(1, Ordering::Relaxed));
        let body = json!({
            "email": format!("{name}@example.com"), "password": "quatre chats gris jouent", "name": name,
        });
        let made = self.send("customers", Method::POST, "/api/v1/customers", &[], &body).await.expect_status(201);
        made.json()["id"].as_i64().expect("a number")
    }

    /// A cart without anything in it.
    pub async fn cart(&self, customer: i64) -> String {
        let body = json!({"customer_id": customer});
        let made = self.send("cart", Method::POST, "/api/v1/carts", &[], &body).await.expect_status(201);
        made.json()["id"].as_str().expect("an id").to_owned()
    }

    /// Two cokes and a juice in a cart, to be delivered and paid with that token.
    pub async fn purchase(&self, customer: i64, token: &str) -> Purchase {
        let cart = self.cart(customer).await;
        for (product, quantity) in [(1, 2), (3, 1)] {
            let item = json!({"product_id": product, "quantity": quantity});
            let items = format!("/api/v1/carts/{cart}/items");
            self.send("cart", Method::POST, &items, &[], &item).await.expect_status(200);
        }
        let body = json!({
            "cart_id": cart, "fulfilment": delivery(), "payment": {"method": "card", "token": token},
            "expected_total": {"amount": TOTAL, "currency": "CAD"},
        });
        Purchase { customer, cart, key: uuid::Uuid::now_v7().to_string(), body }
    }

    /// As the gateway hands it on; an error is a process that went away.
    pub async fn check_out(&self, purchase: &Purchase) -> Result<Response, client::Error> {
        self.ask(purchase).await.expect("no panic")
    }

    /// The same in the background.
    pub fn ask(&self, purchase: &Purchase) -> JoinHandle<Result<Response, client::Error>> {
        let bearer = bearer(purchase.customer);
        let headers = [
            ("content-type", "application/json"),
            ("idempotency-key", purchase.key.as_str()),
            ("x-gateway-secret", GATEWAY_SECRET),
            ("x-consumer-username", "customer"),
            ("x-consumer-groups", "customer"),
            ("authorization", bearer.as_str()),
        ];
        let mut request = client::request(Method::POST, &self.hosts["checkout"].url("/api/v1/checkouts"), &headers);
        *request.body_mut() = client::whole(Bytes::from(purchase.body.to_string()));
        let client = self.client.clone();
        tokio::spawn(async move { client.try_send(request).await })
    }

    async fn send(
        &self,
        service: &str,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Response {
        let mut request = client::request(method, &self.hosts[service].url(path), headers);
        request.headers_mut().insert("content-type", "application/json".parse().expect("a header"));
        *request.body_mut() = client::whole(Bytes::from(body.to_string()));
        self.client.send(request).await
    }
}

/// The gateway has verified it; services read who it is about.
fn bearer(customer: i64) -> String {
    use base64::Engine as _;
    let claims = json!({"sub": customer.to_string()}).to_string();
    format!("Bearer e30.{}.c2lnbmVk", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(claims))
}

pub fn delivery() -> Value {
    json!({"method": "delivery", "address": {
        "recipient": "Marie Tremblay", "line1": "1000, rue De La Gauchetière O", "city": "Montréal",
        "province": "QC", "postal_code": "H3B 4W5",
    }})
}
