//! The SQL of figures: sums over what moved revenue, for days, a store, a channel.

use jiff::civil::Date;
use pricing::Money;
use sdk::{DbError, Executor, Value, from_row, params};

use crate::domain::period::Period;
use crate::domain::{Channel, Epoch, LocationId, ProductId};

/// What is kept of `t`: days, and a store and a channel if there are any. Parameters 1 to 5.
macro_rules! scope {
    () => {
        "t.epoch = $1 and t.day between $2 and $3 and ($4::bigint is null or t.store_id = $4)
            and ($5::text is null or t.channel = $5) and t.kind <> 'giveback'"
    };
}
pub(super) use scope;

const TOTALS: &str = concat!(
    "select t.store_id, t.channel, grouping(t.store_id, t.channel) as grouped,
        count(*) filter (where t.kind = 'sale') - count(*) filter (where t.kind = 'void') as sales,
        count(*) filter (where t.kind in ('return', 'refund')) as returns,
        count(*) filter (where t.kind = 'void') as voids,
        coalesce(sum(t.gross_cents), 0)::bigint as gross,
        coalesce(sum(t.discount_cents), 0)::bigint as discounts,
        coalesce(-sum(t.net_cents) filter (where t.kind in ('return', 'refund')), 0)::bigint as returned,
        coalesce(sum(t.net_cents), 0)::bigint as net,
        coalesce(sum(t.gst_cents), 0)::bigint as gst,
        coalesce(sum(t.qst_cents), 0)::bigint as qst,
        coalesce(sum(t.deposit_cents), 0)::bigint as deposits,
        coalesce(sum(t.total_cents), 0)::bigint as total,
        coalesce(-sum(t.total_cents) filter (where t.kind in ('return', 'refund')), 0)::bigint as refunded,
        coalesce(-sum(t.total_cents) filter (where t.kind = 'void'), 0)::bigint as voided,
        coalesce(sum(t.rounding_cents), 0)::bigint as rounding
    from documents t
    where ",
    scope!(),
    " group by grouping sets ((), (t.store_id), (t.channel))
    order by grouped, t.store_id, t.channel"
);

const TAXES: &str = concat!(
    "select x.tax, x.rate,
        coalesce(sum(t.net_cents) filter (where t.kind in ('sale', 'void')), 0)::bigint as base_sold,
        coalesce(sum(x.amount) filter (where t.kind in ('sale', 'void')), 0)::bigint as tax_sold,
        coalesce(-sum(t.net_cents) filter (where t.kind in ('return', 'refund')), 0)::bigint as base_returned,
        coalesce(-sum(x.amount) filter (where t.kind in ('return', 'refund')), 0)::bigint as tax_returned
    from entries t
    cross join lateral (values ('gst', t.gst_rate, t.gst_cents), ('qst', t.qst_rate, t.qst_cents)) as x (tax, rate, amount)
    where x.rate > 0 and ",
    scope!(),
    " group by x.tax, x.rate
    order by x.tax, x.rate"
);

macro_rules! top {
    ($by:literal) => {
        concat!(
            "select t.product_id, p.sku, p.name, sum(t.quantity)::bigint as units, sum(t.net_cents)::bigint as net
            from entries t
            left join products p on p.epoch = t.epoch and p.product_id = t.product_id
            where ",
            scope!(),
            " group by t.product_id, p.sku, p.name
            having sum(t.quantity) <> 0 or sum(t.net_cents) <> 0
            order by ",
            $by,
            " desc, t.product_id
            limit $6"
        )
    };
}

const TOP_BY_UNITS: &str = top!("sum(t.quantity)");
const TOP_BY_NET: &str = top!("sum(t.net_cents)");

// Stores that sold nothing have nothing, and are there.
const BY_STORE: &str = "
    select s.store_id,
        coalesce(sum(d.net_cents) filter (where d.day between $2 and $3), 0)::bigint as net,
        coalesce(sum(d.net_cents) filter (where d.day between $4 and $5), 0)::bigint as recent,
        coalesce(sum(d.net_cents) filter (where d.day between $6 and $7), 0)::bigint as before
    from stores s
    left join documents d on d.epoch = s.epoch and d.store_id = s.store_id and d.kind <> 'giveback'
        and (d.day between $2 and $3 or d.day between $6 and $5)
    where s.epoch = $1
    group by s.store_id
    order by s.store_id";

