//! Every type, to PostgreSQL and back.

use crate::service::app;
use jiff::Timestamp;
use jiff::civil::{Date, date};
use sdk::{DbError, Executor, FromValue, Money, Numeric, ToValue, params};
use serde_json::json;
use uuid::Uuid;

async fn round<T>(db: &impl Executor, sql_type: &str, value: T)
where
    T: ToValue + FromValue + Clone + PartialEq + std::fmt::Debug,
{
    let sql = format!("select $1::{sql_type}");
    let (back,): (T,) = db.query_one(&sql, params![value.clone()]).await.unwrap();
    assert_eq!(back, value, "{sql_type}");
    let (nothing,): (Option<T>,) = db.query_one(&sql, params![None::<T>]).await.unwrap();
    assert_eq!(nothing, None, "{sql_type}");
}

#[tokio::test]
async fn every_type_survives_the_way_to_postgres_and_back() {
    let app = app().await;
    let db = app.db();
    round(db, "boolean", true).await;
    round(db, "smallint", -7_i16).await;
    round(db, "integer", i32::MIN).await;
    round(db, "bigint", i64::MAX).await;
    round(db, "bigint", u32::MAX).await;
    round(db, "bigint", Money::from(-299)).await;
    round(db, "double precision", 0.1_f64).await;
    round(db, "text", "L'été à Montréal ✓".to_owned()).await;
    round(db, "bytea", vec![0_u8, 1, 255]).await;
    round(db, "uuid", Uuid::from_u64_pair(u64::MAX, 7)).await;
    round(db, "numeric", Numeric("-12.50".to_owned())).await;
    round(db, "jsonb", json!({"a": [1, null, "x"]})).await;
    round(db, "json", json!([1.5])).await;
    round(db, "bigint[]", vec![1_i64, i64::MIN]).await;
    round(db, "text[]", vec!["a,b".to_owned(), "\"".to_owned()]).await;
    round(db, "uuid[]", vec![Uuid::from_u64_pair(1, 2)]).await;
    for time in ["2026-11-22T15:04:05.123456Z", "1969-07-20T20:17:40Z"] {
        round(db, "timestamptz", time.parse::<Timestamp>().unwrap()).await;
    }
    for day in [date(2026, 2, 28), date(1, 1, 1)] {
        round::<Date>(db, "date", day).await;
    }
}

#[tokio::test]
async fn a_row_that_is_not_as_expected_says_so() {
    let app = app().await;
    let db = app.db();
    let none: Option<(i32,)> = db.query_opt("select 1 where false", params![]).await.unwrap();
    assert_eq!(none, None);
    let many = db.query_opt::<(i32,)>("select generate_series(1, 2)", params![]).await.unwrap_err();
    assert_eq!(many, DbError::Unexpected("expected one row, found 2".to_owned()));
    let none = db.query_one::<(i32,)>("select 1 where false", params![]).await.unwrap_err();
    assert_eq!(none, DbError::Unexpected("expected one row, found 0".to_owned()));
    let wrong = db.query_one::<(i32,)>("select 'x' as label", params![]).await.unwrap_err();
    let expected = "column \"label\": expected an int4, found text";
    assert_eq!(wrong, DbError::Conversion(expected.to_owned()));
    let wrong = db.query_one::<(i32, i32)>("select 1", params![]).await.unwrap_err();
    assert_eq!(wrong, DbError::Conversion("expected 2 columns, found 1".to_owned()));
}

#[tokio::test]
async fn columns_are_found_by_name_wherever_they_are() {
    struct Row {
        b: String,
        a: Option<i64>,
    }
    sdk::from_row!(Row { b, a });

    let app = app().await;
    let row: Row = app.db().query_one("select 7::bigint as a, 'x' as b", params![]).await.unwrap();
    assert_eq!((row.a, row.b.as_str()), (Some(7), "x"));
    let err = app.db().query_one::<Row>("select 'x' as b", params![]).await.err();
    assert_eq!(err, Some(DbError::Conversion("the statement selects no column \"a\"".to_owned())));
}

#[tokio::test]
async fn a_text_that_was_read_is_not_null_the_second_time() {
    struct Twice;
    impl sdk::FromRow for Twice {
        fn from_row(row: &sdk::Row<'_>) -> Result<Self, DbError> {
            assert_eq!(row.get::<i64>("number")?, row.get::<i64>("number")?);
            assert_eq!(row.get::<String>("label")?, "x");
            let again = row.get::<Option<String>>("label").unwrap_err();
            assert_eq!(again.to_string(), "column \"label\": was already read");
            Ok(Twice)
        }
    }

    let app = app().await;
    let sql = "select 7::bigint as number, 'x' as label";
    let _: Twice = app.db().query_one(sql, params![]).await.unwrap();
}
