//! Values there and back, and those that do not fit.

use std::sync::LazyLock;

use comptoir_postgres::{Error, Options, Pool, Value};
use proptest::prelude::*;
use tokio::runtime::Runtime;

use crate::support::{only, options, single};

/// Every type of column that there is a value for.
pub const TYPES: [&str; 20] = [
    "bool",
    "int2",
    "int4",
    "int8",
    "float4",
    "float8",
    "numeric",
    "text",
    "varchar",
    "bpchar",
    "name",
    "bytea",
    "uuid",
    "timestamptz",
    "date",
    "json",
    "jsonb",
    "_int8",
    "_text",
    "_uuid",
];

async fn there_and_back(pool: &Pool, sql_type: &str, value: Value) -> Result<Value, Error> {
    Ok(only(pool.query(&format!("select $1::{sql_type}"), vec![value]).await?))
}

#[tokio::test]
async fn null_goes_into_and_out_of_every_type() {
    let pool = Pool::new(single("values_null").await);
    for sql_type in TYPES {
        assert_eq!(there_and_back(&pool, sql_type, Value::Null).await, Ok(Value::Null), "{sql_type}");
    }
}

#[tokio::test]
async fn extreme_values_survive() {
    let pool = Pool::new(single("values_extreme").await);
    for (sql_type, value) in [
        ("bool", Value::Boolean(true)),
        ("bool", Value::Boolean(false)),
        ("int2", Value::Int16(i16::MIN)),
        ("int2", Value::Int16(i16::MAX)),
        ("int4", Value::Int32(i32::MIN)),
        ("int4", Value::Int32(i32::MAX)),
        ("int8", Value::Int64(i64::MIN)),
        ("int8", Value::Int64(i64::MAX)),
        ("float8", Value::Float64(f64::MIN_POSITIVE)),
        ("float8", Value::Float64(f64::MAX)),
        ("float8", Value::Float64(f64::NEG_INFINITY)),
        ("float8", Value::Float64(-0.0)),
        ("float4", Value::Float64(f64::from(f32::MAX))),
        ("text", Value::Text(String::new())),
        ("text", Value::Text("é\u{10ffff}\u{1}'\"\\".into())),
        ("bytea", Value::Bytes(Vec::new())),
        ("bytea", Value::Bytes((0..=255).collect())),
        ("uuid", Value::Uuid((u64::MAX, 0))),
        ("uuid", Value::Uuid((0, 1))),
        // 4713-11-24 BC, the first one, and the last one whose microseconds since 1970 are 64 bits.
        ("timestamptz", Value::Timestamptz(-210_866_803_200_000_000)),
        ("timestamptz", Value::Timestamptz(i64::MAX - 946_684_800_000_000)),
        ("timestamptz", Value::Timestamptz(-1)),
        ("date", Value::Date(0)),
        ("date", Value::Date(-2_440_588)),
        // 5874897-12-31, the last one.
        ("date", Value::Date(2_145_042_541)),
        ("numeric", Value::Numeric("12.50".into())),
        ("numeric", Value::Numeric("0".into())),
        ("numeric", Value::Numeric("-0.00000000000000000001".into())),
        ("numeric", Value::Numeric("9".repeat(131_072))),
        ("numeric", Value::Numeric(format!("0.{}", "7".repeat(16_383)))),
        ("json", Value::Json(" {\"a\" : [1, null]}".into())),
        ("jsonb", Value::Json("{\"a\": [1, null]}".into())),
        ("int8[]", Value::Int64Array(vec![])),
        ("int8[]", Value::Int64Array(vec![Some(i64::MIN), None, Some(i64::MAX)])),
        ("text[]", Value::TextArray(vec![])),
        ("text[]", Value::TextArray(vec![Some("null".into()), None, Some("{\"".into()), Some(String::new())])),
        ("uuid[]", Value::UuidArray(vec![None, Some((1, u64::MAX))])),
    ] {
        assert_eq!(there_and_back(&pool, sql_type, value.clone()).await, Ok(value), "{sql_type}");
    }
    let Ok(Value::Float64(nan)) = there_and_back(&pool, "float8", Value::Float64(f64::NAN)).await else { panic!() };
    assert!(nan.is_nan());
}

