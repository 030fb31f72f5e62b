// Sales that were made: those of the session, one by its number, its receipt; calling it off; taking some of it back.

import { announce } from './a11y.js';
import { ask, isAway, isConnected } from './api.js';
import { h, replace } from './dom.js';
import { figures } from './figures.js';
import { busy, field, intent, invalid, showErrors, showNotice } from './forms.js';
import { explain, query } from './http.js';
import { date, dateTime, money, time } from './i18n.js';
import { allEntries, entryOf } from './outbox.js';
import { kbd, keyed, names, totals } from './parts.js';
import { isJustMade, leaveMade } from './payment.js';
import { print, receipt } from './receipt.js';
import { theTill } from './state.js';
import { t } from './till-texts.js';

const SHOWN_MAX = 50;

export async function sales({ go }) {
  const notice = h('div');
  const search = field({
    label: t('receipt-number'),
    name: 'number',
    required: true,
    autocomplete: 'off',
    placeholder: `${theTill().store}-1-000042`,
    hint: t('receipt-number-hint'),
    'data-first': true,
  });
  const button = h('button', { class: 'button' }, t('find'));
  const form = h('form', { class: 'row find-sale', novalidate: true }, search, button);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const errors = invalid(form);
    showErrors(form, errors);
    if (Object.keys(errors).length) return;
    busy(button, async () => {
      showNotice(notice);
      try {
        const wanted = form.elements.number.value.trim();
        const { data } = await ask('GET', query('/api/v1/sales', { number: wanted, limit: 1 }));
        const [found] = data.data;
        if (found) await go(`/till/sales/${found.id}`);
        else showErrors(form, { number: t('no-such-receipt') });
      } catch (error) {
        showNotice(notice, 'error', explain(error, t));
      }
    });
  });
  const { rows, missing } = await sold();
  return {
    title: t('sales'),
    content: h(
      'div',
      { class: 'stack loose' },
      h('h1', {}, t('sales')),
      form,
      notice,
      missing && h('p', { class: 'notice warning' }, missing),
      rows.length === 0
        ? h('p', { class: 'muted' }, t('no-sales'))
        : h('ul', { class: 'sales stack', 'aria-label': t('sales-of-session') }, rows),
    ),
  };
}

/** Of the session: what the services have, and before it what they do not have yet; `missing` says what is not there. */
async function sold() {
  const { session } = theTill();
  const here = allEntries().filter((entry) => entry.session === session);
  const row = (id, at, label, total, badge) =>
    h(
      'li',
      {},
      h(
        'a',
        { class: 'card sale-row', href: `/till/sales/${id}` },
        h('span', { class: 'amount' }, time(at)),
        h('strong', {}, label),
        badge,
        h('span', { class: 'amount sale-total' }, money(total)),
      ),
    );
  const pending = here
    .filter(({ state }) => state !== 'recorded')
    .map((entry) => row(entry.id, entry.at, t('without-number'), entry.shown.total, badgeOf(entry.state)));
  try {
    const parameters = { session, limit: SHOWN_MAX };
    const { data } = await ask('GET', query('/api/v1/sales', parameters));
    const recorded = data.data.map((sale) =>
      row(sale.id, sale.sold_at, sale.number, sale.total, badgeOf(conditionOf(sale))),
    );
    return { rows: [...pending, ...recorded], missing: data.next_cursor && t('more-sales', { count: SHOWN_MAX }) };
  } catch (error) {
    if (!isAway(error)) throw error;
    const known = here.filter(({ state }) => state === 'recorded');
    const recorded = known.map(({ sale }) => row(sale.id, sale.sold_at, sale.number, sale.total));
    return { rows: [...pending, ...recorded], missing: t('only-here') };
  }
}

function conditionOf(sale) {
  if (sale.status === 'voided') return 'voided';
  if (sale.refunded.amount > 0) return sale.refunded.amount === sale.total.amount ? 'returned' : 'partly-returned';
  return null;
}

const KINDS = { waiting: 'careful', refused: 'bad', voided: 'bad' };
const badgeOf = (state) => state && h('span', { class: `badge ${KINDS[state] ?? ''}` }, t(`state-of-${state}`));

