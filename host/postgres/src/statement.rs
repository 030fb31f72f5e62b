//! Which statements are let through, and what follows from their words for the connection.
//!
//! No parser and no protection against an attacker: the database belongs to the component. It keeps a connection that
//! others will use free of what would outlive the statement: open transactions, settings, locks, temporary tables.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sqlx::postgres::PgColumn;

use crate::decode::Shape;
use crate::held::{Held, Ledger};
use crate::kind::Kind;
use crate::types::{Column, Error};

/// A migration may give a statement other columns; more often than that nobody migrates while an instance lives.
const MAX_SHAPES: usize = 16;

/// Before a statement shares a connection with others, it has been quick so often in a row.
const TRIALS: u8 = 3;

/// An answer of more than this is not quick: others wait until it has been sent.
const SMALL_BYTES: usize = 32 << 10;

/// What is known of a statement that has run, so that it can run elsewhere.
#[derive(Debug)]
pub(crate) struct Known {
    /// Type by type: its number, and how it looks on the wire.
    pub(crate) parameters: Vec<(u32, Option<Kind>)>,
    pub(crate) number: u32,
    pub(crate) shape: Arc<Shape>,
}

impl Known {
    /// It is the same on another connection.
    pub(crate) fn is_of(&self, prepared: &tokio_postgres::Statement) -> bool {
        let parameters = prepared.params().iter().map(|parameter| parameter.oid());
        let columns = prepared.columns().iter().map(|column| (column.name(), column.type_().oid()));
        parameters.eq(self.parameters.iter().map(|(oid, _)| *oid)) && self.shape.is(columns)
    }
}

/// How quick it has been.
#[derive(Debug, Default)]
struct Trials {
    passed: u8,
    known: Option<Arc<Known>>,
}

/// A statement that may run.
#[derive(Debug)]
pub(crate) struct Statement {
    pub(crate) text: Arc<str>,
    /// It only reads, so it may run again if nobody knows whether it ran.
    pub(crate) reads: bool,
    /// It may leave something behind in its session, which therefore is not used again.
    pub(crate) spends_session: bool,
    /// What its results have looked like so far, oldest first; its place in here is a shape's number.
    shapes: Mutex<Vec<(Arc<Shape>, Held)>>,
    trials: Mutex<Trials>,
    ledger: Ledger,
    /// The text.
    _held: Held,
}

/// What may come first. What is missing here would change the session or the schema.
const ALLOWED: [&str; 13] = [
    "select", "insert", "update", "delete", "with", "values", "table", "merge", "explain", "lock", "truncate",
    "refresh", "notify",
];

/// Functions and words that leave something in the session. Each is compared with the beginning of a word.
const LASTING: [&str; 6] =
    ["set_config", "setseed", "pg_advisory_lock", "pg_try_advisory_lock", "dblink_connect", "temp"];

impl Statement {
    /// Looks at the first keyword and at every word of `text`.
    pub(crate) fn check(text: &str, max_bytes: usize, ledger: &Ledger) -> Result<Self, Error> {
        if text.len() > max_bytes {
            return Err(Error::Limit(format!("statement has more than {max_bytes} bytes")));
        }
        let keyword = first_keyword(text);
        let Some(keyword) = ALLOWED.iter().find(|allowed| keyword.eq_ignore_ascii_case(allowed)) else {
            return Err(Error::InvalidParameter(refusal(keyword)));
        };
        if text.as_bytes().contains(&0) {
            return Err(Error::InvalidParameter("statement contains a NUL character".into()));
        }
        let reads = matches!(*keyword, "select" | "values" | "table");
        let spends_session = spends_session(text.as_bytes());
        let (ledger, held) = (ledger.clone(), ledger.hold(text.len())?);
        let (shapes, trials) = (Mutex::default(), Mutex::default());
        Ok(Self { text: text.into(), reads, spends_session, shapes, trials, ledger, _held: held })
    }

    /// What there is to know for who sends it over a connection that it shares; none if it should have one of its own.
    pub(crate) fn known(&self) -> Option<Arc<Known>> {
        self.trials().known.clone()
    }

