//! All or nothing.

use std::sync::Arc;
use std::time::Duration;

use comptoir_postgres::{Error, Isolation, Options, Pool, Value};

use crate::support::{at_rest, eventually, only, options, schema, single};

async fn count(pool: &Pool, table: &str) -> Value {
    only(pool.query(&format!("select count(*) from {table}"), vec![]).await.unwrap())
}

#[tokio::test]
async fn committed_it_lasts_and_otherwise_it_does_not() {
    schema("create table ledger (n int)").await;
    let pool = Pool::new(single("transactions_all").await);
    let insert = "insert into ledger values ($1)";
    let transaction = pool.begin(Isolation::default()).await.unwrap();
    assert_eq!(transaction.execute(insert, vec![Value::Int32(1)]).await, Ok(1));
    transaction.commit().await.unwrap();
    let transaction = pool.begin(Isolation::default()).await.unwrap();
    transaction.execute(insert, vec![Value::Int32(2)]).await.unwrap();
    transaction.rollback().await.unwrap();
    let transaction = pool.begin(Isolation::default()).await.unwrap();
    transaction.execute(insert, vec![Value::Int32(3)]).await.unwrap();
    drop(transaction);
    // The only connection is free again when it is rolled back.
    assert_eq!(count(&pool, "ledger").await, Value::Int64(1));
    at_rest(&pool).await;
    assert_eq!(pool.status().idle, 1);
}

#[tokio::test]
async fn a_dropped_transaction_gives_up_its_locks_at_once() {
    schema("create table locked (n int); insert into locked values (1)").await;
    let pool = Pool::new(options("transactions_locks").await);
    let transaction = pool.begin(Isolation::default()).await.unwrap();
    transaction.query("select n from locked for update", vec![]).await.unwrap();
    let skipping = "select n from locked for update skip locked";
    assert_eq!(pool.query(skipping, vec![]).await.unwrap().rows.len(), 0);
    drop(transaction);
    eventually("the row is free", async || pool.query(skipping, vec![]).await.unwrap().rows.len() == 1).await;
}

#[tokio::test]
async fn isolation_is_what_was_asked_for() {
    let pool = Pool::new(single("transactions_isolation").await);
    for (isolation, name) in [
        (Isolation::ReadCommitted, "read committed"),
        (Isolation::RepeatableRead, "repeatable read"),
        (Isolation::Serializable, "serializable"),
    ] {
        let transaction = pool.begin(isolation).await.unwrap();
        let shown = transaction.query("select current_setting('transaction_isolation')", vec![]).await.unwrap();
        assert_eq!(only(shown), Value::Text(name.into()));
        transaction.commit().await.unwrap();
    }
}

#[tokio::test]
async fn after_a_failed_statement_commit_is_an_error() {
    schema("create table failing (n int primary key)").await;
    let pool = Pool::new(single("transactions_failed").await);
    let transaction = pool.begin(Isolation::default()).await.unwrap();
    transaction.execute("insert into failing values (1)", vec![]).await.unwrap();
    let twice = transaction.execute("insert into failing values (1)", vec![]).await;
    assert!(matches!(twice, Err(Error::Database(error)) if error.sqlstate == "23505"));
    let after = transaction.query("select 1", vec![]).await;
    assert!(matches!(after, Err(Error::Database(error)) if error.sqlstate == "25P02"));
    let commit = transaction.commit().await;
    assert!(matches!(commit, Err(Error::Database(error)) if error.sqlstate == "25P02"));
    assert_eq!(count(&pool, "failing").await, Value::Int64(0));
}

#[tokio::test]
async fn a_refused_parameter_does_not_end_a_transaction() {
    let pool = Pool::new(single("transactions_refused").await);
    let transaction = pool.begin(Isolation::default()).await.unwrap();
    let refused = transaction.query("select $1::int4", vec![Value::Text("a".into())]).await;
    assert!(matches!(refused, Err(Error::InvalidParameter(_))));
    let refused = transaction.query("select 'NaN'::numeric", vec![]).await;
    assert!(matches!(refused, Err(Error::Conversion(_))));
    assert_eq!(only(transaction.query("select 1", vec![]).await.unwrap()), Value::Int32(1));
    transaction.commit().await.unwrap();
}

#[tokio::test]
async fn an_error_of_commit_is_the_databases() {
    schema(
        "create table late (n int constraint late_key unique deferrable initially deferred); \
         create table doctors (id int, on_call bool); insert into doctors values (1, true), (2, true)",
    )
    .await;
    let pool = Pool::new(options("transactions_commit").await);
    let transaction = pool.begin(Isolation::default()).await.unwrap();
    transaction.execute("insert into late values (1), (1)", vec![]).await.unwrap();
    let late = transaction.commit().await;
    assert!(matches!(late, Err(Error::Database(error)) if error.constraint.as_deref() == Some("late_key")));

    // Write skew: each leaves because the other stays.
    let (one, two) =
        (pool.begin(Isolation::Serializable).await.unwrap(), pool.begin(Isolation::Serializable).await.unwrap());
    for (transaction, id) in [(&one, 1), (&two, 2)] {
        transaction.query("select count(*) from doctors where on_call", vec![]).await.unwrap();
        let leave = "update doctors set on_call = false where id = $1";
        transaction.execute(leave, vec![Value::Int32(id)]).await.unwrap();
    }
    one.commit().await.unwrap();
    let skew = two.commit().await;
    assert!(matches!(skew, Err(Error::Database(error)) if error.sqlstate == "40001"));
    at_rest(&pool).await;
}

#[tokio::test]
async fn one_that_nobody_uses_is_rolled_back_by_the_server() {
    schema("create table waiting (n int)").await;
    let transaction_idle_timeout = Duration::from_millis(100);
    let pool = Pool::new(Options { transaction_idle_timeout, ..single("transactions_idle").await });
    let transaction = pool.begin(Isolation::default()).await.unwrap();
    transaction.execute("insert into waiting values (1)", vec![]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(400)).await;
    let late = transaction.execute("insert into waiting values (2)", vec![]).await;
    let why = "the transaction was not used for too long and was rolled back";
    assert_eq!(late, Err(Error::Unavailable(why.into())));
    assert!(matches!(transaction.commit().await, Err(Error::Unavailable(_))));
    assert_eq!(count(&pool, "waiting").await, Value::Int64(0));
}

#[tokio::test]
async fn statements_of_several_tasks_run_one_after_the_other() {
    let pool = Pool::new(single("transactions_tasks").await);
    let transaction = Arc::new(pool.begin(Isolation::default()).await.unwrap());
    let tasks: Vec<_> = (0..20)
        .map(|n| {
            let transaction = Arc::clone(&transaction);
            tokio::spawn(
                async move { only(transaction.query("select $1::int4", vec![Value::Int32(n)]).await.unwrap()) },
            )
        })
        .collect();
    for (n, task) in (0..).zip(tasks) {
        assert_eq!(task.await.unwrap(), Value::Int32(n));
    }
    Arc::into_inner(transaction).unwrap().commit().await.unwrap();
}
