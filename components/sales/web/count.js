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
      name: `coin-${value}`,
      type: 'number',
      inputmode: 'numeric',
      min: 0,
      max: 99_999,
      'aria-describedby': `${id}-about`,
    });
    return { value, id, input, worth: h('span', { class: 'amount muted', 'aria-hidden': 'true' }) };
  });
  // One that is no count is told when the form is sent.
  const countOf = (input) => (input.validity.valid ? Number(input.value || 0) : 0);
  const counted = () => inputs.map(({ value, input }) => ({ value, count: countOf(input) }));
  const worth = () => sum(counted().map(({ value, count }) => value * count));
  const showWorths = () => {
    for (const { value, input, worth: shown } of inputs) {
      const count = countOf(input);
      replace(shown, count > 0 ? money(cad(value * count)) : '');
    }
  };
  let byCoins = false;
  const details = h(
    'details',
    {},
    h('summary', {}, t('count-coins')),
    h(
      'div',
      { class: 'coins' },
      inputs.map(({ value, id, input, worth: shown }) =>
        h(
          'div',
          { class: 'field coin' },
          h('label', { for: id, class: 'amount' }, money(cad(value))),
          input,
          shown,
          h('div', { id: `${id}-about`, class: 'field-about' }),
        ),
      ),
    ),
  );
  details.addEventListener('input', () => {
    byCoins = true;
    details.open = true;
    total.value = money(cad(worth()));
    showWorths();
  });
  total.addEventListener('input', () => {
    if (!byCoins) return;
    byCoins = false;
    for (const { input } of inputs) input.value = '';
    showWorths();
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
