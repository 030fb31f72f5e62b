// What things cost, and changing it.

import { h, newId, replace } from './dom.js';
import { busy, field, intent, invalid, showErrors, showNotice } from './forms.js';
import { Problem, everyPage, get, query } from './http.js';
import { cents, dateTime, money, nameOf, startOf, today } from './i18n.js';
import { locationNames, stores } from './names.js';
import { t } from './office-texts.js';
import { section, showProblem, table } from './parts.js';
import { plus } from './period.js';
import { ask } from './staff.js';

const PAGE = 50;

export async function prices({ url, signal, go }) {
  const q = url.searchParams.get('q')?.trim() ?? '';
  const after = url.searchParams.get('after');
  const { data: page } = await get(query('/api/v1/products', { q, limit: PAGE, after }), { signal });
  const form = h(
    'form',
    { class: 'row', role: 'search', novalidate: true },
    field({ label: t('find-product'), name: 'q', type: 'search', value: q, maxlength: 100 }),
    h('button', { class: 'button' }, t('find')),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    go(query('/office/prices', { q: form.elements.q.value.trim() }));
  });
  return {
    title: t('prices'),
    content: h(
      'div',
      { class: 'stack loose' },
      h('h1', {}, t('prices')),
      form,
      page.data.length === 0
        ? h('p', { class: 'muted' }, t('no-product', { q }))
        : h('div', { class: 'card' }, listed(page.data)),
      page.next_cursor &&
        h(
          'div',
          {},
          h(
            'a',
            { class: 'button second', href: query('/office/prices', { q, after: page.next_cursor }) },
            t('more-products'),
          ),
        ),
    ),
  };
}

const listed = (products) =>
  table({
    caption: t('prices'),
    head: [t('product'), t('price')],
    rows: products.map((product) => [
      [
        h('a', { href: `/office/prices/${product.id}` }, nameOf(product)),
        h('span', { class: 'below muted small' }, product.sku),
      ],
      [product.price_kind === 'promo' && h('span', { class: 'badge good' }, t('promo')), ' ', money(product.price)],
    ]),
  });

export async function price({ groups: [id], url, signal }) {
  const all = await stores();
  const store = all.find((one) => `${one.id}` === url.searchParams.get('store'))?.id;
  const place = h('div', { class: 'stack loose' });
  const notice = h('div');
  let title;
  const read = async () => {
    const [seen, list, locationName] = await Promise.all([
      get(query(`/api/v1/products/${id}`, { store }), { signal }),
      allPrices(id, signal),
      locationNames(),
    ]);
    title = nameOf(seen.data);
    replace(
      place,
      now(seen.data, store, locationName),
      section(t('new-price'), changing(seen, store, locationName, { notice, read })),
      section(t('all-prices'), history(list, locationName)),
    );
    return seen;
  };
  await read();
  return {
    title,
    content: h(
      'div',
      { class: 'stack loose' },
      h(
        'div',
        { class: 'stack tight' },
        h('p', {}, h('a', { href: '/office/prices' }, t('back-to-prices'))),
        h('h1', {}, title),
      ),
      where(id, store, all),
      notice,
      place,
    ),
  };
}

/** By their start; of a product there are a few. */
const allPrices = (id, signal) => everyPage((page) => get(page, { signal }), `/api/v1/products/${id}/prices`);

/** A price is that of all stores, or of one. */
const where = (id, store, all) =>
  h(
    'nav',
    { 'aria-label': t('store') },
    h(
      'ul',
      { class: 'chips' },
      [{ id: undefined, name: t('all-stores') }, ...all].map((one) =>
        h(
          'li',
          {},
          h(
            'a',
            {
              class: 'chip',
              href: query(`/office/prices/${id}`, { store: one.id }),
              'aria-current': one.id === store && 'true',
            },
            one.name,
          ),
        ),
      ),
    ),
  );

const whose = (store, locationName) => (store === undefined ? t('all-stores') : locationName(store));

const now = (product, store, locationName) =>
  h(
    'p',
    { class: 'row' },
    h('span', { class: 'figure amount' }, money(product.price)),
    h('span', { class: `badge ${product.price_kind === 'promo' ? 'good' : ''}` }, t(product.price_kind)),
    h('span', { class: 'muted' }, whose(store, locationName)),
  );

