-- Customers and their addresses.
--
-- Locking: every write about a customer first locks the row in `customers` (`for no key update`), so
-- changes of a customer, of their addresses and of their password take turns. Signing in and refreshing
-- lock it `for share`: many at once, and none beside a change.

create table customers (
    id            bigint      generated always as identity,
    status        text        not null default 'active',
    -- As it was written. Personal data, as what follows: null once the customer is erased.
    email         text,
    -- What is unique. Addresses are ASCII, and "C" knows no language's own rules about letters.
    email_key     text        generated always as (lower(email collate "C")) stored,
    -- Argon2id, as a PHC string with its own salt and parameters.
    password_hash text,
    name          text,
    phone         text,
    language      text,
    -- Counts every change of the customer, addresses included; the entity tag and the events have it.
    version       bigint      not null default 1,
    created_at    timestamptz not null,
    updated_at    timestamptz not null,
    erased_at     timestamptz,
    constraint customers_pkey primary key (id),
    constraint customers_email_unique unique (email_key),
    constraint customers_status_known check (status in ('active', 'suspended', 'erased')),
    constraint customers_language_known check (language in ('fr', 'en')),
    constraint customers_email_ascii check (email ~ '^[!-~]+$'),
    constraint customers_erased_at_iff_erased check ((status = 'erased') = (erased_at is not null)),
    constraint customers_complete_unless_erased check (
        status = 'erased'
        or (email is not null and password_hash is not null and name is not null and language is not null)
    ),
    constraint customers_empty_once_erased check (
        status <> 'erased'
        or (email is null and password_hash is null and name is null and phone is null and language is null)
    )
);

create table addresses (
    id          bigint      generated always as identity,
    customer_id bigint      not null,
    recipient   text        not null,
    line1       text        not null,
    line2       text,
    city        text        not null,
    province    text        not null,
    postal_code text        not null,
    is_default  boolean     not null,
    version     bigint      not null default 1,
    created_at  timestamptz not null,
    updated_at  timestamptz not null,
    constraint addresses_pkey primary key (id),
    constraint addresses_customer_id_fkey foreign key (customer_id) references customers (id),
    constraint addresses_province_known check (
        province in ('AB', 'BC', 'MB', 'NB', 'NL', 'NS', 'NT', 'NU', 'ON', 'PE', 'QC', 'SK', 'YT')
    ),
    constraint addresses_postal_code_form check (
        postal_code ~ '^[ABCEGHJ-NPRSTVXY][0-9][ABCEGHJ-NPRSTV-Z] [0-9][ABCEGHJ-NPRSTV-Z][0-9]$'
    )
);

create index addresses_customer_id_idx on addresses (customer_id, id);
create unique index addresses_one_default_idx on addresses (customer_id) where is_default;
