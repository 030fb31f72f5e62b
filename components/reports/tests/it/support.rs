//! A reports service between seven services in the small, which tell what a test has them tell; and the requests that
//! tests make.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::extract::{Query, State};
use axum::routing::get;
use axum::{Json, Router};
use jiff::{SignedDuration, Timestamp};
use reports::domain::Source;
use sdk::testing::{TestApp, TestRequest, TestResponse};
use sdk::{Client, Clock, Executor, FromRow, Role, params};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

/// One reports service, its clock, and those that it reads from.
pub struct Town {
    pub app: TestApp,
    pub clock: Clock,
    pub client: Client,
    pub told: Told,
}

/// What each service tells: its events, and what is wrong with it.
#[derive(Clone, Default)]
pub struct Told(Arc<Mutex<BTreeMap<String, Books>>>);

#[derive(Default)]
pub struct Books {
    pub events: Vec<Value>,
    /// Of them, the last ones that are not shown yet.
    pub held_back: usize,
    pub violations: Vec<Value>,
    /// The most bytes of an answer; more is cut off in the middle.
    pub bytes_max: Option<usize>,
    /// What was asked for so far: `after` and `limit`.
    pub asked: Vec<(usize, usize)>,
}

#[derive(Deserialize)]
struct Asked {
    after: Option<String>,
    limit: usize,
}

impl Told {
    pub fn books(&self) -> MutexGuard<'_, BTreeMap<String, Books>> {
        self.0.lock().unwrap()
    }

    pub fn tell(&self, source: Source, event: Value) {
        self.books().entry(source.as_str().to_owned()).or_default().events.push(event);
    }

    /// The feed and the audit of a service. A cursor is how many events are before it.
    pub fn router(&self, source: Source) -> Router {
        let name = source.as_str();
        let feed = move |State(told): State<Told>, Query(asked): Query<Asked>| async move {
            let after: usize = asked.after.map_or(0, |after| after.strip_prefix('c').unwrap().parse().unwrap());
            let mut books = told.books();
            let books = books.entry(name.to_owned()).or_default();
            books.asked.push((after, asked.limit));
            let (told, shown) = (books.events.len(), books.events.len() - books.held_back);
            let data: Vec<Value> = books.events[..shown].iter().skip(after).take(asked.limit).cloned().collect();
            let horizon = json!({"settled": shown + 1, "newest": (told > 0).then_some(told)});
            let next = after + data.len();
            let next_cursor = if next == 0 { Value::Null } else { json!(format!("c{next}")) };
            let mut body = json!({"data": data, "next_cursor": next_cursor, "horizon": horizon}).to_string();
            if let Some(most) = books.bytes_max.filter(|most| body.len() > *most) {
                body.truncate(most);
            }
            body
        };
        let audit = move |State(told): State<Told>| async move {
            let books = told.books();
            Json(json!({"data": books.get(name).map(|books| books.violations.clone()).unwrap_or_default()}))
        };
        let router = Router::new().route("/internal/v1/events", get(feed)).route("/internal/v1/audit", get(audit));
        router.with_state(self.clone())
    }
}

impl Town {
    /// At an instant that does not move by itself.
    pub async fn open() -> Town {
        Town::open_at("2026-11-24T17:00:00Z").await
    }

    pub async fn open_at(now: &str) -> Town {
        let clock = Clock::fixed(now.parse().unwrap());
        let (told, client) = (Told::default(), Client::from_routers(Vec::<(String, _)>::new()));
        for source in Source::ALL {
            client.connect(source.as_str(), told.router(*source));
        }
        let app = TestApp::of(&reports::SERVICE).clock(clock.clone()).client(client.clone()).build().await;
        Town { app, clock, client, told }
    }

    /// Another replica over the same database.
    pub fn replica(&self) -> TestApp {
        TestApp::of(&reports::SERVICE).clock(self.clock.clone()).client(self.client.clone()).replica_of(&self.app)
    }

