// Purchases, from the cart to the paid order, by people who click twice and try again: one order for a key, at one
// total from the estimate to the order, whatever the card comes to. At the end what was sold is gone from the shelf.

import exec from 'k6/execution';
import { sleep } from 'k6';
import { claim } from '../lib/claims.js';
import { ask, insist, insistTogether, request } from '../lib/http.js';
import { totalOf } from '../lib/money.js';
import * as shop from '../lib/shop.js';

export const about = 'cart to order, with double clicks, retried keys, cards that fail and answers that are lost';
export const services = ['products', 'inventory', 'customers', 'cart', 'orders', 'checkout'];
export const rate = 4;
/** Answers that are lost are waited for. */
export const holdsS = 5;
export const claims = ['double_orders', 'wrong_totals', 'lost_units'];
export const routes = {
  'cart.create': 500, 'cart.add': 500, 'cart.estimate': 500, 'checkout.quote': 1000, 'checkout.buy': 3000,
  'checkout.read': 500, 'orders.read': 500,
};

const UNITS = 100000;
/** Of twenty purchases one each is paid with these. */
const CARDS = ['tok_declined', 'tok_insufficient', 'tok_500_once', 'tok_slow', 'tok_timeout_then_ok', 'tok_timeout_then_declined'];
const DECLINED = ['tok_declined', 'tok_insufficient', 'tok_timeout_then_declined'];
const POLLS = 120;

export function setup({ buyers }) {
  const goods = [shop.product('Limonade', 299, 10), shop.product('Jus', 349, 10)];
  shop.deliver(shop.WAREHOUSE, UNITS, ...goods);
  return { goods, accounts: shop.accounts(buyers) };
}

export function run({ goods, accounts }) {
  const account = accounts[exec.vu.idInTest % accounts.length];
  const token = shop.tokenOf(account);
  const lines = [{ product: goods[0], quantity: 2 }, { product: goods[1], quantity: 1 }];
  const cart = shop.cartOf(lines);
  if (cart === undefined) return;
  const total = totalOf(lines.map(({ product, quantity }) => ({ ...product, quantity })));
  const estimate = ask('GET', 'cart.estimate', `/api/v1/carts/${cart}/estimate`);
  const quote = ask('POST', 'checkout.quote', '/api/v1/checkouts/quote', { as: token, body: { cart_id: cart } });
  if (!estimate.ok || !quote.ok) return;
  isTotal('estimate', estimate.json.total, total);
  isTotal('quote', quote.json.payable, total);
  const pays = CARDS[exec.scenario.iterationInTest % 20] ?? 'tok_ok';
  const ended = buy(cart, token, total, pays);
  if (ended !== undefined) isSettled(ended, token, total, pays);
}

function isTotal(of, { amount }, total) {
  claim('wrong_totals', amount === total ? 0 : 1, `${of}: ${amount}, not ${total}`);
}

/** Two clicks at once, and then the same again: all are about one checkout. Returns it when it has ended. */
function buy(cart, token, total, pays) {
  // Those whose answers are lost are as slow as the provider: they are no measure of ours.
  const route = pays === 'tok_ok' ? 'checkout.buy' : 'checkout.trouble';
  const click = shop.checkout(cart, token, total, { pays, route, expect: [201, 202, 402] });
  const answers = [...insistTogether([click, click]), insist(click)];
  const bought = answers.filter(({ status }) => status === 201 || status === 202).map(({ json }) => json);
  const orders = new Set(bought.map(({ order_id }) => order_id));
  claim('double_orders', Math.max(orders.size - 1, 0), `key buy-${cart}: ${[...orders].join(', ')}`);
  if (answers.some(({ ok }) => !ok)) return undefined;
  if (bought.length === 0) return { state: 'failed' };
  return atItsEnd(bought[0].id, token);
}

function atItsEnd(id, token) {
  for (let poll = 0; poll < POLLS; poll += 1) {
    const checkout = ask('GET', 'checkout.read', `/api/v1/checkouts/${id}`, { as: token });
    if (!checkout.ok || ['completed', 'failed', 'cancelled'].includes(checkout.json.state)) return checkout.json;
    sleep(0.5);
  }
  claim('lost_units', 1, `checkout ${id} has not ended`);
  return undefined;
}

function isSettled(checkout, token, total, pays) {
  const declined = DECLINED.includes(pays);
  const ended = checkout.state === (declined ? 'failed' : 'completed');
  claim('wrong_answers', ended ? 0 : 1, `paid with ${pays}: ${JSON.stringify(checkout)}`);
  if (checkout.state !== 'completed') return;
  const order = insist(request('GET', 'orders.read', `/api/v1/orders/${checkout.order_id}`, { as: token }));
  if (!order.ok) return;
  isTotal('order', order.json.total, total);
  isTotal('captured', order.json.captured, total);
  order.is('it is paid', order.json.payment_status === 'paid');
}

/** Of each account: as many orders as purchases that came to something; and the shelf is short of just those units. */
export function teardown({ goods, accounts }, name) {
  let sold = 0;
  for (const account of accounts) {
    const completed = shop.checkoutsOf(account, 'completed');
    const wanted = new Set(completed.map(({ order_id }) => order_id));
    const paid = shop.ordersOf(account).filter(({ payment_status }) => payment_status === 'paid');
    const surplus = paid.filter(({ id }) => !wanted.has(id));
    claim('double_orders', surplus.length, `customer ${account.id}: ${JSON.stringify(surplus.slice(0, 3))}`, name);
    claim('lost_units', Math.abs(wanted.size - paid.length), `customer ${account.id}: orders and purchases`, name);
    sold += completed.length;
  }
  for (const [index, units] of [[0, 2 * sold], [1, sold]]) {
    const { on_hand: left, reserved } = shop.stock(shop.WAREHOUSE, goods[index].id);
    const detail = `${goods[index].sku}: ${left} are left of ${UNITS}, ${units} were sold, ${reserved} are promised`;
    claim('lost_units', Math.abs(UNITS - units - left) + reserved, detail, name);
  }
}