export async function sale({ groups: [id], go, signal }) {
  const entry = entryOf(id);
  const made = isJustMade(id);
  // The customer waits for the change, and nobody has touched the sale since.
  const found = made ? (entry.sale ?? null) : await current(id, entry);
  const change = entry?.shown.change ?? found.change;
  const paper = receipt(id, entry);
  const next = () => go('/till');
  if (made) {
    const here = location.pathname;
    // Not when it is drawn anew in the other language.
    signal.addEventListener('abort', () => location.pathname !== here && leaveMade());
    addEventListener(
      'keydown',
      (event) => {
        const isFree = event.target === document.body || event.target.matches?.('h1');
        if (event.key !== 'Enter' || !isFree || event.repeat) return;
        event.preventDefault();
        next();
      },
      { signal },
    );
  }
  const heading = () => {
    if (made) return change.amount > 0 ? t('give-change', { amount: money(change) }) : t('paid');
    return found ? t('receipt-of', { number: found.number }) : t('without-number');
  };
  const actions = h('div', { class: 'stack' });
  if (found) replace(actions, await possible(found));
  return {
    title: heading(),
    content: h(
      'div',
      { class: 'till with-paper' },
      h(
        'div',
        { class: 'stack screen' },
        h('h1', { class: made && 'big' }, heading()),
        entry && entry.state !== 'recorded' && h('p', { class: 'notice warning' }, t(`sale-${entry.state}`)),
        found && h('p', { class: 'muted' }, saleLine(found, made)),
        differences(found, entry),
        h(
          'div',
          { class: 'row' },
          h(
            'button',
            { type: 'button', class: 'button', on: { click: next } },
            made ? t('next-customer') : t('to-selling'),
            kbd(made ? '↵' : 'F2'),
          ),
          keyed('Ctrl+P', t('print'), { 'aria-keyshortcuts': 'Control+P', on: { click: print } }),
        ),
        found && totals(found),
        found &&
          figures([
            ...found.payments.map(({ method, amount }) => [t(`method-${method}`), amount]),
            found.cash_rounding.amount !== 0 && [t('rounding'), found.cash_rounding],
            found.change.amount > 0 && [t('change'), found.change],
            found.refunded.amount > 0 && [t('refunded'), found.refunded],
          ]),
        actions,
      ),
      h(
        'section',
        { class: 'stack', 'aria-label': t('receipt') },
        h('div', { class: 'screen' }, paper.choice),
        paper.place,
      ),
    ),
  };
}

const saleLine = ({ number: of, sold_at: at, cashier }, withNumber) =>
  [withNumber && of, dateTime(at), cashier].filter(Boolean).join(' – ');

/** As it is now; null while the services do not have it, or nobody answers. */
async function current(id, entry) {
  if (entry && entry.state !== 'recorded') return null;
  try {
    return (await ask('GET', `/api/v1/sales/${id}`)).data;
  } catch (error) {
    if (!isAway(error) || !entry) throw error;
    return entry.sale;
  }
}

/** What the services have found otherwise than the till. */
function differences(found, entry) {
  const prices = (found?.lines ?? []).filter((line) => line.unit_price.amount !== line.list_unit_price.amount);
  const shortages = entry?.shortages ?? [];
  return [
    prices.length > 0 &&
      h(
        'div',
        { class: 'notice warning' },
        h('p', {}, t('charged-otherwise')),
        h(
          'ul',
          {},
          prices.map((line) =>
            h(
              'li',
              {},
              t('charged-line', {
                name: names([line.product_id]),
                charged: money(line.unit_price),
                listed: money(line.list_unit_price),
              }),
            ),
          ),
        ),
      ),
    shortages.length > 0 &&
      h(
        'div',
        { class: 'notice warning' },
        h('p', {}, t('short')),
        h(
          'ul',
          {},
          shortages.map(({ product_id: product, quantity }) =>
            h('li', {}, t('times', { quantity, name: names([product]) })),
          ),
        ),
      ),
  ];
}

/** What can still be done about a sale, and what has been. */
async function possible(found) {
  const returns = found.refunded.amount > 0 && isConnected() ? await returnsOf(found.id) : [];
  const mine = found.session_id === theTill().session;
  const left = found.lines.some((line) => line.returned < line.quantity);
  const open = found.status === 'completed' && found.channel === 'store';
  return [
    found.status === 'voided' &&
      h('p', { class: 'notice' }, t('was-voided', { at: dateTime(found.voided_at), reason: found.void_reason })),
    returns.map((back) =>
      h(
        'p',
        { class: 'notice' },
        t('was-returned', { number: back.number, at: dateTime(back.returned_at), refunds: refundsOf(back) }),
      ),
    ),
    open &&
      left &&
      h(
        'div',
        { class: 'row' },
        h('a', { class: 'button second', href: `/till/sales/${found.id}/return` }, t('take-back')),
        mine &&
          found.refunded.amount === 0 &&
          h('a', { class: 'button second', href: `/till/sales/${found.id}/void` }, t('void')),
      ),
  ];
}

/** None, when nobody answers: the sale itself says how much was refunded. */
async function returnsOf(id) {
  try {
    return (await ask('GET', `/api/v1/sales/${id}/returns`)).data.data;
  } catch (error) {
    if (!isAway(error)) throw error;
    return [];
  }
}

const refundsOf = ({ refunds }) =>
  refunds.map(({ method, amount }) => `${t(`method-${method}`)} ${money(amount)}`).join(', ');

