// Stores ask the warehouse for goods: approved, shipped, received in two parts of which a unit is lost; each verb is
// sent twice at once. No unit comes from nowhere or is forgotten.

import exec from 'k6/execution';
import { claim } from '../lib/claims.js';
import { ask, insistTogether, pages, request } from '../lib/http.js';
import { deliver, product, STORES, unique, WAREHOUSE } from '../lib/shop.js';

export const about = 'requests of stores from pending to received, each verb twice at once';
export const services = ['products', 'inventory'];
export const rate = 1;
export const claims = ['lost_units'];
export const routes = {
  'inventory.request': 500, 'inventory.approve': 500, 'inventory.ship': 500, 'inventory.receive': 500,
  'inventory.movements': 500,
};

const UNITS = 50000;
const ASKED = 6;

export function setup() {
  const goods = [product('Caisse', 1200, 240), product('Palette', 9900, 0)];
  deliver(WAREHOUSE, UNITS, ...goods);
  return { goods };
}

export function run({ goods }) {
  const store = STORES[exec.scenario.iterationInTest % STORES.length];
  const body = { location_id: store, lines: goods.map(({ id }) => ({ product_id: id, quantity: ASKED })) };
  const options = { as: 'manager', body, key: unique(), expect: [201] };
  const asked = ask('POST', 'inventory.request', '/api/v1/restock-requests', options);
  if (!asked.ok) return;
  const { id } = asked.json;
  const received = (lines) => ({ lines: goods.map((one) => ({ product_id: one.id, ...lines })) });
  const done = twice('logistics', id, 'approve') && twice('logistics', id, 'ship', {})
    && twice('manager', id, 'receive', received({ received: 2 }), { again: true })
    && twice('manager', id, 'receive', received({ received: ASKED - 3, lost: 1 }), { again: false });
  if (!done) return;
  const path = `/api/v1/movements?location=${store}&product=${goods[0].id}&limit=5`;
  const ledger = ask('GET', 'inventory.movements', path, { as: 'pos' });
  ledger.is('what arrived is in the ledger', ledger.json?.data.some(({ kind }) => kind === 'arrival'));
}

/** By two people who do not know of each other: once; and then nothing more of it is allowed. */
function twice(as, id, verb, body, { again = false } = {}) {
  const path = `/api/v1/restock-requests/${id}/${verb}`;
  // A receipt in parts may be given twice on purpose; there the second is the first one's repetition.
  const keys = again ? Array(2).fill(unique()) : [unique(), unique()];
  const answers = insistTogether(keys.map((key) =>
    request('POST', `inventory.${verb}`, path, { as, body, key, expect: [200, 409] })));
  const done = answers.filter(({ status }) => status === 200).length;
  const right = again ? done === 2 : done === 1;
  answers[0].is(`${verb} twice is done once`, right);
  return answers.every(({ ok }) => ok) && right;
}

/** What was delivered is somewhere: on a shelf, under way, or known to be lost. */
export function teardown({ goods }, name) {
  for (const { id, sku } of goods) {
    const rows = pages('inventory.stocks', `/api/v1/stock?product=${id}`, { as: 'hq' });
    const lost = pages('inventory.discrepancies', '/api/v1/discrepancies?kind=lost_in_transit', { as: 'hq' })
      .filter(({ product_id }) => product_id === id)
      .reduce((all, { quantity }) => all + quantity, 0);
    const there = rows.reduce((all, { on_hand, in_transit }) => all + on_hand + in_transit, 0);
    claim('lost_units', Math.abs(UNITS - there - lost), `${sku}: ${there} are there, ${lost} are lost, of ${UNITS}`, name);
    const moved = pages('inventory.movements', `/api/v1/movements?product=${id}`, { as: 'hq' })
      .reduce((all, { delta }) => all + delta, 0);
    const onHand = rows.reduce((all, { on_hand }) => all + on_hand, 0);
    claim('lost_units', Math.abs(moved - onHand), `${sku}: the ledger says ${moved}, the shelves ${onHand}`, name);
  }
}
