// The cart: which one it is, what is in it, and its changes. It belongs to nobody until it is bought, so it needs no
// account; whoever knows its id may use it, and only this browser does.

import { announce } from './a11y.js';
import { h, replace } from './dom.js';
import { Problem, explain, get, newKey, post, query, request } from './http.js';
import { language, number } from './i18n.js';
import { t } from './shop-texts.js';
import { forget, recall, remember } from './storage.js';

const KEY = 'comptoir.cart';
const GONE = ['cart-merged', 'cart-expired', 'cart-not-found'];
const IDS_MAX = 100;

let quantities = new Map();

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

const isGone = (error) =>
  error instanceof Problem && (error.status === 410 || error.status === 404 || GONE.includes(error.code));

/** `{ cart, etag }`, or null when there is none or it is no more. */
export async function load(options) {
  const id = cartId();
  if (!id) return null;
  try {
    const { data, etag } = await get(`/api/v1/carts/${id}`, options);
    if (data.status !== 'open') return forgotten();
    hold(data.lines);
    return { cart: data, etag };
  } catch (error) {
    if (isGone(error)) return forgotten();
    throw error;
  }
}

function forgotten() {
  forgetCart();
  return null;
}

export const estimate = async (options) => (await get(`/api/v1/carts/${cartId()}/estimate`, options)).data;

async function ensureCart() {
  if (cartId()) return cartId();
  const { data } = await post('/api/v1/carts', {}, { key: newKey() });
  remember(KEY, data.id);
  return data.id;
}

/** Two tabs that add at once sum up: what is sent is the difference. */
export async function change(product, delta) {
  const key = newKey();
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
  if (quantity === 0) quantities.delete(product);
  else quantities.set(product, quantity);
  changed();
}

/** In the page's language; a number stays with its unit. */
export const nameOf = (product) =>
  (product[`name_${language()}`] ?? product.name).replace(/(\d) (?=(?:ml|L|g|kg|mg|W)\b|%)/g, '$1\u00a0');

/** What products says of them, by id; archived ones included. */
export async function productsById(ids, options) {
  const found = new Map();
  for (let from = 0; from < ids.length; from += IDS_MAX) {
    const path = query('/api/v1/products', { ids: ids.slice(from, from + IDS_MAX).join(',') });
    for (const product of (await get(path, options)).data.data) found.set(product.id, product);
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
