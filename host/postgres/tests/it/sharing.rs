//! Statements that share a connection: sent one behind the other, answered each with its own, and never in each other's
//! way for long.

use std::time::Duration;

use comptoir_postgres::{Error, Isolation, Options, Pool, Prepared, Value};
use futures_util::future::join_all;
use sqlx::{Connection as _, PgConnection};

use crate::support::{admin, at_rest, backend, eventually, only, options, run, schema, sessions};

/// Every statement is quick, and none waits in vain: for tests of what is otherwise a matter of time.
async fn patient(name: &str) -> Options {
    let hour = Duration::from_secs(3600);
    Options { quick: hour, patience: hour, ..options(name).await }
}

/// Runs it until it shares a connection: then it is not where all others run.
async fn shares(pool: &Pool, statement: &Prepared, parameters: &[Value], pid: usize) -> Value {
    let own = backend(pool).await;
    let mut shared = own.clone();
    eventually("it shares a connection", async || {
        shared = statement.query(parameters.to_vec(), None).await.unwrap().rows[0][pid].clone();
        shared != own
    })
    .await;
    shared
}

/// Nobody reads the table until it is unlocked by the end of the connection's transaction.
async fn locked(table: &str) -> PgConnection {
    let mut admin = admin().await;
    run(&mut admin, &format!("begin; lock table {table} in access exclusive mode")).await.unwrap();
    admin
}

#[tokio::test]
async fn statements_do_not_wait_for_the_answers_of_others() {
    schema("create table shared (n int8); insert into shared select generate_series(1, 20)").await;
    let name = "sharing_together";
    let pool = Pool::new(patient(name).await);
    let statement = pool.prepare("select n, pg_backend_pid() from shared where n = $1").unwrap();
    let shared = shares(&pool, &statement, &[Value::Int64(1)], 1).await;
    let lock = locked("shared").await;
    let asking = join_all((1..=20).map(|n| statement.query(vec![Value::Int64(n)], None)));
    let mut admin = admin().await;
    let unlocking = async {
        eventually("one connection waits for all", async || sessions(&mut admin, name, "active").await == 1).await;
        assert_eq!(pool.status().in_use, 1);
        lock.close().await.unwrap();
    };
    let (answers, ()) = tokio::join!(asking, unlocking);
    for (n, answer) in (1..).zip(answers) {
        assert_eq!(answer.unwrap().rows, [[Value::Int64(n), shared.clone()]]);
    }
    at_rest(&pool).await;
}

#[tokio::test]
async fn one_that_waits_holds_up_nobody_for_long() {
    schema("create table slow (n int8); insert into slow values (1)").await;
    let pool = Pool::new(Options { patience: Duration::from_millis(50), ..patient("sharing_slow").await });
    let slow = pool.prepare("select n, pg_backend_pid() from slow").unwrap();
    let other = pool.prepare("select $1::int8, pg_backend_pid()").unwrap();
    shares(&pool, &slow, &[], 1).await;
    let first = shares(&pool, &other, &[Value::Int64(1)], 1).await;
    let lock = locked("slow").await;
    let others = async {
        let answers = join_all((0..10).map(|n| other.query(vec![Value::Int64(n)], None))).await;
        lock.close().await.unwrap();
        answers
    };
    let (slow, others) = tokio::join!(slow.query(vec![], None), others);
    assert_eq!(slow.unwrap().rows[0][0], Value::Int64(1));
    for (n, answer) in (0..).zip(others) {
        assert_eq!(answer.unwrap().rows[0][0], Value::Int64(n));
    }
    // What stood in the way is gone, and its connection with it.
    let second = shares(&pool, &other, &[Value::Int64(1)], 1).await;
    assert_ne!(first, second);
    at_rest(&pool).await;
}

