//! A statement that runs many times: its text is looked at once, and its columns have a number.

use std::fmt;
use std::sync::Arc;

use crate::decode::{Answer, Collected};
use crate::encode;
use crate::observe::Operation;
use crate::pool::Shared;
use crate::statement::Statement;
use crate::transaction::Transaction;
use crate::types::{Column, Error, ShapedRows, Value};

/// A statement of one pool. PostgreSQL sees it with its first run on each connection.
pub struct Prepared {
    pub(crate) statement: Statement,
    pub(crate) shared: Arc<Shared>,
}

impl Prepared {
    /// Runs it in a transaction of its own, or `within` one of the same pool.
    pub async fn query(&self, parameters: Vec<Value>, within: Option<&Transaction>) -> Result<ShapedRows, Error> {
        let rows = async {
            let _held = self.shared.ledger.hold(encode::bytes(&parameters))?;
            if within.is_none()
                && let Some(answer) = self.shared.together(&self.statement, &parameters).await
            {
                return Ok(answer.shaped());
            }
            Ok(self.run::<Collected>(&parameters, within).await?.shaped())
        };
        self.shared.observed(Operation::Query, rows).await
    }

    /// The same for a statement whose rows do not matter: the number of affected rows.
    pub async fn execute(&self, parameters: Vec<Value>, within: Option<&Transaction>) -> Result<u64, Error> {
        let count = async {
            let _held = self.shared.ledger.hold(encode::bytes(&parameters))?;
            self.run::<u64>(&parameters, within).await
        };
        self.shared.observed(Operation::Execute, count).await
    }

    /// The columns of rows of that shape; none if there were no such rows.
    pub fn columns(&self, shape: u32) -> Vec<Column> {
        self.statement.columns(shape)
    }

    async fn run<A: Answer>(&self, parameters: &[Value], within: Option<&Transaction>) -> Result<A, Error> {
        match within {
            Some(transaction) => transaction.run(&self.statement, parameters).await,
            None => self.shared.alone(&self.statement, parameters).await,
        }
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared").field("statement", &self.statement).finish_non_exhaustive()
    }
}