const NETWORK: &str = "
    select
        coalesce(sum(net_cents) filter (where day between $2 and $3), 0)::bigint as net,
        coalesce(sum(net_cents) filter (where day between $4 and $5), 0)::bigint as recent,
        coalesce(sum(net_cents) filter (where day between $6 and $7), 0)::bigint as before
    from documents
    where epoch = $1 and kind <> 'giveback' and (day between $2 and $3 or day between $6 and $5)";

/// Which figures.
#[derive(Clone, Copy, Debug)]
pub struct Scope {
    pub epoch: Epoch,
    pub period: Period,
    pub store: Option<LocationId>,
    pub channel: Option<Channel>,
}

impl Scope {
    /// Parameters 1 to 5 of every statement.
    pub(super) fn params(&self) -> Vec<Value> {
        params![self.epoch, self.period.from, self.period.to, self.store, self.channel]
    }
}

/// The sums of all documents, of those of a store, or of those of a channel.
#[derive(Clone, Debug)]
pub struct Totals {
    pub store_id: Option<LocationId>,
    pub channel: Option<Channel>,
    /// A bit for what is not grouped by: 3 for all, 1 for a store, 2 for a channel.
    pub grouped: i32,
    pub sales: i64,
    pub returns: i64,
    pub voids: i64,
    pub gross: Money,
    pub discounts: Money,
    pub returned: Money,
    pub net: Money,
    pub gst: Money,
    pub qst: Money,
    pub deposits: Money,
    pub total: Money,
    pub refunded: Money,
    pub voided: Money,
    pub rounding: Money,
}

from_row!(Totals {
    store_id,
    channel,
    grouped,
    sales,
    returns,
    voids,
    gross,
    discounts,
    returned,
    net,
    gst,
    qst,
    deposits,
    total,
    refunded,
    voided,
    rounding,
});

/// What was taxed at a rate.
#[derive(Clone, Debug)]
pub struct Taxed {
    pub tax: String,
    pub rate: i32,
    pub base_sold: Money,
    pub tax_sold: Money,
    pub base_returned: Money,
    pub tax_returned: Money,
}

from_row!(Taxed { tax, rate, base_sold, tax_sold, base_returned, tax_returned });

/// What was sold of a product, less what came back.
#[derive(Clone, Debug)]
pub struct Sold {
    pub product_id: ProductId,
    pub sku: Option<String>,
    pub name: Option<String>,
    pub units: i64,
    pub net: Money,
}

from_row!(Sold { product_id, sku, name, units, net });

sdk::text_enum!(
    /// What makes a product a top one.
    Measure {
        Units = "units",
        Net = "net",
    }
);

/// Revenue in a period, and in two weeks.
#[derive(Clone, Debug)]
pub struct Revenue {
    pub net: Money,
    pub recent: Money,
    pub before: Money,
}

from_row!(Revenue { net, recent, before });

/// The same of a store.
#[derive(Clone, Debug)]
pub struct StoreRevenue {
    pub store_id: LocationId,
    pub net: Money,
    pub recent: Money,
    pub before: Money,
}

from_row!(StoreRevenue { store_id, net, recent, before });

/// Those of each store, those of each channel, and all.
pub async fn totals(db: &impl Executor, scope: &Scope) -> Result<Vec<Totals>, DbError> {
    db.query(TOTALS, scope.params()).await
}

/// By tax and rate.
pub async fn taxes(db: &impl Executor, scope: &Scope) -> Result<Vec<Taxed>, DbError> {
    db.query(TAXES, scope.params()).await
}

/// The products of which most was sold.
pub async fn top(db: &impl Executor, scope: &Scope, by: Measure, limit: i64) -> Result<Vec<Sold>, DbError> {
    let statement = match by {
        Measure::Units => TOP_BY_UNITS,
        Measure::Net => TOP_BY_NET,
    };
    let mut params = scope.params();
    params.extend(params![limit]);
    db.query(statement, params).await
}

/// Of every store where there is a till; and of all that was sold anywhere.
pub async fn revenue(
    db: &impl Executor,
    epoch: Epoch,
    period: Period,
    [recent, before]: [Period; 2],
) -> Result<(Revenue, Vec<StoreRevenue>), DbError> {
    let days = |period: Period| -> [Date; 2] { [period.from, period.to] };
    let mut params = params![epoch];
    params.extend([period, recent, before].into_iter().flat_map(days).flat_map(|day| params![day]));
    let network = db.query_one(NETWORK, params.clone()).await?;
    Ok((network, db.query(BY_STORE, params).await?))
}
