// Every product that this store sells, at its price, on the till's own disk: searching asks nobody, and goes on when
// nobody can be asked. Once a minute it hears what has changed.

import { ask, all, now } from './api.js';
import { quote } from './amounts.js';
import { read, readAll, writeCatalogue } from './database.js';
import { compare, nameOf, today } from './i18n.js';

const FRESH_MS = 60_000;
/** Prices change at instants that nobody writes anything, and clocks differ. */
const OVERLAP_MS = 5 * 60_000;
const FOUND_MAX = 40;

let products = new Map();
let barcodes = new Map();
let taxes = new Map();
let asOf = null;

export const productOf = (id) => products.get(id);
export const productOfBarcode = (code) => barcodes.get(code);
export const isEmpty = () => products.size === 0;
export const isStale = (store) => asOf?.store !== store || Math.abs(Date.now() - asOf.at) > FRESH_MS;

/** From the disk. */
export async function load() {
  const [stored, categories, known] = await Promise.all([
    readAll('products'),
    read('facts', 'taxes'),
    read('facts', 'catalogue'),
  ]);
  asOf = known ?? null;
  taxes = new Map(categories ?? []);
  hold(stored);
}

/** From the services: all of it, or what is new of the same store's. */
export async function refresh(store) {
  const at = Date.now();
  // A clock that was put back says nothing of how old this is.
  const whole = asOf?.store !== store || at < asOf.at;
  const since = whole ? undefined : new Date(now().getTime() - (at - asOf.at) - OVERLAP_MS).toISOString();
  const statuses = whole ? ['active'] : ['active', 'archived'];
  const [categories, ...lists] = await Promise.all([
    all('/api/v1/tax-categories', {}),
    ...statuses.map((status) => all('/api/v1/products', { store, status, updated_since: since, sort: 'id' })),
  ]);
  const found = lists.flat().map(essence);
  taxes = new Map(categories.map(({ code, rates }) => [code, rates]));
  asOf = { store, at };
  hold(whole ? found : [...products.values(), ...found]);
  await writeCatalogue({ products: found, facts: { taxes: [...taxes], catalogue: asOf }, whole });
}

/** What a till has use for. */
const essence = ({ id, sku, name, name_en, name_fr, barcode, tax_category, price, deposit, status }) => ({
  id,
  sku,
  name,
  name_en,
  name_fr,
  barcode,
  tax_category,
  price,
  deposit,
  status,
  words: plain([name, name_en, name_fr, sku, barcode].filter(Boolean).join(' ')),
});

function hold(list) {
  products = new Map(list.map((product) => [product.id, product]));
  const sold = list.filter(({ barcode, status }) => barcode && status === 'active');
  barcodes = new Map(sold.map((product) => [product.barcode, product]));
}

/** Without accents and case, as the services search. */
const plain = (text) =>
  text
    .normalize('NFD')
    .replace(/\p{Mark}/gu, '')
    .toLowerCase();

/** Words in any order, each a part of a name, the SKU or the barcode; names that begin so come first. */
export function search(text) {
  const words = plain(text).split(/\s+/).filter(Boolean);
  if (words.length === 0) return [];
  const found = [...products.values()].filter(
    (product) => product.status === 'active' && words.every((word) => product.words.includes(word)),
  );
  const begins = (product) => (plain(nameOf(product)).startsWith(words[0]) ? 0 : 1);
  found.sort((one, other) => begins(one) - begins(other) || compare(nameOf(one), nameOf(other)));
  return found.slice(0, FOUND_MAX);
}

/** The first ones, for who taps. */
export const some = (ids, most) => {
  const wanted = ids.map((id) => products.get(id)).filter((product) => product?.status === 'active');
  const others = [...products.values()].filter((product) => product.status === 'active' && !ids.includes(product.id));
  return [...wanted, ...others.sort((one, other) => one.id - other.id)].slice(0, most);
};

/** What these lines, `{ id, quantity }`, cost by the catalogue that is here. */
export const quoteHere = (lines) =>
  quote(
    lines.map(({ id, quantity }) => ({ product: products.get(id), quantity })),
    ratesToday,
  );

/** And by the services, who decide. */
export async function quoteThere(store, lines) {
  const body = { store_id: store, lines: lines.map(({ id, quantity }) => ({ product_id: id, quantity })) };
  const { data } = await ask('POST', '/api/v1/price-quotes', { body });
  return data;
}

/** What a product costs by the services is what it costs here, from now on. */
export async function learn(lines) {
  const changed = lines
    .filter(({ product_id: id, unit_price: price }) => products.get(id)?.price.amount !== price.amount)
    .map(({ product_id: id, unit_price: price }) => ({ ...products.get(id), price }));
  if (changed.length === 0) return;
  hold([...products.values(), ...changed]);
  await writeCatalogue({ products: changed, facts: {}, whole: false });
}

/** Of the business day. */
function ratesToday(code) {
  const day = today(now());
  const holds = ({ from, until }) => (from === null || from <= day) && (until === null || day < until);
  const rates = (taxes.get(code) ?? []).filter(holds);
  const rate = (tax) => rates.find((one) => one.tax === tax)?.rate ?? '0';
  return { gst: rate('gst'), qst: rate('qst') };
}
