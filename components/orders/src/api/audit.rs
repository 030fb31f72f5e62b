//! What no constraint can keep: the rules of `GET /internal/v1/audit`, each a statement that selects
//! what breaks it. The numbers are those of the design's invariants.

use sdk::audit::Rule;

pub const RULES: &[Rule] = &[
    // 9, and 10 in sum.
    Rule {
        invariant: "cancelled-order-keeps-no-money",
        offenders: "select id as order_id, captured_cents, refunded_cents from orders
            where status = 'cancelled' and captured_cents <> refunded_cents",
    },
    Rule {
        invariant: "refunded-is-sum-of-refunds",
        offenders: "select o.id as order_id, o.refunded_cents, r.total
            from orders o
            cross join lateral (
                select coalesce(sum(total_cents), 0) as total from refunds r where r.order_id = o.id
            ) r
            where o.refunded_cents <> r.total or r.total > o.captured_cents",
    },
    Rule {
        invariant: "returned-is-sum-of-refund-lines",
        offenders: "select l.order_id, l.line, l.returned, r.quantity
            from order_lines l
            cross join lateral (
                select coalesce(sum(quantity), 0) as quantity from refund_lines r
                where r.order_id = l.order_id and r.line = l.line
            ) r
            where l.returned <> r.quantity or r.quantity > l.quantity",
    },
    Rule {
        invariant: "refund-is-sum-of-its-lines",
        offenders: "select r.id as refund_id, r.total_cents
            from refunds r
            where r.total_cents <> (
                select coalesce(sum(l.total_cents), 0) from refund_lines l where l.refund_id = r.id
            )",
    },
    // Whatever was decided to go back is on its way or there.
    Rule {
        invariant: "refund-has-an-effect",
        offenders: "select r.id as refund_id from refunds r
            where r.settled_at is null and not exists (
                select from effects e where e.kind = 'refund' and e.reference = r.id::text and e.done_at is null
            )",
    },
    // 13.
    Rule {
        invariant: "timeline-steps-are-allowed",
        offenders: "select order_id, position, from_state, to_state
            from (
                select t.*, lag(to_state) over (partition by order_id order by position) as before
                from timeline t
                where what = 'status'
            ) t
            where from_state is distinct from before
                or (coalesce(from_state, ''), to_state) not in (
                    ('', 'pending'), ('pending', 'confirmed'), ('confirmed', 'processing'), ('processing', 'ready'),
                    ('ready', 'completed'), ('pending', 'cancelled'), ('confirmed', 'cancelled'),
                    ('processing', 'cancelled'), ('ready', 'cancelled')
                )",
    },
    Rule {
        invariant: "status-is-end-of-timeline",
        offenders: "select o.id as order_id, o.status, o.payment_status
            from orders o
            where o.status is distinct from (
                    select to_state from timeline t where t.order_id = o.id and t.what = 'status'
                    order by position desc limit 1
                )
                or o.payment_status is distinct from coalesce((
                    select to_state from timeline t where t.order_id = o.id and t.what = 'payment'
                    order by position desc limit 1
                ), 'unpaid')",
    },
    // 14, as far as it is known here.
    Rule {
        invariant: "cancelled-order-has-no-authorization",
        offenders: "select o.id as order_id from orders o
            where o.status = 'cancelled' and o.payment_status = 'authorized' and not exists (
                select from effects e
                where e.kind = 'void' and e.reference = o.payment_id::text and e.done_at is null
            )",
    },
    // 8, as far as it is known here.
    Rule {
        invariant: "confirmed-order-is-captured",
        offenders: "select id as order_id, status, payment_status from orders
            where (status in ('confirmed', 'processing', 'ready', 'completed')
                    and (captured_cents <> total_cents or confirmed_at is null))
                or (payment_status in ('paid', 'partially-refunded', 'refunded')
                    and captured_cents <> total_cents)",
    },
    // 15.
    Rule {
        invariant: "totals-are-sums-of-lines",
        offenders: "select o.id as order_id
            from orders o
            cross join lateral (
                select sum(gross_cents) as gross, sum(discount_cents) as discount, sum(net_cents) as net,
                    sum(gst_cents) as gst, sum(qst_cents) as qst, sum(deposit_cents) as deposits,
                    sum(total_cents) as total,
                    bool_and(gross_cents = unit_price_cents * quantity
                        and deposit_cents = unit_deposit_cents * quantity) as units
                from order_lines l where l.order_id = o.id
            ) l
            where (o.gross_cents, o.discount_cents, o.subtotal_cents, o.gst_cents, o.qst_cents, o.deposits_cents,
                    o.total_cents) is distinct from (l.gross, l.discount, l.net, l.gst, l.qst, l.deposits, l.total)
                or not l.units",
    },
    // 16: each tax once at each rate, half up.
    Rule {
        invariant: "taxes-recompute",
        offenders: "select o.id as order_id, o.gst_cents, o.qst_cents, t.gst, t.qst
            from orders o
            cross join lateral (
                select
                    (select coalesce(sum((base * gst_rate + 50000) / 100000), 0) from (
                        select gst_rate, sum(net_cents)::bigint as base from order_lines l
                        where l.order_id = o.id group by gst_rate
                    ) g) as gst,
                    (select coalesce(sum((base * qst_rate + 50000) / 100000), 0) from (
                        select qst_rate, sum(net_cents)::bigint as base from order_lines l
                        where l.order_id = o.id group by qst_rate
                    ) q) as qst
            ) t
            where o.gst_cents <> t.gst or o.qst_cents <> t.qst",
    },
    Rule {
        invariant: "effects-are-carried-out",
        offenders: "select id as effect_id, order_id, kind, attempts, failure from effects
            where done_at is null and created_at < now() - interval '1 hour'",
    },
    // 24, as far as it is known here.
    Rule {
        invariant: "version-counts-events",
        offenders: "select o.id as order_id, o.version, e.events
            from orders o
            cross join lateral (
                select count(*) as events from outbox e where e.subject = 'order/' || o.id
            ) e
            where o.version <> e.events",
    },
];
