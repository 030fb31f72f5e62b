-- What the events say. Every row is of an epoch; amounts are cents; a day and an hour are those of
-- America/Toronto, computed once.
--
-- Facts are only added to, by natural keys. A state is that of the highest version that was told, whatever the
-- order in which versions came.

-- What moved revenue, signed: a sale adds, and a void, a return and a refund take back. A giveback is money that
-- went back for an order that never was a sale: no revenue.
create table documents (
    epoch          bigint      not null,
    kind           text        not null,
    -- The sale's id (sale, void), the return's, the refund's.
    document       uuid        not null,
    -- The sale (sale, void, return) or the order (refund, giveback) that it is of.
    origin         uuid        not null,
    at             timestamptz not null,
    day            date        not null,
    hour           timestamptz not null,
    store_id       bigint      not null,
    channel        text        not null,
    cashier        text,
    -- What becomes of the goods of a refund.
    goods          text,
    gross_cents    bigint      not null,
    discount_cents bigint      not null,
    net_cents      bigint      not null,
    gst_cents      bigint      not null,
    qst_cents      bigint      not null,
    deposit_cents  bigint      not null,
    total_cents    bigint      not null,
    rounding_cents bigint      not null,
    constraint documents_pkey primary key (epoch, kind, document),
    constraint documents_kind_known check (kind in ('sale', 'void', 'return', 'refund', 'giveback')),
    constraint documents_channel_known check (channel in ('store', 'online'))
);

create index documents_by_day on documents (epoch, day);
create index documents_by_origin on documents (epoch, origin);

-- The lines of the documents, with the rates that applied, in thousandths of a percent.
create table entries (
    epoch          bigint      not null,
    kind           text        not null,
    document       uuid        not null,
    line           integer     not null,
    day            date        not null,
    hour           timestamptz not null,
    store_id       bigint      not null,
    channel        text        not null,
    cashier        text,
    product_id     bigint      not null,
    quantity       bigint      not null,
    gross_cents    bigint      not null,
    discount_cents bigint      not null,
    net_cents      bigint      not null,
    gst_rate       integer     not null,
    qst_rate       integer     not null,
    gst_cents      bigint      not null,
    qst_cents      bigint      not null,
    deposit_cents  bigint      not null,
    total_cents    bigint      not null,
    constraint entries_pkey primary key (epoch, kind, document, line)
);

create index entries_by_day on entries (epoch, day);

-- How documents were paid: what was kept of what was handed over, so cash is less the change.
create table tenders (
    epoch        bigint      not null,
    kind         text        not null,
    document     uuid        not null,
    method       text        not null,
    day          date        not null,
    hour         timestamptz not null,
    store_id     bigint      not null,
    channel      text        not null,
    cashier      text,
    amount_cents bigint      not null,
    constraint tenders_pkey primary key (epoch, kind, document, method)
);

create index tenders_by_day on tenders (epoch, day);

create table sales (
    epoch          bigint      not null,
    sale_id        uuid        not null,
    version        bigint      not null,
    number         text        not null,
    channel        text        not null,
    status         text        not null,
    order_id       uuid,
    recorded_at    timestamptz not null,
    total_cents    bigint      not null,
    refunded_cents bigint      not null,
    constraint sales_pkey primary key (epoch, sale_id)
);

create index sales_by_order on sales (epoch, order_id) where order_id is not null;

-- Where a till was opened, or has sold.
create table stores (
    epoch    bigint not null,
    store_id bigint not null,
    constraint stores_pkey primary key (epoch, store_id)
);

create table orders (
    epoch          bigint      not null,
    order_id       uuid        not null,
    version        bigint      not null,
    number         text        not null,
    status         text        not null,
    payment_status text        not null,
    checkout_id    uuid        not null,
    created_at     timestamptz not null,
    confirmed_at   timestamptz,
    changed_at     timestamptz not null,
    total_cents    bigint      not null,
    captured_cents bigint      not null,
    refunded_cents bigint      not null,
    constraint orders_pkey primary key (epoch, order_id)
)
with (fillfactor = 80);

create table checkouts (
    epoch          bigint      not null,
    checkout_id    uuid        not null,
    version        bigint      not null,
    state          text        not null,
    order_id       uuid        not null,
    reservation_id uuid        not null,
    expected_cents bigint      not null,
    total_cents    bigint,
    created_at     timestamptz not null,
    ended_at       timestamptz,
    constraint checkouts_pkey primary key (epoch, checkout_id)
)
with (fillfactor = 80);

create index checkouts_by_order on checkouts (epoch, order_id);
create index checkouts_by_reservation on checkouts (epoch, reservation_id);

create table reservations (
    epoch          bigint      not null,
    reservation_id uuid        not null,
    version        bigint      not null,
    status         text        not null,
    changed_at     timestamptz not null,
    constraint reservations_pkey primary key (epoch, reservation_id)
)
with (fillfactor = 80);

create table reservation_lines (
    epoch          bigint not null,
    reservation_id uuid   not null,
    line           bigint not null,
    location_id    bigint not null,
    product_id     bigint not null,
    quantity       bigint not null,
    constraint reservation_lines_pkey primary key (epoch, reservation_id, line)
);

-- Each change of what is on hand, by the version of the row of stock that it made.
create table movements (
    epoch       bigint      not null,
    location_id bigint      not null,
    product_id  bigint      not null,
    version     bigint      not null,
    kind        text        not null,
    delta       bigint      not null,
    reference   text,
    occurred_at timestamptz not null,
    constraint movements_pkey primary key (epoch, location_id, product_id, version)
);

create index movements_by_reference on movements (epoch, reference);

create table stock (
    epoch       bigint      not null,
    location_id bigint      not null,
    product_id  bigint      not null,
    version     bigint      not null,
    on_hand     bigint      not null,
    reserved    bigint      not null,
    in_transit  bigint      not null,
    level       text        not null,
    constraint stock_pkey primary key (epoch, location_id, product_id)
)
with (fillfactor = 80);

create table products (
    epoch      bigint not null,
    product_id bigint not null,
    version    bigint not null,
    sku        text   not null,
    name       text   not null,
    category   text   not null,
    status     text   not null,
    constraint products_pkey primary key (epoch, product_id)
)
with (fillfactor = 80);
