//! The SQL of sales by something: put together from constant parts, so that PostgreSQL plans for what is asked for;
//! whatever comes from a request is a parameter.

use pricing::Money;
use sdk::{DbError, Executor, from_row, params};

use super::figures::{Scope, scope};

/// The most groups of an answer: a year of hours, or a large assortment.
pub const GROUPS_MAX: i64 = 9_000;

sdk::text_enum!(
    /// What sales are grouped by.
    GroupBy {
        /// An hour of the business, by the instant at which it begins: the one that comes twice in autumn is two.
        Hour = "hour",
        /// A day of the business.
        Day = "day",
        Store = "store",
        Product = "product",
        Cashier = "cashier",
        /// How it was paid: amounts of documents are not known by method, only what was taken.
        Method = "method",
        Channel = "channel",
    }
);

/// The hour as it is on the wall, with how far that is from UTC.
const HOUR: &str = "to_char(t.hour at time zone 'America/Toronto', 'YYYY-MM-DD\"T\"HH24:MI:SS')
    || to_char(extract(hour from (t.hour at time zone 'America/Toronto') - (t.hour at time zone 'UTC')), 'SG00')
    || ':00'";

impl GroupBy {
    /// What is grouped and ordered by; how that is written; what else a person may call it.
    const fn parts(self) -> (&'static str, &'static str, &'static str) {
        match self {
            GroupBy::Hour => ("t.hour", HOUR, "null::text"),
            GroupBy::Day => ("t.day", "t.day::text", "null::text"),
            GroupBy::Store => ("t.store_id", "t.store_id::text", "null::text"),
            GroupBy::Product => ("t.product_id, p.name", "t.product_id::text", "p.name"),
            GroupBy::Cashier => ("t.cashier", "t.cashier", "null::text"),
            GroupBy::Method => ("t.method", "t.method", "null::text"),
            GroupBy::Channel => ("t.channel", "t.channel", "null::text"),
        }
    }

    fn statement(self) -> String {
        let (group, key, name) = self.parts();
        let (amounts, table) = match self {
            GroupBy::Method => (TAKEN, "tenders t"),
            GroupBy::Product => {
                (SUMS, "entries t left join products p on p.epoch = t.epoch and p.product_id = t.product_id")
            }
            _ => (SUMS, "entries t"),
        };
        let scope = scope!();
        format!(
            "select {key} as key, {name} as name,
                count(distinct t.document) filter (where t.kind = 'sale')
                    - count(distinct t.document) filter (where t.kind = 'void') as sales,
                {amounts}
            from {table}
            where {scope}
            group by {group}
            order by {group}
            limit $6"
        )
    }
}

const SUMS: &str = "
    sum(t.quantity)::bigint as units,
    sum(t.gross_cents)::bigint as gross,
    sum(t.discount_cents)::bigint as discounts,
    coalesce(-sum(t.net_cents) filter (where t.kind in ('return', 'refund')), 0)::bigint as returned,
    sum(t.net_cents)::bigint as net,
    sum(t.gst_cents)::bigint as gst,
    sum(t.qst_cents)::bigint as qst,
    sum(t.deposit_cents)::bigint as deposits,
    sum(t.total_cents)::bigint as total,
    coalesce(-sum(t.total_cents) filter (where t.kind in ('return', 'refund')), 0)::bigint as refunded";

const TAKEN: &str = "
    null::bigint as units, null::bigint as gross, null::bigint as discounts, null::bigint as returned,
    null::bigint as net, null::bigint as gst, null::bigint as qst, null::bigint as deposits,
    sum(t.amount_cents)::bigint as total,
    coalesce(-sum(t.amount_cents) filter (where t.kind in ('return', 'refund')), 0)::bigint as refunded";

/// The sums of a group. By method only what was taken and given back is known.
#[derive(Clone, Debug)]
pub struct Group {
    /// None: what has no cashier.
    pub key: Option<String>,
    pub name: Option<String>,
    pub sales: i64,
    pub units: Option<i64>,
    pub gross: Option<Money>,
    pub discounts: Option<Money>,
    pub returned: Option<Money>,
    pub net: Option<Money>,
    pub gst: Option<Money>,
    pub qst: Option<Money>,
    pub deposits: Option<Money>,
    pub total: Money,
    pub refunded: Money,
}

from_row!(Group { key, name, sales, units, gross, discounts, returned, net, gst, qst, deposits, total, refunded });

/// In the order of what they are grouped by; one more than [`GROUPS_MAX`], if there are as many.
pub async fn groups(db: &impl Executor, scope: &Scope, by: GroupBy) -> Result<Vec<Group>, DbError> {
    let mut params = scope.params();
    params.extend(params![GROUPS_MAX + 1]);
    db.query(&by.statement(), params).await
}
