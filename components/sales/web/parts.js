// What several views of the till have in common.

import { cad } from './amounts.js';
import { productOf } from './catalogue.js';
import { h } from './dom.js';
import { figures } from './figures.js';
import { list, money, nameOf, percent } from './i18n.js';
import { t } from './till-texts.js';

export const kbd = (key) => h('kbd', { 'aria-hidden': 'true' }, key);

/** A button that a key presses as well; the key is written on it. */
export const keyed = (key, label, properties) =>
  h('button', { type: 'button', class: 'button second', 'aria-keyshortcuts': key, ...properties }, label, kbd(key));

/** `{ code: 'GST', rate: '5.000' }` of a quote, `{ tax: 'gst', rate: 5000 }` of a sale. */
export function nameOfTax({ code, tax, rate }) {
  const inPercent = typeof rate === 'number' ? rate / 1000 : rate;
  return t(`tax-${(code ?? tax).toLowerCase()}`, { rate: percent(inPercent) });
}

/** Of a quote or a sale: before taxes, each tax, deposits apart, the total. */
export const totals = ({ subtotal, taxes, deposits, total }) =>
  figures([
    [t('subtotal'), subtotal],
    ...taxes.map((tax) => [nameOfTax(tax), tax.amount]),
    deposits.amount > 0 && [t('deposits'), deposits],
    [t('total'), total, 'grand'],
  ]);

/** Of something that was handed over for a basket: that it goes back. */
export const givenBack = ({ method, cents }) =>
  t('payment-undone', { method: t(`method-${method}`), amount: money(cad(cents)) });

/** What a printer of tills prints, letter by letter. */
export const paper = (text, language) => h('pre', { class: 'paper', lang: language, tabindex: '0' }, text);

/** Names of products, for a sentence. */
export const names = (ids) => list(ids.map((id) => (productOf(id) ? nameOf(productOf(id)) : t('a-product'))));
