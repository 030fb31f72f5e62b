//! What no constraint can keep: whether the live epoch is what was told. The numbers are those of the design's
//! invariants; rules that join services are in `store/rules.rs`. Sums are made of a table at once: looked up for each
//! document, those of a year of sales took longer than a statement may.

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
            "select kind, document, d.total_cents, e.total
            from documents d
            left join (
                select epoch, kind, document, sum(gross_cents) as gross, sum(discount_cents) as discount,
                    sum(net_cents) as net, sum(gst_cents) as gst, sum(qst_cents) as qst,
                    sum(deposit_cents) as deposit, sum(total_cents) as total
                from entries
                group by epoch, kind, document
            ) e using (epoch, kind, document)
            where d.epoch = ",
            live!(),
            " and d.kind <> 'giveback'
                and (d.gross_cents, d.discount_cents, d.net_cents, d.gst_cents, d.qst_cents, d.deposit_cents,
                    d.total_cents)
                    is distinct from (coalesce(e.gross, 0), coalesce(e.discount, 0), coalesce(e.net, 0),
                        coalesce(e.gst, 0), coalesce(e.qst, 0), coalesce(e.deposit, 0), coalesce(e.total, 0))"
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
            "select kind, document, d.total_cents, d.rounding_cents, t.paid
            from documents d
            left join (
                select epoch, kind, document, sum(amount_cents) as paid from tenders group by epoch, kind, document
            ) t using (epoch, kind, document)
            where d.epoch = ",
            live!(),
            " and d.kind <> 'giveback' and coalesce(t.paid, 0) <> d.total_cents + d.rounding_cents"
        ),
    },
    Rule {
        invariant: "sale-was-told-whole",
        offenders: concat!(
            "select sale_id, s.status, s.total_cents, d.sold, d.voided
            from sales s
            left join (
                select epoch, origin as sale_id, sum(total_cents) filter (where kind = 'sale') as sold,
                    -sum(total_cents) filter (where kind = 'void') as voided
                from documents
                where kind in ('sale', 'void')
                group by epoch, origin
            ) d using (epoch, sale_id)
            where s.epoch = ",
            live!(),
            " and (d.sold is distinct from s.total_cents
                or d.voided is distinct from case s.status when 'voided' then s.total_cents end)"
        ),
    },
    Rule {
        invariant: "returned-is-sum-of-returns",
        offenders: concat!(
            "select sale_id, s.refunded_cents, d.returned
            from sales s
            left join (
                select epoch, origin as sale_id, -sum(total_cents) as returned
                from documents
                where kind = 'return'
                group by epoch, origin
            ) d using (epoch, sale_id)
            where s.epoch = ",
            live!(),
            " and s.refunded_cents <> coalesce(d.returned, 0)"
        ),
    },
    Rule {
        invariant: "refunded-is-sum-of-refunds",
        offenders: concat!(
            "select order_id, o.refunded_cents, d.refunded
            from orders o
            left join (
                select epoch, origin as order_id, -sum(total_cents) as refunded
                from documents
                where kind in ('refund', 'giveback')
                group by epoch, origin
            ) d using (epoch, order_id)
            where o.epoch = ",
            live!(),
            " and o.refunded_cents <> coalesce(d.refunded, 0)"
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
    // 3, as it was told: of a stock with a version that is still to come, the sum is that of the others.
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
            " and s.on_hand <> coalesce(m.moved, 0)
                and not exists (
                    select from missing g
                    where g.epoch = s.epoch and g.source = 'inventory'
                        and g.subject = format('stock/%s/%s', s.location_id, s.product_id)
                )"
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