    pub fn pass(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    pub fn tell(&self, source: Source, event: Value) {
        self.told.tell(source, event);
    }

    pub fn tell_all(&self, events: &[(Source, Value)]) {
        events.iter().for_each(|(source, event)| self.tell(*source, event.clone()));
    }

    /// Runs the task once.
    pub async fn consume(&self) {
        reports::tasks::consume(self.app.context().clone()).await.unwrap();
    }

    pub fn get(&self, path: &str) -> TestRequest {
        self.app.get(format!("/api/v1/reports/{path}")).as_role(Role::Hq)
    }

    pub async fn read(&self, path: &str) -> Value {
        self.get(path).send().await.expect_status(200).json()
    }

    pub async fn csv(&self, path: &str) -> TestResponse {
        self.get(path).header("accept", "text/csv").send().await.expect_status(200)
    }

    /// What the report says of a feed.
    pub async fn feed(&self, source: Source) -> Value {
        let body = self.read("freshness").await;
        body["data"].as_array().unwrap().iter().find(|feed| feed["source"] == source.as_str()).unwrap().clone()
    }

    pub async fn ask<T: FromRow>(&self, sql: &str) -> Vec<T> {
        self.app.db().query(sql, params![]).await.unwrap()
    }

    pub async fn count(&self, sql: &str) -> i64 {
        let (count,): (i64,) = self.app.db().query_one(sql, params![]).await.unwrap();
        count
    }

    /// Everything that is built from events, as it is.
    pub async fn tables(&self) -> BTreeMap<&'static str, Vec<Value>> {
        let mut all = BTreeMap::new();
        for table in reports::store::compare::TABLES {
            let sql = format!(
                "select to_jsonb(t) - '{}'::text[] as row from {} t
                    where epoch = (select epoch from epochs where state = 'live') order by {}",
                table.local, table.name, table.key
            );
            let rows: Vec<(Value,)> = self.ask(&sql).await;
            all.insert(table.name, rows.into_iter().map(|(row,)| row).collect());
        }
        all
    }

    /// That nothing is wrong with what was made of what was told.
    pub async fn audited(&self) {
        let violations: Vec<Value> = self.app.violations().await.into_iter().map(|found| json!(found)).collect();
        assert_eq!(violations, [] as [Value; 0]);
    }

    /// Name and offender of what does not agree.
    pub async fn broken(&self) -> Vec<(String, Value)> {
        let body = self.read("reconciliation?max_staleness_ms=0").await;
        let of = |broken: &Value| (broken["invariant"].as_str().unwrap().to_owned(), broken["offender"].clone());
        body["data"].as_array().unwrap().iter().map(of).collect()
    }
}

/// That both have the same rows in every table.
#[track_caller]
pub fn assert_same(found: &BTreeMap<&str, Vec<Value>>, expected: &BTreeMap<&str, Vec<Value>>) {
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (table, rows) in expected {
        let surplus: Vec<&Value> = found[table].iter().filter(|row| !rows.contains(row)).collect();
        let missing: Vec<&Value> = rows.iter().filter(|row| !found[table].contains(row)).collect();
        assert!(surplus.is_empty() && missing.is_empty(), "{table}: {surplus:?} instead of {missing:?}");
        assert_eq!(found[table].len(), rows.len(), "{table}");
    }
}

/// An event as a feed shows it.
pub fn event(kind: &str, subject: &str, version: i64, at: Timestamp, payload: Value) -> Value {
    json!({
        "event_id": Uuid::now_v7(), "type": kind, "subject": subject, "subject_version": version,
        "occurred_at": at, "traceparent": null, "payload": payload,
    })
}

pub fn money(cents: i64) -> Value {
    json!({"amount": cents, "currency": "CAD"})
}

#[track_caller]
pub fn int(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("no integer: {value}"))
}

#[track_caller]
pub fn cents(value: &Value) -> i64 {
    int(&value["amount"])
}

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}