export async function voiding({ groups: [id], go }) {
  const { data: found } = await ask('GET', `/api/v1/sales/${id}`);
  const notice = h('div');
  const button = h('button', { class: 'button' }, t('void'));
  const form = h(
    'form',
    { class: 'stack card narrow', novalidate: true },
    h('h1', {}, t('void-of', { number: found.number })),
    h('p', {}, t('void-hint', { amount: money(found.payable) })),
    notice,
    field({ label: t('reason'), name: 'reason', required: true, maxlength: 500, 'data-first': true }),
    h('div', { class: 'row' }, button, h('a', { class: 'quiet', href: `/till/sales/${id}` }, t('keep-it'))),
  );
  const meant = intent(form);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const errors = invalid(form);
    showErrors(form, errors);
    if (Object.keys(errors).length) return;
    busy(button, async () => {
      try {
        const body = { reason: form.elements.reason.value.trim() };
        await ask('POST', `/api/v1/sales/${id}/void`, { key: meant(), body });
        announce(t('voided'));
        if (form.isConnected) await go(`/till/sales/${id}`, { replacing: true });
      } catch (error) {
        showNotice(notice, 'error', explain(error, t));
      }
    });
  });
  return { title: t('void-of', { number: found.number }), content: form };
}

export async function returning({ groups: [id] }) {
  const { data: found } = await ask('GET', `/api/v1/sales/${id}`);
  const notice = h('div');
  const button = h('button', { class: 'button' }, t('refund'));
  const left = found.lines.filter((line) => line.returned < line.quantity);
  const form = h(
    'form',
    { class: 'stack loose', novalidate: true },
    h('h1', {}, t('return-of', { number: found.number })),
    h(
      'p',
      {},
      t('return-hint', { at: date(found.sold_at), refunded: money(found.refunded), payable: money(found.payable) }),
    ),
    notice,
    h('ul', { class: 'stack' }, left.map(returningLine)),
    h(
      'div',
      { class: 'fields' },
      field({
        label: t('refund-to'),
        name: 'refund_to',
        options: [
          ['original', t('refund-original')],
          ['cash', t('refund-cash')],
        ],
      }),
      field({ label: t('reason'), name: 'reason', optional: t('optional'), maxlength: 500 }),
    ),
    h('div', { class: 'row' }, button, h('a', { class: 'quiet', href: `/till/sales/${id}` }, t('back'))),
  );
  const meant = intent(form);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const errors = invalid(form);
    showErrors(form, errors);
    if (Object.keys(errors).length) return;
    const lines = wanted(form, left);
    if (lines.length === 0) {
      showNotice(notice, 'error', t('nothing-chosen'));
      return;
    }
    busy(button, async () => {
      const reason = form.elements.reason.value.trim();
      const body = {
        session_id: theTill().session,
        lines,
        refund_to: form.elements.refund_to.value,
        ...(reason ? { reason } : {}),
      };
      try {
        const { data: back } = await ask('POST', `/api/v1/sales/${id}/returns`, { key: meant(), body });
        // Whatever is shown by now: the customer waits for the money.
        replace(document.getElementById('main'), refundedNow(id, back));
      } catch (error) {
        showNotice(notice, 'error', explain(error, t));
      }
    });
  });
  return { title: t('return-of', { number: found.number }), content: form };
}

function returningLine(line) {
  const most = line.quantity - line.returned;
  const name = names([line.product_id]);
  return h(
    'li',
    { class: 'card return-line' },
    h(
      'div',
      {},
      h('p', {}, h('strong', {}, name)),
      h('p', { class: 'muted small' }, t('of-sold', { most, sold: line.quantity, total: money(line.total) })),
    ),
    field({
      label: t('resalable'),
      name: `resalable-${line.line}`,
      type: 'number',
      inputmode: 'numeric',
      min: 0,
      max: most,
      value: 0,
      required: true,
      'aria-label': t('of-line', { what: t('resalable'), name }),
    }),
    field({
      label: t('damaged'),
      name: `damaged-${line.line}`,
      type: 'number',
      inputmode: 'numeric',
      min: 0,
      max: most,
      value: 0,
      required: true,
      'aria-label': t('of-line', { what: t('damaged'), name }),
    }),
  );
}

const wanted = (form, left) =>
  left
    .flatMap(({ line }) =>
      ['resalable', 'damaged'].map((disposition) => ({
        line,
        quantity: Number(form.elements[`${disposition}-${line}`].value),
        disposition,
      })),
    )
    .filter(({ quantity }) => quantity > 0);

function refundedNow(id, back) {
  const heading = h('h1', { class: 'big', tabindex: '-1' }, t('refund-now', { refunds: refundsOf(back) }));
  queueMicrotask(() => heading.focus());
  return h(
    'div',
    { class: 'stack narrow' },
    heading,
    h('p', { class: 'muted' }, t('return-number', { number: back.number })),
    figures([
      [t('subtotal'), back.net],
      [t('taxes'), { ...back.gst, amount: back.gst.amount + back.qst.amount }],
      back.deposits.amount > 0 && [t('deposits'), back.deposits],
      [t('total'), back.total, 'grand'],
      back.cash_rounding.amount !== 0 && [t('rounding'), back.cash_rounding],
    ]),
    h('p', { class: 'muted' }, t('units', { count: back.lines.reduce((sum, line) => sum + line.quantity, 0) })),
    h(
      'div',
      { class: 'row' },
      h('a', { class: 'button', href: '/till' }, t('next-customer'), kbd('F2')),
      h('a', { class: 'button second', href: `/till/sales/${id}` }, t('receipt')),
    ),
  );
}
