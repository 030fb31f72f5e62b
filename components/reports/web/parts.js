// What several views are made of.

import { h, newId } from './dom.js';
import { showNotice } from './forms.js';
import { explain } from './http.js';
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
 * Rows of `[name, amount, amount ..]`. `caption` is for those who cannot see where it is. Where there is little room, a row
 * is a few lines, each after its column's name; it is a table nevertheless, and its roles say so.
 */
export function table({ caption, head: [first, ...others], rows, foot }) {
  const heading = (text, name) => h('th', { scope: 'col', role: 'columnheader', class: name }, text);
  const row = ([name, ...amounts]) =>
    h(
      'tr',
      { role: 'row' },
      h('th', { scope: 'row', role: 'rowheader' }, name),
      amounts.map((amount, index) =>
        h('td', { class: 'amount', role: 'cell', data: { column: others[index] } }, whole(amount)),
      ),
    );
  const body = (name, all) => h(name, { role: 'rowgroup' }, all);
  return h(
    'table',
    { class: 'folding', role: 'table' },
    h('caption', { class: 'visually-hidden' }, caption),
    body(
      'thead',
      h(
        'tr',
        { role: 'row' },
        heading(first),
        others.map((text) => heading(text, 'amount')),
      ),
    ),
    body('tbody', rows.map(row)),
    foot && body('tfoot', row(foot)),
  );
}

/** Of several parts, that they stay together beside their column's name. */
const whole = (amount) => (Array.isArray(amount) ? h('div', {}, amount) : amount);

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

/** What an answer says that is no success; any other error is a mistake of ours, and goes where those go. */
export function showProblem(place, error, own) {
  // Of a view that was left: nobody waits for it any more.
  if (error.name === 'AbortError') return;
  showNotice(place, 'error', explain(error, own));
}

/** A list is shown as far as a page goes: a number of which there may be more. */
export const counted = ({ data, next_cursor: more }) =>
  more ? t('at-least', { count: data.length }) : `${data.length}`;
