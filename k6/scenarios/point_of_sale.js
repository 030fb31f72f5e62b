// A day at the tills: sales in cash and by card, rung up twice by a till that heard no answer, some called off, some
// brought back. In the evening every drawer holds what it should, and no receipt number is missing.

import exec from 'k6/execution';
import { claim } from '../lib/claims.js';
import { ask, insist, insistTogether, request } from '../lib/http.js';
import { gaps } from '../lib/receipts.js';
import { deliver, product, STORES, unique } from '../lib/shop.js';
import { basket, close, FLOAT, saleOf, salesOf, tills } from '../lib/tills.js';

export const about = 'sales, receipts, voids and returns at ten tills; the drawers are counted at the end';
export const services = ['products', 'inventory', 'sales'];
export const rate = 4;
export const claims = ['double_sales', 'wrong_totals', 'receipt_gaps', 'till_differences'];
export const routes = { 'sales.sell': 1000, 'sales.receipt': 500, 'sales.void': 1000, 'sales.return': 1000 };

const TILLS = 10;

export function setup() {
  const goods = [product('Limonade', 299, 10), product('Jus', 349, 10), product('Café', 599, 0)];
  for (const store of STORES) deliver(store, 100000, ...goods);
  return { goods, tills: tills(TILLS) };
}

export function run({ goods, tills: all }) {
  const number = exec.scenario.iterationInTest;
  const till = all[number % all.length];
  const lines = goods.map((one, index) => ({ product: one, quantity: 1 + ((number + index) % 4) }));
  const bought = basket(lines, number % 3 === 0 ? 'card' : 'cash');
  const sale = sell(till, bought);
  if (sale === undefined) return;
  receipt(sale);
  if (number % 10 === 3) callOff(sale);
  if (number % 10 === 7) bringBack(till, sale);
}

/** A till makes the id, and sends it again when it is not sure. */
function sell(till, bought) {
  const id = crypto.randomUUID();
  const one = request('PUT', 'sales.sell', `/api/v1/sales/${id}`, { as: 'pos', body: saleOf(till, bought), expect: [200, 201] });
  const answers = insistTogether([one, one]);
  if (!answers.every(({ ok }) => ok)) return undefined;
  const made = answers.filter(({ status }) => status === 201).length;
  claim('double_sales', Math.abs(made - 1), `sale ${id} was made ${made} times`);
  const { json } = answers[0];
  const amounts = [json.total.amount, json.payable.amount, json.change.amount];
  const right = amounts.join() === [bought.total, bought.payable, bought.change].join();
  claim('wrong_totals', right ? 0 : 1, `sale ${id}: ${amounts}, not ${[bought.total, bought.payable, bought.change]}`);
  return json;
}

function receipt(sale) {
  const headers = { Accept: 'text/plain', 'Accept-Language': 'fr' };
  const printed = ask('GET', 'sales.receipt', `/api/v1/sales/${sale.id}/receipt`, { as: 'pos', headers });
  printed.is('it has its number', printed.text.includes(sale.number));
}

function callOff({ id }) {
  const options = { as: 'pos', body: { reason: 'rung up twice' }, key: unique() };
  const gone = insist(request('POST', 'sales.void', `/api/v1/sales/${id}/void`, options));
  gone.is('it is called off', gone.json?.status === 'voided');
}

/** All of it: what was paid is paid back, to the cent, and out of the drawer what came into it. */
function bringBack(till, sale) {
  const lines = sale.lines.map(({ line, quantity }) => ({ line, quantity, disposition: 'resalable' }));
  const options = { as: 'pos', body: { session_id: till.session, lines, refund_to: 'original' }, key: unique(), expect: [201] };
  const back = insist(request('POST', 'sales.return', `/api/v1/sales/${sale.id}/returns`, options));
  if (!back.ok) return;
  const refunded = back.json.refunds.reduce((all, { amount }) => all + amount.amount, 0);
  claim('wrong_totals', refunded === sale.payable.amount ? 0 : 1, `${refunded} were paid back of ${sale.payable.amount}`);
}

export function teardown({ tills: all }, name) {
  for (const till of all) {
    const sales = salesOf(till);
    claim('receipt_gaps', gaps(sales), `register ${till.register}`, name);
    // What was called off or brought back has left nothing in the drawer; what was paid by card was never in it.
    const kept = sales.filter(({ status, refunded }) => status === 'completed' && refunded.amount === 0);
    const cash = kept.filter(({ id }) => isCash(id)).reduce((sum, { payable }) => sum + payable.amount, FLOAT);
    const { difference } = close(till, cash);
    claim('till_differences', Math.abs(difference.amount), `register ${till.register}: ${difference.amount} cents`, name);
  }
}

function isCash(id) {
  const sale = insist(request('GET', 'sales.read', `/api/v1/sales/${id}`, { as: 'pos' })).must();
  return sale.payments.every(({ method }) => method === 'cash');
}
