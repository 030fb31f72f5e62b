-- How far each feed of the others was read, and what of it was out of the ordinary.
--
-- Everything that is built from events has an epoch. One epoch is live; a rebuild fills another one from the
-- beginning of the feeds, by the same statements, and then takes its place.
--
-- Locking: whoever writes a page first moves the cursors of its source (`feeds`), which are then locked; only
-- whoever still finds the cursor that the page was asked for with writes at all.

create table epochs (
    epoch      bigint      generated always as identity,
    state      text        not null,
    created_at timestamptz not null,
    constraint epochs_pkey primary key (epoch),
    constraint epochs_state_known check (state in ('live', 'building', 'retired'))
);

create unique index epochs_one_live on epochs (state) where state = 'live';
create unique index epochs_one_building on epochs (state) where state = 'building';

insert into epochs (state, created_at) values ('live', now());

create table feeds (
    epoch         bigint      not null,
    source        text        not null,
    -- Where the next page begins; null: at the beginning.
    cursor        text,
    -- Events of a page at most: fewer after one that was too large, or that could not be written.
    page_limit    integer     not null default 500,
    -- Events before that place. Where another epoch is, by that count, whoever comes by stops.
    consumed      bigint      not null default 0,
    -- Of a type that means nothing here.
    ignored       bigint      not null default 0,
    rejected      bigint      not null default 0,
    last_event_at timestamptz,
    -- When the last answer was asked for, and the last one that showed the end of the feed.
    read_at       timestamptz,
    as_of         timestamptz,
    -- Attempts since then that failed.
    failures      integer     not null default 0,
    failed_at     timestamptz,
    failure       text,
    constraint feeds_pkey primary key (epoch, source),
    constraint feeds_page_limit_range check (page_limit between 1 and 500)
)
with (fillfactor = 50);

insert into feeds (epoch, source)
select e.epoch, s.source
from epochs e
cross join unnest(array['products', 'inventory', 'customers', 'orders', 'cart', 'checkout', 'sales']) as s (source);

-- Which versions of a subject were told: from the first to the last, but for those in `missing`.
create table subjects (
    epoch   bigint not null,
    source  text   not null,
    subject text   not null,
    first   bigint not null,
    last    bigint not null,
    constraint subjects_pkey primary key (epoch, source, subject),
    constraint subjects_range check (first <= last)
)
with (fillfactor = 80);

-- Versions between the first and the last that were not told. Two transactions of a source may tell of a
-- subject in the order of their beginnings, so that a gap closes a moment later.
create table missing (
    epoch   bigint      not null,
    source  text        not null,
    subject text        not null,
    low     bigint      not null,
    high    bigint      not null,
    since   timestamptz not null,
    constraint missing_pkey primary key (epoch, source, subject, low),
    constraint missing_range check (low <= high)
);

-- Events of a version that was told before.
create table repeats (
    epoch    bigint      not null,
    source   text        not null,
    subject  text        not null,
    version  bigint      not null,
    event_id uuid        not null,
    seen_at  timestamptz not null,
    constraint repeats_pkey primary key (epoch, source, subject, version, event_id)
);

-- Events that could not be read, as they came: they are told of, and the feed goes on.
create table rejected_events (
    epoch       bigint      not null,
    source      text        not null,
    digest      text        not null,
    event       text        not null,
    reason      text        not null,
    rejected_at timestamptz not null,
    constraint rejected_events_pkey primary key (epoch, source, digest)
);

create table rebuilds (
    id           uuid        not null,
    epoch        bigint      not null,
    status       text        not null default 'building',
    requested_by text        not null,
    created_at   timestamptz not null,
    -- What was found when both were at the same place of every feed.
    compared_at  timestamptz,
    complete     boolean,
    compared     bigint,
    differing    bigint,
    differences  jsonb,
    switched_at  timestamptz,
    constraint rebuilds_pkey primary key (id),
    constraint rebuilds_epoch_key unique (epoch),
    constraint rebuilds_status_known check (status in ('building', 'compared', 'switched'))
);

create unique index rebuilds_one_at_a_time on rebuilds ((true)) where status <> 'switched';
