// Receipts. The services print them, in French and in English; of a sale that they do not have yet, the till prints what it
// knows itself, and says that the number is still to come.

import { ask, isAway } from './api.js';
import { h, replace } from './dom.js';
import { explain } from './http.js';
import { LANGUAGES, dateTime, language, money, nameOf, number } from './i18n.js';
import { nameOfTax, paper } from './parts.js';
import { theTill } from './state.js';
import { t } from './till-texts.js';

const COLUMNS = 42;

/** What the services print, `text/plain`, in that language. */
export const printed = (path, tag) =>
  ask('GET', path, { headers: { accept: 'text/plain', 'accept-language': tag } }).then(({ data }) => data);

/**
 * The receipt of a sale, with a choice of its language: the customer's may be another than the cashier's. `entry` is of the
 * outbox, if the sale was made here.
 */
export function receipt(id, entry) {
  const place = h('div', { class: 'receipt', 'aria-live': 'off' });
  const isThere = !entry || entry.state === 'recorded';
  let wanted;
  const show = async (tag) => {
    wanted = tag;
    for (const button of choice.children) button.setAttribute('aria-pressed', String(button.lang === tag));
    if (isThere) {
      try {
        const text = await printed(`/api/v1/sales/${id}/receipt`, tag);
        if (wanted === tag) replace(place, paper(text, tag));
        return;
      } catch (error) {
        if (wanted !== tag) return;
        if (!isAway(error)) {
          replace(place, h('p', { class: 'notice error' }, explain(error, t)));
          return;
        }
      }
    }
    if (entry) replace(place, paper(provisional(entry), language()));
    else replace(place, h('p', { class: 'notice warning' }, t('receipt-later')));
  };
  const choice = h(
    'div',
    { class: 'row languages-of-receipt', role: 'group', 'aria-label': t('receipt-language') },
    LANGUAGES.map((tag) =>
      h(
        'button',
        { type: 'button', class: 'quiet', lang: tag, on: { click: () => show(tag) } },
        tag === 'fr' ? 'Français' : 'English',
      ),
    ),
  );
  show(language());
  return { place, choice: isThere && choice };
}

export const print = () => window.print();

function provisional({ at, shown }) {
  const till = theTill();
  const rule = '-'.repeat(COLUMNS);
  const rows = [
    centred('COMPTOIR'),
    centred(till?.storeName ?? ''),
    centred(t('provisional')),
    '',
    pair(dateTime(at), till?.registerName ?? ''),
    rule,
    ...shown.lines.flatMap((line) => [
      ...wrapped(nameOf(line)),
      pair(`  ${number(line.quantity)} × ${money(line.unit_price)}`, money(line.net)),
    ]),
    rule,
    pair(t('subtotal'), money(shown.subtotal)),
    ...shown.taxes.map((tax) => pair(nameOfTax(tax), money(tax.amount))),
    ...(shown.deposits.amount > 0 ? [pair(t('deposits'), money(shown.deposits))] : []),
    pair(t('total').toUpperCase(), money(shown.total)),
    ...(shown.rounding.amount !== 0 ? [pair(t('rounding'), money(shown.rounding))] : []),
    rule,
    ...shown.payments.map(({ method, amount }) => pair(t(`method-${method}`), money(amount))),
    ...(shown.change.amount > 0 ? [pair(t('change'), money(shown.change))] : []),
    rule,
    centred(t('number-comes')),
  ];
  return `${rows.join('\n')}\n`;
}

/** In rows of whole words. */
function wrapped(text) {
  const rows = [''];
  for (const word of text.split(' ')) {
    const longer = `${rows.at(-1)} ${word}`.trim();
    if (longer.length <= COLUMNS) rows[rows.length - 1] = longer;
    else rows.push(word);
  }
  return rows;
}

const pair = (left, right) => left + ' '.repeat(Math.max(COLUMNS - left.length - right.length, 1)) + right;
const centred = (text) => ' '.repeat(Math.max(Math.floor((COLUMNS - text.length) / 2), 0)) + text;
