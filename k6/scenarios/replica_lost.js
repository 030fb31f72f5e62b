// A replica of cart goes away, and comes back: whoever was cut off tries again, and nothing that was acknowledged is
// lost. Somebody has to take it away: `k6/run` does, with the commands in LOSE and RESTORE.

import { sleep } from 'k6';
import { claim } from '../lib/claims.js';
import { request, sendTogether } from '../lib/http.js';
import { Ledger } from '../lib/ledger.js';
import { newCart, product } from '../lib/shop.js';

export const about = 'one of three replicas of cart goes and comes back; clients try again';
export const services = ['products', 'cart'];
export const rate = 4;
export const claims = ['lost_updates', 'replicas_unseen'];
export const routes = { 'cart.create': 5000, 'cart.add': 5000, 'cart.read': 5000 };
/** Until the gateway notices, requests that reach for it may fail. */
export const sheds = true;
export const faults = true;
/** A third each before, without and after. */
export const atLeastS = 30;

const REPLICAS = 3;
/** So long a replica has to be missing: shorter, and chance may have passed it by. */
const MISSING_S = 3;

export function setup() {
  return { goods: [product('Limonade', 299, 10), product('Jus', 349, 10)] };
}

export function run({ goods }) {
  const cart = newCart({ faults: true });
  claim('wrong_answers', cart === undefined ? 1 : 0, 'nobody made a cart');
  if (cart === undefined) return;
  const ledger = new Ledger(cart, { faults: true });
  ledger.change(goods.map((one) => ({ product: one, delta: 10 })));
  for (let round = 0; round < 3; round += 1) {
    ledger.change([3, -1, 2, -2].flatMap((delta) => goods.map((one) => ({ product: one, delta }))));
  }
  ledger.compare();
}

/** Has `k6/run` take a replica away after a third of the time, and bring it back after two; sees who answers. */
export function hand(_, seconds, name) {
  const [seen, begun] = [[], Date.now()];
  const orders = [[seconds / 3, 'outside: lose'], [(2 * seconds) / 3, 'outside: restore']];
  for (let passed = 0; passed < seconds; passed = (Date.now() - begun) / 1000) {
    if (orders.length > 0 && passed >= orders[0][0]) console.log(orders.shift()[1]);
    const answers = sendTogether(Array.from({ length: 4 * REPLICAS }, look)).filter(({ ok }) => ok);
    seen.push(new Set(answers.map((answer) => answer.header('X-Served-By'))).size);
    sleep(1);
  }
  const missing = seen.filter((replicas) => replicas < REPLICAS).length;
  console.log(`replicas that answered, second by second: ${seen.join(' ')}`);
  claim('replicas_unseen', missing >= MISSING_S ? 0 : 1, 'no replica went away: LOSE says how', name);
  claim('replicas_unseen', seen.at(-1) === REPLICAS ? 0 : 1, 'not all replicas are back: RESTORE says how', name);
}

/** One that does not wait for a replica that is silent. */
function look() {
  const wanted = request('GET', 'cart.health', '/api/cart/health', { faults: true });
  wanted.params.timeout = '2s';
  return wanted;
}
