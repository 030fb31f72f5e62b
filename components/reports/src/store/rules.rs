//! The SQL of the rules that join services: each a statement that selects what breaks it, in the epoch `$1`, among what
//! had happened by `$2`. The numbers are those of the design's invariants.

use jiff::Timestamp;
use sdk::audit::OFFENDERS_MAX;
use sdk::{DbError, Executor, params};

use crate::domain::Epoch;
use crate::domain::Source::{self, Checkout, Inventory, Orders, Sales};

/// A rule of several services.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    pub invariant: &'static str,
    /// What an offender is.
    pub detail: &'static str,
    /// Whose feeds it is about: what one of them has not told yet breaks no rule.
    pub sources: &'static [Source],
    offenders: &'static str,
}

pub const RULES: &[Rule] = &[
    // 8.
    Rule {
        invariant: "confirmed-order-is-captured",
        detail: "the order is confirmed, and something else than its total was captured",
        sources: &[Orders],
        offenders: "select o.order_id, o.total_cents, o.captured_cents from orders o
            where o.epoch = $1 and o.confirmed_at < $2 and o.captured_cents <> o.total_cents",
    },
    Rule {
        invariant: "captured-order-is-confirmed",
        detail: "money was captured for an order that is neither confirmed nor refunded",
        sources: &[Orders],
        offenders: "select o.order_id, o.status, o.captured_cents, o.refunded_cents from orders o
            where o.epoch = $1 and o.changed_at < $2 and o.confirmed_at is null
                and o.captured_cents <> o.refunded_cents",
    },
    Rule {
        invariant: "paid-order-has-one-sale",
        detail: "the order is paid, and has no sale or more than one",
        sources: &[Orders, Sales],
        offenders: "select o.order_id, coalesce(s.sales, 0) as sales
            from orders o
            left join (
                select order_id, count(*) as sales from sales
                where epoch = $1 and order_id is not null group by order_id
            ) s on s.order_id = o.order_id
            where o.epoch = $1 and o.confirmed_at < $2 and s.sales is distinct from 1",
    },
    Rule {
        invariant: "online-sale-has-a-paid-order",
        detail: "the sale is of an order that is not paid, or not known",
        sources: &[Orders, Sales],
        offenders: "select s.sale_id, s.order_id, o.status as order_status
            from sales s
            left join orders o on o.epoch = $1 and o.order_id = s.order_id
            where s.epoch = $1 and s.channel = 'online' and s.recorded_at < $2 and o.confirmed_at is null",
    },
    Rule {
        invariant: "paid-order-has-a-committed-reservation",
        detail: "the order is paid, and no reservation is committed for it, or more than one",
        sources: &[Orders, Checkout, Inventory],
        offenders: "select o.order_id, coalesce(r.committed, 0) as committed
            from orders o
            left join (
                select c.order_id, count(*) as committed
                from checkouts c
                join reservations r on r.epoch = $1 and r.reservation_id = c.reservation_id
                where c.epoch = $1 and r.status = 'committed'
                group by c.order_id
            ) r on r.order_id = o.order_id
            where o.epoch = $1 and o.confirmed_at < $2 and r.committed is distinct from 1",
    },
    Rule {
        invariant: "committed-reservation-has-a-paid-order",
        detail: "units were taken for an order that is neither paid nor refunded",
        sources: &[Orders, Checkout, Inventory],
        offenders: "select r.reservation_id, c.order_id, o.status as order_status
            from reservations r
            left join checkouts c on c.epoch = $1 and c.reservation_id = r.reservation_id
            left join orders o on o.epoch = $1 and o.order_id = c.order_id
            where r.epoch = $1 and r.status = 'committed' and r.changed_at < $2 and o.confirmed_at is null
                and not coalesce(o.status = 'cancelled' and o.captured_cents = o.refunded_cents, false)",
    },
    Rule {
        invariant: "committed-reservation-takes-its-units-once",
        detail: "the units that left the shelf are not those of the reservation",
        sources: &[Inventory],
        offenders: "select l.reservation_id, r.status, l.line, l.quantity, m.movements, m.moved
            from reservations r
            join reservation_lines l on l.epoch = $1 and l.reservation_id = r.reservation_id
            left join (
                select reference, location_id, product_id, count(*) as movements, sum(delta) as moved
                from movements
                where epoch = $1
                group by reference, location_id, product_id
            ) m on m.reference = 'reservation/' || r.reservation_id and m.location_id = l.location_id
                and m.product_id = l.product_id
            where r.epoch = $1 and r.changed_at < $2
                and (coalesce(m.movements, 0), coalesce(m.moved, 0)) is distinct from (
                    case r.status when 'committed' then 1 else 0 end,
                    case r.status when 'committed' then -l.quantity else 0 end
                )",
    },
    Rule {
        invariant: "completed-checkout-has-a-paid-order",
        detail: "the checkout is completed, and its order is neither paid nor refunded",
        sources: &[Orders, Checkout],
        offenders: "select c.checkout_id, c.order_id, o.status as order_status
            from checkouts c
            left join orders o on o.epoch = $1 and o.order_id = c.order_id
            where c.epoch = $1 and c.state = 'completed' and c.ended_at < $2 and o.confirmed_at is null
                and not coalesce(o.status = 'cancelled' and o.captured_cents = o.refunded_cents, false)",
    },
    // 9.
    Rule {
        invariant: "cancelled-order-keeps-no-money",
        detail: "the order is cancelled, and not all that was captured went back",
        sources: &[Orders],
        offenders: "select o.order_id, o.captured_cents, o.refunded_cents from orders o
            where o.epoch = $1 and o.status = 'cancelled' and o.changed_at < $2
                and o.captured_cents <> o.refunded_cents",
    },
    Rule {
        invariant: "cancelled-order-keeps-no-units",
        detail: "the order is cancelled, and units are still promised to it, or gone and not back",
        sources: &[Orders, Checkout, Inventory],
        offenders: "select o.order_id, c.reservation_id, r.status as reservation, m.product_id, m.gone, k.kept
            from orders o
            join checkouts c on c.epoch = $1 and c.order_id = o.order_id
            join reservations r on r.epoch = $1 and r.reservation_id = c.reservation_id
            left join lateral (
                select m.product_id, -sum(m.delta)::bigint as gone
                from movements m
                where m.epoch = $1 and (m.reference in (
                        'reservation/' || r.reservation_id, 'receipt/order-' || o.order_id || '-cancelled'
                    ) or m.reference in (
                        select 'receipt/refund-' || d.document from documents d
                        where d.epoch = $1 and d.origin = o.order_id and d.kind = 'refund'
                    ))
                group by m.product_id
            ) m on true
            cross join lateral (
                select coalesce(-sum(e.quantity), 0)::bigint as kept
                from documents d
                join entries e on e.epoch = $1 and e.kind = d.kind and e.document = d.document
                where d.epoch = $1 and d.origin = o.order_id and d.kind = 'refund' and d.goods = 'keep'
                    and e.product_id = m.product_id
            ) k
            where o.epoch = $1 and o.status = 'cancelled' and o.changed_at < $2 and r.changed_at < $2
                and (r.status in ('active', 'pinned') or coalesce(m.gone, 0) <> k.kept)",
    },
    // 14.
    Rule {
        invariant: "no-authorization-is-left",
        detail: "the order or its checkout has come to nothing, and its money is still set aside",
        sources: &[Orders, Checkout],
        offenders: "select o.order_id, o.status, c.state as checkout
            from orders o
            left join checkouts c on c.epoch = $1 and c.order_id = o.order_id and c.ended_at < $2
            where o.epoch = $1 and o.payment_status = 'authorized' and o.changed_at < $2
                and (o.status = 'cancelled' or c.state in ('failed', 'cancelled'))",
    },
    // 15.
    Rule {
        invariant: "one-total",
        detail: "checkout, order and sale do not have the same total",
        sources: &[Orders, Checkout, Sales],
        offenders: "select c.checkout_id, c.expected_cents, c.total_cents as checkout_cents,
                o.total_cents as order_cents, s.total_cents as sale_cents
            from checkouts c
            join orders o on o.epoch = $1 and o.order_id = c.order_id
            left join sales s on s.epoch = $1 and s.order_id = c.order_id
            where c.epoch = $1 and c.state = 'completed' and c.ended_at < $2
                and (c.expected_cents <> c.total_cents or c.total_cents is distinct from o.total_cents
                    or s.total_cents <> o.total_cents)",
    },
    // 24.
    Rule {
        invariant: "no-version-is-missing",
        detail: "later versions of the subject were told, and these were not",
        sources: &[],
        offenders: "select m.source, m.subject, m.low, m.high, m.since from missing m
            where m.epoch = $1 and m.since < $2",
    },
];

/// What breaks a rule, as far as it is listed.
///
/// # Errors
/// When the database says no.
pub async fn offenders(
    db: &impl Executor,
    rule: &Rule,
    epoch: Epoch,
    until: Timestamp,
) -> Result<Vec<serde_json::Value>, DbError> {
    let sql = format!("select to_jsonb(o) from ({}) o limit $3", rule.offenders);
    let found: Vec<(serde_json::Value,)> = db.query(&sql, params![epoch, until, OFFENDERS_MAX]).await?;
    Ok(found.into_iter().map(|(offender,)| offender).collect())
}

/// What breaks a rule that reports keeps by itself.
///
/// # Errors
/// When the database says no.
pub async fn own_offenders(db: &impl Executor, rule: &sdk::audit::Rule) -> Result<Vec<serde_json::Value>, DbError> {
    let sql = format!("select to_jsonb(o) from ({}) o limit $1", rule.offenders);
    let found: Vec<(serde_json::Value,)> = db.query(&sql, params![OFFENDERS_MAX]).await?;
    Ok(found.into_iter().map(|(offender,)| offender).collect())
}
