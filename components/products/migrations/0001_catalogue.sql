-- The catalogue: categories, tax categories with dated rates, products, dated prices.

-- Both are trusted extensions: the owner of the database may create them.
create extension if not exists btree_gist;
create extension if not exists pg_trgm;

-- Text as search compares it: without accents and case, ligatures spelled out, punctuation as one space.
-- Not `unaccent()`: that one is stable, not immutable, and so cannot feed a stored column. Every step is pinned
-- to the collation "C", so that the result is the same on every server.
create function fold_text(value text) returns text
  language sql immutable strict parallel safe
  return btrim(
    regexp_replace(
      replace(replace(
        translate(
          lower(regexp_replace(normalize(value, nfkd), U&'[\0300-\036f]', '', 'g') collate "C"),
          'ŒÆØŁĐ', 'œæølđ'
        ),
        'œ', 'oe'), 'æ', 'ae'),
      '[[:space:][:punct:]’‘“”«»–—·•®©]+' collate "C", ' ', 'g'
    ),
    ' '
  );

create table categories (
  code text constraint categories_pkey primary key,
  parent_code text,
  name_en text not null,
  name_fr text not null,
  created_at timestamptz not null,
  constraint categories_parent foreign key (parent_code) references categories (code),
  constraint categories_parent_is_another check (parent_code <> code),
  constraint categories_code_form check (code ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and length(code) <= 50),
  constraint categories_name_length check (length(name_en) between 1 and 200 and length(name_fr) between 1 and 200)
);

create index categories_by_parent on categories (parent_code);

create table tax_categories (
  code text constraint tax_categories_pkey primary key,
  name_en text not null,
  name_fr text not null,
  created_at timestamptz not null,
  constraint tax_categories_code_form check (code ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and length(code) <= 50),
  constraint tax_categories_name_length check (length(name_en) between 1 and 200 and length(name_fr) between 1 and 200)
);

-- GST and QST apart: the two change on days of their own. A day is a business day (America/Toronto).
create table tax_rates (
  id bigint generated always as identity constraint tax_rates_pkey primary key,
  tax_category_code text not null,
  tax text not null,
  -- Thousandths of a percent: 9975 is 9.975 %.
  rate_thousandths integer not null,
  valid daterange not null,
  created_at timestamptz not null,
  constraint tax_rates_tax_category foreign key (tax_category_code) references tax_categories (code),
  constraint tax_rates_tax_known check (tax in ('gst', 'qst')),
  constraint tax_rates_rate_range check (rate_thousandths between 0 and 100000),
  constraint tax_rates_period_not_empty check (not isempty(valid)),
  constraint tax_rates_no_overlap exclude using gist (tax_category_code with =, tax with =, valid with &&)
);

create table products (
  id bigint generated always as identity constraint products_pkey primary key,
  sku text not null,
  name text not null,
  name_en text,
  name_fr text,
  description text,
  barcode text,
  category_code text not null,
  tax_category_code text not null,
  deposit_cents bigint not null default 0,
  status text not null default 'active',
  -- Grows by one with every write about the product, its prices included.
  version bigint not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  -- What a list is sorted by: no accents, no case, the same order on every server.
  name_key text collate "C" not null generated always as (fold_text(name)) stored,
  -- Every searchable field, folded, each between bars: `| cafe | coffee |`. Folding removes bars from the fields,
  -- so `| q` finds the start of a field, ` q` the start of a word, `q` a part of one.
  search text not null generated always as (
    '| ' || fold_text(name)
    || ' | ' || fold_text(coalesce(name_fr, ''))
    || ' | ' || fold_text(coalesce(name_en, ''))
    || ' | ' || fold_text(sku)
    || ' | ' || coalesce(barcode, '') || ' |'
  ) stored,
  constraint products_sku unique (sku),
  constraint products_barcode unique (barcode),
  constraint products_category foreign key (category_code) references categories (code),
  constraint products_tax_category foreign key (tax_category_code) references tax_categories (code),
  constraint products_sku_form check (sku ~ '^[A-Z0-9]+([-._][A-Z0-9]+)*$' and length(sku) <= 40),
  constraint products_name_length check (length(name) between 1 and 200),
  constraint products_barcode_form check (barcode ~ '^([0-9]{8}|[0-9]{12,14})$'),
  constraint products_deposit_range check (deposit_cents between 0 and 10000),
  constraint products_status_known check (status in ('active', 'archived')),
  constraint products_version_positive check (version > 0)
);