#[tokio::test]
async fn a_value_means_the_same_to_the_server() {
    let pool = Pool::new(single("values_meaning").await);
    for (sql, value, text) in [
        ("select $1::timestamptz::text", Value::Timestamptz(0), "1970-01-01 00:00:00+00"),
        ("select $1::timestamptz::text", Value::Timestamptz(1_735_689_600_000_001), "2025-01-01 00:00:00.000001+00"),
        ("select $1::date::text", Value::Date(20_089), "2025-01-01"),
        (
            "select $1::uuid::text",
            Value::Uuid((0x1122_3344_5566_7788, 0x99aa_bbcc_ddee_ff00)),
            "11223344-5566-7788-99aa-bbccddeeff00",
        ),
        ("select $1::numeric::text", Value::Numeric("-1234567.8900".into()), "-1234567.8900"),
        ("select $1::numeric::text", Value::Numeric("+007".into()), "7"),
        ("select $1::bytea::text", Value::Bytes(vec![0, 255]), "\\x00ff"),
        ("select $1::int8[]::text", Value::Int64Array(vec![Some(1), None]), "{1,NULL}"),
        ("select $1::jsonb::text", Value::Json("{\"b\":1,  \"a\":2}".into()), "{\"a\": 2, \"b\": 1}"),
    ] {
        assert_eq!(only(pool.query(sql, vec![value]).await.unwrap()), Value::Text(text.into()), "{sql}");
    }
}

#[tokio::test]
async fn a_parameter_takes_the_type_of_its_place_where_nothing_is_lost() {
    let pool = Pool::new(single("values_places").await);
    for (sql_type, sent, back) in [
        ("int4", Value::Int64(-5), Value::Int32(-5)),
        ("int2", Value::Int64(32_767), Value::Int16(32_767)),
        ("int8", Value::Int16(7), Value::Int64(7)),
        ("numeric", Value::Int64(i64::MIN), Value::Numeric("-9223372036854775808".into())),
        ("numeric(12, 2)", Value::Int32(3), Value::Numeric("3.00".into())),
        ("float8", Value::Int64(1 << 53), Value::Float64(9_007_199_254_740_992.0)),
        ("float4", Value::Int32(3), Value::Float64(3.0)),
        ("float4", Value::Float64(0.5), Value::Float64(0.5)),
        ("varchar(3)", Value::Text("abc".into()), Value::Text("abc".into())),
        ("char(3)", Value::Text("a".into()), Value::Text("a  ".into())),
        ("name", Value::Text("a".into()), Value::Text("a".into())),
        ("json", Value::Text("[1]".into()), Value::Json("[1]".into())),
        ("jsonb", Value::Text("[1]".into()), Value::Json("[1]".into())),
        ("int4[]", Value::Int64Array(vec![Some(1), None]), Value::Int64Array(vec![Some(1), None])),
        ("int2[]", Value::Int64Array(vec![Some(-1)]), Value::Int64Array(vec![Some(-1)])),
        ("varchar[]", Value::TextArray(vec![Some("a".into())]), Value::TextArray(vec![Some("a".into())])),
        ("name[]", Value::TextArray(vec![Some("a".into())]), Value::TextArray(vec![Some("a".into())])),
    ] {
        assert_eq!(there_and_back(&pool, sql_type, sent).await, Ok(back), "{sql_type}");
    }
    // What a place without a type becomes.
    let text = pool.query("select $1", vec![Value::Text("a".into())]).await.unwrap();
    assert_eq!(only(text), Value::Text("a".into()));
}

#[tokio::test]
async fn what_does_not_fit_is_refused_by_number_and_type() {
    let pool = Pool::new(single("values_misfits").await);
    for (sql_type, value, why) in [
        ("int4", Value::Text("1".into()), "parameter $1 has type int4: got text"),
        ("int4", Value::Int64(1 << 31), "parameter $1 has type int4: 2147483648 is out of range"),
        ("int2", Value::Int32(-32_769), "parameter $1 has type int2: -32769 is out of range"),
        ("text", Value::Int32(1), "parameter $1 has type text: got an integer"),
        ("float8", Value::Int64((1 << 53) + 1), "parameter $1 has type float8: 9007199254740993 would be rounded"),
        ("float4", Value::Float64(0.1), "parameter $1 has type float4: 0.1 would be rounded"),
        ("numeric", Value::Float64(0.1), "parameter $1 has type numeric: got a float64"),
        (
            "numeric",
            Value::Numeric("1e5".into()),
            "parameter $1 has type numeric: \"1e5\" is not a decimal number in plain notation",
        ),
        (
            "numeric",
            Value::Numeric("9".repeat(131_073)),
            "parameter $1 has type numeric: the number has too many digits",
        ),
        (
            "timestamptz",
            Value::Timestamptz(i64::MIN),
            "parameter $1 has type timestamptz: -9223372036854775808 is out of range",
        ),
        ("date", Value::Date(i32::MIN + 10_957), "parameter $1 has type date: -2147472691 is out of range"),
        (
            "int4[]",
            Value::Int64Array(vec![Some(1 << 40)]),
            "parameter $1 has type _int4: 1099511627776 is out of range",
        ),
        ("int8[]", Value::TextArray(vec![]), "parameter $1 has type _int8: got a text-array"),
        ("uuid", Value::Bytes(vec![0; 16]), "parameter $1 has type uuid: got bytes"),
        (
            "interval",
            Value::Text("1 day".into()),
            "parameter $1 has type interval: there is no value for this type, cast the parameter, as in `$1::text`",
        ),
    ] {
        let refused = there_and_back(&pool, sql_type, value).await;
        assert_eq!(refused, Err(Error::InvalidParameter(why.into())), "{sql_type}");
    }
    let count = pool.query("select $1::int4, $2::int4", vec![Value::Int32(1)]).await;
    assert_eq!(count, Err(Error::InvalidParameter("statement has 2 parameters: got 1".into())));
    // Null fits even where nothing else does.
    let text = pool.query("select $1::interval::text", vec![Value::Null]).await.unwrap();
    assert_eq!(only(text), Value::Null);
}

