//! The feed: every event once, in an order that a reader can rely on; and nobody but services reads it.

use crate::service::{SERVICE, app};
use sdk::outbox::{Event, Feed, publish, written};
use sdk::testing::TestApp;
use sdk::{DbError, Executor, Role, Tx, params};
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::sync::Barrier;

fn event(subject: &str, version: i64) -> Event {
    Event::new("note.changed", subject, version, &json!({"title": "a", "version": version})).unwrap()
}

async fn happened(app: &TestApp, events: Vec<Event>) {
    let (context, events) = (app.context(), &events);
    app.db().transaction(|tx| async move { publish(&tx, context, events.clone()).await }).await.unwrap();
}

async fn read(app: &TestApp, query: &str) -> Feed {
    app.get(format!("/internal/v1/events?{query}")).as_role(Role::Service).send().await.expect_status(200).json()
}

/// A page when everything that was told is shown: no older transaction runs, of whatever database, of tests beside this
/// one as well.
async fn read_shown(app: &TestApp, query: &str) -> Feed {
    let shown = async {
        loop {
            let feed = read(app, query).await;
            if feed.horizon.shows(feed.horizon.newest) {
                return feed;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), shown).await.unwrap()
}

fn subjects(feed: &Feed) -> Vec<String> {
    feed.data.iter().map(|event| format!("{} {}", event.subject, event.subject_version)).collect()
}

#[tokio::test]
async fn events_are_read_page_by_page_in_the_order_of_their_writing() {
    let app = app().await;
    assert_eq!(read(&app, "").await.next_cursor, None);
    happened(&app, vec![event("a", 1), event("b", 1)]).await;
    let first = read_shown(&app, "limit=2").await;
    happened(&app, vec![event("a", 2)]).await;
    assert_eq!(subjects(&first), ["a 1", "b 1"]);
    assert_eq!(first.data[0].kind, "note.changed");
    assert_eq!(first.data[0].payload, json!({"title": "a", "version": 1}));
    let cursor = first.next_cursor.unwrap();
    let second = read_shown(&app, &format!("limit=2&after={}", cursor.as_str())).await;
    assert_eq!(subjects(&second), ["a 2"]);
    // The end is a place to come back to.
    let end = second.next_cursor.unwrap();
    let nothing = read(&app, &format!("after={}", end.as_str())).await;
    assert_eq!((nothing.data.len(), nothing.next_cursor.as_ref()), (0, Some(&end)));
    happened(&app, vec![event("c", 1)]).await;
    assert_eq!(subjects(&read_shown(&app, &format!("after={}", end.as_str())).await), ["c 1"]);
}

#[tokio::test]
async fn an_event_is_of_the_transaction_that_it_tells_of() {
    let app = app().await;
    let context = app.context();
    let fails = |tx: Tx| async move {
        publish(&tx, context, vec![event("a", 1)]).await?;
        Err::<(), _>(DbError::Unexpected("no".to_owned()))
    };
    app.db().transaction(fails).await.unwrap_err();
    assert_eq!(read(&app, "").await.data, []);
    // Nor are there two of one version: the second change was not made on what it thought it was.
    happened(&app, vec![event("a", 1)]).await;
    let again = |tx: Tx| async move { publish(&tx, context, vec![event("a", 1)]).await };
    assert!(app.db().transaction(again).await.is_err());
}

/// One that began first and ends last: whoever orders by `seq` alone has passed it by then.
#[tokio::test]
async fn an_event_of_a_long_transaction_is_not_skipped() {
    let app = app().await;
    let context = app.context();
    let (written, released) = (Barrier::new(2), Barrier::new(2));
    let long = |tx: Tx| {
        let (written, released) = (&written, &released);
        async move {
            publish(&tx, context, vec![event("long", 1)]).await?;
            written.wait().await;
            released.wait().await;
            Ok::<_, DbError>(())
        }
    };
    let (result, before) = tokio::join!(app.db().transaction(long), async {
        written.wait().await;
        happened(&app, vec![event("short", 1)]).await;
        // Not before the other one, which may still be none; and it is said that there is something.
        let feed = read(&app, "").await;
        assert_eq!(subjects(&feed), [] as [String; 0]);
        assert!(!feed.horizon.shows(feed.horizon.newest), "{:?}", feed.horizon);
        released.wait().await;
        feed.horizon
    });
    result.unwrap();
    let all = read_shown(&app, "").await;
    assert_eq!(subjects(&all), ["long 1", "short 1"]);
    assert!(all.horizon.shows(before.newest), "{before:?} {:?}", all.horizon);
}

/// Transactions are counted, and their numbers grow by a digit now and then.
#[tokio::test]
async fn events_are_in_the_order_of_numbers_and_not_of_digits() {
    let app = app().await;
    for (xid, subject) in [(99, "b"), (100, "c"), (9, "a"), (101, "d")] {
        let sql = format!(
            "insert into outbox (xid, event_id, type, subject, subject_version, occurred_at, payload)
             values ('{xid}'::xid8, gen_random_uuid(), 'note.changed', '{subject}', 1, now(), '{{}}')"
        );
        app.database().administer(&sql).await;
    }
    let (mut found, mut after) = (Vec::new(), String::new());
    for _ in 0..4 {
        let feed = read(&app, &format!("limit=1{after}")).await;
        found.extend(subjects(&feed));
        after = format!("&after={}", feed.next_cursor.unwrap().as_str());
    }
    assert_eq!(found, ["a 1", "b 1", "c 1", "d 1"]);
}

/// Many writers, some of them slow, and a reader that never looks back.
#[tokio::test]
async fn a_reader_beside_writers_misses_nothing_and_sees_nothing_twice() {
    const WRITERS: usize = 4;
    const EVENTS: i64 = 25;
    let app = app().await;
    let writers = (0..WRITERS).map(|writer| {
        let app = &app;
        async move {
            for version in 1..=EVENTS {
                let write = |tx: Tx| async move {
                    publish(&tx, app.context(), vec![event(&format!("w{writer}"), version)]).await?;
                    if version % 5 == 0 {
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                    Ok::<_, DbError>(())
                };
                app.db().transaction(write).await.unwrap();
            }
        }
    });
    let reader = async {
        let (mut seen, mut after, mut count) = (BTreeSet::new(), String::new(), 0);
        while seen.len() < WRITERS * usize::try_from(EVENTS).unwrap() {
            let feed = read(&app, &format!("limit=7{after}")).await;
            for subject in subjects(&feed) {
                count += 1;
                assert!(seen.insert(subject.clone()), "{subject} came twice");
            }
            if let Some(cursor) = feed.next_cursor {
                after = format!("&after={}", cursor.as_str());
            }
        }
        count
    };
    let all = async {
        let (_, count) = tokio::join!(futures_util::future::join_all(writers), reader);
        count
    };
    let count = tokio::time::timeout(Duration::from_secs(60), all).await.expect("an event was skipped");
    assert_eq!(count, WRITERS * usize::try_from(EVENTS).unwrap());
}

#[tokio::test]
async fn the_feed_and_the_audit_are_for_services() {
    let app = TestApp::of(&SERVICE).build().await;
    for path in ["/internal/v1/events", "/internal/v1/audit"] {
        app.get(path).send().await.expect_problem(401, "authentication-required");
        app.get(path).as_role(Role::Hq).send().await.expect_problem(403, "forbidden");
    }
    for query in ["limit=0", "limit=501", "after=junk", "since=x"] {
        let answer = app.get(format!("/internal/v1/events?{query}")).as_role(Role::Service).send().await;
        assert_eq!(answer.status, 400, "{query}");
    }
}

#[tokio::test]
async fn an_audit_shows_what_breaks_a_rule() {
    let app = app().await;
    let audit = async || -> sdk::audit::Audit {
        app.get("/internal/v1/audit").as_role(Role::Service).send().await.expect_status(200).json()
    };
    assert_eq!(audit().await.data, []);
    app.database().administer("update counters set value = -1 where name = 'a'").await;
    let found = audit().await.data;
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].invariant.as_str(), &found[0].offender),
        ("counters-count-up", &json!({"name": "a", "value": -1}))
    );
}

#[tokio::test]
async fn a_statement_can_publish_what_it_changes_and_only_that() {
    const CHANGE: &str = concat!(
        "with changed as (select 1 where $1), told as (",
        sdk::outbox_insert!("changed", "$2"),
        " returning seq) select count(*) from told"
    );
    let app = app().await;
    for (changed, expected) in [(false, 0), (true, 2)] {
        let events = written(app.context(), vec![event("b", 1), event("a", 1)]);
        let (told,): (i64,) = app.db().query_one(CHANGE, params![changed, events]).await.unwrap();
        assert_eq!(told, expected);
    }
    let feed = read_shown(&app, "").await;
    assert_eq!(subjects(&feed), ["b 1", "a 1"]);
    assert_eq!(feed.data[0].payload, json!({"title": "a", "version": 1}));
    assert_eq!(feed.data[0].occurred_at.as_second(), app.context().clock.now().as_second());
}
