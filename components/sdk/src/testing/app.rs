//! A service in this process, and requests to it.

use super::TestDatabase;
use crate::audit::{Audit, Violation};
use crate::outbox::{Feed, Published};
use crate::{Client, Clock, Context, Db, Definition, Executor as _, Migration, Role, Secrets, app};
use axum::Router;
use axum::body::{Body, to_bytes};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::{Duration, Instant};
use tower::ServiceExt as _;

/// What a response of a test may be long.
const RESPONSE_BYTES_MAX: usize = 64 << 20;

/// How long an event may take to be shown, and how often one looks.
const SHOWN_WITHIN: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// A service with a database of its own.
#[derive(Debug)]
pub struct TestApp {
    router: Router,
    context: Context,
    database: Option<TestDatabase>,
}

/// A service that is being put together; by default the time is the system's and there is no other
/// service.
#[derive(Debug)]
pub struct TestAppBuilder {
    router: fn(Context) -> Router,
    name: &'static str,
    migrations: &'static [Migration],
    clock: Clock,
    http: Client,
    secrets: Secrets,
}

impl TestAppBuilder {
    /// What the host was given for the service.
    #[must_use]
    pub fn secrets(mut self, secrets: Secrets) -> Self {
        self.secrets = secrets;
        self
    }

    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// The other services: see [`Client::from_routers`].
    #[must_use]
    pub fn client(mut self, http: Client) -> Self {
        self.http = http;
        self
    }

    pub async fn build(self) -> TestApp {
        let database = TestDatabase::new(self.migrations).await;
        let db = database.db().clone();
        self.over(db, Some(database))
    }

    /// For routes that ask no database: none is needed for the test to run.
    #[must_use]
    pub fn without_database(self) -> TestApp {
        self.over(Db::from_host(), None)
    }

    /// Another replica over the same database.
    #[must_use]
    pub fn replica_of(self, other: &TestApp) -> TestApp {
        self.over(other.context.db.clone(), None)
    }

    fn over(self, db: Db, database: Option<TestDatabase>) -> TestApp {
        let context = Context { db, clock: self.clock, http: self.http, secrets: self.secrets };
        let router = app((self.router)(context.clone()), self.name, &context);
        TestApp { router, context, database }
    }
}

impl TestApp {
    pub async fn new(router: fn(Context) -> Router, name: &'static str, migrations: &'static [Migration]) -> Self {
        TestApp::builder(router, name, migrations).build().await
    }

    /// The service that `sdk::service!` defines.
    #[must_use]
    pub fn of(service: &Definition) -> TestAppBuilder {
        TestApp::builder(service.router, service.name, service.migrations)
    }

    #[must_use]
    pub fn builder(
        router: fn(Context) -> Router,
        name: &'static str,
        migrations: &'static [Migration],
    ) -> TestAppBuilder {
        let (clock, http) = (Clock::system(), Client::from_host());
        TestAppBuilder { router, name, migrations, clock, http, secrets: Secrets::from_host() }
    }

    #[must_use]
    pub fn context(&self) -> &Context {
        &self.context
    }

    #[must_use]
    pub fn db(&self) -> &Db {
        &self.context.db
    }

    /// # Panics
    /// When the database is not this app's own.
    #[must_use]
    pub fn database(&self) -> &TestDatabase {
        self.database.as_ref().expect("a database of its own")
    }

    /// See [`TestDatabase::warm_up`].
    pub async fn warm_up(&self) {
        self.database().warm_up().await;
    }

    /// The rules that the service says are broken.
    pub async fn violations(&self) -> Vec<Violation> {
        let audit = self.get("/internal/v1/audit").as_role(Role::Service).send().await;
        audit.expect_status(200).json::<Audit>().data
    }

