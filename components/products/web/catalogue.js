// What there is: search as one types, categories, a product.

import { announce } from './a11y.js';
import { adder } from './basket.js';
import { h, replace } from './dom.js';
import { busy } from './forms.js';
import { explain, get, optional, query } from './http.js';
import { compare, language, money, nameOf } from './i18n.js';
import { picture } from './pictures.js';
import { t } from './shop-texts.js';

const PAGE = 24;
/** Names are in the order of one language; so there is none by name. */
const SORTS = ['price', '-price'];

let categories = null;
/** They change rarely: once a page. */
async function allCategories(signal) {
  categories ??= (await get('/api/v1/categories?limit=200', { signal })).data.data;
  return categories;
}

const search = (url) => ({
  q: url.searchParams.get('q')?.trim() ?? '',
  category: url.searchParams.get('category') ?? '',
  sort: SORTS.includes(url.searchParams.get('sort')) ? url.searchParams.get('sort') : '',
});

const sortOf = (wanted) => wanted.sort || (wanted.q ? 'relevance' : 'id');
const pathOf = (wanted) => query('/', wanted);
const listed = async (wanted, after, signal) =>
  (await get(query('/api/v1/products', { ...wanted, sort: sortOf(wanted), after, limit: PAGE }), { signal })).data;

/** The home page: what was searched for, or everything. */
export async function catalogue({ url, signal, go }) {
  const wanted = search(url);
  const [all, page] = await Promise.all([allCategories(signal), listed(wanted, undefined, signal)]);
  const chosen = all.find(({ code }) => code === wanted.category);
  const grid = h('ul', { class: 'grid', 'aria-label': t('products') });
  const end = h('div', { class: 'row centered' });
  const results = h('div', { class: 'stack' }, grid, end);
  let shown = 0;
  const add = ({ data, next_cursor: next }) => {
    const cards = data.map(card);
    grid.append(...cards);
    shown += data.length;
    replace(end, next && moreButton(next));
    return cards[0];
  };
  const moreButton = (after) => {
    const button = h('button', { type: 'button', class: 'button second' }, t('more-products'));
    button.addEventListener('click', () => busy(button, () => more(after, button)));
    return button;
  };
  const more = async (after, button) => {
    try {
      const first = add(await listed(wanted, after, signal));
      first?.querySelector('a')?.focus();
      announce(t('shown', { count: shown }));
    } catch (error) {
      if (signal.aborted) return;
      const text = explain(error);
      replace(end, button, h('p', { class: 'error' }, text));
      announce(text, 'assertive');
      button.focus();
    }
  };
  add(page);
  if (shown === 0) {
    replace(
      results,
      h(
        'div',
        { class: 'empty' },
        h('p', {}, t('nothing-found', { q: wanted.q || nameOf(chosen ?? { name: '' }) })),
        h('a', { class: 'button second', href: '/' }, t('all-products')),
      ),
    );
  }
  if (wanted.q) announce(t('found', { count: shown, more: page.next_cursor ? '+' : '' }));
  const heading = wanted.q ? t('results-for', { q: wanted.q }) : chosen ? nameOf(chosen) : t('welcome');
  return {
    title: wanted.q || chosen ? heading : t('shop'),
    content: h(
      'div',
      { class: 'stack loose' },
      h(
        'div',
        { class: 'stack' },
        h('h1', {}, heading),
        !wanted.q && !chosen && h('p', { class: 'lead muted' }, t('lead')),
        shelves(all, wanted),
      ),
      h('section', { class: 'stack', 'aria-label': t('products') }, sorting(wanted, go), results),
    ),
  };
}

/** The shelves of the shop: the categories below the top, by name, and the one that is shown. */
function shelves(all, wanted) {
  const parent = all.find(({ code }) => code === wanted.category)?.parent ?? wanted.category;
  const link = (code, name) => {
    const current = code === wanted.category || (code !== '' && code === parent);
    return h(
      'li',
      {},
      h('a', { class: 'chip', href: pathOf({ ...wanted, category: code }), 'aria-current': current && 'true' }, name),
    );
  };
  const below = (code) =>
    all.filter((one) => (one.parent ?? '') === code).sort((one, other) => compare(nameOf(one), nameOf(other)));
  const second = parent ? below(parent) : [];
  return h(
    'nav',
    { class: 'stack tight', 'aria-label': t('categories') },
    h(
      'ul',
      { class: 'chips' },
      link('', t('everything')),
      below('').map((one) => link(one.code, nameOf(one))),
    ),
    second.length > 0 &&
      h(
        'ul',
        { class: 'chips small' },
        second.map((one) => link(one.code, nameOf(one))),
      ),
  );
}

