// Which till this is, who stands at it, and what is in the basket: kept where a reload or a cut of the power finds it.

import { newKey } from './http.js';
import { forget, recall, remember } from './storage.js';

const TILL = 'comptoir.till';
const BASKET = 'comptoir.till.basket';
const RECENT = 'comptoir.till.recent';
const LAST = 'comptoir.till.last';
const CHANGED = 'comptoir:till';
const RECENT_MAX = 12;
export const QUANTITY_MAX = 9_999;
export const LINES_MAX = 200;

const read = (key, otherwise) => JSON.parse(recall(key) ?? 'null') ?? otherwise;
const write = (key, value) => remember(key, JSON.stringify(value));

/** `{ session, cashier, register, registerName, store, storeName }`, or null when no drawer is open. */
let till = read(TILL, null);
/** Its id is that of the sale that it becomes: a basket cannot be sold twice. */
let basket = read(BASKET, { id: newKey(), lines: [] });

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

export function empty() {
  basket = { id: newKey(), lines: [] };
  write(BASKET, basket);
}

/** What was sold last, for who taps. */
export const recent = () => read(RECENT, []);
export const sold = (ids) => write(RECENT, [...new Set([...ids, ...recent()])].slice(0, RECENT_MAX));
