//! Transactions: all or nothing, and run again when PostgreSQL asks for it.

use crate::service::app;
use sdk::{Db, DbError, Executor, Isolation, Problem, Tx, params};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::Barrier;

async fn value(db: &impl Executor, name: &str) -> i64 {
    let sql = "select value from counters where name = $1";
    let (value,): (i64,) = db.query_one(sql, params![name]).await.unwrap();
    value
}

async fn set(tx: &Tx, name: &str, value: i64) -> Result<u64, DbError> {
    tx.execute("update counters set value = $2 where name = $1", params![name, value]).await
}

/// Sets `target` to one more than `source`, like another that does the reverse at the same time.
async fn write_skew(db: &Db, source: &str, target: &str, both: &Barrier, attempts: &AtomicU32) {
    let increment = |tx: Tx| async move {
        let attempt = attempts.fetch_add(1, Ordering::Relaxed);
        let found = value(&tx, source).await;
        if attempt < 2 {
            both.wait().await;
        }
        set(&tx, target, found + 1).await.map(|_| ())
    };
    db.transaction_with(Isolation::Serializable, increment).await.unwrap();
}

#[tokio::test]
async fn serializable_transactions_that_collide_are_run_again() {
    let app = app().await;
    let (both, attempts) = (Barrier::new(2), AtomicU32::new(0));
    tokio::join!(write_skew(app.db(), "a", "b", &both, &attempts), write_skew(app.db(), "b", "a", &both, &attempts),);
    assert!(attempts.load(Ordering::Relaxed) >= 3, "one of them was run again");
    // One after the other, in either order; both at once would be 1 and 1.
    let mut values = [value(app.db(), "a").await, value(app.db(), "b").await];
    values.sort_unstable();
    assert_eq!(values, [1, 2]);
}

#[tokio::test]
async fn a_transaction_that_fails_leaves_nothing() {
    let app = app().await;
    let fail = |tx: Tx| async move {
        set(&tx, "a", 7).await?;
        Err::<(), _>(Problem::conflict("no"))
    };
    let problem = app.db().transaction(fail).await.unwrap_err();
    assert_eq!(problem.get_code(), "no");
    assert_eq!(value(app.db(), "a").await, 0);
}

#[tokio::test]
async fn a_transaction_that_is_dropped_leaves_nothing() {
    let app = app().await;
    let begun = Barrier::new(2);
    let hang = |tx: Tx| {
        let begun = &begun;
        async move {
            set(&tx, "a", 7).await?;
            begun.wait().await;
            std::future::pending::<Result<(), DbError>>().await
        }
    };
    tokio::select! {
        _ = app.db().transaction(hang) => unreachable!("it hangs"),
        _ = begun.wait() => {}
    }
    // Waits for the lock of the row until the other is rolled back.
    let seven = app.db().execute("update counters set value = value + 1 where name = 'a'", params![]);
    assert_eq!(seven.await.unwrap(), 1);
    assert_eq!(value(app.db(), "a").await, 1);
}

#[tokio::test]
async fn what_fails_for_good_is_not_tried_again() {
    let app = app().await;
    let attempts = AtomicU32::new(0);
    let fail = |tx: Tx| {
        attempts.fetch_add(1, Ordering::Relaxed);
        async move { tx.execute("insert into counters values ('a', 0)", params![]).await }
    };
    let err = app.db().transaction(fail).await.unwrap_err();
    assert_eq!((err.sqlstate(), err.constraint()), (Some("23505"), Some("counters_pkey")));
    assert_eq!(attempts.into_inner(), 1);
}

#[tokio::test]
async fn contention_without_end_is_a_503_after_five_attempts() {
    let app = app().await;
    let attempts = AtomicU32::new(0);
    let collide = |_: Tx| {
        attempts.fetch_add(1, Ordering::Relaxed);
        async move {
            Err::<(), _>(Problem::from(DbError::Database {
                sqlstate: "40P01".to_owned(),
                message: "deadlock detected".to_owned(),
                detail: None,
                constraint: None,
                table: None,
            }))
        }
    };
    let problem = app.db().transaction(collide).await.unwrap_err();
    assert_eq!((problem.status().as_u16(), problem.get_code()), (503, "database-busy"));
    assert_eq!(attempts.into_inner(), 5);
}

#[tokio::test]
async fn a_handle_that_outlives_its_transaction_rolls_it_back() {
    let app = app().await;
    let kept = Mutex::new(None);
    let keep = |tx: Tx| {
        *kept.lock().unwrap() = Some(tx.clone());
        async move { set(&tx, "a", 7).await }
    };
    let err = app.db().transaction(keep).await.unwrap_err();
    assert!(matches!(err, DbError::Unexpected(_)), "{err}");
    drop(kept);
    let none = app.db().execute("update counters set value = value + 1 where name = 'a'", params![]);
    assert_eq!(none.await.unwrap(), 1);
    assert_eq!(value(app.db(), "a").await, 1);
}

#[tokio::test]
async fn round_trips_are_counted_with_what_begins_and_ends_a_transaction() {
    let app = app().await;
    let before = app.db().round_trips();
    value(app.db(), "a").await;
    assert_eq!(app.db().round_trips() - before, 1);
    app.db().transaction(|tx| async move { set(&tx, "a", 1).await }).await.unwrap();
    assert_eq!(app.db().round_trips() - before, 4);
}
