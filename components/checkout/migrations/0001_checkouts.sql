-- Checkouts, their steps, and what was refunded of their payments.
--
-- Nothing is locked by hand but by whoever claims a checkout that nobody works on (`skip locked`). Every other
-- change is one statement, and says under which fence it is made: a claim raises the fence, and whoever had the
-- checkout before changes nothing any more.

create table checkouts (
    id               uuid        not null,
    -- What a person reads out on the telephone: shown as K-100001. Gaps mean nothing.
    number           bigint      generated always as identity (start with 100001),
    customer_id      bigint      not null,
    cart_id          uuid        not null,
    -- Minted with the checkout: under these the other services know what it asks them for.
    order_id         uuid        not null,
    reservation_id   uuid        not null,
    payment_id       uuid        not null,
    fulfilment       jsonb       not null,
    method           text        not null,
    -- What the provider knows the customer's means of payment by; forgotten when the checkout has ended.
    token            text,
    -- What the customer was told.
    expected_cents   bigint      not null,
    -- What was bought, and for how much: null until it is priced.
    basket           jsonb,
    total_cents      bigint,
    state            text        not null default 'running',
    -- The step that is intended, and not known to be done.
    step             text        not null default 'cart',
    -- How often it may have been tried before: by whoever is at it, or by whoever had the checkout before.
    attempts         integer     not null default 0,
    cancel_requested boolean     not null default false,
    -- Since when the capture is intended, so that its outcome alone decides.
    pivoted_at       timestamptz,
    failure          text,
    failure_detail   jsonb,
    fence            bigint      not null default 1,
    -- Until then it is nobody else's: the end of a lease, or of a pause.
    due_at           timestamptz not null,
    -- Counts its events.
    version          bigint      not null default 1,
    -- The Idempotency-Key that it was accepted with.
    principal        text        not null,
    key              text        not null,
    fingerprint      bytea       not null,
    created_at       timestamptz not null,
    updated_at       timestamptz not null,
    ended_at         timestamptz,
    constraint checkouts_pkey primary key (id),
    constraint checkouts_number_key unique (number),
    constraint checkouts_order_id_key unique (order_id),
    constraint checkouts_reservation_id_key unique (reservation_id),
    constraint checkouts_payment_id_key unique (payment_id),
    constraint checkouts_state_known check (
        state in ('running', 'compensating', 'completed', 'failed', 'cancelled')
    ),
    constraint checkouts_method_known check (method in ('card')),
    constraint checkouts_ended_iff_final check (
        (state in ('completed', 'failed', 'cancelled')) = (ended_at is not null)
    ),
    constraint checkouts_token_until_the_end check ((token is null) = (ended_at is not null)),
    constraint checkouts_failure_unless_it_goes_well check (
        (state in ('running', 'completed')) = (failure is null)
    ),
    constraint checkouts_expected_range check (expected_cents >= 0)
)
-- Room on the page for the next version of a row: a step then touches no index.
with (fillfactor = 70);

-- One live checkout for a cart; and what the task looks through, which is short.
create unique index checkouts_live_cart_key on checkouts (cart_id) where state in ('running', 'compensating');

-- A checkout that failed because a service was away has left nothing behind: its key may try again.
create unique index checkouts_idempotency_key on checkouts (principal, key)
    where not (state = 'failed' and failure = 'dependency-unavailable');

create index checkouts_created_at_idx on checkouts (created_at desc, id desc);
create index checkouts_customer_id_idx on checkouts (customer_id, created_at desc, id desc);

create table checkout_steps (
    checkout_id uuid        not null,
    step        text        not null,
    state       text        not null,
    -- Beyond the first.
    retries     integer     not null,
    began_at    timestamptz not null,
    ended_at    timestamptz,
    note        text,
    constraint checkout_steps_pkey primary key (checkout_id, step),
    constraint checkout_steps_state_known check (state in ('intended', 'done', 'skipped', 'refused', 'unknown')),
    constraint checkout_steps_checkout_id_fkey foreign key (checkout_id) references checkouts (id)
)
with (fillfactor = 70);

-- What orders had paid back, once the provider has done it.
create table payment_refunds (
    refund_id    uuid        not null,
    payment_id   uuid        not null,
    amount_cents bigint      not null,
    refunded_at  timestamptz not null,
    constraint payment_refunds_pkey primary key (payment_id, refund_id),
    constraint payment_refunds_amount_range check (amount_cents > 0)
);
