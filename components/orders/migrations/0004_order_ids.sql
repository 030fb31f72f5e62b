-- Who came first to an order's id: the one who makes it, or the one who calls it off before that. The key
-- keeps them apart, also when they come at once. Orders from before this step have no row, and need none:
-- they are there.
create table order_ids (
    order_id uuid        not null,
    -- made; cancelled: there is no order, and there will be none.
    claim    text        not null,
    actor    text        not null,
    at       timestamptz not null,
    constraint order_ids_pkey primary key (order_id),
    constraint order_ids_claim_known check (claim in ('made', 'cancelled'))
);
