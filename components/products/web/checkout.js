// Buying: how it gets to the customer, how it is paid, what it comes to. The customer agrees to a total, and is asked
// again when it is another one by then.

import { announce } from './a11y.js';
import { cartId, load, productsById } from './basket.js';
import { h, replace } from './dom.js';
import { busy, field, invalid, showErrors, showNotice } from './forms.js';
import { NoAnswer, Problem, explain, get, newKey, optional, pause } from './http.js';
import { list, money, nameOf } from './i18n.js';
import { signInPath } from './account.js';
import { authorized, customerId, signedIn } from './session.js';
import { tab } from './storage.js';
import { totals } from './totals.js';
import { t } from './shop-texts.js';

const PROVINCES = ['AB', 'BC', 'MB', 'NB', 'NL', 'NS', 'NT', 'NU', 'ON', 'PE', 'QC', 'SK', 'YT'];
/** What the simulator of the payment provider knows cards by, and does with them. */
const CARDS = ['tok_ok', 'tok_declined', 'tok_insufficient', 'tok_slow', 'tok_timeout_then_ok'];
/** As the service has it: a Canadian postal code never begins with these letters. */
const POSTAL_CODE = '[A-CEGHJ-NPR-TVXYa-ceghj-npr-tvxy][0-9][A-Za-z] ?[0-9][A-Za-z][0-9]';
const LOOK_AGAIN_MS = 700;
/** Of which cart a purchase was sent whose end is not known, and its key: found again when the page is loaded again. */
const SENT = 'comptoir.purchase';
const sent = () => JSON.parse(tab.recall(SENT) ?? 'null');

const quoteOf = async (cart, signal) =>
  (await authorized('POST', '/api/v1/checkouts/quote', { body: { cart_id: cart }, signal })).data;

export async function checkout({ signal, go }) {
  if (!signedIn()) return { redirect: signInPath('/checkout') };
  const loaded = await load({ signal });
  if (!loaded || loaded.cart.lines.length === 0) {
    // The answer was lost, and what was in the cart is bought: the order says so.
    const path = sent() ? '/orders' : '/cart';
    tab.forget(SENT);
    return { redirect: path };
  }
  const [quote, addresses, places, customer] = await Promise.all([
    quoteOf(cartId(), signal),
    authorized('GET', `/api/v1/customers/${customerId()}/addresses`, { signal }),
    optional(get('/api/v1/locations?kind=store', { signal })),
    authorized('GET', `/api/v1/customers/${customerId()}`, { signal }),
  ]);
  const products = await productsById(
    quote.lines.map((line) => line.product_id),
    { signal },
  );
  const before = sent();
  const saved = addresses.data.data.find((address) => address.is_default) ?? addresses.data.data[0];
  const notice = h('div');
  const summary = h('div', { class: 'stack' });
  const pay = h('button', { class: 'button wide-button' });
  const form = h(
    'form',
    { class: 'with-side', novalidate: true },
    h(
      'div',
      { class: 'stack loose' },
      fulfilment(saved ?? { recipient: customer.data.name, province: 'QC' }, places?.data.data ?? [], !saved),
      payment(),
    ),
    h(
      'section',
      { class: 'card side stack', 'aria-labelledby': 'summary' },
      h('h2', { id: 'summary' }, t('summary')),
      summary,
      notice,
      pay,
      h('p', { class: 'hint' }, t('demo')),
    ),
  );
  const purchase = { cart: cartId(), quote, key: before?.cart === cartId() ? before.key : null, body: null };
  const draw = () => {
    replace(summary, lines(purchase.quote, products), totals(purchase.quote));
    replace(pay, t('pay', { amount: money(purchase.quote.payable) }));
  };
  draw();
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const wrong = invalid(form);
    showErrors(form, wrong);
    if (Object.keys(wrong).length > 0) return;
    busy(pay, async () => {
      showNotice(notice);
      announce(t('paying'));
      replace(pay, t('paying'));
      try {
        const bought = await buy(purchase, form);
        tab.forget(SENT);
        await remember(form);
        // Whoever has gone elsewhere meanwhile stays there, with what is left in the cart.
        if (location.pathname === '/checkout') await go(`/orders/${bought.order_id}?bought`, { replacing: true });
        else await optional(load());
      } catch (error) {
        const text = await whatNow(error, purchase, products);
        draw();
        showNotice(notice, 'error', text);
      }
    });
  });
  return { title: t('checkout'), content: h('div', { class: 'stack loose' }, h('h1', {}, t('checkout')), form) };
}

