-- What every location has of every product, why, and what is promised or under way.
--
-- Locking: a write first locks its document (a reservation, a voucher, a shipment), if it has one, and then
-- the rows of `stock` that it changes, in ascending order of (location_id, product_id), all in one statement.
-- Nothing else is locked by hand, so there is no cycle to run into.

create table locations (
    id   bigint not null,
    code text   not null,
    name text   not null,
    kind text   not null,
    constraint locations_pkey primary key (id),
    constraint locations_code_key unique (code),
    constraint locations_id_range check (id > 0),
    constraint locations_kind_known check (kind in ('store', 'warehouse'))
);

-- No foreign key leads to `locations` or `stock` from what is written with every sale: each would lock the row
-- that it points to, and those are few and busy. The audit checks what such keys would.
create table stock (
    location_id    bigint      not null,
    product_id     bigint      not null,
    on_hand        bigint      not null default 0,
    -- Of what is on hand: promised to open reservations.
    reserved       bigint      not null default 0,
    -- Shipped to here, and not yet arrived or lost.
    in_transit     bigint      not null default 0,
    -- What is available is low at this and below.
    threshold_low  bigint      not null default 0,
    -- What is on hand is too much above this.
    threshold_high bigint,
    level          text        not null generated always as (
        case
            when on_hand - reserved <= 0 then 'out'
            when on_hand - reserved <= threshold_low then 'low'
            when on_hand > threshold_high then 'over'
            else 'normal'
        end
    ) stored,
    -- Counts the changes of the row from 1: the entity tag, and the version of its events.
    version        bigint      not null default 0,
    -- The version that the last count made.
    counted_version bigint,
    counted_at     timestamptz,
    updated_at     timestamptz not null,
    constraint stock_pkey primary key (location_id, product_id),
    constraint stock_location_id_fkey foreign key (location_id) references locations (id),
    constraint stock_product_id_range check (product_id > 0),
    constraint stock_on_hand_range check (on_hand >= 0),
    constraint stock_reserved_range check (reserved between 0 and on_hand),
    constraint stock_in_transit_range check (in_transit >= 0),
    constraint stock_thresholds_range check (threshold_low >= 0 and threshold_high >= threshold_low)
)
-- Room on the page for the next version of a row: a change then mostly touches no index.
with (fillfactor = 50);

create index stock_by_product on stock (product_id);
create index stock_alerts on stock (location_id, product_id) where level <> 'normal';

-- The ledger: the sum of its deltas is what is on hand. Append-only, which a trigger keeps.
create table movements (
    id          bigint      generated always as identity,
    location_id bigint      not null,
    product_id  bigint      not null,
    delta       bigint      not null,
    -- After it.
    on_hand     bigint      not null,
    kind        text        not null,
    -- What moved it: reservation/0190.., issue/.., count/1/42/7. A line of it moves once.
    reference   text        not null,
    line        bigint      not null,
    reason      text,
    actor       text        not null,
    occurred_at timestamptz not null,
    constraint movements_pkey primary key (id),
    constraint movements_reference_line_key unique (reference, line),
    constraint movements_delta_moves check (delta <> 0),
    constraint movements_on_hand_range check (on_hand >= 0),
    constraint movements_kind_known check (
        kind in ('opening', 'count', 'adjustment', 'order', 'sale', 'return', 'dispatch', 'arrival')
    )
);

create index movements_by_stock on movements (location_id, product_id, id);
create index movements_by_product on movements (product_id, id);

create function movements_stay() returns trigger
language plpgsql
as $$
begin
    raise exception 'movements are append-only';
end
$$;

create trigger movements_append_only
before update or delete or truncate on movements
for each statement execute function movements_stay();

-- Units that were lost where no movement could say so: sold without stock, shipped and never arrived.
create table discrepancies (
    id          bigint      generated always as identity,
    location_id bigint      not null,
    product_id  bigint      not null,
    quantity    bigint      not null,
    kind        text        not null,
    reference   text        not null,
    line        bigint      not null,
    recorded_at timestamptz not null,
    constraint discrepancies_pkey primary key (id),
    constraint discrepancies_reference_line_key unique (reference, line),
    constraint discrepancies_quantity_range check (quantity > 0),
    constraint discrepancies_kind_known check (kind in ('sold_without_stock', 'lost_in_transit'))
);

