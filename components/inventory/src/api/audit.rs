//! The rules that no constraint can keep, and those whose breaking would cost the most: each a statement
//! that selects what breaks it.

use sdk::audit::Rule;

/// The numbers are those of the design's invariants.
pub const RULES: &[Rule] = &[
    // 1
    Rule {
        invariant: "reserved-is-on-hand",
        offenders: "select location_id, product_id, on_hand, reserved from stock
            where on_hand < 0 or reserved < 0 or reserved > on_hand",
    },
    // 2
    Rule {
        invariant: "reserved-is-sum-of-open-lines",
        offenders: "select location_id, product_id, s.reserved, l.quantity as promised
            from stock s
            full join (
                select l.location_id, l.product_id, sum(l.quantity)::bigint as quantity
                from reservations r
                join reservation_lines l on l.reservation_id = r.id
                where r.status in ('active', 'pinned')
                group by l.location_id, l.product_id
            ) l using (location_id, product_id)
            where coalesce(s.reserved, 0) <> coalesce(l.quantity, 0)",
    },
    // 3
    Rule {
        invariant: "on-hand-is-sum-of-movements",
        offenders: "select location_id, product_id, s.on_hand, m.delta as moved
            from stock s
            full join (
                select location_id, product_id, sum(delta)::bigint as delta
                from movements
                group by location_id, product_id
            ) m using (location_id, product_id)
            where coalesce(s.on_hand, 0) <> coalesce(m.delta, 0)",
    },
    // 4
    Rule {
        invariant: "line-moves-once",
        offenders: "select reference, line, count(*) as movements from movements
            group by reference, line having count(*) > 1",
    },
    // 4: and it does move, if it is committed, and not if it is not.
    Rule {
        invariant: "committed-reservation-moves-its-lines",
        offenders: "select r.id as reservation_id, r.status, l.line, l.quantity, m.delta as moved
            from reservations r
            join reservation_lines l on l.reservation_id = r.id
            left join movements m on m.reference = 'reservation/' || r.id and m.line = l.line
            where coalesce(m.delta, 0) <> case when r.status = 'committed' then -l.quantity else 0 end",
    },
    Rule {
        invariant: "voucher-moves-its-lines",
        offenders: "select v.kind, v.reference, v.line, v.quantity, m.delta as moved, d.quantity as missing
            from voucher_lines v
            left join movements m on m.reference = v.kind || '/' || v.reference and m.line = v.line
            left join discrepancies d on d.reference = v.kind || '/' || v.reference and d.line = v.line
            where v.moved <> case v.kind when 'issue' then -coalesce(m.delta, 0) else coalesce(m.delta, 0) end
                or v.quantity <> v.moved + coalesce(d.quantity, 0)",
    },
    // 5: what was shipped has left the source; it is in transit, has arrived, or is recorded as lost.
    Rule {
        invariant: "in-transit-is-under-way",
        offenders: "select location_id, product_id, s.in_transit, w.quantity as under_way
            from stock s
            full join (
                select s.destination_id as location_id, l.product_id,
                    sum(l.shipped - l.received - l.lost)::bigint as quantity
                from shipments s
                join shipment_lines l on l.shipment_id = s.id
                group by s.destination_id, l.product_id
            ) w using (location_id, product_id)
            where coalesce(s.in_transit, 0) <> coalesce(w.quantity, 0)",
    },
    Rule {
        invariant: "shipments-conserve-units",
        offenders: "select s.id as shipment_id, l.line, l.shipped, l.received, l.lost,
                m.dispatched, m.arrived, d.missing
            from shipments s
            join shipment_lines l on l.shipment_id = s.id
            left join (
                select split_part(reference, '/', 2)::uuid as shipment_id, line,
                    coalesce(-sum(delta) filter (where kind = 'dispatch'), 0) as dispatched,
                    coalesce(sum(delta) filter (where kind = 'arrival'), 0) as arrived
                from movements
                where kind in ('dispatch', 'arrival')
                group by 1, 2
            ) m on m.shipment_id = s.id and m.line = l.line
            left join (
                select split_part(reference, '/', 2)::uuid as shipment_id, line, sum(quantity) as missing
                from discrepancies
                where kind = 'lost_in_transit'
                group by 1, 2
            ) d on d.shipment_id = s.id and d.line = l.line
            where l.shipped <> coalesce(m.dispatched, 0)
                or l.received <> coalesce(m.arrived, 0)
                or l.lost <> coalesce(d.missing, 0)
                or (s.status = 'received') <> (
                    select sum(o.shipped) > 0 and sum(o.shipped - o.received - o.lost) = 0
                    from shipment_lines o where o.shipment_id = s.id
                )",
    },
    // 6: the task runs every second, and may wait for others.
    Rule {
        invariant: "no-active-reservation-past-its-expiry",
        offenders: "select id as reservation_id, expires_at from reservations
            where status = 'active' and expires_at < now() - interval '30 seconds'",
    },
];
