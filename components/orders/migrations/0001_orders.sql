-- Orders, their lines, what happened to them, what was refunded, and what other services still have to
-- be told.
--
-- Locking: every change first locks the row of its order (`for no key update`); lines, refunds, the
-- timeline and effects of an order are written under that lock. Whoever claims an effect locks its row
-- alone (`skip locked`) and lets it go before anything else is locked.

create table orders (
    id              uuid        not null,
    -- What a person reads out on the telephone: shown as O-100001. Gaps mean nothing.
    number          bigint      generated always as identity (start with 100001),
    customer_id     bigint      not null,
    checkout_id     uuid        not null,
    reservation_id  uuid        not null,
    payment_id      uuid        not null,
    -- Whose sale it is.
    store_id        bigint      not null,
    -- Whose stock it takes, and where that comes back to.
    location_id     bigint      not null,
    status          text        not null default 'pending',
    payment_status  text        not null default 'unpaid',
    method          text        not null,
    address         jsonb,
    pickup_store_id bigint,
    pickup_code     text,
    -- Wrong codes so far.
    pickup_failures integer     not null default 0,
    gross_cents     bigint      not null,
    discount_cents  bigint      not null,
    subtotal_cents  bigint      not null,
    gst_cents       bigint      not null,
    qst_cents       bigint      not null,
    deposits_cents  bigint      not null,
    total_cents     bigint      not null,
    captured_cents  bigint      not null default 0,
    -- Decided, and carried out by now or soon: see `effects`.
    refunded_cents  bigint      not null default 0,
    -- Counts the events of the order; the entity tag is built on it.
    version         bigint      not null default 1,
    created_at      timestamptz not null,
    updated_at      timestamptz not null,
    -- Since when it is a sale; null for one that never was.
    confirmed_at    timestamptz,
    constraint orders_pkey primary key (id),
    constraint orders_number_key unique (number),
    constraint orders_checkout_id_key unique (checkout_id),
    constraint orders_reservation_id_key unique (reservation_id),
    constraint orders_payment_id_key unique (payment_id),
    constraint orders_status_known check (
        status in ('pending', 'confirmed', 'processing', 'ready', 'completed', 'cancelled')
    ),
    constraint orders_payment_status_known check (
        payment_status in ('unpaid', 'authorized', 'paid', 'partially-refunded', 'refunded', 'voided')
    ),
    constraint orders_delivery_has_an_address check ((method = 'delivery') = (address is not null)),
    constraint orders_pickup_has_a_store check ((method = 'pickup') = (pickup_store_id is not null)),
    constraint orders_pickup_has_a_code check ((method = 'pickup') = (pickup_code is not null)),
    constraint orders_method_known check (method in ('delivery', 'pickup')),
    constraint orders_captured_once check (captured_cents in (0, total_cents)),
    constraint orders_refunded_within_captured check (refunded_cents between 0 and captured_cents),
    constraint orders_total_adds_up check (
        subtotal_cents = gross_cents - discount_cents
        and total_cents = subtotal_cents + gst_cents + qst_cents + deposits_cents
    )
)
-- Room on the page for the next version of a row.
with (fillfactor = 80);

create index orders_created_at_idx on orders (created_at desc, id desc);
create index orders_customer_id_idx on orders (customer_id, created_at desc, id desc);
create index orders_store_id_idx on orders (store_id, created_at desc, id desc);
create index orders_status_idx on orders (status, created_at desc, id desc);

create table order_lines (
    order_id           uuid    not null,
    -- From 1, in the order of the checkout.
    line               integer not null,
    product_id         bigint  not null,
    sku                text    not null,
    name               text    not null,
    quantity           integer not null,
    unit_price_cents   bigint  not null,
    unit_deposit_cents bigint  not null,
    tax_category       text    not null,
    -- Thousandths of a percent, as they applied.
    gst_rate           integer not null,
    qst_rate           integer not null,
    gross_cents        bigint  not null,
    discount_cents     bigint  not null,
    net_cents          bigint  not null,
    -- Its part of the order's tax.
    gst_cents          bigint  not null,
    qst_cents          bigint  not null,
    deposit_cents      bigint  not null,
    total_cents        bigint  not null,
    -- Units refunded so far.
    returned           integer not null default 0,
    constraint order_lines_pkey primary key (order_id, line),
    constraint order_lines_product_key unique (order_id, product_id),
    constraint order_lines_quantity_positive check (quantity > 0),
    constraint order_lines_returned_within_sold check (returned between 0 and quantity),
    constraint order_lines_net_adds_up check (net_cents = gross_cents - discount_cents and net_cents >= 0),
    constraint order_lines_total_adds_up check (total_cents = net_cents + gst_cents + qst_cents + deposit_cents),
    constraint order_lines_order_id_fkey foreign key (order_id) references orders (id)
);

