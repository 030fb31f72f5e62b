// Which till this is, who stands at it, and what is in the basket: kept where a reload or a cut of the power finds it.

import { newKey } from './http.js';
import { forget, recall, remember } from './storage.js';

const TILL = 'comptoir.till';
const BASKET = 'comptoir.till.basket';
const RECENT = 'comptoir.till.recent';
const LAST = 'comptoir.till.last';
const CHANGED = 'comptoir:till';
const ELSEWHERE = 'comptoir:elsewhere';
const RECENT_MAX = 12;
export const QUANTITY_MAX = 9_999;
export const LINES_MAX = 200;

const read = (key, otherwise) => JSON.parse(recall(key) ?? 'null') ?? otherwise;
const write = (key, value) => remember(key, JSON.stringify(value));

/** `{ session, cashier, register, registerName, store, storeName }`, or null when no drawer is open. */
let till = read(TILL, null);
/** Its id is that of the sale that it becomes: a basket cannot be sold twice. */
let basket = read(BASKET, { id: newKey(), lines: [] });

// Two windows have one drawer and one basket: what one of them changes is so in the other.
addEventListener('storage', ({ key }) => {
  if (key === TILL) till = read(TILL, null);
  else if (key === BASKET) basket = read(BASKET, basket);
  else return;
  document.dispatchEvent(new CustomEvent(ELSEWHERE, { detail: { isDrawer: key === TILL } }));
});
/** `listener({ isDrawer })`: another window has opened or closed the drawer, or has changed the basket. */
export const onElsewhere = (listener) => document.addEventListener(ELSEWHERE, ({ detail }) => listener(detail));

export const theTill = () => till;
export const onTill = (listener) => document.addEventListener(CHANGED, listener);
export function setTill(opened) {
  till = opened;
  write(TILL, opened);
  write(LAST, { register: opened.register, cashier: opened.cashier });
  document.dispatchEvent(new Event(CHANGED));
}
export function closeTill() {
  till = null;
  forget(TILL);
  document.dispatchEvent(new Event(CHANGED));
}
/** At which register somebody stood before, and who. */
export const before = () => read(LAST, {});

/** `{ id, quantity }`, in the order that they came in. */
export const lines = () => basket.lines;
export const basketId = () => basket.id;
export const quantityOf = (id) => basket.lines.find((line) => line.id === id)?.quantity ?? 0;

function hold(changed) {
  basket = { ...basket, lines: changed };
  write(BASKET, basket);
}

/** The quantity that the basket then has of it: as many as there may be, none below one. */
export function put(id, quantity) {
  const wanted = Math.min(Math.max(quantity, 0), QUANTITY_MAX);
  if (wanted === 0) hold(basket.lines.filter((line) => line.id !== id));
  else if (quantityOf(id) > 0) hold(basket.lines.map((line) => (line.id === id ? { id, quantity: wanted } : line)));
  else if (basket.lines.length < LINES_MAX) hold([...basket.lines, { id, quantity: wanted }]);
  return quantityOf(id);
}

/** What was handed over for it so far, `{ method, cents }`. */
export const payments = () => basket.payments ?? [];
export function hand(given) {
  basket = { ...basket, payments: given };
  write(BASKET, basket);
}

/** For the next customer: what was scanned after `gone` was paid is theirs. */
export function empty(gone = basket.lines) {
  const taken = new Map(gone.map(({ id, quantity }) => [id, quantity]));
  const left = basket.lines.map(({ id, quantity }) => ({ id, quantity: quantity - (taken.get(id) ?? 0) }));
  basket = { id: newKey(), lines: left.filter(({ quantity }) => quantity > 0) };
  write(BASKET, basket);
}

/** What was sold last, for who taps. */
export const recent = () => read(RECENT, []);
export const sold = (ids) => write(RECENT, [...new Set([...ids, ...recent()])].slice(0, RECENT_MAX));
