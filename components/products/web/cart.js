// The cart's view: its lines, and what they cost with taxes and deposits, as the services say it.

import { announce, focusOn } from './a11y.js';
import { change, estimate, load, productsById, quantityOf, setQuantity } from './basket.js';
import { h } from './dom.js';
import { busy, showNotice } from './forms.js';
import { Problem, explain } from './http.js';
import { money, nameOf, number } from './i18n.js';
import { picture } from './pictures.js';
import { totals } from './totals.js';
import { t } from './shop-texts.js';

const QUANTITY_MAX = 999;

export async function cart({ signal, go }) {
  const loaded = await load({ signal });
  if (!loaded || loaded.cart.lines.length === 0) return empty();
  const { cart: contents, etag } = loaded;
  const [products, costs] = await Promise.all([
    productsById(
      contents.lines.map((line) => line.product_id),
      { signal },
    ),
    priced(signal),
  ]);
  const notice = h('div', { class: 'cart-notice' });
  const again = async (focus) => {
    // Whoever has gone elsewhere meanwhile stays there.
    if (location.pathname !== '/cart') return;
    await go('/cart', { replacing: true, focus: false });
    const place = document.querySelector(focus) ?? document.querySelector('h1');
    if (place) focusOn(place);
  };
  const act = async (work, focus) => {
    try {
      await work();
      await again(focus);
    } catch (error) {
      const text = explain(error, t);
      // What is shown is not what is there: what is there, and then why.
      if (error instanceof Problem && [409, 412].includes(error.status)) await again(focus);
      const place = document.querySelector('.cart-notice');
      if (place) showNotice(place, 'error', text);
    }
  };
  const lines = contents.lines.map((line) => row(line, products.get(line.product_id), etag, act));
  return {
    title: t('cart'),
    content: h(
      'div',
      { class: 'stack loose' },
      h('h1', {}, t('cart')),
      notice,
      contents.stale && h('p', { class: 'notice warning' }, t('prices-may-be-old')),
      h('div', { class: 'with-side' }, h('ul', { class: 'lines' }, lines), side(costs)),
    ),
  };
}

const empty = () => ({
  title: t('cart'),
  content: h(
    'div',
    { class: 'empty' },
    h('h1', {}, t('cart-empty')),
    h('p', {}, t('cart-empty-hint')),
    h('a', { class: 'button', href: '/' }, t('to-the-shelves')),
  ),
});

/** The estimate, or why there is none: something in the cart is not sold any more. */
async function priced(signal) {
  try {
    return { amounts: await estimate({ signal }) };
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'cart-not-orderable') throw error;
    return { error };
  }
}

function side({ amounts, error }) {
  return h(
    'section',
    { class: 'card side stack', 'aria-labelledby': 'summary' },
    h('h2', { id: 'summary' }, t('summary')),
    amounts ? totals(amounts) : h('p', { class: 'notice error' }, explain(error, t)),
    amounts && h('a', { class: 'button wide-button', href: '/checkout' }, t('to-checkout')),
    amounts && h('p', { class: 'hint' }, t('no-surprise')),
  );
}

function row(line, product, etag, act) {
  const name = product ? nameOf(product) : (line.name ?? t('a-product'));
  const id = line.product_id;
  const input = h('input', {
    class: 'control quantity amount',
    type: 'number',
    inputmode: 'numeric',
    min: 0,
    max: QUANTITY_MAX,
    required: true,
    id: `quantity-${id}`,
    value: line.quantity,
    'aria-label': t('quantity-of', { name }),
  });
  input.addEventListener('change', () => {
    if (!input.validity.valid) {
      input.setAttribute('aria-invalid', 'true');
      showNotice(document.querySelector('.cart-notice'), 'warning', t('quantity-range', { max: QUANTITY_MAX }));
      return;
    }
    act(() => setQuantity(id, Number(input.value), etag), `#quantity-${id}`);
  });
  const step = (label, text, delta, key) => {
    const button = h('button', { type: 'button', class: 'quiet icon', id: `${key}-${id}`, 'aria-label': label }, text);
    button.addEventListener('click', () =>
      busy(button, () =>
        act(async () => {
          await change(id, delta);
          announce(t('now-in-cart', { name, count: quantityOf(id) }));
        }, `#${key}-${id}`),
      ),
    );
    return button;
  };
  const gone = product && product.status !== 'active';
  return h(
    'li',
    { class: 'line' },
    h('div', { class: 'line-picture' }, product && picture(product)),
    h(
      'div',
      { class: 'line-name' },
      h('a', { href: `/product/${id}` }, name),
      line.unit_price && h('p', { class: 'muted small' }, t('each', { amount: money(line.unit_price) })),
      gone && h('p', { class: 'error' }, t('not-sold')),
    ),
    h(
      'div',
      { class: 'stepper' },
      step(t('less', { name }), '−', -1, 'less'),
      input,
      step(t('more', { name }), '+', 1, 'more'),
    ),
    h('p', { class: 'line-total amount' }, line.line_total ? money(line.line_total) : number(line.quantity)),
    remove(id, name, line.quantity, act),
  );
}

function remove(id, name, quantity, act) {
  const button = h(
    'button',
    { type: 'button', class: 'quiet line-remove', 'aria-label': t('remove-name', { name }) },
    t('remove'),
  );
  button.addEventListener('click', () =>
    busy(button, () =>
      act(async () => {
        await change(id, -quantity);
        announce(t('removed', { name }));
      }, 'h1'),
    ),
  );
  return button;
}
