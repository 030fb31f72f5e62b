//! A connection is handed on clean: nothing of one caller is left for the next.

use comptoir_postgres::{Error, Isolation, Options, Pool, Value};

use crate::support::{at_rest, backend, eventually, only, options, run, schema, single};

#[tokio::test]
async fn statements_that_change_the_session_are_refused_before_they_are_sent() {
    let pool = Pool::new(single("sessions_refused").await);
    for sql in ["begin", "/* */ commit", "(rollback)", "set role postgres", "listen a", "; begin", "do $$ begin end $$"]
    {
        assert!(matches!(pool.query(sql, vec![]).await, Err(Error::InvalidParameter(_))), "{sql}");
        assert!(matches!(pool.execute(sql, vec![]).await, Err(Error::InvalidParameter(_))), "{sql}");
    }
    assert_eq!(pool.status().idle, 0);
    let transaction = pool.begin(Isolation::default()).await.unwrap();
    let savepoint = transaction.execute("savepoint a", vec![]).await;
    assert!(matches!(savepoint, Err(Error::InvalidParameter(why)) if why.contains("savepoints")));
    // It was not sent, so nothing failed.
    transaction.commit().await.unwrap();
}

#[tokio::test]
async fn a_setting_ends_with_its_connection() {
    let pool = Pool::new(single("sessions_setting").await);
    let first = backend(&pool).await;
    let set = pool.query("select set_config('statement_timeout', '0', false)", vec![]).await.unwrap();
    assert_eq!(only(set), Value::Text("0".into()));
    let shown = pool.query("select current_setting('statement_timeout')", vec![]).await.unwrap();
    assert_eq!(only(shown), Value::Text("5s".into()));
    assert_ne!(backend(&pool).await, first);
}

#[tokio::test]
async fn a_lock_of_a_session_ends_with_its_connection() {
    let (pool, other) = (Pool::new(single("sessions_lock").await), Pool::new(single("sessions_other").await));
    let transaction = pool.begin(Isolation::default()).await.unwrap();
    transaction.query("select pg_advisory_lock(4711)", vec![]).await.unwrap();
    let free = "select pg_try_advisory_xact_lock(4711)";
    assert_eq!(only(other.query(free, vec![]).await.unwrap()), Value::Boolean(false));
    transaction.commit().await.unwrap();
    eventually("the lock is free", async || only(other.query(free, vec![]).await.unwrap()) == Value::Boolean(true))
        .await;
}

#[tokio::test]
async fn a_temporary_table_ends_with_its_connection() {
    let pool = Pool::new(single("sessions_temporary").await);
    pool.execute("select 1 as a into temp passing", vec![]).await.unwrap();
    let gone = pool.query("select * from passing", vec![]).await;
    assert!(matches!(gone, Err(Error::Database(error)) if error.sqlstate == "42P01"));
}

#[tokio::test]
async fn a_lock_of_a_transaction_costs_no_connection() {
    let pool = Pool::new(single("sessions_xact").await);
    let first = backend(&pool).await;
    pool.query("select pg_advisory_xact_lock(4712)", vec![]).await.unwrap();
    assert_eq!(backend(&pool).await, first);
}

#[tokio::test]
async fn a_statement_prepared_before_a_migration_is_prepared_again() {
    schema("create table migrating (a int); insert into migrating values (1)").await;
    let pool = Pool::new(single("sessions_migrating").await);
    let sql = "select * from migrating";
    assert_eq!(pool.query(sql, vec![]).await.unwrap().columns.len(), 1);
    let first = backend(&pool).await;
    schema("alter table migrating add column b text default 'b'").await;
    let rows = pool.query(sql, vec![]).await.unwrap();
    assert_eq!(rows.rows, [[Value::Int32(1), Value::Text("b".into())]]);
    schema("alter table migrating alter column a type bigint").await;
    let inserted = pool.query("insert into migrating values (2) returning *", vec![]).await.unwrap();
    assert_eq!(inserted.rows[0][0], Value::Int64(2));
    assert_eq!(backend(&pool).await, first);
}

