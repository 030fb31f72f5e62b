//! The service at an instant that does not move by itself, and the requests that tests have in common.

use customers::SERVICE;
use jiff::{SignedDuration, Timestamp};
use sdk::testing::{TestApp, TestRequest, TestResponse};
use sdk::{Clock, Executor, FromRow, Role, Secrets, params};
use serde_json::{Value, json};

/// What tokens are signed with.
pub const KEY: &str = "0123456789abcdef0123456789abcdef";
/// Everybody's, unless a test is about passwords.
pub const PASSWORD: &str = "quatre chats gris jouent";

/// The service, and its clock.
pub struct Desk {
    pub app: TestApp,
    pub clock: Clock,
}

/// Somebody with an account.
#[derive(Clone, Debug)]
pub struct Somebody {
    pub id: i64,
    pub email: String,
}

impl Somebody {
    pub fn path(&self) -> String {
        format!("/api/v1/customers/{}", self.id)
    }
}

impl Desk {
    pub async fn open() -> Desk {
        Desk::with_secrets(Secrets::fixed([("token-key", KEY)])).await
    }

    pub async fn with_secrets(secrets: Secrets) -> Desk {
        let clock = Clock::fixed(noon());
        let app = TestApp::of(&SERVICE).clock(clock.clone()).secrets(secrets).build().await;
        Desk { app, clock }
    }

    pub fn pass(&self, by: SignedDuration) {
        self.clock.advance(by);
    }

    /// An account for `<name>@example.com`.
    pub async fn register(&self, name: &str) -> Somebody {
        let body = newcomer(name);
        let made = self.app.post("/api/v1/customers").json(&body).send().await.expect_status(201);
        Somebody { id: int(&made.json::<Value>()["id"]), email: body["email"].as_str().unwrap().to_owned() }
    }

    pub fn login(&self, email: &str, password: &str) -> TestRequest {
        self.app.post("/api/v1/auth/login").json(&json!({"email": email, "password": password}))
    }

    /// Signs in; the answer.
    pub async fn signed_in(&self, who: &Somebody) -> Value {
        self.login(&who.email, PASSWORD).send().await.expect_status(200).json()
    }

    pub fn refresh(&self, token: &Value) -> TestRequest {
        self.app.post("/api/v1/auth/refresh").json(&json!({"refresh_token": token}))
    }

    pub fn logout(&self, token: &Value) -> TestRequest {
        self.app.post("/api/v1/auth/logout").json(&json!({"refresh_token": token}))
    }

    /// Somebody asks about themself.
    pub async fn read(&self, who: &Somebody) -> TestResponse {
        self.app.get(who.path()).as_customer(who.id).send().await.expect_status(200)
    }

    pub async fn etag(&self, who: &Somebody) -> String {
        self.read(who).await.header("etag").to_owned()
    }

    pub async fn erase(&self, who: &Somebody) {
        let etag = self.etag(who).await;
        let delete = self.app.delete(who.path()).as_customer(who.id).header("if-match", etag);
        let _ = delete.send().await.expect_status(204);
    }

    /// Adds an address; it.
    pub async fn address(&self, who: &Somebody, line1: &str) -> Value {
        let post = self.app.post(format!("{}/addresses", who.path())).as_customer(who.id);
        post.json(&address(line1)).send().await.expect_status(201).json()
    }

    /// What another service asks for.
    pub fn points(&self, reference: &str, who: i64, kind: &str, points: i64) -> TestRequest {
        let body = json!({"customer_id": who, "kind": kind, "points": points});
        self.app.put(format!("/internal/v1/loyalty/{reference}")).as_role(Role::Service).json(&body)
    }

    /// The rules that the service says are broken.
    pub async fn audit(&self) -> Value {
        json!(self.app.violations().await)
    }

    /// Every event, from the beginning.
    pub async fn events(&self) -> Vec<Value> {
        self.app.events().await.into_iter().map(|event| json!(event)).collect()
    }

    /// What a statement selects.
    pub async fn select<T: FromRow>(&self, sql: &str) -> Vec<T> {
        self.app.db().query(sql, params![]).await.unwrap()
    }

    pub async fn count(&self, table: &str) -> i64 {
        self.select::<(i64,)>(&format!("select count(*) from {table}")).await[0].0
    }

    /// Everything in the database, as text: to look for what must not be there.
    pub async fn everything(&self) -> String {
        let mut text = String::new();
        for table in [
            "customers",
            "addresses",
            "token_families",
            "login_attempts",
            "loyalty_accounts",
            "loyalty_entries",
            "outbox",
        ] {
            for (row,) in self.select::<(String,)>(&format!("select t::text from {table} t")).await {
                text.push_str(&row);
                text.push('\n');
            }
        }
        let answers = "select principal || headers::text || convert_from(body, 'UTF8') from idempotency_keys";
        for (row,) in self.select::<(String,)>(answers).await {
            text.push_str(&row);
        }
        text
    }
}

/// Sends all of them at once, from several threads: each has a line of its own for hashing, as each
/// instance of the component has. For tests of the flavour `multi_thread`.
pub async fn at_once(requests: impl IntoIterator<Item = TestRequest>) -> Vec<TestResponse> {
    let sent: Vec<_> = requests.into_iter().map(|request| tokio::spawn(request.send())).collect();
    let mut answers = Vec::new();
    for answer in sent {
        answers.push(answer.await.unwrap());
    }
    answers
}

pub fn noon() -> Timestamp {
    "2026-11-23T17:00:00Z".parse().unwrap()
}

pub fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

pub fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

pub fn newcomer(name: &str) -> Value {
    json!({
        "email": format!("{name}@example.com"), "password": PASSWORD, "name": format!("{name} Tremblay"),
        "phone": "+1 514 555 0123", "language": "fr",
    })
}

pub fn address(line1: &str) -> Value {
    json!({
        "recipient": "Marie Tremblay", "line1": line1, "city": "Montréal", "province": "QC", "postal_code": "h2x1y4",
    })
}

pub fn int(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("no integer: {value}"))
}

/// Pointer and code of every error of a 422.
#[track_caller]
pub fn errors(response: &TestResponse) -> Vec<(String, String)> {
    let problem = response.expect_problem(422, "validation-failed");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let error = |error: &Value| (text(&error["pointer"]), text(&error["code"]));
    problem["errors"].as_array().unwrap().iter().map(error).collect()
}

#[track_caller]
pub fn assert_error(response: &TestResponse, pointer: &str, code: &str) {
    assert_eq!(errors(response), [(pointer.to_owned(), code.to_owned())]);
}
