// What several views are made of.

import { h, newId } from './dom.js';
import { t } from './office-texts.js';

/** A part of a page, under its heading: a title, or `{ title, beside }` with what is shown beside it. */
export function section(heading, ...children) {
  const { title, beside } = heading.title ? heading : { title: heading };
  const id = newId('about');
  return h(
    'section',
    { class: 'card stack', 'aria-labelledby': id },
    h('div', { class: 'row spread' }, h('h2', { id }, title), beside),
    children,
  );
}

/**
 * Rows of `[name, amount, amount ..]`. `caption` is for those who cannot see where it is. An `undefined` is left empty.
 */
export const table = ({ caption, head, rows, foot }) => {
  const cells = ([name, ...amounts]) =>
    h(
      'tr',
      {},
      h('th', { scope: 'row' }, name),
      amounts.map((amount) => h('td', { class: 'amount' }, amount)),
    );
  const [first, ...others] = head;
  return h(
    'div',
    { class: 'wide', tabindex: '0', role: 'group', 'aria-label': caption },
    h(
      'table',
      {},
      h('caption', { class: 'visually-hidden' }, caption),
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          h('th', { scope: 'col' }, first),
          others.map((text) => h('th', { scope: 'col', class: 'amount' }, text)),
        ),
      ),
      h('tbody', {}, rows.map(cells)),
      foot && h('tfoot', {}, cells(foot)),
    ),
  );
};

/** Figures, each below what it is: `[name, figure, remark]`. */
export const tiles = (...figures) =>
  h(
    'dl',
    { class: 'tiles' },
    figures.map(([name, figure, remark]) =>
      h(
        'div',
        { class: 'card tile' },
        h('dt', { class: 'muted' }, name),
        h('dd', {}, h('span', { class: 'figure amount' }, figure), remark && h('span', { class: 'small' }, remark)),
      ),
    ),
  );

/** A list is shown as far as a page goes: a number of which there may be more. */
export const counted = ({ data, next_cursor: more }) =>
  more ? t('at-least', { count: data.length }) : `${data.length}`;
