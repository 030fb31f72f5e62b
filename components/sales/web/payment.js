// Paying: in cash with change, by card, or some of each. What is paid is sold: there is nothing to confirm afterwards.

import { announce } from './a11y.js';
import { CASH, cad, inCash, isCoins, settle } from './amounts.js';
import { isConnected } from './api.js';
import { productOf } from './catalogue.js';
import { confirm, costs, doubt } from './costs.js';
import { h, replace } from './dom.js';
import { figures } from './figures.js';
import { field, showErrors, showNotice } from './forms.js';
import { Problem, explain } from './http.js';
import { cents, money, nameOf } from './i18n.js';
import { sell } from './outbox.js';
import { givenBack, kbd, keyed } from './parts.js';
import { basketId, closeTill, empty, hand, lines, payments, sold, theTill } from './state.js';
import { t } from './till-texts.js';

const NOTES = [500, 1_000, 2_000, 5_000, 10_000];
const NOTES_SHOWN = 3;

let isSelling = false;

/** The sale that was made last: its change is still to be given. */
let madeLast = null;
export const isJustMade = (id) => madeLast === id;
/** The customer has gone. */
export const leaveMade = () => {
  madeLast = null;
};

export async function payment({ signal, go }) {
  if (lines().length === 0) {
    if (payments().length > 0) hand([]);
    return { redirect: '/till' };
  }
  const notice = h('div');
  const panel = h('div', { class: 'stack' });
  const basket = h('section', { class: 'basket card', 'aria-labelledby': 'basket-heading' });
  const amount = field({
    label: t('amount-handed'),
    name: 'amount',
    inputmode: 'decimal',
    autocomplete: 'off',
    enterkeyhint: 'done',
    'data-first': true,
    hint: t('amount-hint'),
  });
  const input = amount.querySelector('input');
  input.classList.add('amount-field');
  const form = h(
    'form',
    {
      class: 'stack',
      novalidate: true,
      on: {
        submit: (event) => {
          event.preventDefault();
          pay(CASH);
        },
      },
    },
    amount,
  );

  const total = () => costs().quote.total.amount;
  const standing = () => settle(total(), payments());

  const pay = async (method, exactly) => {
    if (isSelling || lines().length === 0) return;
    const { due, dueInCash, isPaid } = standing();
    const most = method === CASH ? dueInCash : due;
    const handed = exactly ?? (input.value.trim() === '' ? most : cents(input.value));
    const wrong = mistake(method, handed, due);
    if (wrong && !isPaid) {
      showErrors(form, { amount: wrong });
      announce(wrong, 'assertive');
      return;
    }
    showErrors(form, {});
    if (!isPaid) hand([...payments(), { method, cents: handed }]);
    input.value = '';
    draw();
    if (standing().isPaid) await finish();
    else {
      announce(t('still-due', { amount: money(cad(standing().due)) }));
      input.focus();
    }
  };

  const finish = async () => {
    isSelling = true;
    panel.setAttribute('aria-busy', 'true');
    showNotice(notice, 'info', t('recording'));
    const gone = lines();
    try {
      const entry = await sell(theSale());
      sold(gone.map(({ id }) => id));
      empty(gone);
      madeLast = entry.id;
    } catch (error) {
      hand([]);
      draw();
      await refused(error);
      return;
    } finally {
      isSelling = false;
      panel.removeAttribute('aria-busy');
    }
    await go(`/till/sales/${madeLast}`, { replacing: true });
  };

  /** Nothing was sold. What the customer was told may not be so any more. */
  const refused = async (error) => {
    if (error.name === 'ConstraintError') {
      empty();
      draw();
      showNotice(notice, 'error', t('sold-elsewhere'));
      return;
    }
    if (!(error instanceof Problem)) {
      showNotice(notice, 'error', t('no-disk'));
      throw error;
    }
    if (error.code === 'session-closed') {
      closeTill();
      await go('/till/open');
      return;
    }
    const before = total();
    doubt();
    await confirm();
    draw();
    const now = total();
    const changed = t('total-changed', { now: money(cad(now)), before: money(cad(before)) });
    showNotice(notice, 'error', now === before ? explain(error, t) : changed);
  };

  /** Of what is in the basket: for the services, and for a receipt without them. */
  const theSale = () => {
    const { quote } = costs();
    const till = theTill();
    const { payable, rounding, change } = standing();
    const paid = payments().map(({ method, cents: amountPaid }) => ({ method, amount: cad(amountPaid) }));
    const shown = {
      lines: quote.lines.map(({ product_id: id, quantity, unit_price, net }) => {
        const { name, name_fr, name_en } = productOf(id);
        return { name, name_fr, name_en, quantity, unit_price, net };
      }),
      subtotal: quote.subtotal,
      taxes: quote.taxes,
      deposits: quote.deposits,
      total: quote.total,
      rounding: cad(rounding),
      payable: cad(payable),
      payments: paid,
      change: cad(change),
    };
    return {
      id: basketId(),
      session: till.session,
      cashier: till.cashier,
      lines: quote.lines.map(({ product_id: id, quantity, unit_price }) => ({ id, quantity, price: unit_price })),
      payments: paid,
      expected: quote.total,
      shown,
    };
  };

  const draw = () => {
    const { quote, problem } = costs();
    const { due, dueInCash } = standing();
    replace(
      panel,
      h('h1', {}, t('to-pay', { amount: money(cad(due)) })),
      h('p', { class: 'in-cash' }, t('in-cash', { amount: money(cad(dueInCash)) })),
      problem && h('p', { class: 'notice error' }, problem),
      payments().length > 0 &&
        figures([
          [t('total'), quote.total],
          ...payments().map(({ method, cents: amountPaid }) => [t(`method-${method}`), cad(-amountPaid)]),
          [t('due'), cad(due), 'grand'],
        ]),
    );
    replace(quick, notes(dueInCash).map(noteButton));
    replace(basket, summary(quote));
    replace(undo, payments().length > 0 ? t('undo-payment') : t('back-to-basket'), kbd('Esc'));
  };

  const noteButton = (value) =>
    h('button', { type: 'button', class: 'button second', on: { click: () => pay(CASH, value) } }, money(cad(value)));

  const undo = keyed('Esc', '', { class: 'quiet undo', 'aria-keyshortcuts': 'Escape', on: { click: () => back() } });
  const quick = h('div', { class: 'notes', role: 'group', 'aria-label': t('notes') });
  /** What was handed over last goes back to the customer; when nothing was, the basket is shown again. */
  const back = () => {
    if (isSelling) return;
    const given = payments().at(-1);
    if (!given) {
      go('/till');
      return;
    }
    hand(payments().slice(0, -1));
    draw();
    announce(givenBack(given));
  };
  addEventListener(
    'keydown',
    (event) => {
      const keys = { F9: () => pay('card'), F10: () => pay('gift_card'), Escape: back };
      const work = keys[event.key];
      if (!work || event.repeat) return;
      event.preventDefault();
      work();
    },
    { signal },
  );
  draw();
  confirm().then((news) => {
    if (signal.aborted || news === null) return;
    draw();
    if (news.length) showNotice(notice, 'warning', news.join(' '));
  });
  return {
    title: t('payment'),
    content: h(
      'div',
      { class: 'till' },
      h(
        'section',
        { class: 'stack paying', 'aria-label': t('payment') },
        panel,
        notice,
        form,
        h(
          'div',
          { class: 'methods' },
          h(
            'button',
            { type: 'button', class: 'button', 'aria-keyshortcuts': 'Enter', on: { click: () => pay(CASH) } },
            t('method-cash'),
            kbd('↵'),
          ),
          keyed('F9', t('method-card'), { class: 'button', on: { click: () => pay('card') } }),
          keyed('F10', t('method-gift_card'), { on: { click: () => pay('gift_card') } }),
        ),
        quick,
        undo,
        !isConnected() && h('p', { class: 'notice warning' }, t('sold-offline-hint')),
      ),
      basket,
    ),
  };
}

