// The drawer: what should be in it, cash that comes or goes without a sale, and its count in the evening.

import { announce } from './a11y.js';
import { cad } from './amounts.js';
import { ask, isAway } from './api.js';
import { counter } from './count.js';
import { h, replace } from './dom.js';
import { figures } from './figures.js';
import { busy, field, intent, invalid, showErrors, showNotice } from './forms.js';
import { explain } from './http.js';
import { cents, language, money, time } from './i18n.js';
import { refused, waiting } from './outbox.js';
import { keyed, paper } from './parts.js';
import { print, printed } from './receipt.js';
import { closeTill, empty, lines, theTill } from './state.js';
import { t } from './till-texts.js';

export async function drawer({ go }) {
  const { session } = theTill();
  const [{ data: report }, text, { data: moved }] = await Promise.all([
    ask('GET', `/api/v1/sessions/${session}/x-report`),
    printed(`/api/v1/sessions/${session}/x-report`, language()),
    ask('GET', `/api/v1/sessions/${session}/cash-movements`),
  ]);
  return {
    title: t('drawer'),
    content: h(
      'div',
      { class: 'till with-paper' },
      h(
        'div',
        { class: 'stack loose screen' },
        h('h1', {}, t('drawer')),
        h(
          'section',
          { class: 'stack', 'aria-labelledby': 'in-drawer' },
          h('h2', { id: 'in-drawer' }, t('in-drawer')),
          figures([
            [t('float'), report.opening_float],
            ...['cash_in', 'cash_out'].map((member) => [t(member), report[member]]),
            [t('expected'), report.expected_cash, 'grand'],
          ]),
        ),
        moving(go, moved.data),
        h(
          'div',
          { class: 'row' },
          h('a', { class: 'button', href: '/till/close' }, t('close-drawer')),
          keyed('Ctrl+P', t('print-x'), { 'aria-keyshortcuts': 'Control+P', on: { click: print } }),
        ),
      ),
      h('section', { class: 'receipt', 'aria-label': t('x-report') }, paper(text, language())),
    ),
  };
}

function moving(go, moved) {
  const notice = h('div');
  const button = h('button', { class: 'button second' }, t('move'));
  const form = h(
    'form',
    { class: 'stack', novalidate: true },
    h(
      'div',
      { class: 'fields' },
      field({
        label: t('direction'),
        name: 'kind',
        options: [
          ['out', t('takes-out')],
          ['in', t('puts-in')],
        ],
      }),
      field({ label: t('amount'), name: 'amount', required: true, inputmode: 'decimal', autocomplete: 'off' }),
      field({ label: t('reason'), name: 'reason', required: true, maxlength: 500 }),
    ),
    notice,
    h('div', {}, button),
  );
  const meant = intent(form);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const errors = invalid(form);
    const amount = cents(form.elements.amount.value);
    if (!errors.amount && (amount === null || amount <= 0)) errors.amount = t('no-amount');
    showErrors(form, errors);
    if (Object.keys(errors).length) return;
    busy(button, async () => {
      const { session } = theTill();
      const body = {
        kind: form.elements.kind.value,
        amount: cad(amount),
        reason: form.elements.reason.value.trim(),
      };
      try {
        await ask('POST', `/api/v1/sessions/${session}/cash-movements`, { key: meant(), body });
        announce(t('moved'));
        if (form.isConnected) await go('/till/drawer', { replacing: true });
      } catch (error) {
        showNotice(notice, 'error', explain(error, t));
      }
    });
  });
  return h(
    'section',
    { class: 'stack card', 'aria-labelledby': 'moving' },
    h('h2', { id: 'moving' }, t('moving')),
    moved.length > 0 &&
      h(
        'ul',
        { class: 'brief' },
        moved.map(({ kind, amount, reason, at }) =>
          h(
            'li',
            {},
            h('span', {}, `${time(at)} – ${reason}`),
            h('span', { class: 'amount' }, money(kind === 'out' ? cad(-amount.amount) : amount)),
          ),
        ),
      ),
    form,
  );
}

export async function closing() {
  const till = theTill();
  const notice = h('div');
  const late = waiting().length + refused().length;
  const count = counter({ label: t('counted'), name: 'counted', hint: t('counted-hint') });
  const button = h('button', { class: 'button wide-button' }, t('close-drawer'));
  const form = h(
    'form',
    { class: 'stack card narrow', novalidate: true },
    h('h1', {}, t('close-drawer')),
    late > 0 &&
      h(
        'p',
        { class: 'notice warning' },
        t('not-all-uploaded', { count: late }),
        ' ',
        h('a', { href: '/till/uploads' }, t('uploads')),
      ),
    lines().length > 0 && h('p', { class: 'notice warning' }, t('basket-not-empty')),
    notice,
    count.content,
    button,
    h('a', { class: 'quiet', href: '/till/drawer' }, t('back')),
  );
  const meant = intent(form);
  count.content.querySelector('input').setAttribute('data-first', '');
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const errors = invalid(form);
    const counted = count.read();
    if (!errors.counted && counted === null) errors.counted = t('no-amount');
    showErrors(form, errors);
    if (Object.keys(errors).length) return;
    busy(button, async () => {
      const body = counted.denominations?.length
        ? { denominations: counted.denominations }
        : { counted_cash: cad(counted.cents) };
      try {
        const path = `/api/v1/sessions/${till.session}`;
        const { data: report } = await ask('POST', `${path}/close`, { key: meant(), body });
        empty();
        closeTill();
        // It is closed, and says what was in it, also when its report cannot be had to be printed.
        const text = await printed(`${path}/z-report`, language()).catch((error) => {
          if (!isAway(error)) throw error;
          return null;
        });
        replace(document.getElementById('main'), closed(report, text));
      } catch (error) {
        if (error.code === 'session-closed') closeTill();
        showNotice(notice, 'error', explain(error, t));
      }
    });
  });
  return { title: t('close-drawer'), content: form };
}

function closed(report, text) {
  const { difference } = report;
  const heading = h(
    'h1',
    { class: 'big', tabindex: '-1' },
    difference.amount === 0 ? t('balances') : t('differs', { amount: money(difference) }),
  );
  queueMicrotask(() => heading.focus());
  return h(
    'div',
    { class: 'till with-paper' },
    h(
      'div',
      { class: 'stack screen' },
      heading,
      h('p', { class: 'muted' }, t('z-number', { number: report.number })),
      figures([
        [t('expected'), report.expected_cash],
        [t('counted'), report.counted_cash],
        [t('difference'), difference, 'grand'],
      ]),
      h(
        'div',
        { class: 'row' },
        text !== null &&
          keyed('Ctrl+P', t('print'), { class: 'button', 'aria-keyshortcuts': 'Control+P', on: { click: print } }),
        h('a', { class: 'button second', href: '/till/open' }, t('open-till')),
      ),
    ),
    text !== null && h('section', { class: 'receipt', 'aria-label': t('z-report') }, paper(text, language())),
  );
}
