//! Callers that go away at any moment: no connection is lost, none is dirty, no transaction is half done.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use comptoir_postgres::{Error, Isolation, Observe, Operation, Options, Outcome, Pool, Prepared, Value};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use crate::support::{admin, at_rest, eventually, only, options, schema, sessions, single};

const CALLS: u64 = 1500;
const CALLERS: u64 = 24;
/// What all accounts hold together, always.
const TOTAL: i64 = 1000;

/// Polls a future a number of times and then leaves it unfinished: each number is another place to be dropped at.
struct Impatient<F> {
    future: Pin<Box<F>>,
    polls: u32,
}

impl<F: Future> Future for Impatient<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.polls == 0 {
            return Poll::Ready(None);
        }
        self.polls -= 1;
        self.future.as_mut().poll(context).map(Some)
    }
}

/// A third of the callers wait, so that there is traffic in which the others are missed.
async fn abandon<T>(random: &mut StdRng, future: impl Future<Output = T>) -> Option<T> {
    match random.random_range(0..3) {
        0 => Some(future.await),
        1 => Impatient { future: Box::pin(future), polls: random.random_range(0..12) }.await,
        _ => tokio::time::timeout(Duration::from_micros(random.random_range(0..4000)), future).await.ok(),
    }
}

/// Gives `amount` from one account to another, slowly enough to be caught at it.
async fn transfer(pool: &Pool, from: i32, to: i32, amount: i64) -> Result<(), Error> {
    let transaction = pool.begin(Isolation::default()).await?;
    let update = "update accounts set balance = balance + $2 where id = $1";
    // In one order, so that two transfers do not wait for each other.
    let mut steps = [(from, -amount), (to, amount)];
    steps.sort();
    for (id, change) in steps {
        transaction.execute(update, vec![Value::Int32(id), Value::Int64(change)]).await?;
    }
    transaction.query("select balance from accounts where id = $1", vec![Value::Int32(from)]).await?;
    transaction.commit().await
}

async fn caller(pool: Pool, prepared: Arc<Prepared>, seed: u64) -> u64 {
    let mut random = StdRng::seed_from_u64(seed);
    let mut finished = 0;
    for call in 0..CALLS / CALLERS {
        let token = i64::try_from(seed * CALLS + call).unwrap();
        let done = match random.random_range(0..8) {
            0 | 1 => {
                let (from, to) = (random.random_range(0..10), random.random_range(10..20));
                abandon(&mut random, transfer(&pool, from, to, 1)).await.map(|result| result.map(|()| token))
            }
            // A statement of its own each time: abandoned while it is prepared, too.
            2 => abandon(&mut random, ask(&pool, &format!("select $1::int8 + 0 * {token}"), token)).await,
            3 => abandon(&mut random, ask(&pool, "select $1::int8 from pg_sleep(0.002)", token)).await,
            4 => abandon(&mut random, ask(&pool, "select $1::int8 from repeat('x', 100000)", token)).await,
            5 => abandon(&mut random, ask(&pool, "select $1::int8", token)).await,
            // Over a connection that it shares.
            _ => abandon(&mut random, ask_prepared(&prepared, token)).await,
        };
        if let Some(result) = done {
            // Nobody reads the answer to another's question.
            assert_eq!(result, Ok(token));
            finished += 1;
        }
    }
    finished
}

async fn ask(pool: &Pool, sql: &str, token: i64) -> Result<i64, Error> {
    Ok(number(pool.query(sql, vec![Value::Int64(token)]).await?.rows))
}

async fn ask_prepared(prepared: &Prepared, token: i64) -> Result<i64, Error> {
    Ok(number(prepared.query(vec![Value::Int64(token)], None).await?.rows))
}

fn number(rows: Vec<Vec<Value>>) -> i64 {
    match rows[..] {
        [ref row] if let [Value::Int64(number)] = row[..] => number,
        _ => panic!("{rows:?}"),
    }
}