#[tokio::test]
async fn nobody_gets_the_error_of_another() {
    let pool = Pool::new(patient("sharing_errors").await);
    let statement = pool.prepare("select 12 / $1::int4, pg_backend_pid()").unwrap();
    shares(&pool, &statement, &[Value::Int32(1)], 1).await;
    let answers = join_all((0..6).map(|n| statement.query(vec![Value::Int32(n)], None))).await;
    for (n, answer) in (0..).zip(answers) {
        match answer {
            Ok(rows) => assert_eq!(rows.rows[0][0], Value::Int32(12 / n)),
            Err(error) => {
                assert!(n == 0 && matches!(&error, Error::Database(why) if why.sqlstate == "22012"), "{error}")
            }
        }
    }
    let misfit = statement.query(vec![Value::Text("one".into())], None).await;
    assert_eq!(misfit, Err(Error::InvalidParameter("parameter $1 has type int4: got text".into())));
    let number = statement.query(vec![], None).await;
    assert_eq!(number, Err(Error::InvalidParameter("statement has 1 parameters: got 0".into())));
    shares(&pool, &statement, &[Value::Int32(1)], 1).await;
}

#[tokio::test]
async fn limits_of_a_result_hold() {
    let pool = Pool::new(Options { max_rows: 100, ..patient("sharing_limits").await });
    let statement = pool.prepare("select n, pg_backend_pid() from generate_series(1, $1) n").unwrap();
    shares(&pool, &statement, &[Value::Int32(1)], 1).await;
    let over = statement.query(vec![Value::Int32(101)], None).await;
    assert_eq!(over, Err(Error::Limit("result has more than 100 rows".into())));
    at_rest(&pool).await;
}

#[tokio::test]
async fn what_a_migration_changes_is_seen() {
    schema("create table migrated (n int8); insert into migrated values (1)").await;
    let pool = Pool::new(patient("sharing_migrated").await);
    let statement = pool.prepare("select pg_backend_pid() as pid, * from migrated").unwrap();
    for columns in 2..5 {
        shares(&pool, &statement, &[], 0).await;
        schema(&format!("alter table migrated add column c{columns} text default 'x'")).await;
        let rows = statement.query(vec![], None).await.unwrap();
        assert_eq!((rows.rows[0].len(), statement.columns(rows.shape).len()), (columns + 1, columns + 1));
    }
    let first = shares(&pool, &statement, &[], 0).await;
    pool.refresh();
    assert_ne!(shares(&pool, &statement, &[], 0).await, first);
}

#[tokio::test]
async fn a_shared_connection_that_is_lost_is_replaced_unnoticed() {
    let name = "sharing_lost";
    let pool = Pool::new(patient(name).await);
    let statement = pool.prepare("select $1::int8, pg_backend_pid()").unwrap();
    for _ in 0..3 {
        let shared = shares(&pool, &statement, &[Value::Int64(1)], 1).await;
        let Value::Int32(pid) = shared else { panic!("{shared:?}") };
        schema(&format!("select pg_terminate_backend({pid}, 5000)")).await;
        let answers = join_all((0..10).map(|n| statement.query(vec![Value::Int64(n)], None))).await;
        for (n, answer) in (0..).zip(answers) {
            assert_eq!(answer.unwrap().rows[0][0], Value::Int64(n));
        }
    }
    at_rest(&pool).await;
    pool.close().await;
    let mut admin = admin().await;
    eventually("the server sees no connection", async || sessions(&mut admin, name, "%").await == 0).await;
}

/// Whatever it may depend on: time zones, formats, deadlines.
#[tokio::test]
async fn a_shared_connection_is_like_any_other() {
    let pool = Pool::new(patient("sharing_settings").await);
    let sql = "select pg_backend_pid(), string_agg(name || '=' || coalesce(setting, ''), ', ' order by name) \
               from pg_settings where name <> 'transaction_deferrable'";
    let statement = pool.prepare(sql).unwrap();
    shares(&pool, &statement, &[], 0).await;
    let shared = statement.query(vec![], None).await.unwrap();
    let own = pool.query(sql, vec![]).await.unwrap();
    assert_ne!(shared.rows[0][0], own.rows[0][0]);
    assert_eq!(shared.rows[0][1], own.rows[0][1]);
}

