// What several views of the till have in common.

import { nameOf, productOf } from './catalogue.js';
import { h } from './dom.js';
import { newKey } from './http.js';
import { list, money, percent } from './i18n.js';
import { t } from './till-texts.js';

export const kbd = (key) => h('kbd', { 'aria-hidden': 'true' }, key);

/** A button that a key presses as well; the key is written on it. */
export const keyed = (key, label, properties) =>
  h('button', { type: 'button', class: 'button second', 'aria-keyshortcuts': key, ...properties }, label, kbd(key));

const entry = (label, amount, kind) =>
  h('div', { class: kind }, h('dt', {}, label), h('dd', { class: 'amount' }, money(amount)));

/** `{ code: 'GST', rate: '5.000' }` of a quote, `{ tax: 'gst', rate: 5000 }` of a sale. */
export function nameOfTax({ code, tax, rate }) {
  const inPercent = typeof rate === 'number' ? rate / 1000 : rate;
  return t(`tax-${(code ?? tax).toLowerCase()}`, { rate: percent(inPercent) });
}

/** Of a quote or a sale: before taxes, each tax, deposits apart, the total. */
export function totals({ subtotal, taxes, deposits, total }) {
  return h(
    'dl',
    { class: 'totals' },
    entry(t('subtotal'), subtotal),
    taxes.map((tax) => entry(nameOfTax(tax), tax.amount)),
    deposits.amount > 0 && entry(t('deposits'), deposits),
    entry(t('total'), total, 'grand'),
  );
}

/** Label and amount, in rows. */
export const figures = (rows) =>
  h(
    'dl',
    { class: 'totals' },
    rows.filter(Boolean).map(([label, amount, kind]) => entry(label, amount, kind)),
  );

/** What a printer of tills prints, letter by letter. */
export const paper = (text, language) => h('pre', { class: 'paper', lang: language, tabindex: '0' }, text);

/** Names of products, for a sentence. */
export const names = (ids) => list(ids.map((id) => (productOf(id) ? nameOf(productOf(id)) : t('a-product'))));

/** The key of what somebody means to do with a form: another one when something in it was changed. */
export function intent(form) {
  let key = newKey();
  form.addEventListener('input', () => {
    key = newKey();
  });
  return () => key;
}