async fn storm(name: &str, table: &str) {
    let sql = format!(
        "create table if not exists accounts (id int primary key, balance bigint); \
         insert into accounts select n, {each} from generate_series(0, 19) n on conflict do nothing; \
         create table {table} (n int)",
        each = TOTAL / 20
    );
    schema(&sql).await;
    // One of them is shared.
    let (max_connections, own) = (5, 4);
    let options = Options { max_connections, acquire_timeout: Duration::from_secs(20), ..options(name).await };
    let pool = Pool::new(options);
    let prepared = Arc::new(pool.prepare("select $1::int8").unwrap());
    let callers = (0..CALLERS).map(|seed| tokio::spawn(caller(pool.clone(), prepared.clone(), seed)));
    let callers: Vec<_> = callers.collect();
    let mut finished = 0;
    for caller in callers {
        finished += caller.await.unwrap();
    }
    println!("{finished} of {CALLS} calls were let finish");
    // Those who waited were a third of all, and one in twelve of the others gave up before the first poll.
    assert!(finished > CALLS / 5 && finished < CALLS * 99 / 100, "{finished} of {CALLS} finished");
    at_rest(&pool).await;

    let mut admin = admin().await;
    assert_eq!(sessions(&mut admin, name, "idle in transaction%").await, 0);
    let sum = pool.query("select sum(balance)::int8 from accounts", vec![]).await.unwrap();
    assert_eq!(only(sum), Value::Int64(TOTAL));
    // All of them can be had at the same time.
    let sleep = || pool.query("select pg_sleep(2)", vec![]);
    let all = eventually("all are in use", async || pool.status().in_use == own);
    let (a, b, c, d, ()) = tokio::join!(sleep(), sleep(), sleep(), sleep(), all);
    assert!(a.is_ok() && b.is_ok() && c.is_ok() && d.is_ok());
    let (one, two, three) = (
        pool.begin(Isolation::default()).await.unwrap(),
        pool.begin(Isolation::default()).await.unwrap(),
        pool.begin(Isolation::default()).await.unwrap(),
    );
    assert_eq!(pool.status().open_transactions, 3);
    drop((one, two, three));
    at_rest(&pool).await;
    assert!(sessions(&mut admin, name, "%").await <= 5);
}

