-- Carts, their lines, what products last said about the products in them, and what checkouts took.
--
-- Locking: every write first locks the row of its cart in `carts` (`for no key update`); a merge locks
-- both in ascending order of id. Nothing else is locked by hand, so there is no cycle to run into.

create table carts (
    id          uuid        not null,
    -- What a person reads out on the telephone: shown as C-100001. Gaps mean nothing.
    number      bigint      generated always as identity (start with 100001),
    customer_id bigint,
    store_id    bigint,
    status      text        not null default 'open',
    merged_into uuid,
    -- Counts the changes of the cart and of its lines; the entity tag is built on it.
    version     bigint      not null default 1,
    created_at  timestamptz not null,
    updated_at  timestamptz not null,
    -- When an open cart expires; once it is closed, when its row may be deleted.
    expires_at  timestamptz not null,
    constraint carts_pkey primary key (id),
    constraint carts_number_key unique (number),
    constraint carts_customer_id_range check (customer_id > 0),
    constraint carts_store_id_range check (store_id > 0),
    constraint carts_status_known check (status in ('open', 'merged', 'expired')),
    constraint carts_merged_into_iff_merged check ((status = 'merged') = (merged_into is not null)),
    constraint carts_merged_into_other check (merged_into <> id),
    -- A merged cart points to where its lines went and is of no use once that is gone.
    constraint carts_merged_into_fkey foreign key (merged_into) references carts (id) on delete cascade
)
-- Room on the page for the next version of a row: a change then touches no index.
with (fillfactor = 80);

create index carts_expires_at_idx on carts (status, expires_at);
create index carts_merged_into_idx on carts (merged_into) where merged_into is not null;

create table cart_items (
    cart_id    uuid        not null,
    product_id bigint      not null,
    quantity   integer     not null,
    added_at   timestamptz not null,
    constraint cart_items_pkey primary key (cart_id, product_id),
    constraint cart_items_product_id_range check (product_id > 0),
    constraint cart_items_quantity_range check (quantity between 1 and 999),
    constraint cart_items_cart_id_fkey foreign key (cart_id) references carts (id) on delete cascade
)
with (fillfactor = 80);

-- What products last answered, per store since prices are. At most one row per product and store;
-- overwritten, never deleted: an old price is better than none while products is down.
create table product_snapshots (
    -- 0: no store in particular.
    store_id      bigint      not null,
    product_id    bigint      not null,
    sku           text        not null,
    name          text        not null,
    status        text        not null,
    price_cents   bigint      not null,
    deposit_cents bigint      not null,
    tax_category  text        not null,
    -- Thousandths of a percent, as in crate pricing.
    gst_rate      integer     not null,
    qst_rate      integer     not null,
    fetched_at    timestamptz not null,
    constraint product_snapshots_pkey primary key (store_id, product_id),
    constraint product_snapshots_status_known check (status in ('active', 'archived'))
);

-- One row per checkout that took its lines out of a cart: a repetition takes nothing.
create table cart_consumptions (
    checkout_id uuid        not null,
    cart_id     uuid        not null,
    -- The cart that was asked for, when it had been merged into `cart_id` meanwhile.
    asked_id    uuid        not null,
    -- [{"product_id": 1, "quantity": 2, "taken": 2}]: what was bought and what was still there of it.
    lines       jsonb       not null,
    consumed_at timestamptz not null,
    constraint cart_consumptions_pkey primary key (checkout_id),
    constraint cart_consumptions_cart_id_fkey foreign key (cart_id) references carts (id) on delete cascade
);

create index cart_consumptions_cart_id_idx on cart_consumptions (cart_id);