#[tokio::test]
async fn values_are_what_they_are_elsewhere() {
    schema("create type shared_size as enum ('small', 'large'); create domain shared_cents as int8").await;
    let pool = Pool::new(patient("sharing_values").await);
    let sql = "select pg_backend_pid(), $1::bool, $2::int2, $3::int4, $4::int8, $5::float8, $6::text, $7::bytea, $8::uuid, \
               $9::timestamptz, $10::date, $11::numeric, $12::jsonb, $13::int8[], $14::text[], $15::uuid[], $16::shared_size, \
               $17::shared_cents, $18::varchar";
    let values = [
        Value::Boolean(true),
        Value::Int64(-2),
        Value::Int32(3),
        Value::Int64(i64::MAX),
        Value::Float64(0.1),
        Value::Text("crème".into()),
        Value::Bytes(vec![0, 255]),
        Value::Uuid((1, 2)),
        Value::Timestamptz(1_700_000_000_000_001),
        Value::Date(19_000),
        Value::Numeric("12.50".into()),
        Value::Json("{\"a\": [1, null]}".into()),
        Value::Int64Array(vec![Some(1), None]),
        Value::TextArray(vec![Some("a".into()), None]),
        Value::UuidArray(vec![Some((3, 4))]),
        Value::Text("large".into()),
        Value::Int64(5),
        Value::Text("v".into()),
    ];
    let nulls = vec![Value::Null; values.len()];
    let statement = pool.prepare(sql).unwrap();
    shares(&pool, &statement, &values, 0).await;
    for values in [values.to_vec(), nulls] {
        let shared = statement.query(values.clone(), None).await.unwrap().rows;
        let own = pool.query(sql, values).await.unwrap().rows;
        assert_ne!(shared[0][0], own[0][0]);
        assert_eq!(shared[0][1..], own[0][1..]);
    }
}

#[tokio::test]
async fn transactions_and_writes_have_a_connection_of_their_own() {
    schema("create table own (n int8)").await;
    let pool = Pool::new(patient("sharing_own").await);
    let count = pool.prepare("select count(*), pg_backend_pid() from own").unwrap();
    let insert = pool.prepare("insert into own values ($1) returning n, pg_backend_pid()").unwrap();
    let shared = shares(&pool, &count, &[], 1).await;
    for n in 0..8 {
        assert_ne!(insert.query(vec![Value::Int64(n)], None).await.unwrap().rows[0][1], shared);
    }
    let transaction = pool.begin(Isolation::default()).await.unwrap();
    insert.query(vec![Value::Int64(8)], Some(&transaction)).await.unwrap();
    let within = count.query(vec![], Some(&transaction)).await.unwrap().rows;
    assert_eq!(within[0][0], Value::Int64(9));
    assert_eq!(count.query(vec![], None).await.unwrap().rows, [[Value::Int64(8), shared]]);
    transaction.rollback().await.unwrap();
}

/// Of four connections one is shared; they are never more.
#[tokio::test]
async fn connections_are_as_many_as_were_allowed() {
    let name = "sharing_allowed";
    let pool = Pool::new(patient(name).await);
    let statement = pool.prepare("select pg_backend_pid()").unwrap();
    shares(&pool, &statement, &[], 0).await;
    let sleep = || pool.query("select pg_sleep(1)", vec![]);
    let (a, b, c, d, ()) = tokio::join!(sleep(), sleep(), sleep(), sleep(), async {
        eventually("all of its own are in use", async || pool.status().in_use == 3).await;
        assert_eq!((pool.status().max, pool.status().idle), (4, 1));
        assert_eq!(sessions(&mut admin().await, name, "%").await, 4);
        statement.query(vec![], None).await.unwrap();
    });
    assert!(a.is_ok() && b.is_ok() && c.is_ok() && d.is_ok());
    assert_eq!(only(pool.query("select 1", vec![]).await.unwrap()), Value::Int32(1));
}
