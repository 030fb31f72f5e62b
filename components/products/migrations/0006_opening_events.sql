-- Products that were there before there were events: each tells what it is now, so that who reads the
-- feed from its beginning knows all of them. As in `api/events.rs`.
insert into outbox (event_id, type, subject, subject_version, occurred_at, payload)
select gen_random_uuid(), 'product.created', 'product/' || p.id, p.version, p.updated_at,
    jsonb_build_object(
        'product_id', p.id,
        'sku', p.sku,
        'name', p.name,
        'category', p.category_code,
        'tax_category', p.tax_category_code,
        'status', p.status,
        'deposit', jsonb_build_object('amount', p.deposit_cents, 'currency', 'CAD'),
        'price', jsonb_build_object('amount', e.amount_cents, 'currency', 'CAD')
    )
from products p
join prices e on e.product_id = p.id and e.kind = 'regular' and e.store_id is null
    and e.valid @> greatest(now(), p.created_at)
order by p.id;