/**
 * The same purchase has the same key however often it is sent, so a lost answer costs nothing. Another total, address or
 * card is another purchase, and so is one that was refused: that answer stays what it is.
 */
async function buy(purchase, form) {
  const body = JSON.stringify({
    cart_id: purchase.cart,
    fulfilment: chosen(form),
    payment: { method: 'card', token: form.elements.card.value },
    expected_total: purchase.quote.payable,
  });
  if (purchase.body !== null && purchase.body !== body) purchase.key = null;
  purchase.key ??= newKey();
  purchase.body = body;
  tab.remember(SENT, JSON.stringify({ cart: purchase.cart, key: purchase.key }));
  const { status, data } = await authorized('POST', '/api/v1/checkouts', { body, key: purchase.key });
  if (status !== 202) return data;
  announce(t('still-paying'));
  for (;;) {
    await pause(LOOK_AGAIN_MS);
    const { data: now } = await authorized('GET', `/api/v1/checkouts/${data.id}`);
    if (now.state === 'completed') return now;
    if (now.failure) throw new Refused(now.failure);
    if (now.state === 'cancelled') throw new Refused({ code: 'checkout-cancelled', detail: '' });
  }
}

/** As a problem would have said it, had it come in time. */
class Refused extends Problem {
  constructor(failure) {
    super(new Response(null, { status: 409 }), failure);
  }
}

/** Whether it may have been bought all the same, or be bought yet. What has an end says of which checkout it is. */
function isOpen(error) {
  if (!(error instanceof Problem) || error.code === 'idempotency-in-progress') return true;
  return (error.status >= 500 || [401, 429].includes(error.status)) && error.body.checkout_id === undefined;
}

/** What to tell; and whatever follows from it is done. */
async function whatNow(error, purchase, products) {
  if (isOpen(error)) {
    // With the same key, trying again does no harm.
    const isUnheard = error instanceof NoAnswer || error.status >= 500;
    return isUnheard ? t('try-again-safely') : explain(error, t);
  }
  tab.forget(SENT);
  Object.assign(purchase, { key: null, body: null });
  switch (error.code) {
    case 'payment-declined':
      return t(error.body.reason === 'insufficient-funds' ? 'insufficient-funds' : 'payment-declined');
    case 'price-changed': {
      const before = purchase.quote.payable;
      const quote = await optional(quoteOf(purchase.cart));
      // The old one is refused once more then, and asked for again.
      if (!quote) return t('price-changed');
      purchase.quote = quote;
      return t('price-changed-to', { before: money(before), now: money(purchase.quote.payable) });
    }
    case 'insufficient-stock': {
      const short = (error.body.shortages ?? []).map(({ product_id: id, available }) =>
        t('only-left', { name: products.has(id) ? nameOf(products.get(id)) : t('a-product'), count: available }),
      );
      return short.length > 0 ? t('not-enough', { products: list(short) }) : t('insufficient-stock');
    }
    default:
      return explain(error, t);
  }
}

function lines(quote, products) {
  return h(
    'ul',
    { class: 'brief small' },
    quote.lines.map((line) => {
      const name = products.has(line.product_id) ? nameOf(products.get(line.product_id)) : (line.name ?? t('a-product'));
      return h(
        'li',
        {},
        h('span', {}, t('times', { count: line.quantity, name })),
        h(
          'span',
          { class: 'amount' },
          money({ ...line.unit_price, amount: line.unit_price.amount * line.quantity - line.discount.amount }),
        ),
      );
    }),
  );
}

const choice = (name, value, checked, ...text) =>
  h('label', { class: 'choice' }, h('input', { type: 'radio', name, value, checked }), h('span', {}, ...text));

