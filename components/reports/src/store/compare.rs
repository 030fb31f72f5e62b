//! The SQL that compares two epochs row for row, a range of keys at a time: the statements are made from the list of
//! tables, and are the same for each.

use sdk::{DbError, Executor, params};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::Epoch;

/// Rows of a table that one statement compares.
const ROWS: i64 = 5_000;

/// Differences that are shown.
pub const DIFFERENCES_MAX: usize = 100;

/// A table of which every row is of an epoch.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    pub name: &'static str,
    /// The primary key, without the epoch.
    pub key: &'static str,
    /// The columns that say when something was seen here, and not what was told.
    pub local: &'static str,
}

const fn table(name: &'static str, key: &'static str) -> Table {
    Table { name, key, local: "{epoch}" }
}

/// Everything that is built from events.
pub const TABLES: &[Table] = &[
    table("subjects", "source, subject"),
    Table { name: "missing", key: "source, subject, low", local: "{epoch,since}" },
    Table { name: "repeats", key: "source, subject, version, event_id", local: "{epoch,seen_at}" },
    Table { name: "rejected_events", key: "source, digest", local: "{epoch,rejected_at}" },
    table("documents", "kind, document"),
    table("entries", "kind, document, line"),
    table("tenders", "kind, document, method"),
    table("sales", "sale_id"),
    table("stores", "store_id"),
    table("orders", "order_id"),
    table("checkouts", "checkout_id"),
    table("reservations", "reservation_id"),
    table("reservation_lines", "reservation_id, line"),
    table("movements", "location_id, product_id, version"),
    table("stock", "location_id, product_id"),
    table("products", "product_id"),
];

sdk::text_enum!(
    /// Where a row is that the other one has not.
    Side {
        /// In the tables that reports are made from.
        Live = "live",
        /// In those that were built from the beginning of the feeds.
        Rebuilt = "rebuilt",
    }
);

/// A row that only one has, or that is another one there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Difference {
    #[schema(example = "entries")]
    pub table: String,
    pub side: Side,
    #[schema(value_type = Object)]
    pub row: serde_json::Value,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    /// Whether everything was looked at.
    pub complete: bool,
    /// Rows of the live epoch.
    pub compared: i64,
    pub differing: i64,
    /// The first [`DIFFERENCES_MAX`] of them.
    pub differences: Vec<Difference>,
}

/// From where to where, as rows of the table; none is the beginning or the end.
#[derive(Clone, Debug, Default)]
pub struct Range {
    after: Option<serde_json::Value>,
    upto: Option<serde_json::Value>,
}

impl Table {
    /// The key of a row that is the JSON parameter `$place`.
    fn key_of(&self, place: &str) -> String {
        let columns: Vec<String> = self.key.split(", ").map(|column| format!("b.{column}")).collect();
        format!("(select {} from jsonb_populate_record(null::{}, {place}) b)", columns.join(", "), self.name)
    }

    /// The condition of a range; its ends are the parameters 3 and 4.
    fn within(&self, range: &Range) -> String {
        let mut condition = String::new();
        if range.after.is_some() {
            condition.push_str(&format!(" and ({}) > {}", self.key, self.key_of("$3")));
        }
        if range.upto.is_some() {
            condition.push_str(&format!(" and ({}) <= {}", self.key, self.key_of("$4")));
        }
        condition
    }

    /// The next range: of so many rows of the live epoch, or all that is left.
    ///
    /// # Errors
    /// When the database says no.
    pub async fn next(&self, db: &impl Executor, live: Epoch, before: &Range) -> Result<Range, DbError> {
        let range = Range { after: before.upto.clone(), upto: None };
        let Table { name, key, .. } = self;
        let (condition, mut params) = (self.within(&range), params![live, ROWS - 1]);
        params.extend(range.after.clone().map(|after| params![after]).into_iter().flatten());
        let statement =
            format!("select to_jsonb(t) from {name} t where epoch = $1{condition} order by {key} offset $2 limit 1");
        let upto: Option<(serde_json::Value,)> = db.query_opt(&statement, params).await?;
        Ok(Range { upto: upto.map(|(upto,)| upto), ..range })
    }

    /// Compares a range, and adds what was found.
    ///
    /// # Errors
    /// When the database says no.
    pub async fn compare(
        &self,
        db: &impl Executor,
        [live, rebuilt]: [Epoch; 2],
        range: &Range,
        found: &mut Comparison,
    ) -> Result<(), DbError> {
        let Table { name, local, .. } = self;
        // A place that is not there is a parameter all the same, so that the others keep their numbers.
        let place = |place: &Option<serde_json::Value>| place.clone().unwrap_or(serde_json::Value::Null);
        let condition = self.within(range);
        let rows = |epoch| {
            format!("select to_jsonb(t) - '{local}'::text[] as doc from {name} t where epoch = {epoch}{condition}")
        };
        let statement = format!(
            "with l as ({}), r as ({}), places as (select $3::jsonb as after, $4::jsonb as upto),
            d as (
                select 'live' as side, x.doc from (select doc from l except select doc from r) x
                union all
                select 'rebuilt', x.doc from (select doc from r except select doc from l) x
            )
            select (select count(*) from l) as compared, (select count(*) from d) as differing,
                (select jsonb_agg(jsonb_build_object('table', '{name}', 'side', s.side, 'row', s.doc))
                    from (select * from d order by doc limit {DIFFERENCES_MAX}) s) as differences",
            rows("$1"),
            rows("$2"),
        );
        let params = params![live, rebuilt, place(&range.after), place(&range.upto)];
        let (compared, differing, differences): (i64, i64, Option<serde_json::Value>) =
            db.query_one(&statement, params).await?;
        found.compared += compared;
        found.differing += differing;
        let differences: Vec<Difference> = differences
            .map_or(Ok(Vec::new()), serde_json::from_value)
            .map_err(|err| DbError::Conversion(err.to_string()))?;
        let room = DIFFERENCES_MAX.saturating_sub(found.differences.len());
        found.differences.extend(differences.into_iter().take(room));
        Ok(())
    }
}

impl Range {
    /// Whether nothing comes after it.
    #[must_use]
    pub const fn is_last(&self) -> bool {
        self.upto.is_none()
    }
}