    /// Every event, from the beginning. A feed ends before the oldest transaction of the whole server, which
    /// may be another test's: waits until it is shown to its end.
    ///
    /// # Panics
    /// When it is not, for half a minute.
    pub async fn events(&self) -> Vec<Published> {
        let written = "select count(*) from outbox";
        let (written,): (i64,) = self.db().query_one(written, Vec::new()).await.expect("an outbox");
        let deadline = Instant::now() + SHOWN_WITHIN;
        let (mut events, mut after) = (Vec::new(), String::new());
        while i64::try_from(events.len()).unwrap_or(i64::MAX) < written {
            let feed = self.get(format!("/internal/v1/events?limit=500{after}")).as_role(Role::Service).send().await;
            let feed: Feed = feed.expect_status(200).json();
            if feed.data.is_empty() {
                assert!(Instant::now() < deadline, "{} of {written} events are shown", events.len());
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            events.extend(feed.data);
            if let Some(cursor) = feed.next_cursor {
                after = format!("&after={}", cursor.as_str());
            }
        }
        events
    }

    /// For another service's [`Client::from_routers`].
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    #[must_use]
    pub fn get(&self, path: impl AsRef<str>) -> TestRequest {
        self.request(Method::GET, path)
    }

    #[must_use]
    pub fn post(&self, path: impl AsRef<str>) -> TestRequest {
        self.request(Method::POST, path)
    }

    #[must_use]
    pub fn put(&self, path: impl AsRef<str>) -> TestRequest {
        self.request(Method::PUT, path)
    }

    #[must_use]
    pub fn patch(&self, path: impl AsRef<str>) -> TestRequest {
        self.request(Method::PATCH, path)
    }

    #[must_use]
    pub fn delete(&self, path: impl AsRef<str>) -> TestRequest {
        self.request(Method::DELETE, path)
    }

    #[must_use]
    pub fn request(&self, method: Method, path: impl AsRef<str>) -> TestRequest {
        let request = Request::builder().method(method).uri(path.as_ref());
        let request = request.body(Body::empty()).expect("a path and query");
        TestRequest { router: self.router.clone(), request }
    }
}

/// A request; what it is sent to is in it, so that it can be spawned.
#[derive(Debug)]
pub struct TestRequest {
    router: Router,
    request: Request<Body>,
}

impl TestRequest {
    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<str>) -> Self {
        let name: HeaderName = name.parse().expect("a header's name");
        let value = HeaderValue::from_str(value.as_ref()).expect("a header's value");
        self.request.headers_mut().insert(name, value);
        self
    }

    /// As the gateway or another host would say it.
    #[must_use]
    pub fn as_role(self, role: Role) -> Self {
        let group = match role {
            Role::Anonymous => return self,
            Role::Service => return self.header("x-service-name", "test"),
            Role::Customer => "customer",
            Role::Pos => "pos",
            Role::Manager => "manager",
            Role::Logistics => "logistics",
            Role::Hq => "hq",
        };
        self.header("x-consumer-username", format!("{group}-1")).header("x-consumer-groups", group)
    }

    /// A customer, as the gateway vouches for the token of one.
    #[must_use]
    pub fn as_customer(self, id: i64) -> Self {
        let claims = URL_SAFE_NO_PAD.encode(serde_json::json!({"sub": id.to_string()}).to_string());
        self.as_role(Role::Customer).header("authorization", format!("Bearer e30.{claims}.c2lnbmVk"))
    }

    #[must_use]
    pub fn idempotency_key(self, key: impl AsRef<str>) -> Self {
        self.header("idempotency-key", key)
    }

    #[must_use]
    pub fn json(self, body: &(impl Serialize + ?Sized)) -> Self {
        let body = serde_json::to_vec(body).expect("a body that is JSON");
        self.body("application/json", body)
    }

    #[must_use]
    pub fn body(mut self, content_type: &'static str, body: impl Into<Body>) -> Self {
        *self.request.body_mut() = body.into();
        self.header(CONTENT_TYPE.as_str(), content_type)
    }

    pub async fn send(self) -> TestResponse {
        let response = match self.router.oneshot(self.request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, RESPONSE_BYTES_MAX).await.expect("a whole body");
        TestResponse { status: parts.status, headers: parts.headers, body }
    }
}

/// An answer, whole.
#[derive(Clone, Debug)]
pub struct TestResponse {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl TestResponse {
    /// The header's value; empty when there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as a `T`, such as `serde_json::Value`.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body).unwrap_or_else(|err| panic!("{err}: {} {}", self.status, self.text()))
    }

    /// This response, when it has that status.
    ///
    /// # Panics
    /// When it has another, with the body.
    #[track_caller]
    #[must_use]
    pub fn expect_status(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self
    }

    /// The body of a problem, with what differs from run to run (`request_id`) replaced: for
    /// comparison as a whole.
    ///
    /// # Panics
    /// When this is no problem, or its status is not the response's.
    #[track_caller]
    #[must_use]
    pub fn problem(&self) -> Value {
        let content_type = self.header(CONTENT_TYPE.as_str());
        assert_eq!(content_type, "application/problem+json", "{} {}", self.status, self.text());
        let mut problem: Value = self.json();
        assert_eq!(problem.get("status"), Some(&self.status.as_u16().into()));
        if let Some(id) = problem.get_mut("request_id") {
            *id = "<request-id>".into();
        }
        problem
    }

    /// [`TestResponse::problem`], of that status and code.
    ///
    /// # Panics
    /// When it is another.
    #[track_caller]
    pub fn expect_problem(&self, status: u16, code: &str) -> Value {
        let problem = self.problem();
        let found = (self.status.as_u16(), problem.get("code").and_then(Value::as_str));
        assert_eq!(found, (status, Some(code)), "{problem}");
        problem
    }
}
