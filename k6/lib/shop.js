// What a run sells, to whom, and how a purchase is made. Everything that it sells is its own, made in
// `setup`, so that nothing else that happens on the platform changes what there should be at the end.

import encoding from 'k6/encoding';
import { insist, pages, request } from './http.js';
import { money } from './money.js';

export const WAREHOUSE = 100;
export const STORES = [1, 2, 3, 4, 5];
export const PASSWORD = 'quatre chats gris jouent';
/** A token that lives less than this is not used any more. */
const TOKEN_LEFT_S = 60;

/** A name that no other run has; capital letters and digits. */
export function unique() {
  return crypto.randomUUID().replace(/-/g, '').slice(0, 16).toUpperCase();
}

/** A new product, taxed as most are; `price` and `deposit` in cents. */
export function product(name, price, deposit) {
  const sku = `LOAD-${unique()}`;
  const body = {
    sku, name: `${name} ${sku}`, category: 'soft-drinks', tax_category: 'standard',
    price: money(price), deposit: money(deposit),
  };
  const wanted = request('POST', 'products.create', '/api/v1/products', { as: 'hq', body, key: sku, expect: [201] });
  const made = insist(wanted).must();
  return { id: made.id, sku, name: made.name, price, deposit };
}

/** Units arrive somewhere. */
export function deliver(location, units, ...products) {
  const lines = products.map(({ id }) => ({ product_id: id, delta: units }));
  const body = { reason: 'delivery', location_id: location, lines };
  const options = { as: 'hq', body, key: unique(), expect: [201] };
  insist(request('POST', 'inventory.adjust', '/api/v1/adjustments', options)).must();
}

export function stock(location, id) {
  return insist(request('GET', 'inventory.stock', `/api/v1/stock/${location}/${id}`, { as: 'hq' })).must();
}

/** Accounts, signed in. */
export function accounts(count) {
  return Array.from({ length: count }, () => {
    const email = `load-${unique().toLowerCase()}@example.com`;
    const body = { email, password: PASSWORD, name: 'Marie Tremblay' };
    const wanted = request('POST', 'customers.register', '/api/v1/customers', { body, key: email, expect: [201] });
    const made = insist(wanted).must();
    return { id: made.id, email, token: signIn(email).must().access_token };
  });
}

export function signIn(email, options = {}) {
  const body = { email, password: options.password ?? PASSWORD };
  const expect = options.expect ?? [200];
  return insist(request('POST', 'customers.login', '/api/v1/auth/login', { body, expect }));
}

/** Tokens that this client has got for itself, by address. */
const renewed = {};

/** A token of the account that is good for a while: that of `setup`, or a newer one. */
export function tokenOf(account) {
  const token = renewed[account.email] ?? account.token;
  const { exp } = JSON.parse(encoding.b64decode(token.split('.')[1], 'rawurl', 's'));
  if (exp - Date.now() / 1000 > TOKEN_LEFT_S) return token;
  renewed[account.email] = signIn(account.email).must().access_token;
  return renewed[account.email];
}

export function newCart(options = {}) {
  const wanted = { ...options, body: {}, key: unique(), expect: [201] };
  return insist(request('POST', 'cart.create', '/api/v1/carts', wanted)).json?.id;
}

/** A cart with these in it: `{product, quantity}`. Undefined when somebody said no. */
export function cartOf(lines) {
  const cart = newCart();
  if (cart === undefined) return undefined;
  const added = lines.every(({ product: { id }, quantity }) => {
    const body = { product_id: id, quantity };
    return insist(request('POST', 'cart.add', `/api/v1/carts/${cart}/items`, { body, key: unique() })).ok;
  });
  return added ? cart : undefined;
}

/** The request that buys a cart. */
export function checkout(cart, token, cents, options = {}) {
  const body = {
    cart_id: cart,
    fulfilment: { method: 'delivery', address: {
      recipient: 'Marie Tremblay', line1: '1000, rue De La Gauchetière O', city: 'Montréal',
      province: 'QC', postal_code: 'H3B 4W5',
    } },
    payment: { method: 'card', token: options.pays ?? 'tok_ok' },
    expected_total: money(cents),
  };
  const { route = 'checkout.buy', key = `buy-${cart}`, expect = [201, 202], faults } = options;
  return request('POST', route, '/api/v1/checkouts', { as: token, body, key, expect, faults });
}

/** All that an account has tried to buy. */
export function checkoutsOf(account, state) {
  return pages('checkout.list', `/api/v1/checkouts?customer=${account.id}&state=${state}`, { as: 'hq' });
}

export function ordersOf(account) {
  return pages('orders.list', `/api/v1/orders?customer=${account.id}`, { as: 'hq' });
}
