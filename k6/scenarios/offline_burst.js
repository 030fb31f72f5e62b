// Tills come back after they could reach nobody: each sends what it has sold meanwhile, all of it twice, in any order
// and at once. Every sale is there, once.

import exec from 'k6/execution';
import { claim } from '../lib/claims.js';
import { insistTogether, request } from '../lib/http.js';
import { gaps } from '../lib/receipts.js';
import { deliver, product, STORES } from '../lib/shop.js';
import { basket, saleOf, salesOf, tills } from '../lib/tills.js';

export const about = 'twenty sales of a till that was offline, each sent twice, in any order';
export const services = ['products', 'inventory', 'sales'];
export const rate = 0.4;
export const claims = ['double_sales', 'wrong_totals', 'receipt_gaps'];
export const routes = { 'sales.upload': 3000 };

const SALES = 20;
const TILLS = 10;
/** At once: what a till on a slow line would dare. */
const AT_ONCE = 8;

export function setup({ planned }) {
  const goods = [product('Limonade', 299, 10), product('Jus', 349, 10)];
  for (const store of STORES) deliver(store, 100000, ...goods);
  // Nothing was sold before it was for sale.
  return { goods, tills: tills(Math.min(TILLS, Math.max(planned, 1))), since: Date.now() };
}

export function run({ goods, tills: all, since }) {
  const till = all[exec.scenario.iterationInTest % all.length];
  const away = Date.now() - since;
  const made = Array.from({ length: SALES }, (_, index) => {
    const lines = goods.map((one, nth) => ({ product: one, quantity: 1 + ((index + nth) % 3) }));
    const soldAt = new Date(since + Math.floor((away * index) / SALES)).toISOString();
    return { id: crypto.randomUUID(), bought: basket(lines, index % 2 === 0 ? 'cash' : 'card'), soldAt };
  });
  const sent = shuffled([...made, ...made]).map(({ id, bought, soldAt }) => request('PUT', 'sales.upload', `/api/v1/sales/${id}`, {
    as: 'pos', body: saleOf(till, bought, soldAt), expect: [200, 201],
  }));
  const answers = [];
  while (sent.length > 0) answers.push(...insistTogether(sent.splice(0, AT_ONCE)));
  if (!answers.every(({ ok }) => ok)) return;
  const created = answers.filter(({ status }) => status === 201);
  const ids = new Set(created.map(({ json }) => json.id));
  claim('double_sales', Math.abs(created.length - SALES) + Math.abs(ids.size - SALES), `${created.length} of ${SALES} were made`);
  for (const { id, bought } of made) {
    const sale = created.find(({ json }) => json.id === id);
    if (sale === undefined) continue;
    const total = sale.json.total.amount;
    claim('wrong_totals', total === bought.total ? 0 : 1, `sale ${id}: ${total}, not ${bought.total}`);
  }
}

function shuffled(list) {
  const all = [...list];
  for (let last = all.length - 1; last > 0; last -= 1) {
    const other = Math.floor(Math.random() * (last + 1));
    [all[last], all[other]] = [all[other], all[last]];
  }
  return all;
}

export function teardown({ tills: all }, name) {
  for (const till of all) {
    const sales = salesOf(till);
    claim('receipt_gaps', gaps(sales), `register ${till.register}`, name);
    const torn = sales.length % SALES;
    claim('double_sales', torn, `register ${till.register} has ${sales.length} sales, which is no number of uploads`, name);
  }
}
