// Orders: all of a customer's, and one with what happened to it.

import { addressOf, signInPath } from './account.js';
import { load, productsById } from './basket.js';
import { h } from './dom.js';
import { busy, showNotice } from './forms.js';
import { explain, get, newKey, optional, query } from './http.js';
import { date, dateTime, money, nameOf } from './i18n.js';
import { authorized, signedIn } from './session.js';
import { totals } from './totals.js';
import { t } from './shop-texts.js';

const BADGE = { completed: 'good', cancelled: 'bad', ready: 'good' };
const CANCELLABLE = ['pending', 'confirmed', 'processing', 'ready'];

const badge = (status) => h('span', { class: `badge ${BADGE[status] ?? ''}` }, t(`status-${status}`));

export async function orders({ url, signal }) {
  if (!signedIn()) return { redirect: signInPath('/orders') };
  const after = url.searchParams.get('after');
  const { data: page } = await authorized('GET', query('/api/v1/orders', { limit: 20, after }), { signal });
  if (page.data.length === 0) {
    return {
      title: t('my-orders'),
      content: h(
        'div',
        { class: 'empty' },
        h('h1', {}, t('no-orders')),
        h('a', { class: 'button', href: '/' }, t('to-the-shelves')),
      ),
    };
  }
  return {
    title: t('my-orders'),
    content: h(
      'div',
      { class: 'stack loose' },
      h('h1', {}, t('my-orders')),
      h(
        'ul',
        { class: 'stack' },
        page.data.map((order) =>
          h(
            'li',
            {},
            h(
              'a',
              { class: 'card order', href: `/orders/${order.id}` },
              h(
                'span',
                { class: 'stack tight' },
                h('strong', {}, order.number),
                h('span', { class: 'muted small' }, date(order.created_at)),
              ),
              h('span', { class: 'muted' }, t('units', { count: order.units })),
              badge(order.status),
              h('strong', { class: 'amount' }, money(order.total)),
            ),
          ),
        ),
      ),
      page.next_cursor &&
        h('p', {}, h('a', { class: 'button second', href: query('/orders', { after: page.next_cursor }) }, t('older'))),
    ),
  };
}

export async function order({ groups: [id], url, signal, go }) {
  if (!signedIn()) return { redirect: signInPath(url.pathname) };
  const [{ data: one }, { data: happened }, places] = await Promise.all([
    authorized('GET', `/api/v1/orders/${id}`, { signal }),
    authorized('GET', `/api/v1/orders/${id}/timeline?limit=200`, { signal }),
    optional(get('/api/v1/locations?limit=200', { signal })),
  ]);
  const products = await productsById(
    one.lines.map((line) => line.product_id),
    { signal },
  );
  const bought = url.searchParams.has('bought');
  if (bought) {
    // The cart is empty by now, but for what was added meanwhile.
    await optional(load({ signal }));
    history.replaceState(null, '', url.pathname);
  }
  const notice = h('div');
  return {
    title: t('order-number', { number: one.number }),
    content: h(
      'article',
      { class: 'stack loose' },
      h(
        'div',
        { class: 'stack' },
        h(
          'div',
          { class: 'row spread' },
          h('h1', {}, bought ? t('thanks') : t('order-number', { number: one.number })),
          badge(one.status),
        ),
        bought && h('p', { class: 'notice success' }, t('bought', { number: one.number })),
        notice,
      ),
      h(
        'div',
        { class: 'with-side' },
        h('div', { class: 'stack loose' }, happenings(happened.data), goods(one, products)),
        h(
          'div',
          { class: 'side stack' },
          h(
            'section',
            { class: 'card stack' },
            h('h2', {}, t('summary')),
            totals({ ...one, taxes: one.taxes.map(taxOf) }),
            one.refunded.amount > 0 &&
              h(
                'p',
                { class: 'row spread' },
                h('span', {}, t('refunded')),
                h('span', { class: 'amount' }, money(one.refunded)),
              ),
          ),
          destination(one, places?.data.data ?? []),
          CANCELLABLE.includes(one.status) && cancelling(one, notice, go),
        ),
      ),
    ),
  };
}

/** As an estimate and a quote have it; an order has thousandths of a percent. */
const taxOf = ({ tax, rate, amount }) => ({ code: tax, rate: rate / 1000, amount });

function happenings(entries) {
  return h(
    'section',
    { class: 'card stack', 'aria-labelledby': 'timeline' },
    h('h2', { id: 'timeline' }, t('timeline')),
    h(
      'ol',
      { class: 'timeline' },
      entries.map((entry) =>
        h(
          'li',
          {},
          h('p', {}, told(entry)),
          h('time', { class: 'muted small', datetime: entry.at }, dateTime(entry.at)),
        ),
      ),
    ),
  );
}

/** What a new service may tell is shown in its words. */
function told({ what, to, note }) {
  const key = `${what}-${to ?? 'shown'}`;
  return t.has(key) ? t(key) : (to ?? note ?? what);
}

function goods(one, products) {
  return h(
    'section',
    { class: 'card stack', 'aria-labelledby': 'goods' },
    h('h2', { id: 'goods' }, t('goods')),
    h(
      'div',
      { class: 'wide' },
      h(
        'table',
        {},
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            h('th', { scope: 'col' }, t('product')),
            h('th', { scope: 'col', class: 'amount' }, t('quantity')),
            h('th', { scope: 'col', class: 'amount' }, t('amount')),
          ),
        ),
        h(
          'tbody',
          {},
          one.lines.map((line) =>
            h(
              'tr',
              {},
              h(
                'td',
                {},
                h(
                  'a',
                  { href: `/product/${line.product_id}` },
                  products.has(line.product_id) ? nameOf(products.get(line.product_id)) : line.name,
                ),
              ),
              h('td', { class: 'amount' }, t('times-each', { count: line.quantity, amount: money(line.unit_price) })),
              h('td', { class: 'amount' }, money(line.net)),
            ),
          ),
        ),
      ),
    ),
  );
}

function destination({ fulfilment: { method, address, store_id: store }, pickup_code: code }, places) {
  const name = places.find(({ id }) => id === store)?.name ?? '';
  return h(
    'section',
    { class: 'card stack' },
    h('h2', {}, t(method)),
    method === 'delivery' ? addressOf(address) : h('p', {}, name),
    code && h('p', { class: 'code' }, h('span', { class: 'muted small' }, t('pickup-code')), h('strong', {}, code)),
  );
}

function cancelling(one, notice, go) {
  const ask = h('button', { type: 'button', class: 'button second wide-button' }, t('cancel-order'));
  const yes = h('button', { type: 'button', class: 'button' }, t('cancel-order'));
  const no = h(
    'button',
    { type: 'button', class: 'button second', on: { click: () => dialog.close() } },
    t('keep-order'),
  );
  const dialog = h(
    'dialog',
    { class: 'card', 'aria-labelledby': 'cancel-question' },
    h(
      'div',
      { class: 'stack' },
      h('h2', { id: 'cancel-question' }, t('cancel-question')),
      h('p', {}, t('cancel-means')),
      h('div', { class: 'row' }, yes, no),
    ),
  );
  const key = newKey();
  ask.addEventListener('click', () => dialog.showModal());
  yes.addEventListener('click', () =>
    busy(yes, async () => {
      try {
        await authorized('POST', `/api/v1/orders/${one.id}/cancel`, { body: {}, key });
        dialog.close();
        await go(`/orders/${one.id}`, { replacing: true });
      } catch (error) {
        dialog.close();
        showNotice(notice, 'error', explain(error, t));
      }
    }),
  );
  return h('div', {}, ask, dialog);
}