create index products_by_name on products (name_key, id);
create index products_by_update on products (updated_at, id);
create index products_by_category on products (category_code);
create index products_search on products using gin (search gin_trgm_ops);

create table prices (
  id bigint generated always as identity constraint prices_pkey primary key,
  product_id bigint not null,
  kind text not null,
  -- No store: every store.
  store_id bigint,
  amount_cents bigint not null,
  valid tstzrange not null,
  created_at timestamptz not null,
  constraint prices_product foreign key (product_id) references products (id),
  constraint prices_kind_known check (kind in ('regular', 'promo')),
  constraint prices_store_positive check (store_id > 0),
  constraint prices_amount_range check (amount_cents between 0 and 10000000),
  constraint prices_period check (not isempty(valid) and not lower_inf(valid) and lower_inc(valid) and not upper_inc(valid)),
  constraint prices_promo_ends check (kind <> 'promo' or not upper_inf(valid)),
  constraint prices_no_overlap exclude using gist (product_id with =, kind with =, (coalesce(store_id, 0)) with =, valid with &&)
);

-- Answers "what does this product cost now" without a look at the table and without a sort: the precedence of prices
-- (promo before regular, a store's before all stores') is the order of (kind, store_id), nulls last.
create index prices_by_product on prices (product_id, kind, store_id) include (valid, amount_cents, id);

-- Read for every product shown, seldom written: vacuumed early, so that the index alone is enough even while small.
alter table prices set (autovacuum_vacuum_insert_threshold = 50, autovacuum_vacuum_insert_scale_factor = 0.05);

-- The exclusion constraint says "at most one regular price at any instant"; this says "at least one": the regular
-- prices for all stores cover all time since the product exists. Deferred, so that a product and its first price,
-- or the end of one price and the start of the next, are two statements of one transaction.
create function check_regular_price() returns trigger
  language plpgsql
as $$
declare
  subject bigint;
begin
  if tg_table_name = 'products' then
    subject := new.id;
  else
    -- A price never moves to another product.
    subject := old.product_id;
  end if;
  if exists (
    select from products p
    where p.id = subject
      and not coalesce(
        (
          select range_agg(r.valid) @> tstzrange(p.created_at, null)
          from prices r
          where r.product_id = p.id and r.kind = 'regular' and r.store_id is null
        ),
        false
      )
  ) then
    raise exception 'product % has an instant without a regular price', subject
      using errcode = 'check_violation', constraint = 'products_regular_price', table = 'products';
  end if;
  return null;
end
$$;

create constraint trigger products_regular_price
  after insert on products
  deferrable initially deferred
  for each row execute function check_regular_price();

create constraint trigger prices_regular_price
  after update or delete on prices
  deferrable initially deferred
  for each row execute function check_regular_price();

-- The same for tax rates: each tax of a tax category has a rate on every day there ever was.
create function check_tax_rates() returns trigger
  language plpgsql
as $$
declare
  subject text;
begin
  if tg_table_name = 'tax_categories' then
    subject := new.code;
  else
    subject := old.tax_category_code;
  end if;
  if exists (
    select from tax_categories c
    cross join (values ('gst'), ('qst')) as taxes (tax)
    where c.code = subject
      and not coalesce(
        (
          select range_agg(r.valid) @> daterange(null, null)
          from tax_rates r
          where r.tax_category_code = c.code and r.tax = taxes.tax
        ),
        false
      )
  ) then
    raise exception 'tax category % has a day without a rate', subject
      using errcode = 'check_violation', constraint = 'tax_categories_rates', table = 'tax_categories';
  end if;
  return null;
end
$$;

create constraint trigger tax_categories_rates
  after insert on tax_categories
  deferrable initially deferred
  for each row execute function check_tax_rates();

create constraint trigger tax_rates_rates
  after update or delete on tax_rates
  deferrable initially deferred
  for each row execute function check_tax_rates();
