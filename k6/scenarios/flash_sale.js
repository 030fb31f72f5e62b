// A few units, and more people who want one than there are: as many get one as there are units, everybody else is told
// that there is none left, and nobody pays for nothing.

import exec from 'k6/execution';
import { claim } from '../lib/claims.js';
import { ask, insist } from '../lib/http.js';
import { totalOf } from '../lib/money.js';
import * as shop from '../lib/shop.js';

export const about = 'three times as many buyers as there are units';
export const services = ['products', 'inventory', 'customers', 'cart', 'orders', 'checkout'];
export const rate = 8;
export const claims = ['oversold', 'unsold', 'wrong_totals'];
export const routes = { 'cart.create': 500, 'cart.add': 500, 'checkout.buy': 3000, 'inventory.availability': 500 };

export function setup({ buyers, planned }) {
  const units = Math.max(1, Math.floor(planned / 3));
  const prize = shop.product('Rare', 1999, 0);
  shop.deliver(shop.WAREHOUSE, units, prize);
  return { prize, units, accounts: shop.accounts(buyers) };
}

export function run({ prize, accounts }) {
  const account = accounts[exec.vu.idInTest % accounts.length];
  const cart = shop.cartOf([{ product: prize, quantity: 1 }]);
  if (cart === undefined) return;
  const total = totalOf([{ ...prize, quantity: 1 }]);
  const answer = insist(shop.checkout(cart, shop.tokenOf(account), total, { expect: [201, 202, 409] }));
  if (answer.status === 409) {
    answer.is('none is left', answer.json.code === 'insufficient-stock');
  } else if (answer.ok) {
    claim('wrong_totals', answer.json.expected_total.amount === total ? 0 : 1, JSON.stringify(answer.json));
  }
  const left = ask('GET', 'inventory.availability', `/api/v1/stock/availability/${prize.id}`);
  left.is('no less than none is left', left.json?.total >= 0);
}

export function teardown({ prize, units, accounts }, name) {
  const all = (state) => accounts.flatMap((account) => shop.checkoutsOf(account, state));
  const [winners, refused] = [all('completed').length, all('failed').length];
  const paid = accounts.flatMap(shop.ordersOf).filter(({ payment_status }) => payment_status === 'paid').length;
  const { on_hand: left, reserved } = shop.stock(shop.WAREHOUSE, prize.id);
  const detail = `${units} units: ${winners} winners, ${paid} paid orders, ${refused} refused, ${left} left, ${reserved} promised`;
  console.log(`flash sale: ${detail}`);
  claim('oversold', Math.max(winners - units, 0) + Math.abs(winners - paid) + Math.abs(units - winners - left), detail, name);
  claim('unsold', refused > 0 ? left : 0, detail, name);
}
