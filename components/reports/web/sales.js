// What was sold, by whatever one wants to know it by: figures, a chart, a table, and the same for a spreadsheet.

import { bar } from './charts.js';
import { h } from './dom.js';
import { figures } from './figures.js';
import { busy, field, showNotice } from './forms.js';
import { refreshable } from './fresh.js';
import { query } from './http.js';
import { day, money, number, time, today } from './i18n.js';
import { locationNames, productNames, stores } from './names.js';
import { t } from './office-texts.js';
import { section, showProblem, table, tiles } from './parts.js';
import { choices, inWords, periodOf, plus } from './period.js';
import { salesChart } from './sales-chart.js';
import { ask } from './staff.js';
import { taxTable } from './taxes.js';

const GROUPS = ['hour', 'day', 'store', 'product', 'cashier', 'method', 'channel'];
const CHANNELS = ['store', 'online'];
/** Of a report. */
const DAYS_MAX = 366;
/** For a browser to take a file. */
const SAVED_MS = 60_000;
/** More rows are for a spreadsheet. */
const ROWS_SHOWN = 50;

export async function sales({ url, signal, go }) {
  const period = periodOf(url);
  const choice = (name, among) => among.find((one) => one === url.searchParams.get(name));
  const all = await stores();
  const scope = {
    from: period.from,
    to: period.to,
    store: choice(
      'store',
      all.map(({ id }) => `${id}`),
    ),
    channel: choice('channel', CHANNELS),
  };
  const by = choice('group_by', GROUPS) ?? (period.from === period.to ? 'hour' : 'day');
  const place = await refreshable({
    read: (options) => read(scope, by, signal, options),
    show: (data) => show(period, scope, by, data),
  });
  return {
    title: t('sales'),
    content: h(
      'div',
      { class: 'stack loose' },
      h(
        'div',
        { class: 'row spread' },
        h('div', {}, h('h1', {}, t('sales')), h('p', { class: 'muted' }, inWords(period))),
        choices('/office/sales', period),
      ),
      asked(scope, by, all, go),
      place,
    ),
  };
}

/** Which days, where, and by what. */
function asked(scope, by, all, go) {
  const wrong = h('div');
  const form = h(
    'form',
    { class: 'card stack', novalidate: true, 'aria-label': t('asked') },
    h(
      'div',
      { class: 'fields asked five' },
      field({ label: t('from'), name: 'from', type: 'date', value: scope.from, max: today(), required: true }),
      field({ label: t('to'), name: 'to', type: 'date', value: scope.to, max: today(), required: true }),
      field({
        label: t('store'),
        name: 'store',
        value: scope.store ?? '',
        options: [['', t('all')], ...all.map(({ id, name }) => [`${id}`, name])],
      }),
      field({
        label: t('channel'),
        name: 'channel',
        value: scope.channel ?? '',
        options: [['', t('all')], ...CHANNELS.map((channel) => [channel, t(`channel-${channel}`)])],
      }),
      field({ label: t('group-by'), name: 'group_by', value: by, options: GROUPS.map((group) => [group, t(group)]) }),
      h('button', { class: 'button' }, t('show')),
    ),
    wrong,
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const values = Object.fromEntries(new FormData(form));
    if (!values.from || !values.to || values.from > values.to || plus(values.from, DAYS_MAX) <= values.to)
      showNotice(wrong, 'error', t('period-wrong'));
    else go(query('/office/sales', values));
  });
  return form;
}

async function read(scope, by, signal, { staleness }) {
  const get = async (name, parameters) =>
    (await ask('GET', query(`/api/v1/reports/${name}`, { ...scope, ...parameters }), { signal })).data;
  // What this one has had read, the other knows.
  const consolidated = await get('consolidated', { max_staleness_ms: staleness });
  const [groups, locationName] = await Promise.all([get('sales', { group_by: by }), locationNames()]);
  const ids = by === 'product' ? groups.data.slice(0, ROWS_SHOWN).map(({ key }) => Number(key)) : [];
  return { ...consolidated, groups: groups.data, locationName, productName: await productNames(ids) };
}

