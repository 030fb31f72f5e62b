// What something costs, line by line: before taxes, each tax, deposits apart, the total.

import { h } from './dom.js';
import { money, percent } from './i18n.js';
import { t } from './shop-texts.js';

/** `amounts` as an estimate, a quote and an order have them. */
export function totals({ subtotal, discount, taxes, deposits, total }) {
  const entry = (label, amount, kind) =>
    h('div', { class: kind }, h('dt', {}, label), h('dd', { class: 'amount' }, money(amount)));
  return h(
    'dl',
    { class: 'totals' },
    discount.amount > 0 && entry(t('discount'), { ...discount, amount: -discount.amount }),
    entry(t('subtotal'), subtotal),
    taxes.map((tax) =>
      entry(t('tax', { name: t(`tax-${tax.code.toLowerCase()}`), rate: percent(tax.rate) }), tax.amount),
    ),
    deposits.amount > 0 && entry(t('deposits'), deposits),
    entry(t('total'), total, 'grand'),
  );
}
