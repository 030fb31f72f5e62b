// What stores ask of the warehouse, and what there is too little or too much of.

import { focusOn } from './a11y.js';
import { h, newId, replace } from './dom.js';
import { busy, field, intent, showNotice } from './forms.js';
import { newKey, query } from './http.js';
import { dateTime, number } from './i18n.js';
import { locationNames, productNames } from './names.js';
import { t } from './office-texts.js';
import { section, showProblem, table } from './parts.js';
import { ask, role } from './staff.js';

const REASON_MAX = 500;
const ALERTS = ['out', 'low', 'over'];
const PAGE = 50;

export async function stock({ signal }) {
  const notice = h('div');
  const waiting = h('div', { class: 'stack' });
  const decided = h('div', { class: 'stack' });
  const requests = async () => {
    const get = async (parameters) =>
      (await ask('GET', query('/api/v1/restock-requests', parameters), { signal })).data;
    const [pending, latest] = await Promise.all([get({ status: 'pending', limit: PAGE }), get({ limit: 20 })]);
    const others = latest.data.filter(({ status }) => status !== 'pending');
    const lines = [...pending.data, ...others].flatMap((request) => request.lines);
    const [locationName, productName, available] = await Promise.all([
      locationNames(),
      productNames(lines.map(({ product_id: id }) => id)),
      atSources(pending.data, signal),
    ]);
    const names = { locationName, productName, available };
    replace(
      waiting,
      pending.data.length === 0
        ? h('p', { class: 'muted' }, t('nothing-to-decide'))
        : pending.data.map((request) => requestCard(request, names, decide)),
      pending.next_cursor && h('p', { class: 'muted' }, t('rows-more', { count: PAGE })),
    );
    replace(decided, others.length === 0 ? h('p', { class: 'muted' }, t('nothing-decided')) : history(others, names));
  };
  async function decidedAlready({ number: which }) {
    await requests();
    showNotice(notice, 'error', t('decided-already', { number: which }));
  }
  /** `verb` is approve or reject; whatever became of it, what is shown afterwards is how it is. */
  async function decide(request, verb, options) {
    try {
      const path = `/api/v1/restock-requests/${request.id}/${verb}`;
      const { data } = await ask('POST', path, options);
      await requests();
      showNotice(notice, 'success', t(`done-${verb}`, { number: data.number }));
      focusOn(notice.firstElementChild);
    } catch (error) {
      if (error.code === 'shipment-state')
        await decidedAlready(request).catch((other) => showProblem(notice, other, t));
      else showProblem(notice, error, t);
    }
  }
  const [, alerts] = await Promise.all([requests(), alertTables(signal)]);
  return {
    title: t('stock'),
    content: h(
      'div',
      { class: 'stack loose' },
      h('h1', {}, t('stock')),
      notice,
      h(
        'section',
        { class: 'stack', 'aria-labelledby': 'to-decide' },
        h('h2', { id: 'to-decide' }, t('requests-to-decide')),
        role() !== 'hq' && h('p', { class: 'muted' }, t('decided-elsewhere')),
        waiting,
      ),
      alerts,
      section(t('decided'), decided),
    ),
  };
}

/** What is available where each of them comes from: a function from a request and a line to a number. */
async function atSources(requests, signal) {
  const places = new Set(
    requests.flatMap(({ source_id: source, lines }) => lines.map((line) => `${source}/${line.product_id}`)),
  );
  const found = new Map(
    await Promise.all(
      Array.from(places, async (place) => {
        try {
          return [place, (await ask('GET', `/api/v1/stock/${place}`, { signal })).data.available];
        } catch (error) {
          // There never was any.
          if (error.code === 'stock-not-found') return [place, 0];
          throw error;
        }
      }),
    ),
  );
  return ({ source_id: source }, { product_id: product }) => found.get(`${source}/${product}`);
}

