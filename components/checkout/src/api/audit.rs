//! What no constraint can keep: the rules of `GET /internal/v1/audit`, each a statement that selects what breaks it.
//! The numbers are those of the design's invariants.

use sdk::audit::Rule;

pub const RULES: &[Rule] = &[
    // What may have been done and was given up is undone. What was refused at the first try was never done.
    Rule {
        invariant: "ended-checkout-is-undone",
        offenders: "select c.id as checkout_id, c.state, s.step, s.state as step_state
            from checkouts c
            join checkout_steps s on s.checkout_id = c.id
            join (values ('reserve', 'release'), ('order', 'cancel-order'), ('authorize', 'void')) as u (step, undo)
                on u.step = s.step
            where c.state in ('failed', 'cancelled')
                and (s.state in ('intended', 'done', 'unknown') or s.retries > 0)
                and not exists (
                    select from checkout_steps d
                    where d.checkout_id = c.id and d.state = 'done' and d.step in (u.undo, 'capture')
                )",
    },
    Rule {
        invariant: "completed-checkout-took-every-step",
        offenders: "select c.id as checkout_id, u.step, s.state as step_state
            from checkouts c
            cross join unnest(array['cart', 'price', 'customer', 'reserve', 'order', 'authorize', 'pin', 'capture',
                'commit', 'confirm', 'sale', 'consume', 'loyalty']) as u (step)
            left join checkout_steps s on s.checkout_id = c.id and s.step = u.step
            where c.state = 'completed'
                and coalesce(s.state, '') not in ('done', 'skipped')
                and not (u.step in ('consume', 'loyalty') and s.state = 'refused')",
    },
    Rule {
        invariant: "completed-checkout-undid-nothing",
        offenders: "select c.id as checkout_id, s.step
            from checkouts c
            join checkout_steps s on s.checkout_id = c.id
            where c.state = 'completed' and s.step in ('void', 'cancel-order', 'release')",
    },
    // The pivot is where it says it is.
    Rule {
        invariant: "pivot-is-the-capture",
        offenders: "select c.id as checkout_id, c.pivoted_at, s.state as step_state
            from checkouts c
            left join checkout_steps s on s.checkout_id = c.id and s.step = 'capture'
            where (c.pivoted_at is null) <> (s.step is null)
                or (c.state = 'completed' and c.pivoted_at is null)
                or (c.state = 'cancelled' and c.pivoted_at is not null)",
    },
    // 9: it fails after its capture only because its order was cancelled, and orders gives the money back, all of it.
    Rule {
        invariant: "captured-and-failed-is-refunded",
        offenders: "select c.id as checkout_id, c.payment_id, c.total_cents, r.refunded
            from checkouts c
            join checkout_steps s on s.checkout_id = c.id and s.step = 'capture' and s.state = 'done'
            cross join lateral (
                select coalesce(sum(amount_cents), 0) as refunded from payment_refunds r
                where r.payment_id = c.payment_id
            ) r
            where c.state in ('failed', 'cancelled') and r.refunded <> c.total_cents
                and c.ended_at < now() - interval '1 minute'",
    },
    // 10.
    Rule {
        invariant: "refunds-are-within-what-was-captured",
        offenders: "select r.payment_id, sum(r.amount_cents) as refunded, c.total_cents
            from payment_refunds r
            left join checkouts c on c.payment_id = r.payment_id
            left join checkout_steps s on s.checkout_id = c.id and s.step = 'capture'
            group by r.payment_id, c.total_cents, s.step
            having s.step is null or sum(r.amount_cents) > c.total_cents",
    },
    // 11.
    Rule {
        invariant: "cart-has-one-live-checkout",
        offenders: "select cart_id, count(*) as checkouts from checkouts
            where state in ('running', 'compensating') group by cart_id having count(*) > 1",
    },
    // 12.
    Rule {
        invariant: "every-checkout-ends",
        offenders: "select id as checkout_id, state, step, attempts, created_at from checkouts
            where ended_at is null and created_at < now() - interval '60 seconds'",
    },
    // 15.
    Rule {
        invariant: "total-is-what-the-customer-was-told",
        offenders: "select id as checkout_id, expected_cents, total_cents, basket->'quote'->'total' as quoted
            from checkouts
            where total_cents <> expected_cents
                or total_cents <> (basket->'quote'->'total'->>'amount')::bigint
                or total_cents <> (
                    select sum((line->'total'->>'amount')::bigint)
                    from jsonb_array_elements(basket->'quote'->'lines') as line
                )
                or (total_cents is null) <> (basket is null)",
    },
    // 24, as far as it is known here.
    Rule {
        invariant: "version-counts-events",
        offenders: "select c.id as checkout_id, c.version, e.events
            from checkouts c
            cross join lateral (
                select count(*) as events from outbox e where e.subject = 'checkout/' || c.id
            ) e
            where c.version <> e.events",
    },
    // What the provider's books say of the checkouts that have ended; those of the simulator are at hand. 8, 14.
    Rule {
        invariant: "provider-agrees",
        offenders: "select c.id as checkout_id, c.state, p.status, p.amount_cents, c.total_cents
            from checkouts c
            left join provider_payments p on p.id = c.payment_id
            left join checkout_steps s on s.checkout_id = c.id and s.step = 'capture' and s.state = 'done'
            where c.ended_at is not null
                and ((s.step is not null) <> (coalesce(p.status, '') = 'captured')
                    or coalesce(p.status, '') = 'authorized'
                    or (p.status = 'captured' and p.amount_cents <> c.total_cents))",
    },
    Rule {
        invariant: "provider-holds-no-money-for-nobody",
        offenders: "select p.id as payment_id, p.status, p.created_at
            from provider_payments p
            left join checkouts c on c.payment_id = p.id
            where (c.id is null and p.status in ('authorized', 'captured'))
                or (p.status = 'authorized' and p.created_at < now() - interval '5 minutes')",
    },
    Rule {
        invariant: "provider-refunds-add-up",
        offenders: "select p.id as payment_id, p.refunded_cents, r.refunded
            from provider_payments p
            cross join lateral (
                select coalesce(sum(amount_cents), 0) as refunded from provider_refunds r where r.payment_id = p.id
            ) r
            where p.refunded_cents <> r.refunded or r.refunded > coalesce(p.amount_cents, 0)",
    },
];