#[tokio::test]
async fn a_storm_of_abandoned_calls_leaves_nothing_behind() {
    storm("cancellation_storm", "storm_one").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_does_it_with_several_threads() {
    storm("cancellation_threads", "storm_two").await;
}

/// Opening a connection takes longer than any of these callers waits: what one began, the next takes over.
#[tokio::test]
async fn callers_who_never_wait_long_enough_get_a_connection_in_the_end() {
    let name = "cancellation_opening";
    let pool = Pool::new(options(name).await);
    // On an open connection one poll sends and one receives.
    let answered = async || Impatient { future: Box::pin(pool.ping()), polls: 2 }.await == Some(Ok(()));
    eventually("a caller gets an answer", answered).await;
    at_rest(&pool).await;
    assert_eq!(sessions(&mut admin().await, name, "%").await, 1);
}

/// What nobody has taken over when the pool closes is closed with it.
#[tokio::test]
async fn a_connection_that_nobody_waited_for_ends_with_the_pool() {
    let name = "cancellation_closing";
    let pool = Pool::new(options(name).await);
    assert_eq!(Impatient { future: Box::pin(pool.ping()), polls: 1 }.await, None);
    assert_eq!(pool.status().in_use, 0);
    let mut admin = admin().await;
    eventually("it is open", async || sessions(&mut admin, name, "%").await == 1).await;
    pool.close().await;
    eventually("it is closed", async || sessions(&mut admin, name, "%").await == 0).await;
}

/// The server keeps what was prepared, and nobody knows of it: such a connection is not used again.
#[tokio::test]
async fn an_abandoned_preparation_leaves_no_statement_behind() {
    let pool = Pool::new(single("cancellation_prepared").await);
    let count = "select count(*) from pg_prepared_statements where statement = $1";
    pool.ping().await.unwrap();
    for polls in [1, 1, 2, 3, 4] {
        let sql = format!("select {}", rand::random::<i64>());
        let abandoned = Impatient { future: Box::pin(pool.query(&sql, vec![])), polls };
        abandoned.await;
        at_rest(&pool).await;
        pool.query(&sql, vec![]).await.unwrap();
        let kept = pool.query(count, vec![Value::Text(sql)]).await.unwrap();
        assert_eq!(only(kept), Value::Int64(1), "after {polls} polls");
    }
}

#[tokio::test]
async fn after_a_cancelled_statement_its_transaction_goes_on() {
    let pool = Pool::new(options("cancellation_inside").await);
    let transaction = pool.begin(Isolation::default()).await.unwrap();
    let slow = transaction.query("select pg_sleep(0.2), 1", vec![]);
    assert!(tokio::time::timeout(Duration::from_millis(50), slow).await.is_err());
    assert_eq!(only(transaction.query("select 2", vec![]).await.unwrap()), Value::Int32(2));
    // The error of a statement that was cancelled is that of the next one.
    let fails = transaction.query("select 1 / (random() * 0)::int from pg_sleep(0.2)", vec![]);
    assert!(tokio::time::timeout(Duration::from_millis(50), fails).await.is_err());
    let next = transaction.query("select 3", vec![]).await;
    assert!(matches!(next, Err(Error::Database(error)) if error.sqlstate == "22012"));
    let commit = transaction.commit().await;
    assert!(matches!(commit, Err(Error::Database(error)) if error.sqlstate == "25P02"));
    at_rest(&pool).await;
    assert_eq!(pool.status().idle, 1);
}

#[derive(Default)]
struct Seen {
    operations: Mutex<Vec<(Operation, Outcome)>>,
    waits: Mutex<usize>,
}

impl Observe for Seen {
    fn operation(&self, operation: Operation, outcome: Outcome, _: Duration) {
        self.operations.lock().unwrap().push((operation, outcome));
    }

    fn waited(&self, _: Duration) {
        *self.waits.lock().unwrap() += 1;
    }
}

#[tokio::test]
async fn the_observer_sees_every_operation_and_also_those_that_nobody_waited_for() {
    let seen = Arc::new(Seen::default());
    let observer: Arc<dyn Observe> = seen.clone();
    let limits = Options { max_rows: 1, ..options("cancellation_observed").await };
    let pool = Pool::with_observer(limits, observer);
    let _ = pool.query("select 1", vec![]).await;
    let _ = pool.query("select 1 / 0", vec![]).await;
    let _ = pool.query("select generate_series(1, 2)", vec![]).await;
    let _ = pool.execute("begin", vec![]).await;
    let _ = tokio::time::timeout(Duration::from_millis(500), pool.execute("select pg_sleep(3)", vec![])).await;
    let transaction = pool.begin(Isolation::default()).await.unwrap();
    let _ = transaction.query("select 'infinity'::date", vec![]).await;
    let _ = transaction.commit().await;
    pool.begin(Isolation::default()).await.unwrap().rollback().await.unwrap();
    drop(pool.begin(Isolation::default()).await.unwrap());
    let expected = [
        (Operation::Query, Outcome::Ok),
        (Operation::Query, Outcome::Database),
        (Operation::Query, Outcome::Limit),
        (Operation::Execute, Outcome::InvalidParameter),
        (Operation::Execute, Outcome::Cancelled),
        (Operation::Begin, Outcome::Ok),
        (Operation::Query, Outcome::Conversion),
        (Operation::Commit, Outcome::Ok),
        (Operation::Begin, Outcome::Ok),
        (Operation::Rollback, Outcome::Ok),
        (Operation::Begin, Outcome::Ok),
    ];
    assert_eq!(*seen.operations.lock().unwrap(), expected);
    assert_eq!(*seen.waits.lock().unwrap(), 7);
}