function requestCard(request, { locationName, productName, available }, decide) {
  const id = newId('request');
  return h(
    'article',
    { class: 'card stack request', 'aria-labelledby': id },
    h(
      'div',
      { class: 'row spread' },
      h('h3', { id }, t('request-of', { number: request.number, store: locationName(request.destination_id) })),
      h('time', { class: 'muted small', datetime: request.created_at }, dateTime(request.created_at)),
    ),
    request.note && h('blockquote', {}, request.note),
    table({
      caption: t('request-of', { number: request.number, store: locationName(request.destination_id) }),
      head: [t('product'), t('requested'), t('available-at', { place: locationName(request.source_id) })],
      rows: request.lines.map((line) => {
        const left = available(request, line);
        return [
          productName(line),
          number(line.requested),
          left < line.requested ? h('strong', { class: 'short' }, number(left)) : number(left),
        ];
      }),
    }),
    role() === 'hq' && decisions(request, decide),
  );
}

function decisions(request, decide) {
  const approve = h('button', { type: 'button', class: 'button' }, t('approve'), hidden(request));
  const refuse = h('button', { type: 'button', class: 'button second' }, t('refuse'), hidden(request));
  const confirm = h('button', { class: 'button' }, t('refuse'));
  const no = h(
    'button',
    { type: 'button', class: 'button second', on: { click: () => dialog.close() } },
    t('leave-it'),
  );
  const question = newId('question');
  const form = h(
    'form',
    { class: 'stack', novalidate: true },
    h('h2', { id: question }, t('refuse-question', { number: request.number })),
    field({
      label: t('reason'),
      name: 'reason',
      maxlength: REASON_MAX,
      optional: t('optional'),
      hint: t('reason-hint'),
    }),
    h('div', { class: 'row' }, confirm, no),
  );
  const dialog = h('dialog', { class: 'card', 'aria-labelledby': question }, form);
  // Whoever decides again, because no answer came, is not told that somebody else has decided.
  const approval = { key: newKey() };
  const meant = intent(form);
  approve.addEventListener('click', () => busy(approve, () => decide(request, 'approve', approval)));
  refuse.addEventListener('click', () => dialog.showModal());
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    busy(confirm, async () => {
      const reason = form.elements.reason.value.trim();
      dialog.close();
      await decide(request, 'reject', { key: meant(), body: reason ? { reason } : {} });
    });
  });
  return h('div', { class: 'row' }, approve, refuse, dialog);
}

/** Of several buttons that say the same, which one it is. */
const hidden = ({ number: which }) => h('span', { class: 'visually-hidden' }, ` ${which}`);

const STATES = { approved: 'good', received: 'good', rejected: 'bad', cancelled: '' };

const history = (requests, { locationName, productName }) =>
  table({
    caption: t('decided'),
    head: [t('request'), t('products'), t('state'), t('changed')],
    rows: requests.map((request) => [
      [request.number, h('span', { class: 'below muted small' }, locationName(request.destination_id))],
      h(
        'ul',
        {},
        request.lines.map((line) => h('li', {}, t('times', { count: line.requested, product: productName(line) }))),
      ),
      [
        h('span', { class: `badge ${STATES[request.status] ?? 'careful'}` }, t(`state-${request.status}`)),
        request.reason && h('span', { class: 'below muted small' }, request.reason),
      ],
      dateTime(request.updated_at),
    ]),
  });

/** As inventory has it now, which is what its alerts are about. */
async function alertTables(signal) {
  const pages = await Promise.all(
    ALERTS.map((kind) => ask('GET', query('/api/v1/alerts', { kind, limit: PAGE }), { signal })),
  );
  const ids = pages.flatMap(({ data }) => data.data.map(({ product_id: id }) => id));
  const [locationName, productName] = await Promise.all([locationNames(), productNames(ids)]);
  return ALERTS.map((kind, index) => alertTable(kind, pages[index].data, { locationName, productName }));
}

function alertTable(kind, first, { locationName, productName }) {
  const rows = (page) =>
    page.data.map((shelf) => [
      [productName(shelf), h('span', { class: 'below muted small' }, locationName(shelf.location_id))],
      number(shelf.available),
      number(shelf.in_transit),
      kind === 'over' ? number(shelf.threshold_high) : number(shelf.threshold_low),
    ]);
  return section(
    t(`alerts-${kind}`),
    first.data.length === 0
      ? h('p', { class: 'muted' }, t('no-alerts'))
      : table({
          caption: t(`alerts-${kind}`),
          head: [t('product'), t('available'), t('in-transit'), t('threshold')],
          rows: rows(first),
        }),
    first.next_cursor && h('p', { class: 'muted' }, t('rows-more', { count: PAGE })),
  );
}
