// How the network does, at a glance.

import { verdict } from './books.js';
import { bar, chart } from './charts.js';
import { h, replace } from './dom.js';
import { refreshable } from './fresh.js';
import { explain, query } from './http.js';
import { compare, day, money, number, today } from './i18n.js';
import { locationNames, productNames } from './names.js';
import { t } from './office-texts.js';
import { counted, section, tiles } from './parts.js';
import { choices, daysOf, inWords, periodOf, plus } from './period.js';
import { amount, axis, salesChart } from './sales-chart.js';
import { ask, role } from './staff.js';

const ALERTS_SHOWN = 5;
const TOP = 8;

export async function dashboard({ url, signal }) {
  const period = periodOf(url);
  const place = await refreshable({
    read: (options) => read(period, signal, options),
    show: (data) => show(period, data),
  });
  return {
    title: t('dashboard'),
    content: h(
      'div',
      { class: 'stack loose' },
      h(
        'div',
        { class: 'row spread' },
        h('div', {}, h('h1', {}, t('dashboard')), h('p', { class: 'muted' }, inWords(period))),
        choices('/office', period),
      ),
      place,
    ),
  };
}

async function read({ from, to }, signal, { staleness }) {
  const get = async (path, parameters) => (await ask('GET', query(path, parameters), { signal })).data;
  const report = (name, parameters) => get(`/api/v1/reports/${name}`, { from, to, ...parameters });
  // What this one has had read, the others know.
  const overview = await report('dashboard', { max_staleness_ms: staleness });
  const yesterday = plus(today(), -1);
  const [sales, weeks, top, pending, locationName] = await Promise.all([
    report('sales', { group_by: from === to ? 'hour' : 'day' }),
    report('sales', { group_by: 'day', from: plus(yesterday, -13), to: yesterday }),
    report('top-products', { limit: TOP }),
    get('/api/v1/restock-requests', { status: 'pending', limit: 200 }),
    locationNames(),
  ]);
  const alerts = ['RUPTURE', 'SURSTOCK'].flatMap((kind) => overview.alerts[kind].data.slice(0, ALERTS_SHOWN));
  const productName = await productNames([...alerts, ...top.data].map(({ product_id: id }) => id));
  return { ...overview, sales, weeks, top, pending, locationName, productName };
}

function show(period, data) {
  const { network, trend, alerts, locationName, productName } = data;
  return [
    tiles(
      [t('net'), money(network.net), [h('span', { class: 'muted' }, `${t('week')} `), tendency(trend)]],
      [t('sales-count'), number(network.sales), network.voids > 0 && t('voids', { count: network.voids })],
      [t('average-basket'), money(network.average_basket)],
      [t('refunded'), money(network.refunded), t('returns', { count: network.returns })],
    ),
    h(
      'div',
      { class: 'two-thirds' },
      h('div', { class: 'stack' }, overTime(period, data.sales), stores(data), weekly(data.weeks)),
      h('div', { class: 'stack' }, toDecide(data.pending), books(), best(data.top, productName)),
    ),
    h(
      'div',
      { class: 'halves' },
      alertList(t('RUPTURE'), alerts.RUPTURE, locationName, productName),
      alertList(t('SURSTOCK'), alerts.SURSTOCK, locationName, productName),
    ),
  ];
}

const ARROWS = { HAUSSE: '↗', BAISSE: '↘', STABLE: '→' };

/** The last seven full days against the seven before: a word, and by how much. */
function tendency({ trend, change_bp: change }) {
  const percent = { style: 'percent', maximumFractionDigits: 1, signDisplay: 'exceptZero' };
  return h(
    'span',
    { class: `tendency ${trend.toLowerCase()}`, title: t('week-against-week') },
    h('span', { 'aria-hidden': 'true' }, `${ARROWS[trend]} `),
    h('span', {}, t(trend)),
    change !== null && [' ', h('span', { class: 'amount' }, number(change / 10_000, percent))],
    h('span', { class: 'visually-hidden' }, ` (${t('week-against-week')})`),
  );
}

function overTime(period, { data, group_by: by }) {
  const title = t(`by-${by}`);
  return section(
    title,
    data.length === 0 ? h('p', { class: 'muted' }, t('nothing-sold')) : salesChart(period, by, data, title),
  );
}

const RATINGS = { BONNE: 'good', MOYENNE: 'careful', FAIBLE: 'bad' };

