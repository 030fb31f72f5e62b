//! The server goes and comes back: what can be repeated is, what cannot is said, and nobody restarts anything.

use std::time::{Duration, Instant};

use comptoir_postgres::{Error, Isolation, Options, Pool, Value};

use crate::support::{admin, at_rest, backend, eventually, only, options, run, schema, sessions, single};
use crate::wire::Proxy;

/// As an administrator does, or a server that restarts.
async fn terminate(name: &str) {
    let mut admin = admin().await;
    let sql = format!(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = '{name}'"
    );
    run(&mut admin, &sql).await.unwrap();
    eventually("they are gone", async || sessions(&mut admin, name, "%").await == 0).await;
}

#[tokio::test]
async fn idle_connections_that_were_terminated_are_replaced_unnoticed() {
    schema("create table replaced (n int)").await;
    let pool = Pool::new(options("recovery_idle").await);
    let insert = "insert into replaced values ($1)";
    let one = || pool.execute(insert, vec![Value::Int32(1)]);
    for round in 1..=3 {
        let (a, b, c) = tokio::join!(one(), one(), one());
        assert_eq!((a, b, c), (Ok(1), Ok(1), Ok(1)));
        terminate("recovery_idle").await;
        // The farewell of the server came before the statement could do anything, so even a write is repeated.
        assert_eq!(one().await, Ok(1));
        let count = only(pool.query("select count(*) from replaced", vec![]).await.unwrap());
        assert_eq!(count, Value::Int64(round * 4));
        terminate("recovery_idle").await;
        pool.begin(Isolation::default()).await.unwrap().commit().await.unwrap();
        terminate("recovery_idle").await;
        pool.ping().await.unwrap();
    }
}

#[tokio::test]
async fn a_transaction_that_was_terminated_is_lost() {
    schema("create table lost (n int)").await;
    let pool = Pool::new(single("recovery_transaction").await);
    let transaction = pool.begin(Isolation::default()).await.unwrap();
    transaction.execute("insert into lost values (1)", vec![]).await.unwrap();
    terminate("recovery_transaction").await;
    let lost = transaction.execute("insert into lost values (2)", vec![]).await;
    assert_eq!(lost, Err(Error::Unavailable("the database closed the connection (SQLSTATE 57P01)".into())));
    assert!(matches!(transaction.commit().await, Err(Error::Unavailable(_))));
    let transaction = pool.begin(Isolation::default()).await.unwrap();
    transaction.execute("insert into lost values (3)", vec![]).await.unwrap();
    terminate("recovery_transaction").await;
    assert_eq!(transaction.rollback().await, Ok(()));
    assert_eq!(only(pool.query("select count(*) from lost", vec![]).await.unwrap()), Value::Int64(0));
    at_rest(&pool).await;
}

/// Whoever kills a statement does not want to see it again.
#[tokio::test]
async fn a_statement_that_was_killed_while_it_ran_is_not_repeated() {
    let pool = Pool::new(single("recovery_killed").await);
    pool.query("select pg_sleep(0)", vec![]).await.unwrap();
    let running = pool.query("select pg_sleep($1)", vec![Value::Float64(30.0)]);
    let killing = async {
        let mut admin = admin().await;
        eventually("it runs", async || sessions(&mut admin, "recovery_killed", "active").await == 1).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        terminate("recovery_killed").await;
    };
    let (killed, ()) = tokio::join!(running, killing);
    assert_eq!(killed, Err(Error::Unavailable("the database closed the connection (SQLSTATE 57P01)".into())));
    pool.ping().await.unwrap();
}

