//! A statement that is prepared is one round trip, counted on the wire.

use comptoir_postgres::{Isolation, Options, Pool, Value};

use crate::support::{at_rest, only, schema, single};
use crate::wire::{Messages, Proxy};

const ONE: Messages = Messages { round_trips: 1, parses: 0, binds: 1 };

async fn pool(proxy: &Proxy, name: &str) -> Pool {
    let connect = proxy.database().await.application_name(name);
    Pool::new(Options { connect, ..single(name).await })
}

#[tokio::test]
async fn a_prepared_statement_is_one_round_trip() {
    schema("create table trips (id int8 primary key, name text); insert into trips values (1, 'a')").await;
    let proxy = Proxy::start().await;
    let pool = pool(&proxy, "round_trips_statement").await;
    let (select, insert) =
        ("select id, name from trips where id = $1", "insert into trips (name) select 'b' where $1 = 0");
    for _ in 0..2 {
        pool.query(select, vec![Value::Int64(1)]).await.unwrap();
        pool.execute(insert, vec![Value::Int32(1)]).await.unwrap();
    }
    proxy.take();
    for _ in 0..5 {
        let rows = pool.query(select, vec![Value::Int64(1)]).await.unwrap();
        assert_eq!(rows.rows[0][1], Value::Text("a".into()));
        assert_eq!(proxy.take(), ONE);
        assert_eq!(pool.query(select, vec![Value::Null]).await.unwrap().columns.len(), 2);
        assert_eq!(proxy.take(), ONE);
        assert_eq!(pool.execute(insert, vec![Value::Int32(1)]).await, Ok(0));
        assert_eq!(proxy.take(), ONE);
    }
    // Refused before it is sent, it is none.
    pool.query(select, vec![Value::Boolean(true)]).await.unwrap_err();
    pool.query(select, vec![]).await.unwrap_err();
    pool.query("set a = b", vec![]).await.unwrap_err();
    assert_eq!(proxy.take(), Messages { round_trips: 0, parses: 0, binds: 0 });
}

/// After an error nothing has to be repaired.
#[tokio::test]
async fn a_failed_statement_costs_the_next_one_nothing() {
    let proxy = Proxy::start().await;
    let pool = pool(&proxy, "round_trips_failed").await;
    let divide = "select 1 / $1::int4";
    pool.query(divide, vec![Value::Int32(1)]).await.unwrap();
    proxy.take();
    pool.query(divide, vec![Value::Int32(0)]).await.unwrap_err();
    assert_eq!(proxy.take(), ONE);
    pool.query(divide, vec![Value::Int32(1)]).await.unwrap();
    assert_eq!(proxy.take(), ONE);
}

#[tokio::test]
async fn a_transaction_is_its_statements_and_two() {
    let proxy = Proxy::start().await;
    let pool = pool(&proxy, "round_trips_transaction").await;
    pool.query("select 7", vec![]).await.unwrap();
    proxy.take();
    let transaction = pool.begin(Isolation::Serializable).await.unwrap();
    for _ in 0..3 {
        assert_eq!(only(transaction.query("select 7", vec![]).await.unwrap()), Value::Int32(7));
    }
    transaction.commit().await.unwrap();
    at_rest(&pool).await;
    assert_eq!(proxy.take(), Messages { round_trips: 5, parses: 0, binds: 3 });
}
