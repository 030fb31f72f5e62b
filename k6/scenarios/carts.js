// A storm of changes to one cart, over three replicas at once: whatever was acknowledged is in it, no more and no
// less. Two ledgers are kept: of a cart of one's own, changed by a dozen requests at the same time, and of one's own
// line in a cart that everybody changes.

import exec from 'k6/execution';
import { ask, insist, request } from '../lib/http.js';
import { Ledger } from '../lib/ledger.js';
import { newCart, product, unique } from '../lib/shop.js';

export const about = 'a dozen changes of one cart at once, and a cart that everybody changes';
export const services = ['products', 'cart'];
export const rate = 4;
export const claims = ['lost_updates'];
export const routes = {
  'cart.create': 500, 'cart.add': 500, 'cart.change': 500, 'cart.read': 500, 'cart.estimate': 500, 'cart.merge': 500,
};

/** Lines of the cart that everybody changes: each client has one of them, as far as there are enough. */
const LINES = 60;
/** A line holds 999 at most, so that one's own is emptied before. */
const FULL = 900;

/** This client's line, and its ledger. */
let line;
let mine;

export function setup() {
  const goods = Array.from({ length: LINES }, (_, index) => product(`Ligne ${index}`, 100 + index, 10));
  return { goods, everybodys: newCart() };
}

export function run({ goods, everybodys }) {
  storm(goods);
  // The number of a client's first iteration is its own, and not much larger than there are clients.
  line ??= exec.scenario.iterationInTest;
  if (line >= goods.length) return;
  mine ??= new Ledger(everybodys);
  const product = goods[line];
  if ((mine.units[product.id] ?? 0) > FULL) mine.change([{ product, delta: -FULL }]);
  mine.change([1, 2, 3, 4].map((delta) => ({ product, delta })));
  mine.compare();
}

function storm(goods) {
  const cart = newCart();
  if (cart === undefined) return;
  const [first, second] = goods;
  const own = new Ledger(cart);
  own.change([{ product: first, delta: 20 }, { product: second, delta: 20 }]);
  const changes = [5, -3, 2, -1, 7, -4].flatMap((delta) => [{ product: first, delta }, { product: second, delta: -delta }]);
  own.change(changes);
  own.compare();
  merged(cart, own);
  ask('GET', 'cart.estimate', `/api/v1/carts/${cart}/estimate`);
}

/** A guest's cart goes into this one, twice at once: once. */
function merged(cart, own) {
  const product = { id: Number(Object.keys(own.units)[0]) };
  const guests = newCart();
  if (guests === undefined) return;
  new Ledger(guests).change([{ product, delta: 3 }]);
  const body = { from: guests };
  const merges = [1, 2].map(() => request('POST', 'cart.merge', `/api/v1/carts/${cart}/merge`, { body, key: unique() }));
  if (merges.map(insist).every(({ ok }) => ok)) own.units[product.id] += 3;
  own.compare();
}
