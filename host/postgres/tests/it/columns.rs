//! What the columns of a result are called, and those that there is no value for.

use comptoir_postgres::{Column, Error, Pool, Value};

use crate::support::{only, schema, single};
use crate::values::TYPES;

#[tokio::test]
async fn columns_are_known_for_zero_rows() {
    let pool = Pool::new(single("values_columns").await);
    let sql = TYPES.map(|name| format!("null::{name} as \"{name} column\"")).join(", ");
    let rows = pool.query(&format!("select {sql} where false"), vec![]).await.unwrap();
    let column = |name: &str| Column { name: format!("{name} column"), type_name: name.into() };
    assert_eq!(rows.columns, TYPES.map(column).to_vec());
    assert!(rows.rows.is_empty());
    let none = pool.query("delete from pg_class where false", vec![]).await.unwrap();
    assert_eq!((none.columns, none.rows), (vec![], vec![]));
}

#[tokio::test]
async fn enumerations_domains_and_their_arrays_are_what_they_are_made_of() {
    schema(
        "create type mood as enum ('sad', 'glad'); create domain cents as bigint check (value >= 0); \
         create domain amount as cents; create domain tags as text[]; \
         create table of_own_types (mood mood, cents amount, moods mood[], many cents[], tags tags)",
    )
    .await;
    let pool = Pool::new(single("values_own").await);
    let row = vec![
        Value::Text("glad".into()),
        Value::Int64(5),
        Value::TextArray(vec![Some("sad".into()), None]),
        Value::Int64Array(vec![Some(1), Some(2)]),
        Value::TextArray(vec![Some("a".into())]),
    ];
    pool.execute("insert into of_own_types values ($1, $2, $3, $4, $5)", row.clone()).await.unwrap();
    let rows = pool.query("select * from of_own_types where mood = any($1)", vec![row[2].clone()]).await.unwrap();
    assert!(rows.rows.is_empty());
    let rows = pool.query("select * from of_own_types where mood = $1", vec![row[0].clone()]).await.unwrap();
    assert_eq!(rows.rows, [row]);
    let names: Vec<&str> = rows.columns.iter().map(|column| column.type_name.as_str()).collect();
    assert_eq!(names, ["mood", "int8", "_mood", "_cents", "_text"]);
    let bad = pool.execute("insert into of_own_types (mood) values ($1)", vec![Value::Text("mad".into())]).await;
    assert!(matches!(bad, Err(Error::Database(error)) if error.sqlstate == "22P02"));
    let bad = pool.execute("insert into of_own_types (mood) values ($1)", vec![Value::Int32(1)]).await;
    assert_eq!(bad, Err(Error::InvalidParameter("parameter $1 has type mood: got an integer".into())));
}

#[tokio::test]
async fn citext_is_text() {
    let pool = Pool::new(single("values_citext").await);
    let available = "select count(*) from pg_available_extensions where name = 'citext'";
    if only(pool.query(available, vec![]).await.unwrap()) == Value::Int64(0) {
        println!("this PostgreSQL comes without citext");
        return;
    }
    schema("create extension citext; create table of_citext (name citext)").await;
    pool.execute("insert into of_citext values ($1)", vec![Value::Text("Äpfel".into())]).await.unwrap();
    let rows = pool.query("select name from of_citext where name = $1", vec![Value::Text("äpfel".into())]).await;
    assert_eq!(only(rows.unwrap()), Value::Text("Äpfel".into()));
}

#[tokio::test]
async fn a_column_without_a_value_is_named_and_not_run() {
    schema("create sequence untouched").await;
    let pool = Pool::new(single("values_conversion").await);
    for (sql, why) in [
        (
            "select nextval('untouched'), now()::timestamp as at",
            "column \"at\" of type timestamp: cast it in the statement, as in `::timestamptz`",
        ),
        (
            "select interval '1 day' as pause",
            "column \"pause\" of type interval: cast it in the statement, as in `::text`",
        ),
        ("select inet '::1' as address", "column \"address\" of type inet: cast it in the statement, as in `::text`"),
        ("select row(1, 2) as both", "column \"both\" of type record: cast it in the statement, as in `::jsonb`"),
        ("select array[true] as flags", "column \"flags\" of type _bool: cast it in the statement, as in `::text`"),
    ] {
        assert_eq!(pool.query(sql, vec![]).await, Err(Error::Conversion(why.into())));
        // Whoever does not want the rows is not asked what they are.
        if !sql.contains("nextval") {
            assert_eq!(pool.execute(sql, vec![]).await, Ok(1));
        }
    }
    let called = only(pool.query("select is_called from untouched", vec![]).await.unwrap());
    assert_eq!(called, Value::Boolean(false));
    let void = pool.query("select pg_notify('a', 'b')", vec![]).await.unwrap();
    assert_eq!(only(void), Value::Null);
}

#[tokio::test]
async fn a_single_value_that_cannot_be_had_is_an_error_and_the_connection_goes_on() {
    let pool = Pool::new(single("values_infinite").await);
    for (sql, why) in [
        ("select 'NaN'::numeric as n", "column \"n\" of type numeric: it is not a finite number"),
        ("select 'Infinity'::numeric as n", "column \"n\" of type numeric: it is not a finite number"),
        ("select 'infinity'::timestamptz as t", "column \"t\" of type timestamptz: it is infinite"),
        ("select '-infinity'::date as d", "column \"d\" of type date: it is infinite"),
        ("select '294276-12-31'::timestamptz as t", "column \"t\" of type timestamptz: it is too late for 64 bits"),
        ("select '{{1,2},{3,4}}'::int8[] as a", "column \"a\" of type _int8: it has more than one dimension"),
    ] {
        assert_eq!(pool.query(sql, vec![]).await, Err(Error::Conversion(why.into())));
        assert_eq!(only(pool.query("select 1", vec![]).await.unwrap()), Value::Int32(1));
    }
}
