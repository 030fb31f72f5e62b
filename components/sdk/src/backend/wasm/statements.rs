//! The statements of this instance: each text crosses into the host once, and so do the names of its
//! columns. What crosses with each run is parameters and rows.

use crate::db::Rows;
use crate::db::wire::{Column, Error, ShapedRows, Value};
use crate::guest::bindings::comptoir::postgres::client::{Statement, Transaction};
use rustc_hash::FxHashMap;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

/// A service has dozens of statements; one that has more puts texts together, and starts anew.
const STATEMENTS_MAX: usize = 256;

thread_local! {
    static STATEMENTS: RefCell<FxHashMap<String, Rc<Prepared>>> = RefCell::default();
}

pub(super) struct Prepared {
    statement: Statement,
    /// Those of the last answer, and the number of its shape.
    columns: RefCell<Option<(u32, Arc<[Column]>)>>,
}

impl Prepared {
    fn columns(&self, shape: u32) -> Arc<[Column]> {
        match &*self.columns.borrow() {
            Some((known, columns)) if *known == shape => return Arc::clone(columns),
            _ => {}
        }
        let columns: Arc<[Column]> = self.statement.columns(shape).into();
        *self.columns.borrow_mut() = Some((shape, Arc::clone(&columns)));
        columns
    }
}

/// The statement of that text.
pub(super) fn prepared(sql: &str) -> Result<Rc<Prepared>, Error> {
    STATEMENTS.with_borrow_mut(|statements| {
        if let Some(prepared) = statements.get(sql) {
            return Ok(Rc::clone(prepared));
        }
        if statements.len() >= STATEMENTS_MAX {
            statements.clear();
        }
        let prepared = Rc::new(Prepared { statement: Statement::prepare(sql)?, columns: RefCell::default() });
        statements.insert(sql.to_owned(), Rc::clone(&prepared));
        Ok(prepared)
    })
}

pub(super) async fn query(
    prepared: Result<Rc<Prepared>, Error>,
    params: Vec<Value>,
    within: Option<&Transaction>,
) -> Result<Rows, Error> {
    let prepared = prepared?;
    let ShapedRows { shape, rows } = prepared.statement.query(params, within).await?;
    Ok(Rows { columns: prepared.columns(shape), rows })
}

pub(super) async fn execute(
    prepared: Result<Rc<Prepared>, Error>,
    params: Vec<Value>,
    within: Option<&Transaction>,
) -> Result<u64, Error> {
    prepared?.statement.execute(params, within).await
}