function show(period, scope, by, data) {
  const { totals, taxes } = data;
  return [
    tiles(
      [
        t('net'),
        money(totals.net),
        totals.net.amount !== totals.gross.amount && t('of-gross', { gross: money(totals.gross) }),
      ],
      [t('sales-count'), number(totals.sales), totals.voids > 0 && t('voids', { count: totals.voids })],
      [t('average-basket'), money(totals.average_basket)],
      [t('refunded'), money(totals.refunded), t('returns', { count: totals.returns })],
    ),
    grouped(period, scope, by, data),
    h(
      'div',
      { class: 'one-third' },
      section(t('from-gross-to-total'), sums(totals)),
      section(t('taxes'), taxes.length === 0 ? h('p', { class: 'muted' }, t('no-taxes')) : taxTable(taxes)),
    ),
  ];
}

/** Line by line, so that whoever adds up comes to the same. */
const sums = (totals) =>
  figures(
    [
      [t('gross'), totals.gross],
      [t('discounts'), negative(totals.discounts)],
      [t('returned'), negative(totals.returned)],
      [t('net'), totals.net, 'sum'],
      [t('gst'), totals.gst],
      [t('qst'), totals.qst],
      [t('deposits'), totals.deposits],
      [t('total'), totals.total, 'sum'],
      [t('cash-rounding'), totals.cash_rounding],
    ],
    'sums',
  );

const negative = ({ amount, currency }) => ({ amount: amount === 0 ? 0 : -amount, currency });

function grouped(period, scope, by, data) {
  const { groups } = data;
  const title = t(`by-${by}`);
  if (groups.length === 0) return section(title, h('p', { class: 'muted' }, t('nothing-sold')));
  const most = Math.max(1, ...groups.map(({ total }) => total.amount));
  // A chart has its values in a table of its own.
  const charted = by === 'day' || (by === 'hour' && period.from === period.to);
  const rows = groups
    .slice(0, ROWS_SHOWN)
    .map((row) => [
      charted ? nameOf(by, row, data) : [h('span', {}, nameOf(by, row, data)), bar(row.total.amount / most)],
      number(row.sales),
      ...(by === 'method' ? [] : [number(row.units), money(row.net), money(row.gst), money(row.qst)]),
      money(row.total),
    ]);
  const amounts = by === 'method' ? ['sales-count', 'taken'] : ['sales-count', 'units', 'net', 'gst', 'qst', 'total'];
  return section(
    { title, beside: download(scope, by) },
    charted && salesChart(period, by, groups, title, true),
    table({ caption: title, head: [t(by), ...amounts.map((name) => t(name))], rows }),
    groups.length > ROWS_SHOWN && h('p', { class: 'muted' }, t('rows-shown', { count: ROWS_SHOWN, of: groups.length })),
  );
}

function nameOf(by, { key, name }, { locationName, productName }) {
  switch (by) {
    case 'hour':
      return t('hour-of-day', {
        day: day(key.slice(0, 10), { day: 'numeric', month: 'short' }),
        hour: time(key, { hour: 'numeric' }),
      });
    case 'day':
      return day(key, { weekday: 'short', day: 'numeric', month: 'long' });
    case 'store':
      return locationName(Number(key));
    case 'product':
      return productName({ product_id: Number(key), name });
    case 'cashier':
      return key ?? t('no-cashier');
    default:
      return t.has(`${by}-${key}`) ? t(`${by}-${key}`) : key;
  }
}

/** The key goes in a header, which no link sends. */
function download(scope, by) {
  const button = h('button', { type: 'button', class: 'button second' }, t('download'));
  const notice = h('div');
  button.addEventListener('click', () =>
    busy(button, async () => {
      showNotice(notice);
      try {
        const path = query('/api/v1/reports/sales', { ...scope, group_by: by });
        const { data, headers } = await ask('GET', path, { headers: { accept: 'text/csv' } });
        save(data, /filename="([^"]+)"/.exec(headers.get('content-disposition'))?.[1] ?? 'sales.csv');
        if (headers.get('x-report-complete') === 'false') showNotice(notice, 'warning', t('download-incomplete'));
      } catch (error) {
        showProblem(notice, error);
      }
    }),
  );
  return h('div', { class: 'stack' }, button, notice);
}

function save(text, name) {
  // Spreadsheets take a file for one of the last century's alphabets, unless it begins so.
  const file = new Blob(['\ufeff', text], { type: 'text/csv;charset=utf-8' });
  const link = h('a', { href: URL.createObjectURL(file), download: name });
  link.click();
  // Not every browser has taken it by the time that this returns.
  setTimeout(() => URL.revokeObjectURL(link.href), SAVED_MS);
}
