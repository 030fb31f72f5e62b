//! Lists of products: the filters that a request asked for, one order, one page by keyset.
//!
//! A statement is put together from constant parts, so that PostgreSQL plans for the filters that
//! are there; whatever comes from a request is a parameter.

use std::fmt::Write;

use jiff::Timestamp;
use sdk::{DbError, Executor, FromRow, Row, ToValue, Value, params};
use serde::{Deserialize, Serialize};

use super::{Product, columns};
use crate::domain::product::Status;
use crate::domain::{self, StoreId};
use crate::store::price_in_force;

/// What a list is restricted to; every part is optional, and all apply.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Words, each a part of a name, the SKU or the barcode.
    pub q: Option<String>,
    /// With the categories below it.
    pub category: Option<String>,
    pub ids: Option<Vec<i64>>,
    pub barcode: Option<String>,
    pub status: Option<Status>,
    /// Written, or another price in force, since then.
    pub updated_since: Option<Timestamp>,
    /// Whose prices are shown.
    pub store: Option<StoreId>,
}

/// The order of a list. Each ends in the id, so that every row has one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// Best match first; needs [`Filter::q`].
    Relevance,
    Name,
    NameDescending,
    Price,
    PriceDescending,
    UpdatedAt,
    Id,
}

/// The place of a row in its order: what a cursor holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Position {
    Relevance(i32, String, i64),
    Name(String, i64),
    NameDescending(String, i64),
    Price(i64, i64),
    PriceDescending(i64, i64),
    UpdatedAt(Timestamp, i64),
    Id(i64),
}

impl Position {
    /// The order that it is a place in.
    pub const fn sort(&self) -> Sort {
        match self {
            Self::Relevance(..) => Sort::Relevance,
            Self::Name(..) => Sort::Name,
            Self::NameDescending(..) => Sort::NameDescending,
            Self::Price(..) => Sort::Price,
            Self::PriceDescending(..) => Sort::PriceDescending,
            Self::UpdatedAt(..) => Sort::UpdatedAt,
            Self::Id(..) => Sort::Id,
        }
    }
}

/// A row of a list, with what its place depends on.
#[derive(Clone, Debug)]
pub struct Listed {
    pub product: Product,
    name_key: String,
    rank: i32,
}

impl Listed {
    /// Its place in an order.
    pub fn position(&self, sort: Sort) -> Position {
        let id = self.product.id.0;
        let name = || self.name_key.clone();
        match sort {
            Sort::Relevance => Position::Relevance(self.rank, name(), id),
            Sort::Name => Position::Name(name(), id),
            Sort::NameDescending => Position::NameDescending(name(), id),
            Sort::Price => Position::Price(self.product.price.cents(), id),
            Sort::PriceDescending => Position::PriceDescending(self.product.price.cents(), id),
            Sort::UpdatedAt => Position::UpdatedAt(self.product.updated_at, id),
            Sort::Id => Position::Id(id),
        }
    }
}

impl FromRow for Listed {
    fn from_row(row: &Row<'_>) -> Result<Self, DbError> {
        Ok(Self { product: Product::from_row(row)?, name_key: row.get("name_key")?, rank: row.get("rank")? })
    }
}

/// $1 is the instant, $2 the store.
const SELECT: &str = concat!("select ", columns!(), ", p.name_key, ");

const PRICE: &str = price_in_force!(at: "greatest($1::timestamptz, p.created_at)", store: "$2");

/// $3 is the text searched for. Folded once (`materialized`), then compared with `products.search`:
/// the longest word through the trigram index, the rest against what that leaves.
const FROM_SEARCH: &str = "
    k.rank
    from (
      with folded as materialized (select fold_text($3) as phrase)
      select
        phrase,
        (
          select '%' || word || '%'
          from unnest(string_to_array(phrase, ' ')) word
          order by length(word) desc
          limit 1
        ) as longest,
        array(select '%' || word || '%' from unnest(string_to_array(phrase, ' ')) word) as parts,
        array(select '% ' || word || '%' from unnest(string_to_array(phrase, ' ')) word) as starts
      from folded
    ) s
    join products p on p.search like s.longest and p.search like all (s.parts)
    cross join lateral (
      select
        case
          when p.search like '%| ' || s.phrase || ' |%' then 0
          when p.search like '%| ' || s.phrase || '%' then 1
          when p.search like all (s.starts) then 2
          else 3
        end as rank
    ) k ";

const FROM_ALL: &str = "0 as rank from products p ";

// Conditions. `$a`, `$b` and `$c` become the numbers of the parameters that come with them.

const HAS_STATUS: &str = "p.status = $a";

const HAS_BARCODE: &str = "p.barcode = $a";

const IS_AMONG: &str = "p.id = any ($a)";

