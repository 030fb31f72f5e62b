//! What the pool costs on top of `sqlx`. Prints, and fails only if the difference is out of all proportion:
//! `cargo test --release -p comptoir-postgres -- --ignored --nocapture speed`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use comptoir_postgres::{Options, Pool, Value};
use sqlx::{Connection as _, PgConnection, Row as _};
use tokio::sync::Mutex;

use crate::support::{database, options, schema};

const SQL: &str = "select id, sku, name, name as name_fr, price_cents, created_at, archived from speed where id = $1";
const ROUNDS: usize = 7;
const CALLS: i64 = 4_000;

#[tokio::test]
#[ignore = "a measurement"]
async fn a_cached_select_by_key_costs_little_more_than_bare_sqlx() {
    schema(
        "create table speed (id bigint primary key, sku text, name text, price_cents bigint, created_at timestamptz, \
         archived bool); \
         insert into speed select n, 'SKU-' || n, 'Product ' || n, n, now(), false from generate_series(1, 1000) n; \
         analyze speed",
    )
    .await;
    let mut bare = PgConnection::connect_with(&database().await).await.unwrap();
    let pool = Pool::new(options("speed").await);
    let (mut of_bare, mut of_pool) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        of_bare.push(
            per_call(async |id| {
                let row = sqlx::query(SQL).bind(id).fetch_one(&mut bare).await.unwrap();
                let read: (i64, String, String, String, i64, bool) =
                    (row.get(0), row.get(1), row.get(2), row.get(3), row.get(4), row.get(6));
                assert_eq!(read.0, id);
            })
            .await,
        );
        of_pool.push(
            per_call(async |id| {
                let rows = pool.query(SQL, vec![Value::Int64(id)]).await.unwrap();
                assert_eq!(rows.rows[0][0], Value::Int64(id));
            })
            .await,
        );
    }
    let (bare, pool) = (median(of_bare), median(of_pool));
    println!("bare sqlx {bare:?}, pool {pool:?} a call");
    assert!(pool < bare * 2, "bare sqlx {bare:?}, pool {pool:?}");
}

/// As many callers as connections, on one thread.
#[tokio::test]
#[ignore = "a measurement"]
async fn many_callers_share_connections_at_little_cost() {
    schema("create table speed_many as select n::int8 as id, 'SKU-' || n as sku from generate_series(1, 1000) n").await;
    schema("alter table speed_many add primary key (id)").await;
    let sql = "select id, sku from speed_many where id = $1";
    let (mut of_bare, mut of_pool) = (Vec::new(), Vec::new());
    let pool = Pool::new(Options { max_connections: 16, ..options("speed_many").await });
    let mut connections = Vec::new();
    for _ in 0..16 {
        connections.push(Arc::new(Mutex::new(PgConnection::connect_with(&database().await).await.unwrap())));
    }
    for _ in 0..ROUNDS {
        let bare = connections.clone();
        of_bare.push(
            together(move |caller, id| {
                let connection = Arc::clone(&bare[caller % 16]);
                async move {
                    let mut connection = connection.lock().await;
                    let row = sqlx::query(sql).bind(id).fetch_one(&mut *connection).await.unwrap();
                    assert_eq!((row.get::<i64, _>(0), row.get::<String, _>(1).len() > 4), (id, true));
                }
            })
            .await,
        );
        let pool = pool.clone();
        of_pool.push(
            together(move |_, id| {
                let pool = pool.clone();
                async move {
                    let rows = pool.query(sql, vec![Value::Int64(id)]).await.unwrap();
                    assert_eq!(rows.rows[0][0], Value::Int64(id));
                }
            })
            .await,
        );
    }
    println!("bare sqlx {:?}, pool {:?} a call, 32 callers", median(of_bare), median(of_pool));
}

async fn together<F: Future<Output = ()> + Send>(call: impl Fn(usize, i64) -> F + Send + Clone + 'static) -> Duration {
    let start = Instant::now();
    let callers: Vec<_> = (0..32)
        .map(|caller| {
            let call = call.clone();
            tokio::spawn(async move {
                for id in 0..500 {
                    call(caller, id % 1000 + 1).await;
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    start.elapsed() / (32 * 500)
}

async fn per_call(mut call: impl AsyncFnMut(i64)) -> Duration {
    let start = Instant::now();
    for id in 0..CALLS {
        call(id % 1000 + 1).await;
    }
    start.elapsed() / u32::try_from(CALLS).unwrap()
}

fn median(mut durations: Vec<Duration>) -> Duration {
    durations.sort();
    durations[durations.len() / 2]
}
