// What the services do not have yet, and what they would not take: nothing of it is lost, and some of it needs somebody.

import { isConnected, onConnection } from './api.js';
import { h, replace } from './dom.js';
import { busy } from './forms.js';
import { dateTime, money } from './i18n.js';
import { allEntries, onOutbox, refused, settle, tryAgain, waiting } from './outbox.js';
import { t } from './till-texts.js';

export async function uploads({ signal, again }) {
  const place = h('div', { class: 'stack loose' });
  const draw = () => replace(place, drawn(again));
  onOutbox(draw, { signal });
  onConnection(draw, { signal });
  draw();
  return { title: t('uploads'), content: h('div', { class: 'stack loose' }, h('h1', {}, t('uploads')), place) };
}

function drawn(again) {
  const found = refused();
  const due = allEntries().filter(({ state }) => state === 'waiting');
  return [
    h('p', {}, isConnected() ? t('is-connected') : t('is-away')),
    found.length > 0 &&
      h(
        'section',
        { class: 'stack', 'aria-labelledby': 'refused' },
        h('h2', { id: 'refused' }, t('refused', { count: found.length })),
        h('p', {}, t('refused-hint')),
        h(
          'ul',
          { class: 'stack' },
          found.map((entry) => refusedRow(entry, again)),
        ),
      ),
    h(
      'section',
      { class: 'stack', 'aria-labelledby': 'due' },
      h('h2', { id: 'due' }, t('to-upload', { count: waiting().length })),
      due.length > 0 && h('ul', { class: 'stack' }, due.map(row)),
    ),
  ];
}

const row = ({ id, at, shown }) =>
  h(
    'li',
    {},
    h(
      'a',
      { class: 'card sale-row', href: `/till/sales/${id}` },
      h('span', {}, dateTime(at)),
      h('span', {}, t('units', { count: shown.lines.reduce((sum, { quantity }) => sum + quantity, 0) })),
      h('span', { class: 'amount sale-total' }, money(shown.total)),
    ),
  );

function refusedRow({ id, at, shown, problem }, again) {
  const retry = h('button', { type: 'button', class: 'button second' }, t('try-again'));
  retry.addEventListener('click', () =>
    busy(retry, async () => {
      await tryAgain(id);
      again();
    }),
  );
  const done = h('button', { type: 'button', class: 'quiet' }, t('is-settled'));
  done.addEventListener('click', () => busy(done, () => settle(id)));
  return h(
    'li',
    { class: 'card stack' },
    h('p', {}, h('strong', {}, `${dateTime(at)} – ${money(shown.total)}`)),
    h('p', { class: 'error' }, t.has(problem.code) ? t(problem.code) : problem.detail),
    h('p', { class: 'muted small' }, t('refusal-reference', { code: problem.code, id: problem.requestId ?? '–' })),
    h('div', { class: 'row' }, retry, h('a', { class: 'button second', href: `/till/sales/${id}` }, t('look')), done),
  );
}
