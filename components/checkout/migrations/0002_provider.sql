-- The books of the payment provider's simulator. In production they are another company's: nothing of the
-- checkouts refers to them, and no statement touches both, but for the audit, which compares.

create table provider_payments (
    -- Minted by whoever asks: the same id is the same payment.
    id             uuid        not null,
    -- Null of one that was voided before it was authorized, and never will be.
    amount_cents   bigint,
    token          text,
    status         text        not null,
    reason         text,
    refunded_cents bigint      not null default 0,
    created_at     timestamptz not null,
    updated_at     timestamptz not null,
    constraint provider_payments_pkey primary key (id),
    constraint provider_payments_status_known check (status in ('authorized', 'declined', 'captured', 'voided')),
    constraint provider_payments_reason_iff_declined check ((status = 'declined') = (reason is not null)),
    constraint provider_payments_amount_unless_voided check (status = 'voided' or amount_cents >= 0),
    constraint provider_payments_refunded_within_captured check (
        refunded_cents = 0 or (status = 'captured' and refunded_cents between 0 and amount_cents)
    )
);

create table provider_refunds (
    payment_id   uuid        not null,
    id           uuid        not null,
    amount_cents bigint      not null,
    created_at   timestamptz not null,
    constraint provider_refunds_pkey primary key (payment_id, id),
    constraint provider_refunds_amount_range check (amount_cents > 0),
    constraint provider_refunds_payment_id_fkey foreign key (payment_id) references provider_payments (id)
);

-- Payments whose token asks for a failure, and that have failed.
create table provider_failures (
    payment_id uuid        not null,
    failed_at  timestamptz not null,
    constraint provider_failures_pkey primary key (payment_id)
);
