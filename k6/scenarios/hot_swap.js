// Components are replaced while people shop: nobody notices. Each is replaced by itself with a section that nothing
// reads, which makes it another component to the host, and put back.
//
// With ADMIN (the host's port for operators, as of `make up`) the run does that itself. Without it, as with compose,
// and wherever SWAPS=outside says so, `k6/run` does it: by `mv`, in the folder that the hosts watch.

import exec from 'k6/execution';
import { sleep } from 'k6';
import { admin, chosen, component, secret } from '../lib/config.js';
import { claim } from '../lib/claims.js';
import { ask, insist, request, send } from '../lib/http.js';
import { Ledger } from '../lib/ledger.js';
import { totalOf } from '../lib/money.js';
import * as shop from '../lib/shop.js';
import { basket, saleOf, tills } from '../lib/tills.js';

export const about = 'every component is replaced under load, and no request fails';
export const services = ['products', 'inventory', 'customers', 'cart', 'orders', 'checkout'];
export const optional = ['sales', 'reports'];
export const rate = 4;
export const claims = ['lost_updates', 'double_orders', 'wrong_totals', 'swaps_missed'];
export const routes = {
  'products.read': 1000, 'cart.create': 1000, 'cart.add': 1000, 'cart.read': 1000, 'cart.estimate': 1000,
  'checkout.buy': 5000, 'sales.sell': 1000, 'reports.dashboard': 2000,
};
/** A component that was never seen has to be compiled first. */
export const atLeastS = 60;

const outside = __ENV.SWAPS === 'outside';
/** As the services call each other: those that are asked for most come first. */
const REPLACED = ['products', 'cart', 'inventory', 'checkout', 'orders', 'customers', 'sales', 'reports'];
/** For a component that is compiled, linked, migrated and probed, three replicas one after another. */
const SWAP_S = 90;
/** Between two that are replaced where nobody says whether they were. */
const PAUSE_S = 10;

/** Two megabytes each, so that they are only read by a run that needs them. */
const bytes = {};
const isWanted = /(^|,)(hot_swap|all)(,|$)/.test(chosen);
const token = admin === '' || outside || !isWanted ? '' : secret('admin-token', '');
if (token !== '') for (const name of REPLACED) bytes[name] = component(name, null);

export function lacks() {
  if (outside) return undefined;
  if (admin === '') return 'nobody replaces components: set ADMIN to where the host takes them, or SWAPS=outside';
  if (token === '') return 'KEYS has no admin-token; SWAPS=outside needs none';
  const { ok } = ask('GET', 'host.live', `${admin}/live`, { faults: true });
  return ok ? undefined : `nobody listens at ${admin}: set ADMIN to where the host takes components, or SWAPS=outside`;
}

export function setup({ buyers, present }) {
  const goods = [shop.product('Limonade', 299, 10), shop.product('Jus', 349, 10)];
  for (const location of [shop.WAREHOUSE, ...shop.STORES]) shop.deliver(location, 100000, ...goods);
  const open = present.includes('sales') ? tills(shop.STORES.length) : [];
  return { goods, accounts: shop.accounts(buyers), tills: open, present };
}

export function run({ goods, accounts, tills: all, present }) {
  const read = ask('GET', 'products.read', `/api/v1/products/${goods[0].id}`);
  read.is('it is at its price', read.json?.price.amount === goods[0].price);
  const cart = shop.newCart();
  if (cart === undefined) return;
  const ledger = new Ledger(cart);
  ledger.change([{ product: goods[0], delta: 1 }, { product: goods[1], delta: 1 }, { product: goods[0], delta: 1 }]);
  ledger.compare();
  const total = totalOf([{ ...goods[0], quantity: 2 }, { ...goods[1], quantity: 1 }]);
  const estimate = ask('GET', 'cart.estimate', `/api/v1/carts/${cart}/estimate`);
  if (estimate.ok) claim('wrong_totals', estimate.json.total.amount === total ? 0 : 1, JSON.stringify(estimate.json.total));
  const account = accounts[exec.vu.idInTest % accounts.length];
  const clicks = [1, 2].map(() => insist(shop.checkout(cart, shop.tokenOf(account), total)));
  const orders = new Set(clicks.filter(({ ok }) => ok).map(({ json }) => json.order_id));
  claim('double_orders', Math.max(orders.size - 1, 0), `key buy-${cart}: ${[...orders].join(', ')}`);
  if (all.length > 0) sell(all[exec.scenario.iterationInTest % all.length], goods);
  if (present.includes('reports')) ask('GET', 'reports.dashboard', '/api/v1/reports/dashboard', { as: 'manager' });
}