    /// It ran on a connection of its own.
    pub(crate) fn took(&self, quick: bool, bytes: usize, known: impl FnOnce() -> Known) {
        let mut trials = self.trials();
        if !self.reads || self.spends_session || !quick || bytes > SMALL_BYTES {
            *trials = Trials::default();
            return;
        }
        trials.passed = trials.passed.saturating_add(1);
        // Once: where nothing is shared, it would be told after every run.
        if trials.passed >= TRIALS && trials.known.is_none() {
            trials.known = Some(Arc::new(known()));
        }
    }

    /// It was not quick, or not well, on a connection that it shared.
    pub(crate) fn starts_over(&self) {
        *self.trials() = Trials::default();
    }

    fn trials(&self) -> MutexGuard<'_, Trials> {
        self.trials.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The shape of a result with these columns, and its number.
    pub(crate) fn shape(&self, columns: &[PgColumn]) -> Result<(u32, Arc<Shape>), Error> {
        let mut shapes = self.shapes.lock().unwrap_or_else(PoisonError::into_inner);
        // The newest is by far the likeliest.
        if let Some((number, (shape, _))) = shapes.iter().enumerate().rfind(|(_, (shape, _))| shape.is_of(columns)) {
            return Ok((numbered(number), Arc::clone(shape)));
        }
        if shapes.len() >= MAX_SHAPES {
            return Err(Error::Limit("the statement's columns changed too often: prepare it anew".into()));
        }
        let shape = Arc::new(Shape::of(columns)?);
        shapes.push((Arc::clone(&shape), self.ledger.hold(shape.bytes())?));
        Ok((numbered(shapes.len() - 1), shape))
    }

    /// The columns of the shape of that number; none if no result had it.
    pub(crate) fn columns(&self, shape: u32) -> Vec<Column> {
        let shapes = self.shapes.lock().unwrap_or_else(PoisonError::into_inner);
        let shape = usize::try_from(shape).ok().and_then(|number| shapes.get(number));
        shape.map(|(shape, _)| shape.columns().to_vec()).unwrap_or_default()
    }
}

/// There are never more than `MAX_SHAPES`.
fn numbered(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

fn refusal(keyword: &str) -> String {
    let advice = match keyword.to_ascii_lowercase().as_str() {
        "" => return "statement does not begin with a keyword".into(),
        "begin" | "start" => "use transaction.begin",
        "commit" | "end" => "use transaction.commit",
        "rollback" | "abort" => "use transaction.rollback",
        "savepoint" | "release" => "there are no savepoints: use a transaction of its own",
        "set" | "reset" | "discard" => "a connection is shared, its settings are the host's",
        "listen" | "unlisten" => "a connection is shared: poll a table",
        "prepare" | "execute" | "deallocate" => "every statement is prepared and cached by the host",
        "declare" | "fetch" | "move" | "close" => "there are no cursors: read in pages",
        "copy" => "use insert with arrays and unnest",
        "do" | "call" => "only plain statements are let through",
        "create" | "alter" | "drop" | "grant" | "revoke" | "comment" => "changes of the schema belong into a migration",
        _ => "it is none of the statements that read or change rows",
    };
    format!("statement `{keyword}` is not allowed: {advice}")
}

/// The first word after blanks, comments and opening parentheses; empty if there is something else.
fn first_keyword(text: &str) -> &str {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '\x0b' || c == '(');
        if let Some(comment) = rest.strip_prefix("--") {
            rest = comment.split_once(['\n', '\r']).map_or("", |(_, after)| after);
        } else if let Some(comment) = rest.strip_prefix("/*") {
            rest = after_comment(comment);
        } else {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            return rest.get(..end).unwrap_or_default();
        }
    }
}

/// What follows a block comment; block comments nest in PostgreSQL.
fn after_comment(mut rest: &str) -> &str {
    let mut depth = 1_usize;
    while depth > 0 {
        let Some(at) = rest.find(['*', '/']) else {
            return "";
        };
        rest = rest.get(at..).unwrap_or_default();
        if let Some(after) = rest.strip_prefix("*/") {
            depth -= 1;
            rest = after;
        } else if let Some(after) = rest.strip_prefix("/*") {
            depth += 1;
            rest = after;
        } else {
            rest = rest.get(1..).unwrap_or_default();
        }
    }
    rest
}

