// Counting a drawer: coins and notes, or their sum.

import { cad, sum } from './amounts.js';
import { h, newId, replace } from './dom.js';
import { field } from './forms.js';
import { cents, money } from './i18n.js';
import { t } from './till-texts.js';

/** As the services know them. */
const DENOMINATIONS = [10_000, 5_000, 2_000, 1_000, 500, 200, 100, 25, 10, 5];

/**
 * `{ content, read }`: `read` is `{ cents }`, with `denominations` if coins and notes were counted, or null when what is
 * there is no amount. Counting fills in the sum; typing another sum leaves the coins out.
 */
export function counter({ label, name, hint }) {
  const amount = field({ label, name, hint, required: true, inputmode: 'decimal', autocomplete: 'off' });
  const total = amount.querySelector('input');
  const inputs = DENOMINATIONS.map((value) => {
    const id = newId('coin');
    const input = h('input', {
      class: 'control amount',
      id,
      type: 'number',
      inputmode: 'numeric',
      min: 0,
      max: 99_999,
      'data-value': value,
    });
    return { value, id, input, worth: h('span', { class: 'amount muted', 'aria-hidden': 'true' }) };
  });
  const counted = () => inputs.map(({ value, input }) => ({ value, count: Number(input.value || 0) }));
  const worth = () => sum(counted().map(({ value, count }) => value * count));
  let byCoins = false;
  const details = h(
    'details',
    {},
    h('summary', {}, t('count-coins')),
    h(
      'div',
      { class: 'coins' },
      inputs.map(({ value, id, input, worth: shown }) =>
        h('div', { class: 'coin' }, h('label', { for: id, class: 'amount' }, money(cad(value))), input, shown),
      ),
    ),
  );
  details.addEventListener('input', () => {
    byCoins = true;
    total.value = money(cad(worth()));
    for (const { value, input, worth: shown } of inputs) {
      replace(shown, Number(input.value) > 0 ? money(cad(value * Number(input.value))) : '');
    }
  });
  total.addEventListener('input', () => {
    byCoins = false;
  });
  return {
    content: h('div', { class: 'stack' }, amount, details),
    read() {
      if (byCoins) {
        const there = counted().filter(({ count }) => count > 0);
        return {
          cents: worth(),
          denominations: there.map(({ value, count }) => ({ value: cad(value), count })),
        };
      }
      const typed = cents(total.value);
      return typed === null || typed < 0 ? null : { cents: typed };
    },
  };
}
