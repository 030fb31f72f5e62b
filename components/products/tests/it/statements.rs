//! How often PostgreSQL is asked, and that it has an index to answer from.

use std::sync::atomic::{AtomicUsize, Ordering};

use products::domain::ProductId;
use products::store::{products as product_store, quotes};
use sdk::{Db, DbError, Executor, Rows, Value, params};

use crate::support::shop;

/// Counts the statements that go through it.
struct Counting<'a> {
    db: &'a Db,
    statements: AtomicUsize,
}

impl Counting<'_> {
    fn so_far(&self) -> usize {
        self.statements.load(Ordering::Relaxed)
    }
}

impl Executor for Counting<'_> {
    async fn query_values(&self, sql: &str, params: Vec<Value>) -> Result<Rows, DbError> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        self.db.query_values(sql, params).await
    }

    async fn execute(&self, sql: &str, params: Vec<Value>) -> Result<u64, DbError> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        self.db.execute(sql, params).await
    }
}

#[tokio::test]
async fn a_product_and_a_quote_take_one_statement_each_however_many_lines() {
    let shop = shop().await;
    let now = shop.context().clock.now();
    let db = Counting { db: shop.db(), statements: AtomicUsize::new(0) };
    let product = product_store::get(&db, ProductId(1), None, now).await.unwrap();
    assert_eq!((product.unwrap().sku.as_str(), db.so_far()), ("COKE-355", 1));
    let offers = quotes::offers(&db, (1..=200).collect(), now, None).await.unwrap();
    assert_eq!((offers.len(), db.so_far()), (200, 2));
}

#[tokio::test]
async fn a_product_is_read_from_indexes_without_a_sort() {
    let shop = shop().await;
    // A vacuum marks a page visible to all only when the commits of its rows are on the disk.
    shop.database().administer("checkpoint").await;
    shop.database().administer("vacuum analyze prices").await;
    shop.database().administer("analyze products").await;
    let explain = format!("explain (costs off) {}", product_store::GET);
    let now = shop.context().clock.now();
    let rows: Vec<(String,)> = shop.db().query(&explain, params![ProductId(1), now, None::<i64>]).await.unwrap();
    let plan: Vec<String> = rows.into_iter().map(|(line,)| line).collect();
    let plan = plan.join("\n");
    assert!(plan.contains("Index Only Scan using prices_by_product"), "{plan}");
    assert!(plan.contains("Index Scan using products_pkey"), "{plan}");
    assert!(!plan.contains("Sort"), "{plan}");
}