-- What happened to an order, for good.
create table timeline (
    order_id   uuid        not null,
    position   integer     not null,
    -- status: from one to another. payment: the same of the payment. pickup: a wrong code.
    what       text        not null,
    from_state text,
    to_state   text,
    actor      text        not null,
    at         timestamptz not null,
    note       text,
    constraint timeline_pkey primary key (order_id, position),
    constraint timeline_what_known check (what in ('status', 'payment', 'pickup')),
    constraint timeline_order_id_fkey foreign key (order_id) references orders (id)
);

create function refuse_rewriting() returns trigger language plpgsql as $$
begin
    raise exception 'the timeline is only appended to';
end
$$;

create trigger timeline_append_only before update or delete on timeline
    for each row execute function refuse_rewriting();

create table refunds (
    id            uuid        not null,
    -- In the order of their making, also within an instant.
    seq           bigint      generated always as identity,
    order_id      uuid        not null,
    goods         text        not null,
    reason        text,
    net_cents     bigint      not null,
    gst_cents     bigint      not null,
    qst_cents     bigint      not null,
    deposit_cents bigint      not null,
    total_cents   bigint      not null,
    actor         text        not null,
    created_at    timestamptz not null,
    -- When the money went back; null until then.
    settled_at    timestamptz,
    constraint refunds_pkey primary key (id),
    constraint refunds_goods_known check (goods in ('restock', 'keep')),
    constraint refunds_total_adds_up check (
        total_cents = net_cents + gst_cents + qst_cents + deposit_cents
    ),
    constraint refunds_order_id_fkey foreign key (order_id) references orders (id)
);

create index refunds_order_id_idx on refunds (order_id, seq);

create table refund_lines (
    refund_id     uuid    not null,
    order_id      uuid    not null,
    line          integer not null,
    quantity      integer not null,
    net_cents     bigint  not null,
    gst_cents     bigint  not null,
    qst_cents     bigint  not null,
    deposit_cents bigint  not null,
    total_cents   bigint  not null,
    constraint refund_lines_pkey primary key (refund_id, line),
    constraint refund_lines_quantity_positive check (quantity > 0),
    constraint refund_lines_refund_id_fkey foreign key (refund_id) references refunds (id),
    constraint refund_lines_line_fkey foreign key (order_id, line) references order_lines (order_id, line)
);

create index refund_lines_line_idx on refund_lines (order_id, line);

-- What the payment simulator told. One row an event, however often it is delivered.
create table payment_events (
    event_id     uuid        not null,
    order_id     uuid        not null,
    kind         text        not null,
    amount_cents bigint      not null,
    refund_id    uuid,
    received_at  timestamptz not null,
    constraint payment_events_pkey primary key (event_id),
    constraint payment_events_order_id_fkey foreign key (order_id) references orders (id)
);

-- What another service is to be told because of a decision here: written with the decision, carried out
-- after it, as often as it takes.
create table effects (
    id              bigint      generated always as identity,
    order_id        uuid        not null,
    kind            text        not null,
    -- With the kind, the natural key under which the other service knows it.
    reference       text        not null,
    action          jsonb       not null,
    attempts        integer     not null default 0,
    next_attempt_at timestamptz not null,
    created_at      timestamptz not null,
    done_at         timestamptz,
    -- What the last attempt failed with.
    failure         text,
    constraint effects_pkey primary key (id),
    constraint effects_reference_key unique (kind, reference),
    constraint effects_kind_known check (kind in ('release', 'void', 'refund', 'restock')),
    constraint effects_order_id_fkey foreign key (order_id) references orders (id)
);

create index effects_due_idx on effects (next_attempt_at) where done_at is null;
create index effects_order_id_idx on effects (order_id);
