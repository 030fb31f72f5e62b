// What the services do not have yet, and what they would not take: nothing of it is lost, and some of it needs somebody.

import { isConnected, isKnown, onConnection } from './api.js';
import { h, replace } from './dom.js';
import { busy } from './forms.js';
import { dateTime, money } from './i18n.js';
import { allEntries, onOutbox, refused, settle, settled, tryAgain, waiting } from './outbox.js';
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
  const over = settled();
  const due = allEntries().filter(({ state }) => state === 'waiting');
  return [
    h('p', {}, connection()),
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
    over.length > 0 &&
      h(
        'section',
        { class: 'stack', 'aria-labelledby': 'settled' },
        h('h2', { id: 'settled' }, t('settled', { count: over.length })),
        h(
          'ul',
          { class: 'stack' },
          over.map((entry) => settledRow(entry, again)),
        ),
      ),
  ];
}

function connection() {
  if (!isKnown()) return t('connecting');
  return isConnected() ? t('is-connected') : t('is-away');
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

function retryButton(id, again) {
  const retry = h('button', { type: 'button', class: 'button second' }, t('try-again'));
  retry.addEventListener('click', () =>
    busy(retry, async () => {
      await tryAgain(id);
      again();
    }),
  );
  return retry;
}

/** Whoever took the wrong one for settled can have it sent after all. */
const settledRow = ({ id, at, shown }, again) =>
  h(
    'li',
    { class: 'card row spread' },
    h('a', { href: `/till/sales/${id}` }, `${dateTime(at)} – ${money(shown.total)}`),
    retryButton(id, again),
  );

function refusedRow({ id, at, shown, problem }, again) {
  const done = h('button', { type: 'button', class: 'quiet' }, t('is-settled'));
  done.addEventListener('click', () => busy(done, () => settle(id)));
  return h(
    'li',
    { class: 'card stack' },
    h('p', {}, h('strong', {}, `${dateTime(at)} – ${money(shown.total)}`)),
    h('p', { class: 'error' }, t.has(problem.code) ? t(problem.code) : problem.detail),
    h('p', { class: 'muted small' }, t('refusal-reference', { code: problem.code, id: problem.requestId ?? '–' })),
    h(
      'div',
      { class: 'row' },
      retryButton(id, again),
      h('a', { class: 'button second', href: `/till/sales/${id}` }, t('look')),
      done,
    ),
  );
}