function sorting(wanted, go) {
  const options = [['', t(wanted.q ? 'sort-relevance' : 'sort-id')], ...SORTS.map((sort) => [sort, t(`sort-${sort}`)])];
  const sort = async () => {
    await go(pathOf({ ...wanted, sort: control.value }), { focus: false });
    document.getElementById('sort')?.focus();
  };
  const control = h(
    'select',
    { id: 'sort', class: 'control', on: { change: sort } },
    options.map(([value, text]) => h('option', { value }, text)),
  );
  control.value = wanted.sort;
  return h('div', { class: 'row sorting' }, h('label', { for: 'sort', class: 'muted' }, t('sort')), control);
}

function card(product) {
  const name = nameOf(product);
  return h(
    'li',
    { class: 'product' },
    h(
      'a',
      { class: 'product-link', href: `/product/${product.id}` },
      picture(product),
      h('span', { class: 'product-name' }, name),
    ),
    h('div', { class: 'product-foot' }, price(product), adder(product)),
  );
}

function price({ price: amount, price_kind: kind, deposit }) {
  return h(
    'p',
    { class: 'price' },
    h('span', { class: 'amount' }, money(amount)),
    kind === 'promo' && h('span', { class: 'badge careful' }, t('promo')),
    deposit.amount > 0 && h('span', { class: 'muted small' }, t('plus-deposit', { amount: money(deposit) })),
  );
}

export async function product({ groups: [id], signal }) {
  const [{ data }, all, stock, places] = await Promise.all([
    get(`/api/v1/products/${id}`, { signal }),
    allCategories(signal),
    optional(get(`/api/v1/stock/availability/${id}`, { signal })),
    optional(get('/api/v1/locations?limit=200', { signal })),
  ]);
  const name = nameOf(data);
  const category = all.find(({ code }) => code === data.category);
  const path = [all.find(({ code }) => code === category?.parent), category].filter(Boolean);
  return {
    title: name,
    content: h(
      'article',
      { class: 'stack loose' },
      h(
        'nav',
        { class: 'crumbs small', 'aria-label': t('you-are-here') },
        h(
          'ol',
          {},
          h('li', {}, h('a', { href: '/' }, t('everything'))),
          path.map((one) => h('li', {}, h('a', { href: pathOf({ category: one.code }) }, nameOf(one)))),
        ),
      ),
      h(
        'div',
        { class: 'product-page' },
        h('div', { class: 'product-picture' }, picture(data)),
        h(
          'div',
          { class: 'stack' },
          h('h1', {}, name),
          price(data),
          // There is one description, and it is in French.
          language() === 'fr' && data.description && h('p', {}, data.description),
          h('p', { class: 'muted small' }, t('before-taxes')),
          data.status === 'active' ? adder(data, { wide: true }) : h('p', { class: 'notice warning' }, t('not-sold')),
          stock && places && availability(stock.data, places.data.data),
        ),
      ),
    ),
  };
}

function availability({ locations }, places) {
  const warehouseFirst = [...places].sort((one, other) => (other.kind === 'warehouse') - (one.kind === 'warehouse'));
  const rows = warehouseFirst.map(({ id, name, kind }) => {
    const here = locations.find(({ location_id: location }) => location === id)?.available ?? 0;
    const [state, text] =
      here === 0
        ? ['bad', t('none-left')]
        : here < 10
          ? ['careful', t('few-left', { count: here })]
          : ['good', t('in-stock')];
    return h(
      'li',
      {},
      h('span', {}, kind === 'warehouse' ? t('for-delivery') : name),
      h('span', { class: `badge ${state}` }, text),
    );
  });
  return h(
    'section',
    { class: 'card availability', 'aria-labelledby': 'availability' },
    h('h2', { id: 'availability' }, t('availability')),
    h('ul', {}, rows),
  );
}

/** How long somebody stops typing before it is searched for. */
const PAUSE_MS = 220;

/** The field in the head: what is typed is searched for while it is typed, wherever one is. */
export function searchField(go) {
  let timer;
  const input = h('input', {
    type: 'search',
    name: 'q',
    class: 'control',
    placeholder: t('search-for'),
    'aria-label': t('search'),
    autocomplete: 'off',
    enterkeyhint: 'search',
    maxlength: 100,
    value: search(new URL(location.href)).q,
  });
  const run = (focus) => {
    clearTimeout(timer);
    go(pathOf({ q: input.value.trim() }), { focus, replacing: location.pathname === '/' && !focus });
  };
  input.addEventListener('input', () => {
    clearTimeout(timer);
    const from = location.href;
    // Whoever has followed a link since is not called back.
    timer = setTimeout(() => location.href === from && run(false), PAUSE_MS);
  });
  return h(
    'form',
    {
      class: 'search',
      role: 'search',
      on: {
        submit: (event) => {
          event.preventDefault();
          run(true);
        },
      },
    },
    input,
  );
}
