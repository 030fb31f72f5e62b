// The cart: which one it is, what is in it, and its changes. It belongs to nobody until it is bought, so it needs no
// account; whoever knows its id may use it, and only this browser does.

import { announce } from './a11y.js';
import { h, replace } from './dom.js';
import { NoAnswer, Problem, explain, get, newKey, optional, post, query, request } from './http.js';
import { nameOf, number } from './i18n.js';
import { t } from './shop-texts.js';
import { forget, recall, remember } from './storage.js';

const KEY = 'comptoir.cart';
const GONE = ['cart-merged', 'cart-expired', 'cart-not-found'];
const IDS_MAX = 100;

let quantities = new Map();
/** How often they were changed here: what was asked for before that is old. */
let changes = 0;

export const cartId = () => recall(KEY);
export const quantityOf = (product) => quantities.get(product) ?? 0;
export const units = () => [...quantities.values()].reduce((sum, quantity) => sum + quantity, 0);

const changed = () => document.dispatchEvent(new Event('comptoir:cart'));
/** `listener` is forgotten with the element that it is for. */
export function onCart(element, listener) {
  const ended = new AbortController();
  const check = () => (element.isConnected ? listener() : ended.abort());
  document.addEventListener('comptoir:cart', check, { signal: ended.signal });
}

function hold(lines) {
  quantities = new Map(lines.map(({ product_id: id, quantity }) => [id, quantity]));
  changed();
}

export function forgetCart() {
  forget(KEY);
  hold([]);
}

/** A product that is not there is no reason to forget the cart. */
const isGone = (error) =>
  error instanceof Problem &&
  error.code !== 'product-not-found' &&
  (error.status === 410 || error.status === 404 || GONE.includes(error.code));

/** `{ cart, etag }`, or null when there is none or it is no more. */
export async function load(options) {
  const id = cartId();
  if (!id) return null;
  try {
    const before = changes;
    const { data, etag } = await get(`/api/v1/carts/${id}`, options);
    if (before !== changes || cartId() !== id) return load(options);
    if (data.status !== 'open') return forgotten();
    hold(data.lines);
    // Whoever changes this has seen what became of the changes before.
    unheard.clear();
    return { cart: data, etag };
  } catch (error) {
    if (!isGone(error)) throw error;
    return cartId() === id ? forgotten() : load(options);
  }
}

function forgotten() {
  forgetCart();
  return null;
}

export const estimate = async (options) => (await get(`/api/v1/carts/${cartId()}/estimate`, options)).data;

// Another tab has begun with a cart, or has none any more.
addEventListener('storage', ({ key }) => {
  if (key !== KEY) return;
  hold([]);
  optional(load());
});

async function ensureCart() {
  if (cartId()) return cartId();
  const { data } = await post('/api/v1/carts', {}, { key: newKey() });
  // Another tab may have been faster: then it is that one, and this one expires.
  if (!cartId()) remember(KEY, data.id);
  return cartId();
}

let underWay = Promise.resolve();
/** Of changes that nobody answered: whoever asks for the same again means that one. */
const unheard = new Map();

/**
 * Two tabs that add at once sum up: what is sent is the difference. Within a tab one change waits for the one before, so
 * that there is one cart from the first on, and the last answer is the latest.
 */
export function change(product, delta) {
  const answered = underWay.then(() => changeNow(product, delta));
  underWay = answered.catch(() => {});
  return answered;
}

async function changeNow(product, delta) {
  const what = `${product} ${delta}`;
  const key = unheard.get(what) ?? newKey();
  unheard.delete(what);
  const attempt = async () => {
    const id = await ensureCart();
    const line = `/api/v1/carts/${id}/items`;
    return delta > 0
      ? post(line, { product_id: product, quantity: delta }, { key })
      : request('PATCH', `${line}/${product}`, { body: { delta }, key });
  };
  let answer;
  try {
    answer = await attempt();
  } catch (error) {
    if (error instanceof NoAnswer) unheard.set(what, key);
    if (!isGone(error)) throw error;
    forgetCart();
    if (delta < 0) return;
    answer = await attempt();
  }
  set(product, answer.data.quantity);
}

/** What somebody typed is meant for the cart that they saw: a stale `etag` is a 412. */
export async function setQuantity(product, quantity, etag) {
  await request('PUT', `/api/v1/carts/${cartId()}/items/${product}`, { body: { quantity }, ifMatch: etag });
  set(product, quantity);
}

function set(product, quantity) {
  changes += 1;
  if (quantity === 0) quantities.delete(product);
  else quantities.set(product, quantity);
  changed();
}

/**
 * What products says of them, by id; archived ones included. When it says nothing, carts and orders have names of their own.
 */
export async function productsById(ids, options) {
  const found = new Map();
  for (let from = 0; from < ids.length; from += IDS_MAX) {
    const path = query('/api/v1/products', { ids: ids.slice(from, from + IDS_MAX).join(',') });
    for (const product of (await optional(get(path, options)))?.data.data ?? []) found.set(product.id, product);
  }
  return found;
}

/** A button that adds; once there is one in the cart, less and more of it. */
export function adder(product, { wide = false } = {}) {
  const place = h('div', { class: 'adder' });
  const name = nameOf(product);
  let shown = null;
  const press = async (delta) => {
    try {
      await change(product.id, delta);
      announce(t('now-in-cart', { name, count: quantityOf(product.id) }));
    } catch (error) {
      announce(explain(error, t), 'assertive');
      replace(note, explain(error, t));
    }
  };
  const count = h('output', { class: 'amount' });
  const note = h('p', { class: 'error' });
  const add = h(
    'button',
    { type: 'button', class: `button${wide ? ' wide-button' : ''}`, on: { click: () => press(1) } },
    t('add'),
    h('span', { class: 'visually-hidden' }, ` : ${name}`),
  );
  const less = h(
    'button',
    { type: 'button', class: 'quiet icon', 'aria-label': t('less', { name }), on: { click: () => press(-1) } },
    '−',
  );
  const more = h(
    'button',
    { type: 'button', class: 'quiet icon', 'aria-label': t('more', { name }), on: { click: () => press(1) } },
    '+',
  );
  const stepper = h('div', { class: 'stepper', role: 'group', 'aria-label': name }, less, count, more);
  const draw = () => {
    const quantity = quantityOf(product.id);
    replace(count, number(quantity));
    replace(note);
    const wanted = quantity > 0 ? stepper : add;
    if (wanted === shown) return;
    const focused = place.contains(document.activeElement);
    shown = wanted;
    replace(place, wanted, note);
    if (focused) (wanted === add ? add : more).focus();
  };
  draw();
  onCart(place, draw);
  return place;
}