#[tokio::test]
async fn a_connection_that_breaks_without_a_word_is_replaced_for_reads_only() {
    schema("create table broken (n int)").await;
    let proxy = Proxy::start().await;
    let connect = proxy.database().await.application_name("recovery_broken");
    let pool = Pool::new(Options { connect, ..single("").await });
    let (insert, select) = ("insert into broken values ($1)", "select count(*) from broken");
    pool.execute(insert, vec![Value::Int32(1)]).await.unwrap();
    let first = backend(&pool).await;
    only(pool.query(select, vec![]).await.unwrap());

    proxy.die().await;
    proxy.revive().await;
    assert_eq!(only(pool.query(select, vec![]).await.unwrap()), Value::Int64(1));
    assert_ne!(backend(&pool).await, first);

    // Prepared on this connection, it would have been executed at once: nobody knows whether it was.
    pool.execute(insert, vec![Value::Int32(2)]).await.unwrap();
    proxy.die().await;
    proxy.revive().await;
    let unknown = pool.execute(insert, vec![Value::Int32(3)]).await;
    assert_eq!(unknown, Err(Error::Unavailable("the connection to the database was lost".into())));

    // Not prepared yet, it was not executed.
    pool.ping().await.unwrap();
    proxy.die().await;
    proxy.revive().await;
    assert_eq!(pool.execute("insert into broken values ($1 + 0)", vec![Value::Int32(4)]).await, Ok(1));
    assert_eq!(only(pool.query(select, vec![]).await.unwrap()), Value::Int64(3));
}

#[tokio::test]
async fn while_the_server_is_away_calls_fail_at_once_and_afterwards_they_work() {
    let proxy = Proxy::start().await;
    let connect = proxy.database().await.application_name("recovery_away");
    let pool = Pool::new(Options { connect, ..options("").await });
    let one = || pool.query("select 1", vec![]);
    let (a, b, c) = tokio::join!(one(), one(), one());
    assert!(a.is_ok() && b.is_ok() && c.is_ok());
    proxy.die().await;
    for _ in 0..10 {
        let away = Error::Unavailable("cannot connect to the database: connection refused".into());
        assert_eq!(one().await, Err(away.clone()));
        assert_eq!(pool.ping().await, Err(away.clone()));
        assert_eq!(pool.begin(Isolation::default()).await.map(drop), Err(away));
    }
    proxy.revive().await;
    let (a, b, c) = tokio::join!(one(), one(), one());
    assert!(a.is_ok() && b.is_ok() && c.is_ok());
    at_rest(&pool).await;
}

/// Writes every number of its own once, and says which of them the pool called written.
async fn write(pool: Pool, first: i64, until: Instant) -> Vec<i64> {
    let mut written = Vec::new();
    for n in (first..).take_while(|_| Instant::now() < until) {
        let parameters = vec![Value::Int64(n)];
        let result = if n % 3 == 0 {
            let inside = async {
                let transaction = pool.begin(Isolation::default()).await?;
                let count = transaction.execute("insert into exactly values ($1)", parameters).await?;
                transaction.commit().await?;
                Ok(count)
            };
            inside.await
        } else {
            pool.execute("insert into exactly values ($1)", parameters).await
        };
        match result {
            Ok(count) => {
                assert_eq!(count, 1);
                written.push(n);
            }
            Err(Error::Unavailable(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
    written
}

/// Connections die all the time, busy or idle. No write happens twice, and none that was confirmed is missing.
#[tokio::test]
async fn what_is_repeated_happens_once() {
    schema("create table exactly (n bigint); create index on exactly (n)").await;
    let pool = Pool::new(options("recovery_exactly").await);
    let until = Instant::now() + Duration::from_secs(2);
    let writers: Vec<_> = (0..6).map(|n| tokio::spawn(write(pool.clone(), n * 1_000_000, until))).collect();
    let mut admin = admin().await;
    let mut killed = 0;
    while Instant::now() < until {
        let sql = "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = current_database() and application_name = 'recovery_exactly'";
        killed += sqlx::query_scalar::<_, i64>(sql).fetch_one(&mut admin).await.unwrap();
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
    let mut confirmed = 0;
    for writer in writers {
        for n in writer.await.unwrap() {
            confirmed += 1;
            let count = "select count(*) from exactly where n = $1";
            assert_eq!(only(pool.query(count, vec![Value::Int64(n)]).await.unwrap()), Value::Int64(1), "{n}");
        }
    }
    println!("{killed} connections killed, {confirmed} writes confirmed");
    assert!(killed > 10 && confirmed > 10, "{killed} connections killed, {confirmed} writes confirmed");
    let twice = "select count(*) from (select n from exactly group by n having count(*) > 1) twice";
    assert_eq!(only(pool.query(twice, vec![]).await.unwrap()), Value::Int64(0));
    at_rest(&pool).await;
}
