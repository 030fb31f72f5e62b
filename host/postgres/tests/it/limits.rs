//! Rows, bytes, connections, transactions: over a limit is an error that says so, and the pool goes on.

use std::time::Duration;

use comptoir_postgres::{Error, Isolation, Options, Pool, Value};

use crate::support::{at_rest, backend, eventually, only, options, single};

#[tokio::test]
async fn a_result_has_a_number_of_rows_at_most() {
    let pool = Pool::new(Options { max_rows: 100, ..single("limits_rows").await });
    let sql = "select n from generate_series(1, $1) n";
    assert_eq!(pool.query(sql, vec![Value::Int32(100)]).await.unwrap().rows.len(), 100);
    let over = pool.query(sql, vec![Value::Int32(101)]).await;
    assert_eq!(over, Err(Error::Limit("result has more than 100 rows".into())));
    at_rest(&pool).await;
    assert_eq!(pool.execute(sql, vec![Value::Int32(101)]).await, Ok(101));
}

#[tokio::test]
async fn a_small_rest_is_read_and_a_large_one_costs_the_connection() {
    let pool = Pool::new(Options { max_rows: 10, ..single("limits_rest").await });
    let first = backend(&pool).await;
    let sql = "select generate_series(1, $1)";
    assert!(matches!(pool.query(sql, vec![Value::Int32(1000)]).await, Err(Error::Limit(_))));
    at_rest(&pool).await;
    assert_eq!(backend(&pool).await, first);
    assert!(matches!(pool.query(sql, vec![Value::Int32(500_000_000)]).await, Err(Error::Limit(_))));
    at_rest(&pool).await;
    assert_ne!(backend(&pool).await, first);
}

#[tokio::test]
async fn a_result_has_a_number_of_bytes_at_most() {
    let pool = Pool::new(Options { max_result_bytes: 100_000, ..single("limits_bytes").await });
    let over = Error::Limit("result has more than 100000 bytes".into());
    let one = "select repeat('x', $1)";
    assert!(pool.query(one, vec![Value::Int32(90_000)]).await.is_ok());
    assert_eq!(pool.query(one, vec![Value::Int32(100_000)]).await, Err(over.clone()));
    // Ten bytes on the wire, 131,073 in memory.
    let zeros = "select 10::numeric ^ 131071 from generate_series(1, 2)";
    assert_eq!(pool.query(zeros, vec![]).await, Err(over.clone()));
    // Four bytes on the wire for each null.
    let nulls = "select array_fill(null::text, array[20000])";
    assert_eq!(pool.query(nulls, vec![]).await, Err(over.clone()));
    // Nothing on the wire at all.
    let columns = ["null::int"; 1000].join(", ");
    let wide = pool.query(&format!("select {columns} from generate_series(1, 10)"), vec![]).await;
    assert_eq!(wide.map(|rows| rows.rows.len()), Err(over));
    assert_eq!(only(pool.query("select 1", vec![]).await.unwrap()), Value::Int32(1));
}

#[tokio::test]
async fn a_statement_has_a_length_at_most() {
    let pool = Pool::new(Options { max_statement_bytes: 100, ..single("limits_statement").await });
    let long = format!("select 1 -- {}", "x".repeat(100));
    let over = Error::Limit("statement has more than 100 bytes".into());
    assert_eq!(pool.query(&long, vec![]).await, Err(over.clone()));
    let transaction = pool.begin(Isolation::default()).await.unwrap();
    assert_eq!(transaction.execute(&long, vec![]).await, Err(over));
    transaction.commit().await.unwrap();
}

/// Also of those that wait, and also inside of transactions; and what is over is given back.
#[tokio::test]
async fn what_operations_hold_in_memory_has_a_limit_in_all() {
    let pool = Pool::new(Options { max_held_bytes: 1500, ..single("limits_held").await });
    let ask = || pool.query("select $1::text, pg_sleep(0.2)", vec![Value::Text("x".repeat(1000))]);
    let over = Error::Limit("statements and their parameters have more than 1500 bytes together".into());
    let (first, second) = tokio::join!(ask(), ask());
    assert!(first.is_ok());
    assert_eq!(second, Err(over.clone()));
    assert!(ask().await.is_ok());
    let transaction = pool.begin(Isolation::default()).await.unwrap();
    let twice = vec![Value::Text("x".repeat(2000))];
    assert_eq!(transaction.query("select $1::text", twice).await, Err(over));
    transaction.commit().await.unwrap();
}

#[tokio::test]
async fn a_caller_waits_for_a_connection_and_not_for_ever() {
    let acquire_timeout = Duration::from_millis(500);
    let pool = Pool::new(Options { max_connections: 2, acquire_timeout, ..options("limits_acquire").await });
    let slow = || pool.query("select pg_sleep(1.5)", vec![]);
    let third = async {
        eventually("both are in use", async || pool.status().in_use == 2).await;
        assert_eq!(pool.status().idle, 0);
        pool.query("select 1", vec![]).await
    };
    let (first, second, third) = tokio::join!(slow(), slow(), third);
    assert!(first.is_ok() && second.is_ok());
    assert_eq!(third, Err(Error::Unavailable("no free connection within 500 ms: all 2 are in use".into())));
    assert!(pool.query("select 1", vec![]).await.is_ok());
}

#[tokio::test]
async fn transactions_leave_a_connection_to_others() {
    let acquire_timeout = Duration::from_millis(100);
    let limits =
        Options { max_connections: 3, max_open_transactions: 9, acquire_timeout, ..options("limits_open").await };
    let pool = Pool::new(limits);
    let first = pool.begin(Isolation::default()).await.unwrap();
    let second = pool.begin(Isolation::default()).await.unwrap();
    assert_eq!(pool.status().open_transactions, 2);
    let third = pool.begin(Isolation::default()).await;
    let over = Error::Limit("no transaction ended within 100 ms: all 2 are open".into());
    assert_eq!(third.map(drop), Err(over));
    assert!(pool.query("select 1", vec![]).await.is_ok());
    first.commit().await.unwrap();
    pool.begin(Isolation::default()).await.unwrap().rollback().await.unwrap();
    drop(second);
    at_rest(&pool).await;
}

#[tokio::test]
async fn a_limit_inside_a_transaction_does_not_end_it() {
    let pool = Pool::new(Options { max_rows: 10, ..single("limits_inside").await });
    let transaction = pool.begin(Isolation::default()).await.unwrap();
    let over = transaction.query("select n from generate_series(1, 1000) n", vec![]).await;
    assert!(matches!(over, Err(Error::Limit(_))));
    assert_eq!(only(transaction.query("select 1", vec![]).await.unwrap()), Value::Int32(1));
    assert_eq!(transaction.commit().await, Ok(()));
}
