// What is owed for a month.

import { h } from './dom.js';
import { field } from './forms.js';
import { refreshable } from './fresh.js';
import { query } from './http.js';
import { day, money, percent, today } from './i18n.js';
import { stores } from './names.js';
import { t } from './office-texts.js';
import { section, table } from './parts.js';
import { ask } from './staff.js';

/** As far back as one is asked for them. */
const MONTHS = 24;

/** The months until this one, the latest first. */
function months() {
  const [year, month] = today().split('-').map(Number);
  return Array.from({ length: MONTHS }, (_, back) =>
    new Date(Date.UTC(year, month - 1 - back, 1)).toISOString().slice(0, 7),
  );
}

const monthName = (month) => day(`${month}-01`, { month: 'long', year: 'numeric' });

export async function taxes({ url, signal, go }) {
  const all = await stores();
  const choice = (name, among) => among.find((one) => one === url.searchParams.get(name));
  const month = choice('period', months()) ?? months()[0];
  const store = choice(
    'store',
    all.map(({ id }) => `${id}`),
  );
  const place = await refreshable({
    read: async ({ staleness }) => {
      const parameters = { period: month, store, max_staleness_ms: staleness };
      return (await ask('GET', query('/api/v1/reports/taxes', parameters), { signal })).data;
    },
    show: ({ data }) =>
      section(
        monthName(month),
        data.length === 0 ? h('p', { class: 'muted' }, t('no-taxes')) : taxTable(data),
        h('p', { class: 'muted small' }, t('taxes-about')),
      ),
  });
  const form = h(
    'form',
    { class: 'fields asked', novalidate: true, 'aria-label': t('asked') },
    field({
      label: t('month-of'),
      name: 'period',
      value: month,
      options: months().map((one) => [one, monthName(one)]),
    }),
    field({
      label: t('store'),
      name: 'store',
      value: store ?? '',
      options: [['', t('all')], ...all.map(({ id, name }) => [`${id}`, name])],
    }),
    h('button', { class: 'button' }, t('show')),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    go(query('/office/taxes', Object.fromEntries(new FormData(form))));
  });
  return {
    title: t('taxes'),
    content: h('div', { class: 'stack loose' }, h('h1', {}, t('taxes')), h('div', { class: 'card' }, form), place),
  };
}

/** Each tax at each of its rates, and what they come to. */
export function taxTable(data) {
  const sum = (amounts) => ({ amount: amounts.reduce((all, { amount }) => all + amount, 0), currency: 'CAD' });
  return table({
    caption: t('taxes'),
    head: [t('tax'), t('tax-base'), t('tax-charged'), t('tax-returned'), t('tax-owed')],
    rows: data.map(({ tax, rate, sold, returned, net }) => [
      t('tax-at', { tax: t(tax), rate: percent(rate / 1000) }),
      money(net.base),
      money(sold.tax),
      money(returned.tax),
      h('strong', {}, money(net.tax)),
    ]),
    foot: [
      t('total'),
      '',
      money(sum(data.map(({ sold }) => sold.tax))),
      money(sum(data.map(({ returned }) => returned.tax))),
      money(sum(data.map(({ net }) => net.tax))),
    ],
  });
}
