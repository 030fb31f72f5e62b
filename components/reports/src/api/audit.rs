//! What no constraint can keep: whether the live epoch is what was told. The numbers are those of the design's
//! invariants; rules that join services are in `store/rules.rs`.

use sdk::audit::Rule;

/// Of the epoch that reports are made from.
macro_rules! live {
    () => {
        "(select epoch from epochs where state = 'live')"
    };
}

pub const RULES: &[Rule] = &[
    // 23: what a document says of its lines is what they come to.
    Rule {
        invariant: "documents-are-sums-of-lines",
        offenders: concat!(
            "select d.kind, d.document, d.total_cents, e.total
            from documents d
            cross join lateral (
                select coalesce(sum(gross_cents), 0) as gross, coalesce(sum(discount_cents), 0) as discount,
                    coalesce(sum(net_cents), 0) as net, coalesce(sum(gst_cents), 0) as gst,
                    coalesce(sum(qst_cents), 0) as qst, coalesce(sum(deposit_cents), 0) as deposit,
                    coalesce(sum(total_cents), 0) as total
                from entries e
                where e.epoch = d.epoch and e.kind = d.kind and e.document = d.document
            ) e
            where d.epoch = ",
            live!(),
            " and d.kind <> 'giveback'
                and (d.gross_cents, d.discount_cents, d.net_cents, d.gst_cents, d.qst_cents, d.deposit_cents,
                    d.total_cents)
                    is distinct from (e.gross, e.discount, e.net, e.gst, e.qst, e.deposit, e.total)"
        ),
    },
    Rule {
        invariant: "lines-have-a-document",
        offenders: concat!(
            "select e.kind, e.document, e.line
            from entries e
            where e.epoch = ",
            live!(),
            " and not exists (
                select from documents d where d.epoch = e.epoch and d.kind = e.kind and d.document = e.document
            )"
        ),
    },
    // 18: what was kept of what was handed over is the total, but for the cents that there are no coins for.
    Rule {
        invariant: "documents-are-paid",
        offenders: concat!(
            "select d.kind, d.document, d.total_cents, d.rounding_cents, t.paid
            from documents d
            cross join lateral (
                select coalesce(sum(amount_cents), 0) as paid from tenders t
                where t.epoch = d.epoch and t.kind = d.kind and t.document = d.document
            ) t
            where d.epoch = ",
            live!(),
            " and d.kind <> 'giveback' and t.paid <> d.total_cents + d.rounding_cents"
        ),
    },
    Rule {
        invariant: "sale-was-told-whole",
        offenders: concat!(
            "select s.sale_id, s.status, s.total_cents, d.sold, d.voided
            from sales s
            cross join lateral (
                select sum(total_cents) filter (where kind = 'sale') as sold,
                    -sum(total_cents) filter (where kind = 'void') as voided
                from documents d
                where d.epoch = s.epoch and d.origin = s.sale_id and d.kind in ('sale', 'void')
            ) d
            where s.epoch = ",
            live!(),
            " and (d.sold is distinct from s.total_cents
                or d.voided is distinct from case s.status when 'voided' then s.total_cents end)"
        ),
    },
    Rule {
        invariant: "returned-is-sum-of-returns",
        offenders: concat!(
            "select s.sale_id, s.refunded_cents, d.returned
            from sales s
            cross join lateral (
                select coalesce(-sum(total_cents), 0) as returned from documents d
                where d.epoch = s.epoch and d.origin = s.sale_id and d.kind = 'return'
            ) d
            where s.epoch = ",
            live!(),
            " and s.refunded_cents <> d.returned"
        ),
    },
    Rule {
        invariant: "refunded-is-sum-of-refunds",
        offenders: concat!(
            "select o.order_id, o.refunded_cents, d.refunded
            from orders o
            cross join lateral (
                select coalesce(-sum(total_cents), 0) as refunded from documents d
                where d.epoch = o.epoch and d.origin = o.order_id and d.kind in ('refund', 'giveback')
            ) d
            where o.epoch = ",
            live!(),
            " and o.refunded_cents <> d.refunded"
        ),
    },
    // 10.
    Rule {
        invariant: "returned-is-at-most-sold",
        offenders: concat!(
            "select d.origin as sale_id, e.line, -sum(e.quantity) as returned, s.quantity as sold
            from documents d
            join entries e on e.epoch = d.epoch and e.kind = d.kind and e.document = d.document
            left join entries s on s.epoch = d.epoch and s.kind = 'sale' and s.document = d.origin and s.line = e.line
            where d.epoch = ",
            live!(),
            " and d.kind = 'return'
            group by d.origin, e.line, s.quantity
            having -sum(e.quantity) > coalesce(s.quantity, 0)"
        ),
    },
    // 3, as it was told.
    Rule {
        invariant: "stock-is-sum-of-movements",
        offenders: concat!(
            "select s.location_id, s.product_id, s.on_hand, m.moved
            from stock s
            left join (
                select epoch, location_id, product_id, sum(delta) as moved from movements
                group by epoch, location_id, product_id
            ) m using (epoch, location_id, product_id)
            where s.epoch = ",
            live!(),
            " and s.on_hand <> coalesce(m.moved, 0)"
        ),
    },
    // 24.
    Rule {
        invariant: "no-event-is-told-twice",
        offenders: concat!("select source, subject, version, event_id from repeats where epoch = ", live!()),
    },
    Rule {
        invariant: "every-event-can-be-read",
        offenders: concat!(
            "select source, reason, rejected_at, left(event, 1000) as event from rejected_events where epoch = ",
            live!()
        ),
    },
];
