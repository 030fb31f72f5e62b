-- Whoever builds a view of the carts from events alone begins here: with those that were there before there were
-- events, as they are.
insert into outbox (event_id, type, subject, subject_version, occurred_at, payload)
select
    gen_random_uuid(),
    case c.status when 'open' then 'cart.changed' when 'merged' then 'cart.merged' else 'cart.expired' end,
    'cart/' || c.id,
    c.version,
    c.updated_at,
    jsonb_build_object('cart_id', c.id, 'customer_id', c.customer_id, 'store_id', c.store_id)
from carts c
order by c.created_at, c.id;
