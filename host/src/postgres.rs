//! `comptoir:postgres`: the database capability as components see it. Everything that happens to a
//! connection is in the crate `comptoir-postgres`; here it only meets the component model. Every
//! function is concurrent: while Postgres works, the instance serves other requests.

use std::sync::Arc;

use comptoir_postgres::{
    Column, Error, Isolation, Observe, Operation, Outcome, Pool, Prepared, Rows, ShapedRows, Value,
};
use prometheus::{Histogram, HistogramVec};
use wasmtime::component::{Accessor, HasData, Resource};

use crate::bindings::comptoir::postgres::client;
use crate::metrics::Metrics;
use crate::state::State;

/// Marks whose data the generated bindings get: the whole state of the instance.
#[derive(Debug)]
pub struct Postgres;

impl HasData for Postgres {
    type Data<'a> = &'a mut State;
}

/// An open transaction in an instance's table. Shared with the calls that run on it: one that the
/// guest drops in the middle of a call ends with that call.
#[derive(Debug)]
pub struct Transaction(Arc<comptoir_postgres::Transaction>);

/// A prepared statement in an instance's table. Shared with the calls that run it.
#[derive(Debug)]
pub struct Statement(Arc<Prepared>);

type Answer<T> = wasmtime::Result<Result<T, Error>>;

impl<T: Send> client::HostWithStore<T> for Postgres {
    async fn query(accessor: &Accessor<T, Self>, statement: String, parameters: Vec<Value>) -> Answer<Rows> {
        match pool(accessor) {
            Ok(pool) => Ok(pool.query(&statement, parameters).await),
            Err(error) => Ok(Err(error)),
        }
    }

    async fn execute(accessor: &Accessor<T, Self>, statement: String, parameters: Vec<Value>) -> Answer<u64> {
        match pool(accessor) {
            Ok(pool) => Ok(pool.execute(&statement, parameters).await),
            Err(error) => Ok(Err(error)),
        }
    }
}

impl<T: Send> client::HostTransactionWithStore<T> for Postgres {
    async fn begin(accessor: &Accessor<T, Self>, isolation: Isolation) -> Answer<Resource<Transaction>> {
        let pool = match pool(accessor) {
            Ok(pool) => pool,
            Err(error) => return Ok(Err(error)),
        };
        match pool.begin(isolation).await {
            Ok(transaction) => {
                let handle = accessor.with(|mut store| store.get().table.push(Transaction(Arc::new(transaction))))?;
                Ok(Ok(handle))
            }
            Err(error) => Ok(Err(error)),
        }
    }

    async fn query(
        accessor: &Accessor<T, Self>,
        this: Resource<Transaction>,
        statement: String,
        parameters: Vec<Value>,
    ) -> Answer<Rows> {
        let transaction = accessor.with(|mut store| store.get().table.get(&this).map(|found| found.0.clone()))?;
        Ok(transaction.query(&statement, parameters).await)
    }

    async fn execute(
        accessor: &Accessor<T, Self>,
        this: Resource<Transaction>,
        statement: String,
        parameters: Vec<Value>,
    ) -> Answer<u64> {
        let transaction = accessor.with(|mut store| store.get().table.get(&this).map(|found| found.0.clone()))?;
        Ok(transaction.execute(&statement, parameters).await)
    }

    async fn commit(accessor: &Accessor<T, Self>, this: Resource<Transaction>) -> Answer<()> {
        match take(accessor, this)? {
            Some(transaction) => Ok(transaction.commit().await),
            None => Ok(Err(busy())),
        }
    }

    async fn rollback(accessor: &Accessor<T, Self>, this: Resource<Transaction>) -> Answer<()> {
        match take(accessor, this)? {
            Some(transaction) => Ok(transaction.rollback().await),
            None => Ok(Err(busy())),
        }
    }
}

impl<T: Send> client::HostStatementWithStore<T> for Postgres {
    async fn query(
        accessor: &Accessor<T, Self>,
        this: Resource<Statement>,
        parameters: Vec<Value>,
        within: Option<Resource<Transaction>>,
    ) -> Answer<ShapedRows> {
        let (statement, transaction) = prepared(accessor, &this, within)?;
        Ok(statement.query(parameters, transaction.as_deref()).await)
    }

