// Tills of one's own: set up, opened, sold at, counted.

import { insist, pages, request } from './http.js';
import { inCash, money, totalOf } from './money.js';
import { STORES, unique } from './shop.js';

/** What is in a drawer when it is opened. */
export const FLOAT = 20000;
/** The code of a register has four characters at most; of those that are taken another one is tried. */
const CODES = 20;

/** New registers, over all stores, each with an open session. */
export function tills(count) {
  return Array.from({ length: count }, (_, index) => {
    const register = newRegister(STORES[index % STORES.length]);
    return { register: register.id, store: register.store_id, session: openSession(register.id).id };
  });
}

function newRegister(store) {
  for (let attempt = 0; attempt < CODES; attempt += 1) {
    const code = unique().slice(0, 4);
    const body = { store_id: store, code, name: `Caisse ${code}` };
    const options = { as: 'manager', body, key: unique(), expect: [201, 409] };
    const made = insist(request('POST', 'sales.register', '/api/v1/registers', options));
    if (made.status === 201) return made.json;
  }
  throw new Error(`no code is free for a register in store ${store}`);
}

export function openSession(register) {
  const body = { cashier: 'Julie', opening_float: money(FLOAT) };
  const options = { as: 'pos', body, key: unique(), expect: [201] };
  return insist(request('POST', 'sales.open', `/api/v1/registers/${register}/sessions`, options)).must();
}

/** Units and what they come to: paid in cash with a note too many, or by card to the cent. */
export function basket(lines, method) {
  const total = totalOf(lines.map(({ product, quantity }) => ({ ...product, quantity })));
  const payable = method === 'cash' ? inCash(total) : total;
  const handed = method === 'cash' ? Math.ceil(payable / 2000) * 2000 : payable;
  return { lines, method, total, payable, change: handed - payable, handed };
}

/** The body of a sale; `offline` says when it was made while the till could ask nobody. */
export function saleOf(till, { lines, method, total, handed }, offline) {
  const common = { session_id: till.session, payments: [{ method, amount: money(handed) }] };
  const online = lines.map(({ product, quantity }) => ({ product_id: product.id, quantity }));
  if (offline === undefined) return { ...common, lines: online, expected_total: money(total) };
  const charged = lines.map(({ product, quantity }) => ({ product_id: product.id, quantity, unit_price: money(product.price) }));
  return { ...common, lines: charged, offline: { sold_at: offline } };
}

export function salesOf(till) {
  return pages('sales.list', `/api/v1/sales?register=${till.register}`, { as: 'pos' });
}

/** Counts the drawer as the sales say that it should be; the Z report. */
export function close(till, counted) {
  const body = { counted_cash: money(counted) };
  const options = { as: 'pos', body, key: unique() };
  return insist(request('POST', 'sales.close', `/api/v1/sessions/${till.session}/close`, options)).must();
}
