//! The same service without WebAssembly: axum and sqlx, the SQL of `products`, its JSON.

use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use comptoir_postgres::{Options, Pool, Prepared, Value};
use jiff::Timestamp;
use products::store::products::GET;
use serde::Serialize;
use sqlx::encode::IsNull;
use sqlx::postgres::{PgArgumentBuffer, PgPoolOptions, PgRow, PgTypeInfo, PgValueRef};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool, Postgres, Row as _};

/// As many as the host has.
const CONNECTIONS: u32 = 16;
/// From 1970 to 2000, where PostgreSQL starts to count.
const POSTGRES_EPOCH_US: i64 = 946_684_800_000_000;

/// A database of this run's own; its URL.
pub fn fresh_database(postgres: &str) -> Result<String> {
    let name = format!("bench_{}", std::process::id());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut connection = PgConnection::connect(postgres).await?;
        sqlx::raw_sql(AssertSqlSafe(format!("create database {name}"))).execute(&mut connection).await?;
        Ok::<_, anyhow::Error>(())
    })?;
    let (server, _) = postgres.rsplit_once('/').context("COMPTOIR_TEST_POSTGRES ends in /database")?;
    Ok(format!("{server}/{name}"))
}

#[tokio::main]
pub async fn run(pool: &str) -> Result<()> {
    let database = std::env::var("TWIN_DATABASE")?;
    let router = match pool {
        "sqlx" => {
            let pool = PgPoolOptions::new().max_connections(CONNECTIONS).connect(&database).await?;
            Router::new().route("/api/v1/products/{id}", get(read_sqlx)).with_state(pool)
        }
        "comptoir" => {
            let mut options = Options::new(database.parse()?);
            options.max_connections = CONNECTIONS as usize;
            let statement = Arc::new(Pool::new(options).prepare(GET)?);
            Router::new().route("/api/v1/products/{id}", get(read_comptoir)).with_state(statement)
        }
        other => bail!("there is no twin `{other}`"),
    };
    let router = router.route("/health", get(async || Json(Health { status: "ok", service: "products" })));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    eprintln!("Serving HTTP on http://{}/", listener.local_addr()?);
    axum::serve(axum::serve::ListenerExt::tap_io(listener, |stream| _ = stream.set_nodelay(true)), router).await?;
    Ok(())
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
    service: &'static str,
}

#[derive(Serialize)]
struct Product {
    id: i64,
    sku: String,
    name: String,
    name_en: Option<String>,
    name_fr: Option<String>,
    description: Option<String>,
    barcode: Option<String>,
    category: String,
    tax_category: String,
    price: Money,
    price_kind: String,
    deposit: Money,
    status: String,
    version: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
    #[serde(skip)]
    price_id: i64,
}

#[derive(Serialize)]
struct Money {
    amount: i64,
    currency: &'static str,
}

fn cad(amount: i64) -> Money {
    Money { amount, currency: "CAD" }
}

fn found(product: Option<Product>) -> Response {
    let Some(product) = product else { return StatusCode::NOT_FOUND.into_response() };
    let etag = format!("\"{}-{}\"", product.version, product.price_id);
    let mut headers = HeaderMap::new();
    if let Ok(etag) = etag.parse() {
        headers.insert(header::ETAG, etag);
    }
    (headers, Json(product)).into_response()
}

async fn read_sqlx(State(pool): State<PgPool>, Path(id): Path<i64>) -> Result<Response, StatusCode> {
    let row = sqlx::query(GET)
        .bind(id)
        .bind(Instant(Timestamp::now()))
        .bind(None::<i64>)
        .fetch_optional(&pool)
        .await
        .map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    let product = row.as_ref().map(from_row).transpose().map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(found(product))
}

fn from_row(row: &PgRow) -> Result<Product, sqlx::Error> {
    Ok(Product {
        id: row.try_get("id")?,
        sku: row.try_get("sku")?,
        name: row.try_get("name")?,
        name_en: row.try_get("name_en")?,
        name_fr: row.try_get("name_fr")?,
        description: row.try_get("description")?,
        barcode: row.try_get("barcode")?,
        category: row.try_get("category")?,
        tax_category: row.try_get("tax_category")?,
        price: cad(row.try_get("price")?),
        price_kind: row.try_get("price_kind")?,
        deposit: cad(row.try_get("deposit")?),
        status: row.try_get("status")?,
        version: row.try_get("version")?,
        created_at: row.try_get::<Instant, _>("created_at")?.0,
        updated_at: row.try_get::<Instant, _>("updated_at")?.0,
        price_id: row.try_get("price_id")?,
    })
}

async fn read_comptoir(State(statement): State<Arc<Prepared>>, Path(id): Path<i64>) -> Result<Response, StatusCode> {
    let now = Value::Timestamptz(Timestamp::now().as_microsecond());
    let parameters = vec![Value::Int64(id), now, Value::Null];
    let mut rows = statement.query(parameters, None).await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    let product = rows.rows.pop().map(|row| from_values(row).ok_or(StatusCode::INTERNAL_SERVER_ERROR)).transpose()?;
    Ok(found(product))
}

/// In the order of the statement's columns.
fn from_values(row: Vec<Value>) -> Option<Product> {
    let mut row = row.into_iter();
    let product = Product {
        id: integer(row.next()?)?,
        sku: text(row.next()?)?,
        name: text(row.next()?)?,
        name_en: text(row.next()?),
        name_fr: text(row.next()?),
        description: text(row.next()?),
        barcode: text(row.next()?),
        category: text(row.next()?)?,
        tax_category: text(row.next()?)?,
        deposit: cad(integer(row.next()?)?),
        status: text(row.next()?)?,
        version: integer(row.next()?)?,
        created_at: instant(row.next()?)?,
        updated_at: instant(row.next()?)?,
        price_id: integer(row.next()?)?,
        price_kind: text(row.next()?)?,
        price: cad(integer(row.next()?)?),
    };
    Some(product)
}

fn integer(value: Value) -> Option<i64> {
    match value {
        Value::Int64(integer) => Some(integer),
        _ => None,
    }
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

fn instant(value: Value) -> Option<Timestamp> {
    match value {
        Value::Timestamptz(microseconds) => Timestamp::from_microsecond(microseconds).ok(),
        _ => None,
    }
}

/// sqlx knows other libraries of time.
struct Instant(Timestamp);

impl sqlx::Type<Postgres> for Instant {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("timestamptz")
    }
}

impl sqlx::Encode<'_, Postgres> for Instant {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, sqlx::error::BoxDynError> {
        (self.0.as_microsecond() - POSTGRES_EPOCH_US).encode_by_ref(buffer)
    }
}

impl<'r> sqlx::Decode<'r, Postgres> for Instant {
    fn decode(value: PgValueRef<'r>) -> Result<Self, sqlx::error::BoxDynError> {
        let microseconds = i64::from_be_bytes(value.as_bytes()?.try_into()?) + POSTGRES_EPOCH_US;
        Ok(Self(Timestamp::from_microsecond(microseconds)?))
    }
}