const IN_CATEGORY: &str = "
    p.category_code in (
      with recursive tree (code) as (
        select $a::text
        union
        select c.code from categories c join tree on c.parent_code = tree.code
      )
      select code from tree
    )";

/// A price that came into force or ran out by time alone is a change as well.
const CHANGED_SINCE: &str = "
    (
      p.updated_at >= $a
      or exists (
        select from prices r
        where r.product_id = p.id
          and (lower(r.valid) between $a and $1 or upper(r.valid) between $a and $1)
      )
    )";

impl Sort {
    const fn order(self) -> &'static str {
        match self {
            Self::Relevance => "k.rank, p.name_key, p.id",
            Self::Name => "p.name_key, p.id",
            Self::NameDescending => "p.name_key desc, p.id desc",
            Self::Price => "e.amount_cents, p.id",
            Self::PriceDescending => "e.amount_cents desc, p.id desc",
            Self::UpdatedAt => "p.updated_at, p.id",
            Self::Id => "p.id",
        }
    }

    /// Rows that come after a place.
    const fn after(self) -> &'static str {
        match self {
            Self::Relevance => "(k.rank, p.name_key, p.id) > ($a, $b, $c)",
            Self::Name => "(p.name_key, p.id) > ($a, $b)",
            Self::NameDescending => "(p.name_key, p.id) < ($a, $b)",
            Self::Price => "(e.amount_cents, p.id) > ($a, $b)",
            Self::PriceDescending => "(e.amount_cents, p.id) < ($a, $b)",
            Self::UpdatedAt => "(p.updated_at, p.id) > ($a, $b)",
            Self::Id => "p.id > $a",
        }
    }
}

impl Position {
    /// Whether PostgreSQL can compare with it: a client can make up a cursor.
    pub fn is_storable(&self) -> bool {
        match self {
            Self::Relevance(_, name, _) | Self::Name(name, _) | Self::NameDescending(name, _) => !name.contains('\0'),
            Self::UpdatedAt(at, _) => domain::is_storable(*at),
            Self::Price(..) | Self::PriceDescending(..) | Self::Id(_) => true,
        }
    }

    fn params(self) -> Vec<Value> {
        match self {
            Self::Relevance(rank, name, id) => params![rank, name, id],
            Self::Name(name, id) | Self::NameDescending(name, id) => params![name, id],
            Self::Price(cents, id) | Self::PriceDescending(cents, id) => params![cents, id],
            Self::UpdatedAt(at, id) => params![at, id],
            Self::Id(id) => params![id],
        }
    }
}

/// A statement that numbers its parameters.
struct Statement {
    sql: String,
    params: Vec<Value>,
    glue: &'static str,
}

impl Statement {
    fn new(filter: &Filter, now: Timestamp) -> Self {
        let mut params = params![now, filter.store];
        let from = match &filter.q {
            Some(q) => {
                params.push(q.to_value());
                FROM_SEARCH
            }
            None => FROM_ALL,
        };
        Self { sql: [SELECT, from, PRICE].concat(), params, glue: " where " }
    }

    fn and(&mut self, condition: &'static str, params: Vec<Value>) {
        let mut condition = condition.to_owned();
        for (name, param) in ["$a", "$b", "$c"].into_iter().zip(params) {
            self.params.push(param);
            condition = condition.replace(name, &format!("${}", self.params.len()));
        }
        self.sql.push_str(self.glue);
        self.sql.push_str(&condition);
        self.glue = " and ";
    }

    fn end(&mut self, sort: Sort, rows: i64) {
        self.params.push(rows.to_value());
        let _ = write!(self.sql, " order by {} limit ${}", sort.order(), self.params.len());
    }
}

/// At most `rows` rows of an order, from its start or after a place in it.
///
/// `sort` may be [`Sort::Relevance`] only if `filter.q` is given.
pub async fn list(
    db: &impl Executor,
    filter: Filter,
    sort: Sort,
    after: Option<Position>,
    rows: i64,
    now: Timestamp,
) -> Result<Vec<Listed>, DbError> {
    let mut statement = Statement::new(&filter, now);
    if let Some(status) = filter.status {
        statement.and(HAS_STATUS, params![status.as_str()]);
    }
    if let Some(ids) = filter.ids {
        statement.and(IS_AMONG, params![ids]);
    }
    if let Some(barcode) = filter.barcode {
        statement.and(HAS_BARCODE, params![barcode]);
    }
    if let Some(category) = filter.category {
        statement.and(IN_CATEGORY, params![category]);
    }
    if let Some(since) = filter.updated_since {
        statement.and(CHANGED_SINCE, params![since]);
    }
    if let Some(position) = after {
        statement.and(position.sort().after(), position.params());
    }
    statement.end(sort, rows);
    db.query(&statement.sql, statement.params).await
}