function stores({ stores: all, locationName, period }) {
  if (all.length === 0) return section(t('stores'), h('p', { class: 'muted' }, t('no-stores')));
  const most = Math.max(1, ...all.map(({ net }) => net.amount));
  const mean = all.reduce((sum, { net }) => sum + net.amount, 0) / all.length;
  const best = all.toSorted(
    (one, other) =>
      other.net.amount - one.net.amount || compare(locationName(one.store_id), locationName(other.store_id)),
  );
  return section(
    t('stores'),
    h('p', { class: 'muted small' }, t('ratings-mean')),
    h(
      'table',
      { class: 'ranking' },
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          h('th', { scope: 'col' }, t('store')),
          h('th', { scope: 'col', class: 'amount' }, t('net')),
          h('th', { scope: 'col', class: 'amount' }, t('week')),
        ),
      ),
      h(
        'tbody',
        {},
        best.map((store) =>
          h(
            'tr',
            {},
            h(
              'th',
              { scope: 'row' },
              h(
                'span',
                { class: 'row spread' },
                h(
                  'a',
                  { href: query('/office/sales', { ...period, store: store.store_id }) },
                  locationName(store.store_id),
                ),
                h('span', { class: `badge ${RATINGS[store.rating]}` }, t(store.rating)),
              ),
              bar(store.net.amount / most, mean / most),
            ),
            h(
              'td',
              { class: 'amount' },
              money(store.net),
              store.ratio_bp !== null &&
                h('span', { class: 'below muted small' }, t('of-mean', { ratio: ratio(store.ratio_bp) })),
            ),
            h('td', { class: 'amount small' }, tendency(store.trend)),
          ),
        ),
      ),
    ),
  );
}

const ratio = (basisPoints) => number(basisPoints / 10_000, { style: 'percent', maximumFractionDigits: 0 });

function best({ data }, productName) {
  if (data.length === 0) return section(t('top-products'), h('p', { class: 'muted' }, t('nothing-sold')));
  const most = Math.max(1, ...data.map(({ units }) => units));
  return section(
    t('top-products'),
    h(
      'table',
      { class: 'ranking' },
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          h('th', { scope: 'col' }, t('product')),
          h('th', { scope: 'col', class: 'amount' }, t('units')),
          h('th', { scope: 'col', class: 'amount' }, t('net')),
        ),
      ),
      h(
        'tbody',
        {},
        data.map((product) =>
          h(
            'tr',
            {},
            h('th', { scope: 'row' }, h('span', {}, productName(product)), bar(product.units / most)),
            h('td', { class: 'amount' }, number(product.units)),
            h('td', { class: 'amount' }, money(product.net)),
          ),
        ),
      ),
    ),
  );
}

/** The last seven full days, each above the same day of the week before. */
function weekly({ period, data }) {
  const sold = new Map(data.map(({ key, net }) => [key, net.amount]));
  const days = daysOf(period);
  const points = days.slice(7).map((recent, index) => {
    const values = [recent, days[index]].map((one) => sold.get(one) ?? 0);
    const name = day(recent, { weekday: 'short', day: 'numeric', month: 'long' });
    return {
      tick: day(recent, { weekday: 'short' }),
      name,
      values,
      text: t('against', { when: name, amount: amount(values[0]), before: amount(values[1]) }),
    };
  });
  if (data.length === 0) return section(t('week-against-week'), h('p', { class: 'muted' }, t('nothing-sold')));
  const [recent, before] = [0, 1].map((which) => points.reduce((sum, { values }) => sum + values[which], 0));
  return section(
    t('week-against-week'),
    chart({
      kind: 'lines',
      label: t('week-against-week'),
      heading: t('day'),
      series: [t('week-last'), t('week-before')],
      points,
      format: amount,
      axis,
      summary: t('against-summary', { amount: amount(recent), before: amount(before) }),
    }),
  );
}

const alertList = (title, { count, data }, locationName, productName) =>
  section(
    { title, beside: h('span', { class: 'badge' }, number(count)) },
    count === 0
      ? h('p', { class: 'muted' }, t('no-alerts'))
      : [
          h(
            'ul',
            { class: 'lines' },
            data
              .slice(0, ALERTS_SHOWN)
              .map((alert) =>
                h(
                  'li',
                  { class: 'row spread' },
                  h(
                    'span',
                    {},
                    productName(alert),
                    h('span', { class: 'below muted small' }, locationName(alert.location_id)),
                  ),
                  h('span', { class: 'amount' }, t('on-hand', { count: alert.on_hand })),
                ),
              ),
          ),
          count > ALERTS_SHOWN && h('p', {}, h('a', { href: '/office/stock' }, t('all-alerts', { count }))),
        ],
  );

const toDecide = (pending) =>
  section(
    t(role() === 'hq' ? 'to-decide' : 'requests-to-decide'),
    pending.data.length === 0
      ? h('p', { class: 'muted' }, t('nothing-to-decide'))
      : h(
          'p',
          {},
          h(
            'a',
            { href: '/office/stock' },
            t('requests-wait', { count: pending.data.length, shown: counted(pending) }),
          ),
        ),
  );

/** All services are asked for it, which takes longer than the rest. */
function books() {
  const place = h('p', { class: 'muted' }, t('books-asked'));
  const told = async () => {
    const { data } = await ask('GET', '/api/v1/reports/reconciliation');
    replace(place, h('a', { href: '/office/books' }, verdict(data).text));
    place.className = '';
  };
  told().catch((error) => {
    replace(place, explain(error));
  });
  return section(t('books'), place);
}