function mistake(method, handed, due) {
  if (handed === null || handed < 0 || (handed === 0 && due > 0)) return t('no-amount');
  if (method === CASH && !isCoins(handed)) return t('no-such-coin');
  if (method !== CASH && handed > due) return t('too-much', { amount: money(cad(due)) });
  return null;
}

/** What is likely to be handed over: the amount itself, and the notes above it. */
function notes(due) {
  const above = NOTES.filter((note) => note > due);
  const even = Math.ceil(due / 2_000) * 2_000;
  const wanted = [due, ...above.slice(0, NOTES_SHOWN), ...(above.length === 0 && even > due ? [even] : [])];
  return wanted.filter((value) => value > 0);
}

const summary = (quote) => [
  h('h2', { id: 'basket-heading' }, t('basket')),
  h(
    'ul',
    { class: 'brief' },
    quote.lines.map(({ product_id: id, quantity, net }) =>
      h(
        'li',
        {},
        h('span', {}, t('times', { quantity, name: nameOf(productOf(id)) })),
        h('span', { class: 'amount' }, money(net)),
      ),
    ),
  ),
  figures([
    [t('subtotal'), quote.subtotal],
    [t('taxes'), cad(quote.total.amount - quote.subtotal.amount - quote.deposits.amount)],
    quote.deposits.amount > 0 && [t('deposits'), quote.deposits],
    [t('total'), quote.total, 'grand'],
    inCash(quote.total.amount) !== quote.total.amount && [t('total-in-cash'), cad(inCash(quote.total.amount))],
  ]),
];
