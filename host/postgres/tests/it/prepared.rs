//! Statements that run many times: their columns have a number, which changes with the columns.

use comptoir_postgres::{Column, Error, Isolation, Options, Pool, Value};

use crate::support::{backend, schema, single};

#[tokio::test]
async fn columns_are_told_by_the_number_of_their_shape() {
    schema("create table prepared (id bigint, name text); insert into prepared values (1, 'one')").await;
    let pool = Pool::new(single("prepared_shape").await);
    let statement = pool.prepare("select * from prepared where id = $1").unwrap();
    assert_eq!(statement.columns(0), [], "nothing ran yet");
    let column = |name: &str, kind: &str| Column { name: name.into(), type_name: kind.into() };
    for id in [1, 2] {
        let rows = statement.query(vec![Value::Int64(id)], None).await.unwrap();
        assert_eq!((rows.shape, rows.rows.len()), (0, usize::from(id == 1)));
        assert_eq!(statement.columns(0), [column("id", "int8"), column("name", "text")]);
    }
    // What a migration does: the connection forgets its plan, and the columns are others.
    schema("alter table prepared add column seen bool not null default false").await;
    let rows = statement.query(vec![Value::Int64(1)], None).await.unwrap();
    assert_eq!(rows.rows, [[Value::Int64(1), Value::Text("one".into()), Value::Boolean(false)]]);
    assert_eq!(rows.shape, 1);
    assert_eq!(statement.columns(1).last(), Some(&column("seen", "bool")));
    assert_eq!(statement.columns(0).len(), 2, "rows of the first shape may still be read");
    assert_eq!(statement.columns(2), []);
}

#[tokio::test]
async fn they_run_within_a_transaction_too() {
    schema("create table prepared_within (id bigint)").await;
    let pool = Pool::new(Options { max_connections: 2, ..single("prepared_within").await });
    let insert = pool.prepare("insert into prepared_within values ($1)").unwrap();
    let count = pool.prepare("select count(*) from prepared_within").unwrap();
    let transaction = pool.begin(Isolation::default()).await.unwrap();
    assert_eq!(insert.execute(vec![Value::Int64(1)], Some(&transaction)).await, Ok(1));
    assert_eq!(count.query(vec![], Some(&transaction)).await.unwrap().rows, [[Value::Int64(1)]]);
    assert_eq!(count.query(vec![], None).await.unwrap().rows, [[Value::Int64(0)]]);
    transaction.rollback().await.unwrap();
    assert_eq!(insert.execute(vec![Value::Int64(2)], None).await, Ok(1));
    assert_eq!(count.query(vec![], None).await.unwrap().rows, [[Value::Int64(1)]]);
}

#[tokio::test]
async fn what_may_not_run_is_not_prepared() {
    let pool = Pool::new(single("prepared_refused").await);
    assert!(matches!(pool.prepare("commit"), Err(Error::InvalidParameter(_))));
    // Only PostgreSQL knows what is wrong with this one, and the statement can be asked again.
    let wrong = pool.prepare("select nonsense").unwrap();
    for _ in 0..2 {
        let refused = wrong.query(vec![], None).await;
        assert!(matches!(&refused, Err(Error::Database(error)) if error.sqlstate == "42703"), "{refused:?}");
    }
}

#[tokio::test]
async fn a_lost_connection_costs_a_statement_that_reads_nothing() {
    let pool = Pool::new(single("prepared_lost").await);
    let statement = pool.prepare("select $1::int8").unwrap();
    let ask = || statement.query(vec![Value::Int64(7)], None);
    ask().await.unwrap();
    let Value::Int32(pid) = backend(&pool).await else { panic!("a backend has a number") };
    schema(&format!("select pg_terminate_backend({pid}, 5000)")).await;
    assert_eq!(ask().await.unwrap().rows, [[Value::Int64(7)]]);
}

/// Texts, and the names of columns: a short text may stand for a wide table.
#[tokio::test]
async fn what_prepared_statements_hold_in_memory_has_a_limit_in_all() {
    let pool = Pool::new(Options { max_held_bytes: 10_000, ..single("prepared_held").await });
    let text = format!("select 1 -- {}", "x".repeat(4000));
    let over = Error::Limit("statements and their parameters have more than 10000 bytes together".into());
    let first = pool.prepare(&text).unwrap();
    let second = pool.prepare(&text).unwrap();
    assert_eq!(pool.prepare(&text).map(drop), Err(over.clone()));
    drop((first, second));
    let columns = (0..200).map(|number| format!("1 as column_{number}")).collect::<Vec<_>>().join(", ");
    schema(&format!("create view wide as select {columns}")).await;
    let wide = pool.prepare("select * from wide").unwrap();
    assert_eq!(wide.query(vec![], None).await.map(drop), Err(over));
    drop(wide);
    assert!(pool.prepare(&text).is_ok());
}