function sell(till, goods) {
  const bought = basket(goods.map((one) => ({ product: one, quantity: 1 })), 'cash');
  const path = `/api/v1/sales/${crypto.randomUUID()}`;
  const sale = insist(request('PUT', 'sales.sell', path, { as: 'pos', body: saleOf(till, bought), expect: [200, 201] }));
  if (sale.ok) claim('wrong_totals', sale.json.payable.amount === bought.payable ? 0 : 1, JSON.stringify(sale.json.payable));
}

/** Replaces one after the other until the time is over, each at least once. */
export function hand({ present }, seconds, scenario) {
  const replaced = REPLACED.filter((name) => present.includes(name));
  const end = Date.now() + seconds * 1000;
  let times = 0;
  for (let round = 0; round === 0 || Date.now() < end; round += 1) {
    for (const name of replaced) {
      if (round > 0 && Date.now() >= end) break;
      if (outside) {
        moved(name, scenario);
      } else {
        if (bytes[name] === null) throw new Error(`there is no ${name}.wasm: COMPONENTS says where they are`);
        swap(name, different(bytes[name], round), scenario);
        swap(name, bytes[name], scenario);
      }
      times += 1;
    }
  }
  console.log(`${times} components were replaced under load`);
}

/** Has `k6/run` replace the file, and waits until the host has seen it. */
function moved(name, scenario) {
  const before = generations(name);
  console.log(`outside: swap ${name}`);
  if (admin === '') {
    sleep(PAUSE_S);
    return;
  }
  const end = Date.now() + SWAP_S * 1000;
  const isReplaced = () => Object.entries(generations(name)).every(([replica, number]) => number > before[replica]);
  while (!isReplaced() && Date.now() < end) sleep(0.5);
  claim('swaps_missed', isReplaced() ? 0 : 1, `${name} was not replaced within ${SWAP_S} s`, scenario);
}

function swap(name, wasm, scenario) {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/wasm' };
  const wanted = request('PUT', 'host.swap', `${admin}/components/${name}`, { headers, body: wasm });
  wanted.params.timeout = `${SWAP_S}s`;
  const answer = send(wanted);
  const switched = answer.ok && answer.json.swapped.every(({ outcome }) => outcome === 'switched');
  claim('swaps_missed', switched ? 0 : 1, `${name}: ${answer.status} ${answer.text.slice(0, 300)}`, scenario);
}

/** The same component with a custom section at its end: section 0, its size, its name, and the number. */
function different(wasm, number) {
  const name = 'load';
  const text = `${name}${exec.vu.idInTest}-${number}-${Date.now()}`;
  const section = [0, text.length + 1, name.length, ...Array.from(text, (letter) => letter.charCodeAt(0))];
  const other = new Uint8Array(wasm.byteLength + section.length);
  other.set(new Uint8Array(wasm));
  other.set(section, wasm.byteLength);
  return other.buffer;
}

/** The number of the version that serves, by replica of a service. */
function generations(service) {
  if (admin === '') return {};
  const { components } = ask('GET', 'host.components', `${admin}/components`).must();
  const own = components.filter((one) => one.service === service);
  return Object.fromEntries(own.map(({ replica, current }) => [replica, current.generation]));
}
