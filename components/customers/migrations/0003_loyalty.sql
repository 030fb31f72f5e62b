-- Loyalty points: an account for each customer, and a ledger that is only added to.
--
-- Locking: an entry first locks the account. Erasing a customer leaves both: points and references to
-- orders tell nothing about a person.

create table loyalty_accounts (
    customer_id bigint not null,
    balance     bigint not null default 0,
    -- Counts the entries; the events have it.
    version     bigint not null default 0,
    constraint loyalty_accounts_pkey primary key (customer_id),
    constraint loyalty_accounts_customer_id_fkey foreign key (customer_id) references customers (id),
    constraint loyalty_accounts_balance_range check (balance between 0 and 1000000000000)
);

create table loyalty_entries (
    -- What the points are for, in the words of whoever gives or takes them: once.
    reference     text        not null,
    customer_id   bigint      not null,
    -- The place of the entry in the customer's ledger, from 1.
    number        bigint      not null,
    kind          text        not null,
    points        bigint      not null,
    balance_after bigint      not null,
    entered_at    timestamptz not null,
    constraint loyalty_entries_pkey primary key (reference),
    constraint loyalty_entries_number_unique unique (customer_id, number),
    constraint loyalty_entries_account_fkey foreign key (customer_id) references loyalty_accounts (customer_id),
    constraint loyalty_entries_kind_known check (kind in ('earn', 'burn')),
    constraint loyalty_entries_points_range check (points between 1 and 1000000),
    constraint loyalty_entries_balance_after_range check (balance_after >= 0)
);