function fulfilment(address, stores, isNew) {
  const fields = h(
    'div',
    { class: 'fields' },
    h(
      'div',
      { class: 'whole' },
      field({
        label: t('recipient'),
        name: 'recipient',
        value: address.recipient ?? '',
        autocomplete: 'name',
        required: true,
        maxlength: 120,
      }),
    ),
    h(
      'div',
      { class: 'whole' },
      field({
        label: t('line1'),
        name: 'line1',
        value: address.line1 ?? '',
        autocomplete: 'address-line1',
        required: true,
        maxlength: 100,
      }),
    ),
    h(
      'div',
      { class: 'whole' },
      field({
        label: t('line2'),
        optional: t('optional'),
        name: 'line2',
        value: address.line2 ?? '',
        autocomplete: 'address-line2',
        maxlength: 100,
      }),
    ),
    field({
      label: t('city'),
      name: 'city',
      value: address.city ?? '',
      autocomplete: 'address-level2',
      required: true,
      maxlength: 100,
    }),
    field({
      label: t('province'),
      name: 'province',
      value: address.province,
      autocomplete: 'address-level1',
      options: PROVINCES.map((code) => [code, t(`province-${code}`)]),
    }),
    field({
      label: t('postal-code'),
      name: 'postal_code',
      value: address.postal_code ?? '',
      autocomplete: 'postal-code',
      required: true,
      pattern: POSTAL_CODE,
      hint: 'H3B 4W5',
    }),
    isNew &&
      h(
        'label',
        { class: 'choice whole' },
        h('input', { type: 'checkbox', name: 'keep', checked: true }),
        h('span', {}, t('keep-address')),
      ),
  );
  const delivery = h(
    'fieldset',
    { class: 'stack' },
    h('legend', { class: 'visually-hidden' }, t('delivery-address')),
    fields,
  );
  const pickup = h(
    'fieldset',
    { class: 'stack', disabled: true, hidden: true },
    h('legend', { class: 'visually-hidden' }, t('pickup')),
    field({ label: t('store'), name: 'store', options: stores.map(({ id, name }) => [id, name]) }),
  );
  const choose = ({ target }) => {
    for (const [method, part] of [
      ['delivery', delivery],
      ['pickup', pickup],
    ])
      part.hidden = part.disabled = target.value !== method;
  };
  return h(
    'section',
    { class: 'card stack' },
    h('h2', {}, t('how-to-get-it')),
    h(
      'fieldset',
      { on: { change: choose } },
      h('legend', { class: 'visually-hidden' }, t('how-to-get-it')),
      h(
        'div',
        { class: 'fields' },
        choice('method', 'delivery', true, t('delivery')),
        stores.length > 0 && choice('method', 'pickup', false, t('pickup')),
      ),
    ),
    delivery,
    pickup,
  );
}

const payment = () =>
  h(
    'section',
    { class: 'card stack' },
    h('h2', {}, t('payment')),
    h(
      'fieldset',
      {},
      h('legend', { class: 'hint' }, t('card-hint')),
      h(
        'div',
        { class: 'stack tight' },
        CARDS.map((card, index) => choice('card', card, index === 0, t(card))),
      ),
    ),
  );

const ADDRESS = ['recipient', 'line1', 'line2', 'city', 'province', 'postal_code'];

function addressFrom({ elements }) {
  const entries = ADDRESS.map((name) => [name, elements[name].value.trim()]).filter(([, value]) => value !== '');
  const address = Object.fromEntries(entries);
  const [, area, unit] = /^(...) ?(...)$/.exec(address.postal_code.toUpperCase());
  return { ...address, postal_code: `${area} ${unit}` };
}

const chosen = (form) =>
  form.elements.method.value === 'delivery'
    ? { method: 'delivery', address: addressFrom(form) }
    : { method: 'pickup', store_id: Number(form.elements.store.value) };

/** The order is made: that the address could not be kept is no reason to say otherwise. */
async function remember(form) {
  if (form.elements.method.value !== 'delivery' || !form.elements.keep?.checked) return;
  const body = addressFrom(form);
  await optional(authorized('POST', `/api/v1/customers/${customerId()}/addresses`, { body, key: newKey() }));
}
