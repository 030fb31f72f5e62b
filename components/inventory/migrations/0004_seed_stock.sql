-- Five stores and the warehouse, and what they open with of the 228 products that the catalogue opens with. On
-- round numbers nothing looks real: quantities follow from the ids, a few are out, low or too much.

insert into locations (id, code, name, kind)
values
    (1, 'MTL', 'Montréal Centre', 'store'),
    (2, 'QUE', 'Québec', 'store'),
    (3, 'SHE', 'Sherbrooke', 'store'),
    (4, 'TRI', 'Trois-Rivières', 'store'),
    (5, 'GAT', 'Gatineau', 'store'),
    (100, 'LOG', 'Centre logistique', 'warehouse');

insert into stock (location_id, product_id, on_hand, threshold_low, threshold_high, version, updated_at)
select
    l.id,
    p.id,
    case
        when l.kind = 'warehouse' then case when p.id <= 5 then 5000 else 400 + (p.id * 37) % 500 end
        when p.id <= 5 then 240
        when l.id = 3 and p.id % 37 = 0 then 0
        when l.id = 5 and p.id % 29 = 0 then 1 + p.id % 4
        when l.id = 1 and p.id % 41 = 0 then 260 + p.id % 90
        else 24 + (p.id * 7 + l.id * 13) % 73
    end,
    case when l.kind = 'warehouse' then 200 else 12 end,
    case when l.kind = 'warehouse' then 10000 when p.id <= 5 then 500 else 240 end,
    1,
    '2024-01-01 05:00:00+00'
from locations l
cross join generate_series(1, 228) as p (id)
order by l.id, p.id;

insert into movements (location_id, product_id, delta, on_hand, kind, reference, line, actor, occurred_at)
select location_id, product_id, on_hand, on_hand, 'opening', 'opening/' || location_id, product_id, 'migration', updated_at
from stock
where on_hand <> 0
order by location_id, product_id;

-- Whoever builds a view of the stock from events alone begins here.
insert into outbox (event_id, type, subject, subject_version, occurred_at, payload)
select
    gen_random_uuid(),
    'stock.changed',
    'stock/' || location_id || '/' || product_id,
    version,
    updated_at,
    jsonb_build_object(
        'location_id', location_id,
        'product_id', product_id,
        'kind', 'opening',
        'delta', on_hand,
        'on_hand', on_hand,
        'reserved', reserved,
        'in_transit', in_transit,
        'level', level,
        'reference', 'opening/' || location_id
    )
from stock
order by location_id, product_id;