#[tokio::test]
async fn the_same_inside_a_transaction_is_an_error_once() {
    schema("create table migrating_inside (a int)").await;
    let pool = Pool::new(single("sessions_migrating_inside").await);
    let sql = "select * from migrating_inside";
    pool.query(sql, vec![]).await.unwrap();
    schema("alter table migrating_inside add column b int").await;
    let transaction = pool.begin(Isolation::default()).await.unwrap();
    let stale = transaction.query(sql, vec![]).await;
    assert!(matches!(stale, Err(Error::Database(error)) if error.sqlstate == "0A000"));
    assert!(matches!(transaction.commit().await, Err(Error::Database(error)) if error.sqlstate == "25P02"));
    let transaction = pool.begin(Isolation::default()).await.unwrap();
    assert_eq!(transaction.query(sql, vec![]).await.unwrap().columns.len(), 2);
    transaction.commit().await.unwrap();
}

#[tokio::test]
async fn a_statement_that_somebody_deallocated_is_prepared_again() {
    schema(
        "create function deallocate_all() returns int language plpgsql as \
         $$ begin execute 'deallocate all'; return 1; end $$",
    )
    .await;
    let pool = Pool::new(single("sessions_deallocated").await);
    assert_eq!(only(pool.query("select 5", vec![]).await.unwrap()), Value::Int32(5));
    pool.query("select deallocate_all()", vec![]).await.unwrap();
    assert_eq!(only(pool.query("select 5", vec![]).await.unwrap()), Value::Int32(5));
}

#[tokio::test]
async fn after_refresh_old_connections_are_not_used() {
    let pool = Pool::new(single("sessions_refresh").await);
    let first = backend(&pool).await;
    assert_eq!(backend(&pool).await, first);
    pool.refresh();
    let second = backend(&pool).await;
    assert_ne!(second, first);
    assert_eq!(backend(&pool).await, second);
}

#[tokio::test]
async fn a_connection_has_a_lifetime() {
    let pool = Pool::new(Options { max_lifetime: std::time::Duration::ZERO, ..single("sessions_lifetime").await });
    let first = backend(&pool).await;
    assert_ne!(backend(&pool).await, first);
}

#[tokio::test]
async fn more_statements_than_the_cache_keeps_are_no_trouble() {
    let pool = Pool::new(Options { statement_cache: 2, ..single("sessions_cache").await });
    for round in 0..3 {
        for n in 0..5 {
            let rows = pool.query(&format!("select {n} + $1::int4"), vec![Value::Int32(round)]).await.unwrap();
            assert_eq!(only(rows), Value::Int32(n + round));
        }
    }
    let kept = only(pool.query("select count(*) from pg_prepared_statements", vec![]).await.unwrap());
    assert_eq!(kept, Value::Int64(2));
}

#[tokio::test]
async fn a_closed_pool_says_so() {
    let pool = Pool::new(options("sessions_closed").await);
    let transaction = pool.begin(Isolation::default()).await.unwrap();
    transaction.query("select 1", vec![]).await.unwrap();
    pool.query("select 1", vec![]).await.unwrap();
    pool.close().await;
    let closed = Error::Unavailable("the pool is closed".into());
    assert_eq!(pool.query("select 1", vec![]).await, Err(closed.clone()));
    assert_eq!(pool.begin(Isolation::default()).await.map(drop), Err(closed));
    // What is under way may end.
    transaction.commit().await.unwrap();
    at_rest(&pool).await;
    let mut admin = crate::support::admin().await;
    eventually("the server sees no connection", async || {
        crate::support::sessions(&mut admin, "sessions_closed", "%").await == 0
    })
    .await;
    run(&mut admin, "select 1").await.unwrap();
}

/// Dropped without a runtime, or with the runtime gone, nothing panics.
#[test]
fn everything_may_be_dropped_outside_of_a_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let pool = Pool::new(runtime.block_on(options("sessions_outside")));
    let transaction = runtime.block_on(async {
        pool.query("select 1", vec![]).await.unwrap();
        let transaction = pool.begin(Isolation::default()).await.unwrap();
        transaction.query("select 1", vec![]).await.unwrap();
        transaction
    });
    drop(transaction);
    assert_eq!(pool.status().open_transactions, 0);
    let transaction = runtime.block_on(pool.begin(Isolation::default())).unwrap();
    // In recovery when its runtime ends.
    runtime.block_on(async { drop(transaction) });
    let transaction = runtime.block_on(pool.begin(Isolation::default())).unwrap();
    drop(runtime);
    drop(transaction);
    assert_eq!(pool.status().in_use, 0);
    drop(pool);
}
