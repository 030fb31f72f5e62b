-- Sign-ins: families of refresh tokens, and attempts that failed.
--
-- Locking: first the customer, then the family, then its tokens. Attempts take turns, for each account,
-- by an advisory lock that comes before all of these.

-- What one sign-in began: the tokens that descend from it, one after the other.
create table token_families (
    id          uuid        not null,
    customer_id bigint      not null,
    created_at  timestamptz not null,
    -- However often it is refreshed.
    expires_at  timestamptz not null,
    revoked_at  timestamptz,
    reason      text,
    constraint token_families_pkey primary key (id),
    constraint token_families_customer_id_fkey foreign key (customer_id) references customers (id),
    constraint token_families_reason_known check (
        reason in ('logout', 'reuse', 'password-changed', 'suspended')
    ),
    constraint token_families_reason_iff_revoked check ((revoked_at is null) = (reason is null))
);

create index token_families_customer_id_idx on token_families (customer_id);
create index token_families_expires_at_idx on token_families (expires_at);

create table refresh_tokens (
    -- SHA-256 of the token, which is 256 random bits: there is nothing to guess, so a slow hash gains nothing.
    hash       bytea       not null,
    family_id  uuid        not null,
    issued_at  timestamptz not null,
    expires_at timestamptz not null,
    -- Since when its successor has taken its place.
    used_at    timestamptz,
    constraint refresh_tokens_pkey primary key (hash),
    constraint refresh_tokens_hash_size check (octet_length(hash) = 32),
    constraint refresh_tokens_family_id_fkey foreign key (family_id)
        references token_families (id) on delete cascade
);

create index refresh_tokens_family_id_idx on refresh_tokens (family_id);
create index refresh_tokens_expires_at_idx on refresh_tokens (expires_at);
-- A family has one token that may be used.
create unique index refresh_tokens_one_unused_idx on refresh_tokens (family_id) where used_at is null;

-- Wrong passwords of the last minutes.
create table login_attempts (
    id        bigint      generated always as identity,
    -- SHA-256 of the e-mail address in lower case: there may be no such customer, and what is typed into
    -- the wrong field is nobody's business.
    account   bytea       not null,
    failed_at timestamptz not null,
    constraint login_attempts_pkey primary key (id),
    constraint login_attempts_account_size check (octet_length(account) = 32)
);

create index login_attempts_account_idx on login_attempts (account, failed_at);
create index login_attempts_failed_at_idx on login_attempts (failed_at);