/// One pass over the words. A word inside of a literal or a comment counts too: the price is a connection.
fn spends_session(text: &[u8]) -> bool {
    let mut inside_word = false;
    for (at, &byte) in text.iter().enumerate() {
        let word = byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80;
        if word && !inside_word && may_begin_lasting(byte, text.get(at + 1)) && begins_lasting(text, at) {
            return true;
        }
        inside_word = word;
    }
    false
}

/// Spares almost every word of a statement the comparison. Setting bit 5 makes ASCII letters lower-case.
fn may_begin_lasting(first: u8, second: Option<&u8>) -> bool {
    let second = second.map_or(0, |second| second | 0x20);
    matches!((first | 0x20, second), (b's', b'e') | (b'p', b'g') | (b'd', b'b') | (b't', b'e'))
}

#[cold]
fn begins_lasting(text: &[u8], at: usize) -> bool {
    let rest = text.get(at..).unwrap_or_default();
    let word = rest.split(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_').next().unwrap_or_default();
    LASTING.iter().any(|name| match *name {
        "temp" => word.eq_ignore_ascii_case(b"temp") || word.eq_ignore_ascii_case(b"temporary"),
        name => word.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<Statement, Error> {
        Statement::check(text, 1000, &Ledger::new(10_000))
    }

    #[test]
    fn statements_on_rows_pass() {
        for text in [
            "select 1",
            "SELECT 1",
            "  \t\n\x0b select 1",
            "-- why\nselect 1",
            "--\rselect 1",
            "/* a /* nested */ ** / comment */select 1",
            "((select 1) union (select 2))",
            "with a as (select 1) select * from a",
            "values (1)",
            "merge into a using b on true when matched then delete",
            "lock table a",
        ] {
            assert!(check(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn others_are_refused_with_advice() {
        for (text, advice) in [
            ("begin", "transaction.begin"),
            ("/**/ Begin", "transaction.begin"),
            ("start transaction", "transaction.begin"),
            ("commit", "transaction.commit"),
            ("end", "transaction.commit"),
            ("rollback to a", "transaction.rollback"),
            ("savepoint a", "savepoints"),
            ("set search_path = a", "shared"),
            ("listen a", "poll"),
            ("prepare a as select 1", "prepared"),
            ("declare a cursor for select 1", "pages"),
            ("copy a from stdin", "unnest"),
            ("do $$ begin end $$", "plain"),
            ("create table a ()", "migration"),
            ("vacuum", "none of"),
            ("selects", "none of"),
            ("", "keyword"),
            ("-- select 1", "keyword"),
            ("/* select 1", "keyword"),
            (";begin", "keyword"),
            ("; select 1", "keyword"),
            ("\u{a0}begin", "keyword"),
        ] {
            match check(text) {
                Err(Error::InvalidParameter(message)) => {
                    assert!(message.contains(advice), "{text}: {message}")
                }
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_long_statement_and_a_nul_are_refused() {
        assert!(matches!(check(&"x".repeat(1001)), Err(Error::Limit(_))));
        assert!(matches!(check("select '\0'"), Err(Error::InvalidParameter(_))));
    }

    #[test]
    fn only_plain_reads_may_run_twice() {
        for (text, reads) in [
            ("select 1", true),
            ("Table a", true),
            ("with a as (delete from b returning 1) select * from a", false),
            ("insert into a values (1)", false),
            ("explain analyze delete from a", false),
        ] {
            assert_eq!(check(text).map(|statement| statement.reads), Ok(reads), "{text}");
        }
    }

    #[test]
    fn what_lasts_in_a_session_is_seen() {
        for (text, spends) in [
            ("select set_config('a.b', 'c', false)", true),
            ("select pg_catalog.\"set_config\" ('a.b', 'c', false)", true),
            ("select PG_ADVISORY_LOCK(1)", true),
            ("select pg_try_advisory_lock_shared(1)", true),
            ("select setseed(0.5)", true),
            ("select 1 into temp a", true),
            ("explain analyze create temporary table a as select 1", true),
            ("select pg_advisory_xact_lock(1), pg_try_advisory_xact_lock(2)", false),
            ("select pg_notify('a', 'b')", false),
            ("select temperature, attempt, reset_config from a where set = 1 and d = 2", false),
        ] {
            assert_eq!(check(text).map(|statement| statement.spends_session), Ok(spends), "{text}");
        }
    }
}