/// `sqlx` caches a statement by its text; the types of the first call must not stick to it.
#[tokio::test]
async fn the_types_of_one_call_do_not_bind_the_next() {
    let pool = Pool::new(single("values_poison").await);
    let sql = "select $1::int8 + 1";
    for value in [Value::Null, Value::Int16(1), Value::Int32(1), Value::Int64(1)] {
        pool.query(sql, vec![value]).await.unwrap();
    }
    assert!(pool.query(sql, vec![Value::Text("1".into())]).await.is_err());
    assert_eq!(only(pool.query(sql, vec![Value::Int64(1)]).await.unwrap()), Value::Int64(2));
}

/// One runtime and pool for all cases of a property.
static PROPERTIES: LazyLock<(Runtime, Pool)> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let options = runtime.block_on(options("values_properties"));
    (runtime, Pool::new(Options { statement_cache: 100, ..options }))
});

fn any_value() -> impl Strategy<Value = (&'static str, Value)> {
    let text = || "[^\0]{0,40}";
    let timestamps = -210_866_803_200_000_000_i64..9_222_000_000_000_000_000;
    prop_oneof![
        any::<bool>().prop_map(|value| ("bool", Value::Boolean(value))),
        any::<i16>().prop_map(|value| ("int2", Value::Int16(value))),
        any::<i32>().prop_map(|value| ("int4", Value::Int32(value))),
        any::<i64>().prop_map(|value| ("int8", Value::Int64(value))),
        any::<f64>().prop_map(|value| ("float8", Value::Float64(value))),
        any::<f32>().prop_map(|value| ("float4", Value::Float64(f64::from(value)))),
        text().prop_map(|value| ("text", Value::Text(value))),
        any::<Vec<u8>>().prop_map(|value| ("bytea", Value::Bytes(value))),
        any::<(u64, u64)>().prop_map(|value| ("uuid", Value::Uuid(value))),
        timestamps.prop_map(|value| ("timestamptz", Value::Timestamptz(value))),
        (-2_440_588..2_145_042_541).prop_map(|value| ("date", Value::Date(value))),
        "-?[1-9][0-9]{0,40}(\\.[0-9]{1,40})?".prop_map(|value| ("numeric", Value::Numeric(value))),
        "(0|[1-9][0-9]{0,3})\\.[0-9]{1,40}".prop_map(|value| ("numeric", Value::Numeric(value))),
        any::<Vec<Option<i64>>>().prop_map(|values| ("int8[]", Value::Int64Array(values))),
        proptest::collection::vec(proptest::option::of(text()), 0..10)
            .prop_map(|values| ("text[]", Value::TextArray(values))),
        any::<Vec<Option<(u64, u64)>>>().prop_map(|values| ("uuid[]", Value::UuidArray(values))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_value_survives((sql_type, value) in any_value()) {
        let (runtime, pool) = &*PROPERTIES;
        let back = runtime.block_on(there_and_back(pool, sql_type, value.clone()));
        prop_assert_eq!(back, Ok(value), "{}", sql_type);
    }

    /// The server's own reading of a number is the judge of ours.
    #[test]
    fn numbers_mean_what_they_say(digits in "[0-9]{1,30}", scale in 0_i32..40, shift in -40_i32..40) {
        let (runtime, pool) = &*PROPERTIES;
        let sql = "select n, n::text from (select round($1::numeric * 10::numeric ^ $2::int4, $3::int4)) as t(n)";
        let parameters = vec![Value::Numeric(digits), Value::Int32(shift), Value::Int32(scale)];
        let rows = runtime.block_on(pool.query(sql, parameters)).unwrap().rows;
        let [Value::Numeric(ours), Value::Text(theirs)] = &rows[0][..] else { panic!("{rows:?}") };
        prop_assert_eq!(ours, theirs);
    }
}
