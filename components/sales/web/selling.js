// Selling: products are scanned, found by name or tapped; the basket says what it costs. Everything can be done from the
// one field that has the focus.

import { announce } from './a11y.js';
import { isConnected, onConnection } from './api.js';
import { isEmpty, productOf, productOfBarcode, search, some } from './catalogue.js';
import { confirm, costs } from './costs.js';
import { h, replace } from './dom.js';
import { showNotice } from './forms.js';
import { money, nameOf, number } from './i18n.js';
import { givenBack, kbd, totals } from './parts.js';
import { LINES_MAX, QUANTITY_MAX, empty, lines, payments, put, quantityOf, recent } from './state.js';
import { t } from './till-texts.js';

const TILES = 12;
/** `3*` before a name or a code is a quantity. */
const TIMES = /^\s*(\d{1,4})\s*[*x×]\s*/i;

/** The line that keys change; the one that was touched last. */
let chosen = null;
let scanned = null;

/** Of the scanner; null while no basket is shown. */
export const onScan = (code) => scanned?.(code);

export async function selling({ signal, go }) {
  const notice = h('div');
  const options = h('ul', { class: 'found', role: 'listbox', id: 'found', 'aria-label': t('found'), hidden: true });
  const tiles = h('div', { class: 'tiles' });
  const basket = h('section', { class: 'basket card', 'aria-labelledby': 'basket-heading' });
  const field = h('input', {
    class: 'control scan',
    id: 'scan',
    name: 'scan',
    type: 'text',
    inputmode: 'search',
    autocomplete: 'off',
    autocapitalize: 'off',
    spellcheck: 'false',
    enterkeyhint: 'done',
    role: 'combobox',
    'aria-expanded': 'false',
    'aria-controls': 'found',
    'aria-autocomplete': 'list',
    'aria-describedby': 'scan-hint',
    'data-first': true,
  });

  let found = [];
  let active = 0;

  const asked = () => {
    const times = TIMES.exec(field.value);
    return { text: field.value.slice(times?.[0].length ?? 0).trim(), times: Number(times?.[1] ?? 1) || 1 };
  };

  const point = (index) => {
    active = index;
    for (const [at, option] of [...options.children].entries()) {
      option.setAttribute('aria-selected', String(at === active));
      if (at === active) option.scrollIntoView({ block: 'nearest' });
    }
    if (found.length) field.setAttribute('aria-activedescendant', `found-${active}`);
    else field.removeAttribute('aria-activedescendant');
  };

  const look = () => {
    const { text } = asked();
    found = text ? search(text) : [];
    replace(
      options,
      found.map((product, index) =>
        h(
          'li',
          {
            role: 'option',
            id: `found-${index}`,
            on: { click: () => add(product, asked().times), mousedown: (event) => event.preventDefault() },
          },
          h('span', {}, nameOf(product)),
          h('span', { class: 'amount' }, money(product.price)),
        ),
      ),
    );
    options.hidden = found.length === 0;
    tiles.hidden = text !== '';
    field.setAttribute('aria-expanded', String(found.length > 0));
    point(0);
    if (text && found.length === 0) showNotice(notice, 'info', t('nothing-found', { text }));
    else showNotice(notice);
  };

  const clear = () => {
    field.value = '';
    look();
  };

  const add = (product, times) => {
    const wanted = quantityOf(product.id) + times;
    const quantity = put(product.id, wanted);
    clear();
    if (quantity === 0) {
      showNotice(notice, 'warning', t('basket-full', { max: LINES_MAX }));
      return;
    }
    chosen = product.id;
    if (quantity < wanted) showNotice(notice, 'warning', t('no-more', { max: QUANTITY_MAX }));
    announce(t('added', { name: nameOf(product), quantity, price: money(product.price) }));
    changed();
    field.focus();
  };

  const submit = () => {
    const { text, times } = asked();
    if (!text) return;
    const product = productOfBarcode(text) ?? found[active];
    if (product) add(product, times);
    else unknown(text);
  };

  const unknown = (text) => {
    clear();
    showNotice(notice, 'warning', t('nothing-found', { text }));
  };

  scanned = (code) => {
    const product = productOfBarcode(code);
    if (product) add(product, asked().times);
    else unknown(code);
  };
  signal.addEventListener('abort', () => {
    scanned = null;
  });

  const change = (id, quantity, focus) => {
    const name = nameOf(productOf(id));
    const now = put(id, quantity);
    chosen = now > 0 ? id : (lines().at(-1)?.id ?? null);
    announce(now > 0 ? t('now-in-basket', { name, quantity: now }) : t('removed', { name }));
    changed();
    (document.getElementById(focus) ?? field).focus();
  };

  const draw = () => {
    if (!lines().some(({ id }) => id === chosen)) chosen = lines().at(-1)?.id ?? null;
    replace(basket, drawBasket({ change, cancel, pay: () => go('/till/payment') }));
    const line = basket.querySelector('[aria-current]');
    const isLong = line && line.parentElement.scrollHeight > line.parentElement.clientHeight;
    if (isLong) line.scrollIntoView({ block: 'nearest' });
  };

  const changed = async () => {
    draw();
    const news = await confirm();
    if (signal.aborted || news === null) return;
    if (!basket.contains(document.activeElement)) draw();
    else replace(basket.querySelector('.costs'), drawCosts());
    if (news.length) showNotice(notice, 'warning', news.join(' '));
  };

  const cancel = () => {
    const given = payments().map(givenBack);
    empty();
    chosen = null;
    announce(t('basket-empty'));
    if (given.length) showNotice(notice, 'warning', given.join(' · '));
    changed();
    field.focus();
  };

  const choose = (step) => {
    const at = lines().findIndex(({ id }) => id === chosen);
    const next = lines()[Math.min(Math.max(at + step, 0), lines().length - 1)];
    if (!next) return;
    chosen = next.id;
    announce(t('line-is', { name: nameOf(productOf(next.id)), quantity: next.quantity }));
    draw();
  };

  field.addEventListener('input', look);
  field.addEventListener('keydown', (event) => {
    if (event.isComposing) return;
    const isIdle = field.value === '';
    const keys = {
      Enter: submit,
      Escape: clear,
      ArrowDown: () => (isIdle ? choose(1) : point(Math.min(active + 1, found.length - 1))),
      ArrowUp: () => (isIdle ? choose(-1) : point(Math.max(active - 1, 0))),
      ...(isIdle && chosen !== null
        ? {
            '+': () => change(chosen, quantityOf(chosen) + 1),
            '-': () => change(chosen, quantityOf(chosen) - 1),
            Delete: () => change(chosen, 0),
          }
        : {}),
    };
    const work = keys[event.key];
    if (!work || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    work();
  });

  replace(
    tiles,
    some(recent(), TILES).map((product) =>
      h(
        'button',
        { type: 'button', class: 'tile', on: { click: () => add(product, 1) } },
        h('span', {}, nameOf(product)),
        h('span', { class: 'amount' }, money(product.price)),
      ),
    ),
  );
  onConnection(() => isConnected() && changed(), { signal });
  changed();
  return {
    title: t('sell'),
    content: h(
      'div',
      { class: 'till' },
      h(
        'div',
        { class: 'finder stack' },
        h('h1', { class: 'visually-hidden' }, t('sell')),
        h(
          'div',
          { class: 'field' },
          h('label', { for: 'scan' }, t('scan'), kbd('F2')),
          field,
          h('p', { class: 'hint', id: 'scan-hint' }, t('scan-hint')),
        ),
        isEmpty() && h('p', { class: 'notice warning' }, t('no-catalogue')),
        notice,
        options,
        tiles,
      ),
      basket,
    ),
  };
}

function drawBasket({ change, cancel, pay }) {
  const units = lines().reduce((sum, { quantity }) => sum + quantity, 0);
  const heading = h('h2', { id: 'basket-heading' }, t('basket'));
  if (units === 0) return [heading, h('p', { class: 'muted empty-basket' }, t('basket-empty'))];
  const { quote } = costs();
  const priceOf = new Map(quote.lines.map((line) => [line.product_id, line]));
  return [
    h(
      'div',
      { class: 'row spread' },
      heading,
      h('span', { class: 'muted' }, t('units', { count: units })),
      h('button', { type: 'button', class: 'quiet', on: { click: cancel } }, t('cancel-basket')),
    ),
    h(
      'ol',
      { class: 'basket-lines' },
      lines().map((line) => drawLine(line, priceOf.get(line.id), change)),
    ),
    h('div', { class: 'costs stack' }, drawCosts()),
    h(
      'button',
      { type: 'button', class: 'button pay wide-button', 'aria-keyshortcuts': 'F4', on: { click: pay } },
      t('pay', { amount: money(quote.total) }),
      kbd('F4'),
    ),
  ];
}

function drawCosts() {
  const { quote, isSure, problem } = costs();
  return [
    totals(quote),
    problem
      ? h('p', { class: 'notice error' }, problem)
      : h('p', { class: 'hint' }, isSure ? t('priced-there') : t('priced-here')),
  ];
}

function drawLine({ id, quantity }, priced, change) {
  const product = productOf(id);
  const name = nameOf(product);
  const step = (key, label, text, wanted) =>
    h(
      'button',
      {
        type: 'button',
        class: 'quiet icon',
        id: `${key}-${id}`,
        'aria-label': label,
        on: { click: () => change(id, wanted, `${key}-${id}`) },
      },
      text,
    );
  return h(
    'li',
    { class: 'basket-line', 'aria-current': id === chosen && 'true' },
    h(
      'div',
      { class: 'basket-name' },
      h('p', {}, name),
      h(
        'p',
        { class: 'muted small' },
        t('each', { amount: money(priced.unit_price) }),
        product.deposit.amount > 0 && ` ${t('and-deposit', { amount: money(product.deposit) })}`,
      ),
    ),
    h(
      'div',
      { class: 'stepper' },
      step('less', t('less', { name }), '−', quantity - 1),
      h('span', { class: 'amount' }, number(quantity)),
      step('more', t('more', { name }), '+', quantity + 1),
    ),
    h('p', { class: 'amount line-net' }, money(priced.net)),
    step('out', t('remove', { name }), '×', 0),
  );
}
