// Who may do what, as the edge and the services behind it see it: each role at each kind of door, with keys that are
// wrong, tokens that are damaged, headers that claim to be somebody, and ids of other people's things.

import { claim } from '../lib/claims.js';
import { ask, insist, request, sendTogether } from '../lib/http.js';
import { totalOf } from '../lib/money.js';
import * as shop from '../lib/shop.js';

export const about = 'every role at every kind of door; forged headers; the things of other people';
export const services = ['products', 'inventory', 'customers', 'cart', 'orders', 'checkout'];
export const optional = ['sales', 'reports'];
export const rate = 1;
export const claims = ['leaks'];
export const routes = { 'edge.door': 1000, 'edge.forged': 1000, 'orders.foreign': 500, 'customers.foreign': 500 };

const STAFF = ['pos', 'manager', 'logistics', 'hq'];
/** A service, what is asked of it, and which of the staff may; with `open`, everybody. */
const DOORS = [
  ['products', 'GET', '/api/v1/products/1', { open: true }],
  ['products', 'POST', '/api/v1/products', { may: ['manager', 'hq'], does: 422 }],
  ['inventory', 'GET', '/api/v1/locations', { open: true }],
  ['inventory', 'GET', '/api/v1/stock?limit=1', { may: STAFF, does: 200 }],
  ['inventory', 'POST', '/api/v1/adjustments', { may: ['manager', 'logistics', 'hq'], does: 422 }],
  ['inventory', 'POST', '/api/v1/restock-requests', { may: ['manager', 'hq'], does: 422 }],
  ['customers', 'GET', '/api/v1/customers/1', { may: ['manager', 'hq'], does: [200, 404] }],
  ['orders', 'GET', '/api/v1/orders?limit=1', { may: STAFF, does: 200 }],
  ['checkout', 'GET', '/api/v1/checkouts?limit=1', { may: ['hq'], does: 200 }],
  ['sales', 'GET', '/api/v1/sales?limit=1', { may: ['pos', 'manager', 'hq'], does: 200 }],
  ['sales', 'POST', '/api/v1/registers', { may: ['manager', 'hq'], does: 422 }],
  ['reports', 'GET', '/api/v1/reports/freshness', { may: ['manager', 'hq'], does: 200 }],
  ['reports', 'POST', '/api/v1/reports/rebuilds/none', { may: ['hq'], does: 405 }],
];
const INTERNAL = ['/internal/v1/audit', '/internal/v1/events', '/api/products/internal/v1/audit', '/api/orders/internal/v1/events'];

export function setup({ present }) {
  const [marie, luc] = shop.accounts(2);
  const goods = shop.product('Limonade', 299, 10);
  shop.deliver(shop.WAREHOUSE, 100, goods);
  const cart = shop.cartOf([{ product: goods, quantity: 1 }]);
  const bought = insist(shop.checkout(cart, marie.token, totalOf([{ ...goods, quantity: 1 }]), { expect: [201] })).must();
  const doors = DOORS.filter(([service]) => present.includes(service));
  return { marie, luc, order: bought.order_id, checkout: bought.id, doors };
}

export function run({ marie, luc, order, checkout, doors }) {
  for (const [, method, path, rule] of doors) door(method, path, rule, shop.tokenOf(luc));
  forged();
  others(marie, shop.tokenOf(luc), order, checkout);
  const own = ask('GET', 'orders.read', `/api/v1/orders/${order}`, { as: shop.tokenOf(marie) });
  own.is('whose it is may', own.json?.id === order);
}

function door(method, path, { open = false, may = STAFF, does = 200 }, token) {
  const answers = [does].flat();
  const body = method === 'GET' ? undefined : {};
  const wanted = STAFF.map((role) => {
    const expect = open || may.includes(role) ? answers : [403, 404];
    return request(method, 'edge.door', path, { as: role, body, expect });
  });
  const nobody = open ? answers : [401, 403, 404];
  wanted.push(request(method, 'edge.door', path, { body, expect: nobody }));
  if (open) wanted.push(request(method, 'edge.door', path, { as: token, body, expect: nobody }));
  for (const answer of sendTogether(wanted)) isRight(answer);
}

/** An answer that somebody may not have is a leak; another surprise is told as any other. */
function isRight(answer) {
  const { method, url, expect, params } = answer.wanted;
  const leaked = answer.status < 400 && !expect.includes(answer.status);
  const who = params.headers['X-API-Key'] === undefined ? 'somebody without a key' : 'a role that may not';
  claim('leaks', leaked ? 1 : 0, `${method} ${url} was answered with ${answer.status} for ${who}`);
}

/** What a client cannot be taken for, whatever it says. */
function forged() {
  const forgery = {
    'X-Consumer-ID': 'c0000000-0000-4000-8000-000000000001', 'X-Consumer-Username': 'hq', 'X-Consumer-Groups': 'hq',
    'X-Authenticated-Groups': 'hq', 'X-Gateway-Secret': 'guessed', 'X-Service-Name': 'reports', 'X-Service-Secret': 'guessed',
  };
  const one = (path, headers, expect) => request('GET', 'edge.forged', path, { headers, expect });
  const stock = '/api/v1/stock?limit=1';
  const wanted = [
    one(stock, forgery, [401]),
    one(stock, { 'X-API-Key': 'guessed' }, [401]),
    one(`${stock}&apikey=guessed&X-API-Key=guessed`, {}, [401]),
    one('/api/v1/orders', { Authorization: 'Bearer e30.eyJzdWIiOiIxIiwiaXNzIjoiY29tcHRvaXItY3VzdG9tZXJzIn0.c2lnbmVk' }, [401]),
    one('/api/v1/orders', { ...forgery, Authorization: 'Bearer nonsense' }, [401]),
    ...INTERNAL.map((path) => one(path, forgery, [404])),
  ];
  for (const answer of sendTogether(wanted)) isRight(answer);
}

/** There is nothing to be seen of other people's things, not even that they are there. */
function others(marie, token, order, checkout) {
  const wanted = [
    request('GET', 'orders.foreign', `/api/v1/orders/${order}`, { as: token, expect: [404] }),
    request('GET', 'orders.foreign', `/api/v1/orders/${order}/timeline`, { as: token, expect: [404] }),
    request('GET', 'checkout.foreign', `/api/v1/checkouts/${checkout}`, { as: token, expect: [404] }),
    request('GET', 'customers.foreign', `/api/v1/customers/${marie.id}`, { as: token, expect: [404] }),
    request('GET', 'customers.foreign', `/api/v1/customers/${marie.id}/loyalty`, { as: token, expect: [404] }),
  ];
  for (const answer of sendTogether(wanted)) isRight(answer);
  const list = ask('GET', 'orders.own', '/api/v1/orders', { as: token });
  claim('leaks', list.ok && list.json.data.some(({ id }) => id === order) ? 1 : 0, `order ${order} is in the list of somebody else`);
}
