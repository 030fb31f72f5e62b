//! What a component is told when the database refuses, and what it is never told.

use comptoir_postgres::{DatabaseError, Error, Options, Pool, Value};

use crate::support::{database, options, schema, single};

fn database_error(result: Result<impl std::fmt::Debug, Error>) -> DatabaseError {
    match result {
        Err(Error::Database(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_violated_constraint_is_named() {
    schema(
        "create table shelves (id int constraint shelves_pkey primary key); \
         create table boxes (shelf int constraint boxes_shelf_fkey references shelves, \
         size int constraint boxes_size_check check (size > 0), label text not null default 'a'); \
         insert into shelves values (1)",
    )
    .await;
    let pool = Pool::new(single("errors_constraint").await);
    let twice = database_error(pool.execute("insert into shelves values ($1)", vec![Value::Int32(1)]).await);
    assert_eq!(
        twice,
        DatabaseError {
            sqlstate: "23505".into(),
            message: "duplicate key value violates unique constraint \"shelves_pkey\"".into(),
            detail: Some("Key (id)=(1) already exists.".into()),
            constraint: Some("shelves_pkey".into()),
            table: Some("shelves".into()),
        }
    );
    let orphan = database_error(pool.execute("insert into boxes values (2, 1)", vec![]).await);
    assert_eq!((orphan.sqlstate.as_str(), orphan.constraint.as_deref()), ("23503", Some("boxes_shelf_fkey")));
    let empty = database_error(pool.execute("insert into boxes values (1, 0)", vec![]).await);
    assert_eq!((empty.sqlstate.as_str(), empty.constraint.as_deref()), ("23514", Some("boxes_size_check")));
    let blank = database_error(pool.execute("insert into boxes values (1, 1, null)", vec![]).await);
    assert_eq!((blank.sqlstate.as_str(), blank.table.as_deref()), ("23502", Some("boxes")));
}

#[tokio::test]
async fn a_wrong_statement_is_the_databases_error_and_the_connection_goes_on() {
    let pool = Pool::new(single("errors_statement").await);
    for (sql, sqlstate) in [
        ("select", ""),
        ("select from from", "42601"),
        ("select 1; select 2", "42601"),
        ("select * from nowhere", "42P01"),
        ("select 1 / 0", "22012"),
        ("select pg_advisory_xact_lock('a')", "22P02"),
        ("lock table pg_class", "25P01"),
    ] {
        match pool.query(sql, vec![]).await {
            Ok(_) => assert_eq!(sqlstate, "", "{sql}"),
            result => assert_eq!(database_error(result).sqlstate, sqlstate, "{sql}"),
        }
        pool.ping().await.unwrap();
    }
    assert_eq!((pool.status().idle, pool.status().in_use), (1, 0));
}

/// A deferred constraint speaks after the statement is complete.
#[tokio::test]
async fn an_error_at_the_very_end_is_not_overlooked() {
    schema("create table deferred (id int constraint deferred_key unique deferrable initially deferred)").await;
    let pool = Pool::new(single("errors_deferred").await);
    let result = pool.execute("insert into deferred values (1), (1)", vec![]).await;
    assert_eq!(database_error(result).constraint.as_deref(), Some("deferred_key"));
    let result = pool.query("insert into deferred values (1), (1) returning id", vec![]).await;
    assert_eq!(database_error(result).sqlstate, "23505");
}

#[tokio::test]
async fn what_cannot_be_reached_is_unavailable_and_its_address_a_secret() {
    let secrets = ["127.0.0.1", "localhost", "hunter2", "nobody-of-that-name", "nowhere-at-all", "55432"];
    // A server may ask for the password before it looks for the database.
    let no_database = database().await.database("nowhere-at-all");
    let at = database().await.password("hunter2");
    let refused = at.clone().host("127.0.0.1").port(1);
    let no_user = at.clone().username("nobody-of-that-name");
    let no_host = at.host("nowhere-at-all.invalid");
    for (connect, start) in [
        (refused, "cannot connect to the database: connection refused"),
        (no_database, "the database refused a connection (SQLSTATE 3D000)"),
        (no_user, "the database refused a connection (SQLSTATE 28"),
        (no_host, "cannot connect to the database: "),
    ] {
        let options = Options { connect, ..options("errors_connect").await };
        assert!(!format!("{options:?}").contains("hunter2"));
        let pool = Pool::new(options);
        assert!(!format!("{pool:?}").contains("hunter2"));
        let Err(Error::Unavailable(message)) = pool.query("select 1", vec![]).await else { panic!("{start}") };
        assert!(message.starts_with(start), "{message}");
        assert!(secrets.iter().all(|secret| !message.contains(secret)), "{message}");
        assert_eq!((pool.status().in_use, pool.status().waiting), (0, 0));
    }
}
