// What something costs, line by line: before taxes, each tax, deposits apart, the total.

import { figures } from './figures.js';
import { percent } from './i18n.js';
import { t } from './shop-texts.js';

/** `amounts` as an estimate, a quote and an order have them. */
export const totals = ({ subtotal, discount, taxes, deposits, total }) =>
  figures([
    discount.amount > 0 && [t('discount'), { ...discount, amount: -discount.amount }],
    [t('subtotal'), subtotal],
    ...taxes.map(({ code, rate, amount }) => [
      t('tax', { name: t(`tax-${code.toLowerCase()}`), rate: percent(rate) }),
      amount,
    ]),
    deposits.amount > 0 && [t('deposits'), deposits],
    [t('total'), total, 'grand'],
  ]);
