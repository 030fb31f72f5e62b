//! A platform that is bought from, and a Prometheus that looks at it: what is asked for is there.

use std::collections::BTreeSet;
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use super::names::names_in;
use super::silence::{How, Silence};
use super::{Dashboard, expressions};
use crate::journey::{Buyer, cart, check_out, order, total};
use crate::support::eventually;
use crate::support::platform::Platform;
use crate::support::prometheus::Prometheus;

/// Until the last query has an answer. Two scrapes are enough, but the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(200);

#[derive(Clone, Debug)]
struct Question {
    /// `uid/title` of a panel, or the name of a rule.
    place: String,
    query: String,
}

#[tokio::test]
async fn every_query_has_an_answer() {
    let platform = Platform::start().await;
    let prometheus = Prometheus::start(platform.admin_address()).await;
    let silence = Silence::read();
    tokio::select! {
        () = trade(&platform) => panic!("trade never ends"),
        () = everything_is_answered(&prometheus, &silence) => {}
    }
    names_are_known(&prometheus, &silence).await;
    silence_is_kept(&prometheus, &silence).await;
    nothing_fires(&prometheus).await;
    drop(prometheus);
    platform.stop().await;
}

/// Somebody looks, signs in, buys, and is turned away; again and again, for as long as it is looked at.
async fn trade(platform: &Platform) {
    for round in 0.. {
        let buyer = Buyer::register(platform, &format!("dashboards-{round}")).await;
        platform.get("/api/v1/products?limit=5").await.expect_status(200);
        platform.get("/api/v1/products/999999").await.expect_status(404);
        let key = platform.key("hq");
        let books = "/api/v1/reports/reconciliation";
        platform.send(Method::GET, books, &[("x-api-key", &key)], &Value::Null).await.expect_status(200);
        for (number, token) in ["tok_ok", "tok_500_once", "tok_declined"].into_iter().enumerate() {
            let cart = cart(platform, 1, 1).await;
            let body = order(&cart, &total(platform, &cart).await, token);
            let answer = check_out(platform, &buyer, &format!("dashboards-{round}-{number}"), &body).await;
            if token == "tok_ok" {
                call_off(platform, &buyer, &answer.expect_status(201).json()).await;
            }
        }
    }
}

/// After its payment: the order owes a refund and units.
async fn call_off(platform: &Platform, buyer: &Buyer, checkout: &Value) {
    let order = checkout["order_id"].as_str().expect("an order");
    let [authorization] = buyer.headers();
    let headers = [authorization, ("idempotency-key", order)];
    let path = format!("/api/v1/orders/{order}/cancel");
    platform.send(Method::POST, &path, &headers, &json!({})).await.expect_status(200);
}

fn panels() -> Vec<Question> {
    let mut questions = Vec::new();
    for dashboard in Dashboard::all() {
        for panel in dashboard.panels() {
            let place = format!("{}/{}", dashboard.uid(), panel["title"].as_str().expect("a title"));
            let question = |query: &str| Question { place: place.clone(), query: query.to_owned() };
            questions.extend(expressions(panel).map(question));
        }
    }
    questions
}

/// By what they record; an alert is asked for by what it looks at.
async fn recorded(prometheus: &Prometheus) -> Vec<Question> {
    let rules = prometheus.rules().await.into_iter().filter(|rule| rule["type"] == "recording");
    let name = |rule: &Value| rule["name"].as_str().expect("a name").to_owned();
    rules.map(|rule| Question { place: name(&rule), query: name(&rule) }).collect()
}

async fn everything_is_answered(prometheus: &Prometheus, silence: &Silence) {
    let mut open = panels();
    open.extend(recorded(prometheus).await);
    open.retain(|question| !silence.covers(&question.place, &question.query));
    let answered = tokio::time::timeout(PATIENCE, async {
        while !open.is_empty() {
            let mut silent = Vec::new();
            for question in &open {
                let numbers = prometheus.numbers(&question.query).await;
                if numbers.unwrap_or_else(|error| panic!("{}: {error}", question.place)) == 0 {
                    silent.push(question.clone());
                }
            }
            open = silent;
            tokio::time::sleep(PAUSE).await;
        }
    });
    if answered.await.is_err() {
        panic!("no answer to {open:#?}\nIf that is meant while all is well, put it into grafana/silent.txt");
    }
}

/// Of panels, rules and alerts alike: an alert on a name that is not there never fires.
async fn names_are_known(prometheus: &Prometheus, silence: &Silence) {
    let rules = prometheus.rules().await;
    let rules = rules.iter().map(|rule| rule["query"].as_str().expect("a query").to_owned());
    let used: BTreeSet<String> =
        panels().into_iter().map(|question| question.query).chain(rules).flat_map(|query| names_in(&query)).collect();
    let there = prometheus.names().await;
    // Prometheus makes it for alerts, and there is none.
    let own = |name: &str| name == "ALERTS";
    let is_known = |name: &&String| there.contains(*name) || silence.has_family(name) || own(name);
    let unknown: Vec<&String> = used.iter().filter(|name| !is_known(name)).collect();
    assert!(unknown.is_empty(), "asked for, and not there: {unknown:#?}");
    let listed = silence.families(How::Never).chain(silence.families(How::Seldom));
    let unused: Vec<&str> = listed.filter(|family| !used.contains(*family)).collect();
    assert!(unused.is_empty(), "in silent.txt, and asked for by nobody: {unused:?}");
}

/// A line of the list does not outlive its reason.
async fn silence_is_kept(prometheus: &Prometheus, silence: &Silence) {
    let there = prometheus.names().await;
    let mut speak: Vec<&str> = silence.families(How::Never).filter(|family| there.contains(*family)).collect();
    let panels = panels();
    for listed in silence.panels() {
        let mut asked = panels.iter().filter(|question| question.place == listed).peekable();
        assert!(asked.peek().is_some(), "silent.txt has {listed}, which is no panel");
        for question in asked {
            if prometheus.numbers(&question.query).await != Ok(0) {
                speak.push(listed);
            }
        }
    }
    assert!(speak.is_empty(), "these have an answer: remove them from grafana/silent.txt: {speak:#?}");
}

/// The rules can be evaluated, and what wakes somebody does not do so because of ordinary trade.
async fn nothing_fires(prometheus: &Prometheus) {
    eventually("all rules are evaluated", async || {
        prometheus.rules().await.iter().all(|rule| rule["health"] != "unknown")
    })
    .await;
    let rules = prometheus.rules().await;
    let amiss = |rule: &&Value| rule["health"] != "ok" || rule["state"] == "firing";
    let amiss: Vec<&Value> = rules.iter().filter(amiss).collect();
    assert!(amiss.is_empty(), "{amiss:#?}");
}
