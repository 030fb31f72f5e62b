// Amounts below each other, and what each is.

import { h } from './dom.js';
import { money } from './i18n.js';

/** Rows of `[label, amount, kind]`; one that is false is left out, as it is with elements. */
export const figures = (rows, name = 'totals') =>
  h(
    'dl',
    { class: name },
    rows
      .filter(Boolean)
      .map(([label, amount, kind]) =>
        h('div', { class: kind }, h('dt', {}, label), h('dd', { class: 'amount' }, money(amount))),
      ),
  );
