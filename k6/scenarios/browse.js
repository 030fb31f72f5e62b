// Somebody looks around: a search, its next page, a product and the same again when it has not changed, what a basket
// would cost, where there is any. The basket is compared to the cent.

import { claim } from '../lib/claims.js';
import { ask } from '../lib/http.js';
import { inCash, totalOf } from '../lib/money.js';
import { deliver, product, WAREHOUSE } from '../lib/shop.js';

export const about = 'search, pages, products, quotes, availability';
export const services = ['products', 'inventory'];
export const rate = 12;
export const claims = ['wrong_totals'];
export const routes = {
  'products.search': 500, 'products.page': 500, 'products.read': 300, 'products.unchanged': 300,
  'products.quote': 500, 'inventory.availability': 300,
};

export function setup() {
  const goods = [product('Limonade', 299, 10), product('Jus', 349, 10), product('Café', 599, 0)];
  deliver(WAREHOUSE, 1000, ...goods);
  return { goods };
}

export function run({ goods }) {
  const found = ask('GET', 'products.search', '/api/v1/products?q=cafe&limit=5');
  found.is('accents do not matter', found.json?.data.some(({ name }) => /caf[eé]/i.test(name)));
  const first = ask('GET', 'products.page', '/api/v1/products?limit=20');
  if (first.is('there is another page', typeof first.json?.next_cursor === 'string')) {
    const next = ask('GET', 'products.page', `/api/v1/products?limit=20&after=${encodeURIComponent(first.json.next_cursor)}`);
    const before = new Set(first.json.data.map(({ id }) => id));
    next.is('no product is on two pages', next.json?.data.every(({ id }) => !before.has(id)));
  }
  const seen = goods[Math.floor(Math.random() * goods.length)];
  const path = `/api/v1/products/${seen.id}`;
  const read = ask('GET', 'products.read', path);
  read.is('it is at its price', read.json?.price.amount === seen.price);
  const headers = { 'If-None-Match': read.header('ETag') ?? '' };
  ask('GET', 'products.unchanged', path, { headers, expect: [304] });
  quote(goods);
  const left = ask('GET', 'inventory.availability', `/api/v1/stock/availability/${seen.id}`);
  left.is('all that was delivered can be had', left.json?.total === 1000);
}

function quote(goods) {
  const lines = goods.map((one) => ({ ...one, quantity: 1 + Math.floor(Math.random() * 9) }));
  const body = { lines: lines.map(({ id, quantity }) => ({ product_id: id, quantity })), payment: 'cash' };
  const answer = ask('POST', 'products.quote', '/api/v1/price-quotes', { body });
  if (!answer.ok) return;
  const [total, cash] = [totalOf(lines), inCash(totalOf(lines))];
  const { json } = answer;
  const right = json.total.amount === total && json.cash_total.amount === cash;
  claim('wrong_totals', right ? 0 : 1, `${json.total.amount} and ${json.cash_total.amount}, not ${total} and ${cash}`);
}
