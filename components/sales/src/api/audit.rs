//! What no constraint can keep: the rules of `GET /internal/v1/audit`, each a statement that selects
//! what breaks it. The numbers are those of the design's invariants.

use sdk::audit::Rule;

pub const RULES: &[Rule] = &[
    // 27: as many as the last number, and that is the highest.
    Rule {
        invariant: "receipts-are-gapless",
        offenders: "select r.id as register_id, r.last_sale, s.sales, s.highest
            from registers r
            cross join lateral (
                select count(*) as sales, coalesce(max(seq), 0) as highest from sales s where s.register_id = r.id
            ) s
            where r.last_sale <> s.sales or r.last_sale <> s.highest",
    },
    Rule {
        invariant: "returns-are-gapless",
        offenders: "select r.id as register_id, r.last_return, b.returns, b.highest
            from registers r
            cross join lateral (
                select count(*) as returns, coalesce(max(seq), 0) as highest from returns b where b.register_id = r.id
            ) b
            where r.last_return <> b.returns or r.last_return <> b.highest",
    },
    Rule {
        invariant: "z-reports-are-gapless",
        offenders: "select r.id as register_id, r.last_z, z.reports, z.highest
            from registers r
            cross join lateral (
                select count(*) as reports, coalesce(max(z_seq), 0) as highest
                from sessions s where s.register_id = r.id and s.status = 'closed'
            ) z
            where r.last_z <> z.reports or r.last_z <> z.highest",
    },
    // 18.
    Rule {
        invariant: "payments-less-change-are-payable",
        offenders: "select s.id as sale_id, s.payable_cents, s.change_cents, p.paid, p.cash
            from sales s
            cross join lateral (
                select coalesce(sum(amount_cents), 0) as paid,
                    coalesce(sum(amount_cents) filter (where method = 'cash'), 0) as cash
                from sale_payments p where p.sale_id = s.id
            ) p
            where p.paid - s.change_cents <> s.payable_cents
                or s.change_cents > p.cash
                or (p.cash = 0 and s.cash_rounding_cents <> 0)
                or (s.cash_rounding_cents <> 0 and (p.cash - s.change_cents) % 5 <> 0)",
    },
    Rule {
        invariant: "a-drawer-adds-up",
        offenders: "select s.id as session_id, s.status, d.expected, s.expected_cents, s.report
            from sessions s
            cross join lateral (
                select s.float_cents
                    + (select coalesce(sum(p.amount_cents), 0) from sales x join sale_payments p on p.sale_id = x.id
                        where x.session_id = s.id and x.status = 'completed' and p.method = 'cash')
                    - (select coalesce(sum(x.change_cents), 0) from sales x
                        where x.session_id = s.id and x.status = 'completed')
                    + (select coalesce(sum(case m.kind when 'in' then m.amount_cents else -m.amount_cents end), 0)
                        from cash_movements m where m.session_id = s.id)
                    - (select coalesce(sum(f.amount_cents), 0) from returns r
                        join return_refunds f on f.return_id = r.id
                        where r.session_id = s.id and f.method = 'cash') as expected
            ) d
            where d.expected < 0
                or (s.status = 'closed' and (d.expected <> s.expected_cents
                    or (s.report -> 'expected_cash' ->> 'amount')::bigint <> s.expected_cents))",
    },
    // What was printed is what the rows come to.
    Rule {
        invariant: "a-z-report-is-sum-of-its-rows",
        offenders: "select s.id as session_id, s.report, x.*, r.*
            from sessions s
            cross join lateral (
                select count(*) filter (where status = 'completed') as sales,
                    count(*) filter (where status = 'voided') as voids,
                    coalesce(sum(total_cents) filter (where status = 'completed'), 0) as total,
                    coalesce(sum(gst_cents) filter (where status = 'completed'), 0) as gst,
                    coalesce(sum(qst_cents) filter (where status = 'completed'), 0) as qst,
                    coalesce(sum(payable_cents) filter (where status = 'completed'), 0) as payable
                from sales x where x.session_id = s.id
            ) x
            cross join lateral (
                select count(*) as returns, coalesce(sum(total_cents), 0) as returned
                from returns r where r.session_id = s.id
            ) r
            where s.status = 'closed' and (
                (s.report ->> 'sales')::bigint, (s.report ->> 'voids')::bigint, (s.report ->> 'returns')::bigint,
                (s.report -> 'total' ->> 'amount')::bigint, (s.report -> 'gst' ->> 'amount')::bigint,
                (s.report -> 'qst' ->> 'amount')::bigint, (s.report -> 'payable' ->> 'amount')::bigint,
                (s.report -> 'returned' -> 'total' ->> 'amount')::bigint
            ) is distinct from (x.sales, x.voids, r.returns, x.total, x.gst, x.qst, x.payable, r.returned)",
    },
    // 15.
    Rule {
        invariant: "totals-are-sums-of-lines",
        offenders: "select s.id as sale_id
            from sales s
            cross join lateral (
                select sum(gross_cents) as gross, sum(discount_cents) as discount, sum(net_cents) as net,
                    sum(gst_cents) as gst, sum(qst_cents) as qst, sum(deposit_cents) as deposits,
                    sum(total_cents) as total,
                    bool_and(gross_cents = unit_price_cents * quantity
                        and deposit_cents = unit_deposit_cents * quantity) as units
                from sale_lines l where l.sale_id = s.id
            ) l
            where (s.gross_cents, s.discount_cents, s.subtotal_cents, s.gst_cents, s.qst_cents, s.deposits_cents,
                    s.total_cents) is distinct from (l.gross, l.discount, l.net, l.gst, l.qst, l.deposits, l.total)
                or not l.units",
    },
    // 16: each tax once at each rate, half up.
    Rule {
        invariant: "taxes-recompute",
        offenders: "select s.id as sale_id, s.gst_cents, s.qst_cents, t.gst, t.qst
            from sales s
            cross join lateral (
                select
                    (select coalesce(sum((base * gst_rate + 50000) / 100000), 0) from (
                        select gst_rate, sum(net_cents)::bigint as base from sale_lines l
                        where l.sale_id = s.id group by gst_rate
                    ) g) as gst,
                    (select coalesce(sum((base * qst_rate + 50000) / 100000), 0) from (
                        select qst_rate, sum(net_cents)::bigint as base from sale_lines l
                        where l.sale_id = s.id group by qst_rate
                    ) q) as qst
            ) t
            where s.gst_cents <> t.gst or s.qst_cents <> t.qst",
    },
    // 10.
    Rule {
        invariant: "returned-is-sum-of-return-lines",
        offenders: "select l.sale_id, l.line, l.quantity, l.returned, r.quantity as came_back
            from sale_lines l
            cross join lateral (
                select coalesce(sum(quantity), 0) as quantity from return_lines r
                where r.sale_id = l.sale_id and r.line = l.line
            ) r
            where l.returned <> r.quantity or r.quantity > l.quantity",
    },
    Rule {
        invariant: "refunded-is-sum-of-returns",
        offenders: "select s.id as sale_id, s.refunded_cents, s.total_cents, r.total
            from sales s
            cross join lateral (
                select coalesce(sum(total_cents), 0) as total from returns r where r.sale_id = s.id
            ) r
            where s.refunded_cents <> r.total or r.total > s.total_cents",
    },
    Rule {
        invariant: "return-is-sum-of-its-lines-and-is-paid-back",
        offenders: "select r.id as return_id, r.total_cents, r.cash_rounding_cents, l.total, f.paid
            from returns r
            cross join lateral (
                select coalesce(sum(total_cents), 0) as total from return_lines l where l.return_id = r.id
            ) l
            cross join lateral (
                select coalesce(sum(amount_cents), 0) as paid from return_refunds f where f.return_id = r.id
            ) f
            where r.total_cents <> l.total or f.paid <> r.total_cents + r.cash_rounding_cents",
    },
    // 17. Where what was no cash goes back as cash, it is rounded to the coin.
    Rule {
        invariant: "refunds-are-within-what-was-paid",
        offenders: "select s.id as sale_id, s.payable_cents, f.paid, l.all_back
            from sales s
            cross join lateral (
                select sum(amount_cents) as paid,
                    coalesce(sum(amount_cents) filter (where method = 'cash'), 0) > (
                        select coalesce(sum(p.amount_cents) filter (where p.method = 'cash'), 0) - s.change_cents
                        from sale_payments p where p.sale_id = s.id
                    ) as other_in_cash
                from return_refunds f where f.sale_id = s.id
            ) f
            cross join lateral (
                select bool_and(l.returned = l.quantity) as all_back from sale_lines l where l.sale_id = s.id
            ) l
            where f.paid - s.payable_cents > case when f.other_in_cash then 2 else 0 end
                or (l.all_back and s.payable_cents - f.paid > case when f.other_in_cash then 2 else 0 end)",
    },
    // 8, as far as it is known here.
    Rule {
        invariant: "an-order-has-one-sale",
        offenders: "select order_id, count(*) as sales from sales
            where order_id is not null group by order_id having count(*) > 1",
    },
    Rule {
        invariant: "what-is-sold-is-issued",
        offenders: "select s.id as sale_id from sales s
            where s.channel = 'store' and not exists (
                select from effects e where e.kind = 'issue' and e.reference = s.id::text
            )",
    },
    Rule {
        invariant: "effects-are-carried-out",
        offenders: "select id as effect_id, sale_id, kind, attempts, failure from effects
            where done_at is null and created_at < now() - interval '60 seconds'",
    },
    // 24, as far as it is known here.
    Rule {
        invariant: "version-counts-events",
        offenders: "select v.subject, v.version, e.events
            from (
                select 'sale/' || id as subject, version from sales
                union all
                select 'session/' || id, version from sessions
            ) v
            cross join lateral (
                select count(*) as events from outbox e where e.subject = v.subject
            ) e
            where v.version <> e.events",
    },
];