create table reservations (
    id         uuid        not null,
    status     text        not null default 'active',
    ttl_s      bigint      not null,
    expires_at timestamptz not null,
    version    bigint      not null default 1,
    made_by    text        not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint reservations_pkey primary key (id),
    constraint reservations_status_known check (
        status in ('active', 'pinned', 'committed', 'released', 'expired')
    )
)
with (fillfactor = 80);

create index reservations_open on reservations (status, expires_at) where status in ('active', 'pinned');

-- Numbered in the order of (location_id, product_id), each of which has one line.
create table reservation_lines (
    reservation_id uuid   not null,
    line           bigint not null,
    location_id    bigint not null,
    product_id     bigint not null,
    quantity       bigint not null,
    constraint reservation_lines_pkey primary key (reservation_id, line),
    constraint reservation_lines_reservation_id_fkey foreign key (reservation_id) references reservations (id),
    constraint reservation_lines_quantity_range check (quantity > 0)
);

-- Sales and returns at the counter, as the service of sales tells of them: each once.
create table vouchers (
    kind        text        not null,
    reference   text        not null,
    on_shortage text        not null,
    recorded_by text        not null,
    recorded_at timestamptz not null,
    constraint vouchers_pkey primary key (kind, reference),
    constraint vouchers_kind_known check (kind in ('issue', 'receipt')),
    constraint vouchers_on_shortage_known check (on_shortage in ('refuse', 'record'))
);

create table voucher_lines (
    kind        text   not null,
    reference   text   not null,
    line        bigint not null,
    location_id bigint not null,
    product_id  bigint not null,
    quantity    bigint not null,
    -- What the ledger shows of it; the rest is a discrepancy.
    moved       bigint not null,
    constraint voucher_lines_pkey primary key (kind, reference, line),
    constraint voucher_lines_voucher_fkey foreign key (kind, reference) references vouchers (kind, reference),
    constraint voucher_lines_quantity_range check (quantity > 0),
    constraint voucher_lines_moved_range check (moved between 0 and quantity)
);

-- Units that go from one location to another: asked for by a store (restock) or between any two (transfer).
create table shipments (
    id             uuid        not null,
    kind           text        not null,
    -- For people: R-100001, T-100002. Gaps mean nothing.
    number         bigint      generated always as identity (start with 100001),
    source_id      bigint      not null,
    destination_id bigint      not null,
    status         text        not null default 'pending',
    note           text,
    -- Of a rejection.
    reason         text,
    requested_by   text        not null,
    version        bigint      not null default 1,
    created_at     timestamptz not null,
    updated_at     timestamptz not null,
    constraint shipments_pkey primary key (id),
    constraint shipments_number_key unique (number),
    constraint shipments_kind_known check (kind in ('restock', 'transfer')),
    constraint shipments_status_known check (
        status in ('pending', 'approved', 'in_transit', 'partially_received', 'received', 'rejected', 'cancelled')
    ),
    constraint shipments_somewhere_else check (source_id <> destination_id),
    constraint shipments_source_id_fkey foreign key (source_id) references locations (id),
    constraint shipments_destination_id_fkey foreign key (destination_id) references locations (id)
);

create index shipments_by_number on shipments (kind, number);

create table shipment_lines (
    shipment_id uuid   not null,
    line        bigint not null,
    product_id  bigint not null,
    requested   bigint not null,
    shipped     bigint not null default 0,
    received    bigint not null default 0,
    lost        bigint not null default 0,
    constraint shipment_lines_pkey primary key (shipment_id, line),
    constraint shipment_lines_shipment_id_fkey foreign key (shipment_id) references shipments (id),
    constraint shipment_lines_product_key unique (shipment_id, product_id),
    constraint shipment_lines_requested_range check (requested > 0),
    constraint shipment_lines_shipped_range check (shipped between 0 and requested),
    constraint shipment_lines_arrived_range check (received >= 0 and lost >= 0 and received + lost <= shipped)
);