    async fn execute(
        accessor: &Accessor<T, Self>,
        this: Resource<Statement>,
        parameters: Vec<Value>,
        within: Option<Resource<Transaction>>,
    ) -> Answer<u64> {
        let (statement, transaction) = prepared(accessor, &this, within)?;
        Ok(statement.execute(parameters, transaction.as_deref()).await)
    }
}

impl client::Host for State {}

impl client::HostTransaction for State {
    fn drop(&mut self, this: Resource<Transaction>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

impl client::HostStatement for State {
    fn prepare(&mut self, text: String) -> Answer<Resource<Statement>> {
        match self.database().and_then(|pool| pool.prepare(&text)) {
            Ok(statement) => Ok(Ok(self.table.push(Statement(Arc::new(statement)))?)),
            Err(error) => Ok(Err(error)),
        }
    }

    fn columns(&mut self, this: Resource<Statement>, shape: u32) -> wasmtime::Result<Vec<Column>> {
        Ok(self.table.get(&this)?.0.columns(shape))
    }

    fn drop(&mut self, this: Resource<Statement>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

impl State {
    fn database(&self) -> Result<Pool, Error> {
        let database = self.capabilities.database.clone();
        database.ok_or_else(|| Error::Unavailable("this component was given no database".into()))
    }
}

fn pool<T: Send>(accessor: &Accessor<T, Postgres>) -> Result<Pool, Error> {
    accessor.with(|mut store| store.get().database())
}

/// What the handles of a call stand for.
type Shared = (Arc<Prepared>, Option<Arc<comptoir_postgres::Transaction>>);

fn prepared<T: Send>(
    accessor: &Accessor<T, Postgres>,
    statement: &Resource<Statement>,
    within: Option<Resource<Transaction>>,
) -> wasmtime::Result<Shared> {
    accessor.with(|mut store| {
        let table = &store.get().table;
        let transaction = within.map(|within| table.get(&within).map(|found| found.0.clone())).transpose()?;
        Ok((table.get(statement)?.0.clone(), transaction))
    })
}

/// Takes the transaction out of the table; none while a call of the guest still runs on it, in
/// which case it rolls back when that call ends.
fn take<T: Send>(
    accessor: &Accessor<T, Postgres>,
    this: Resource<Transaction>,
) -> wasmtime::Result<Option<comptoir_postgres::Transaction>> {
    let transaction = accessor.with(|mut store| store.get().table.delete(this))?;
    Ok(Arc::into_inner(transaction.0))
}

fn busy() -> Error {
    Error::InvalidParameter("the transaction ended while a statement was running on it: it is rolled back".into())
}

/// Feeds the pool's measurements to the metrics of one service.
#[derive(Debug)]
pub struct Observer {
    /// By operation and outcome, resolved once: this is on the path of every query.
    operations: [[Histogram; Outcome::ALL.len()]; Operation::ALL.len()],
    wait: Histogram,
}

impl Observer {
    pub fn new(service: &str, metrics: &Metrics) -> Self {
        let series =
            |operation: Operation, outcome: Outcome| series(&metrics.db_operation, service, operation, outcome);
        Self {
            operations: Operation::ALL.map(|operation| Outcome::ALL.map(|outcome| series(operation, outcome))),
            wait: metrics.db_wait.with_label_values(&[service]),
        }
    }
}

fn series(family: &HistogramVec, service: &str, operation: Operation, outcome: Outcome) -> Histogram {
    family.with_label_values(&[service, operation.as_str(), outcome.as_str()])
}

impl Observe for Observer {
    fn operation(&self, operation: Operation, outcome: Outcome, elapsed: std::time::Duration) {
        let series = self.operations.get(operation as usize).and_then(|row| row.get(outcome as usize));
        if let Some(series) = series {
            series.observe(elapsed.as_secs_f64());
        }
    }

    fn waited(&self, elapsed: std::time::Duration) {
        self.wait.observe(elapsed.as_secs_f64());
    }
}