function changing(seen, store, locationName, { notice, read }) {
  const button = h('button', { class: 'button' }, t('set-price'));
  const kind = newId('kind');
  const radio = (value) =>
    h(
      'label',
      { class: 'choice' },
      h('input', { type: 'radio', name: 'kind', value, checked: value === 'regular' }),
      h('span', {}, t(`kind-${value}`)),
    );
  const until = field({ label: t('promo-until'), name: 'until', type: 'date', min: today(), required: true });
  const form = h(
    'form',
    { class: 'stack', novalidate: true },
    h(
      'fieldset',
      { class: 'stack', 'aria-labelledby': kind },
      h('p', { id: kind, class: 'visually-hidden' }, t('kind')),
      h('div', { class: 'fields' }, radio('regular'), radio('promo')),
    ),
    h(
      'div',
      { class: 'fields amounts' },
      field({
        label: t('price-for', { where: whose(store, locationName) }),
        name: 'amount',
        inputmode: 'decimal',
        autocomplete: 'off',
        required: true,
        hint: t('before-taxes'),
      }),
      until,
    ),
    h('div', { class: 'row' }, button),
  );
  const isPromo = () => form.elements.kind.value === 'promo';
  const fit = () => {
    until.hidden = !isPromo();
    form.elements.until.disabled = !isPromo();
  };
  form.addEventListener('change', fit);
  fit();
  const meant = intent(form);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    // What was chosen may have been put back, in the page's other language.
    fit();
    const wrong = invalid(form);
    const amount = cents(form.elements.amount.value);
    if (!wrong.amount && (amount === null || amount < 0)) wrong.amount = t('no-amount');
    showErrors(form, wrong);
    if (Object.keys(wrong).length > 0) return;
    const draft = {
      kind: isPromo() ? 'promo' : 'regular',
      store_id: store ?? null,
      amount: { amount, currency: seen.data.price.currency },
      // The day that was chosen is the last one.
      ends_at: isPromo() ? startOf(plus(form.elements.until.value, 1)) : null,
    };
    busy(button, () => put(draft, seen));
  });

  async function put(draft, before) {
    showNotice(notice);
    try {
      await add(draft, before);
    } catch (error) {
      if (error.status === 412) await conflict(draft, before).catch((other) => showProblem(notice, other, t));
      else if (error instanceof Problem && error.at('/amount/amount')) showErrors(form, { amount: t('no-amount') });
      else showProblem(notice, error, t);
    }
  }

  async function add(draft, { data: { id }, etag }) {
    const path = query(`/api/v1/products/${id}/prices`, { store });
    await ask('POST', path, { body: draft, key: meant(), ifMatch: etag });
    const { data: product } = await read();
    const amount = money(draft.amount);
    // A promo wins over a regular price, and what is said for a store over what is said for all.
    if (product.price.amount !== draft.amount.amount)
      showNotice(notice, 'info', t('price-behind', { amount, now: money(product.price) }));
    else showNotice(notice, 'success', t('price-set', { amount }));
  }

  /** Somebody else was first: nothing is written before one has seen what they did, and decided anew. */
  async function conflict(draft, before) {
    const { data, etag } = await get(query(`/api/v1/products/${before.data.id}`, { store }));
    const keep = async () => {
      await read();
      showNotice(notice, 'info', t('theirs-kept', { amount: money(data.price) }));
    };
    const button = (kind, text, work) => {
      const made = h('button', { type: 'button', class: kind }, text);
      made.addEventListener('click', () => busy(made, work));
      return made;
    };
    const theirs = button('button second', t('keep-theirs', { amount: money(data.price) }), () =>
      keep().catch((error) => showProblem(notice, error, t)),
    );
    const mine = button('button', t('set-mine', { amount: money(draft.amount) }), () => put(draft, { data, etag }));
    const changed = data.price.amount === before.data.price.amount ? 'changed-otherwise' : 'changed-meanwhile';
    showNotice(notice, 'warning', t(changed, { when: dateTime(data.updated_at) }));
    const shown = notice.firstElementChild;
    shown.classList.add('stack');
    shown.append(
      h(
        'dl',
        { class: 'conflict' },
        [
          [t('you-saw'), before.data.price],
          [t('it-is'), data.price],
          [t('you-want'), draft.amount],
        ].map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', { class: 'figure amount' }, money(value)))),
      ),
      h('div', { class: 'row' }, theirs, mine),
    );
    theirs.focus();
  }

  return form;
}

function history(all, locationName) {
  const now = Date.now();
  const state = ({ starts_at: starts, ends_at: ends }) => {
    if (Date.parse(starts) > now) return 'coming';
    return ends !== null && Date.parse(ends) <= now ? 'over' : 'current';
  };
  return table({
    caption: t('all-prices'),
    head: [t('price-from'), t('state'), t('price-until'), t('price')],
    rows: all
      .toReversed()
      .map((one) => [
        [
          h('span', {}, dateTime(one.starts_at)),
          h(
            'span',
            { class: 'below muted small' },
            t('kind-of', { kind: t(one.kind), where: whose(one.store_id ?? undefined, locationName) }),
          ),
        ],
        h('span', { class: `badge ${state(one) === 'current' ? 'good' : ''}` }, t(`price-${state(one)}`)),
        one.ends_at === null ? '–' : dateTime(one.ends_at),
        money(one.amount),
      ]),
  });
}
