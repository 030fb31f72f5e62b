// Whether the books of all services agree, how far each was read, and building everything again.

import { announce } from './a11y.js';
import { h, replace } from './dom.js';
import { busy, showNotice } from './forms.js';
import { lasting, refreshable } from './fresh.js';
import { newKey, pause, query } from './http.js';
import { dateTime, number } from './i18n.js';
import { t } from './office-texts.js';
import { section, showProblem, table } from './parts.js';
import { ask, role } from './staff.js';

const LOOK_EVERY_MS = 1_000;

/** What a reconciliation comes to: `good`, `careful` or `bad`, and in words. */
export function verdict({ data, unavailable, unchecked, freshness }) {
  if (data.length > 0) return { level: 'bad', text: t('books-broken', { count: data.length }) };
  if (unavailable.length > 0 || unchecked.length > 0 || !freshness.complete)
    return { level: 'careful', text: t('books-unknown') };
  return { level: 'good', text: t('books-agree') };
}

export async function books({ signal }) {
  const place = await refreshable({ read: (options) => read(signal, options), show });
  return {
    title: t('books'),
    content: h(
      'div',
      { class: 'stack loose' },
      h('div', { class: 'stack tight' }, h('h1', {}, t('books')), h('p', { class: 'muted' }, t('books-about'))),
      place,
      role() === 'hq' && rebuilding(signal),
    ),
  };
}

async function read(signal, { staleness }) {
  const get = async (name, parameters = {}) =>
    (await ask('GET', query(`/api/v1/reports/${name}`, parameters), { signal })).data;
  const reconciliation = await get('reconciliation', { max_staleness_ms: staleness });
  const feeds = await get('freshness');
  return { ...reconciliation, feeds: feeds.data };
}

const NOTICES = { good: 'success', careful: 'warning', bad: 'error' };

function show(found) {
  const { level, text } = verdict(found);
  return [
    h('p', { class: `notice verdict ${NOTICES[level]}` }, text),
    found.data.length > 0 && section(t('broken'), broken(found.data)),
    found.unavailable.length + found.unchecked.length > 0 &&
      section(
        t('unchecked'),
        h(
          'ul',
          { class: 'lines' },
          found.unavailable.map((service) => h('li', {}, t('not-audited', { service: t(`service-${service}`) }))),
          found.unchecked.map((rule) => h('li', {}, t('rule-unchecked', { rule: ruleOf({ invariant: rule }) }))),
        ),
      ),
    section(t('feeds'), h('p', { class: 'muted small' }, t('feeds-about')), feeds(found.feeds)),
  ];
}

/** Each rule with everything that breaks it. */
function broken(all) {
  const rules = Map.groupBy(all, ({ invariant }) => invariant);
  return [...rules.values()].map((offences) =>
    h(
      'details',
      { class: 'offences', open: rules.size === 1 },
      h(
        'summary',
        {},
        h('span', { class: 'badge bad' }, number(offences.length)),
        ' ',
        ruleOf(offences[0]),
        h('code', { class: 'below muted' }, offences[0].invariant),
      ),
      h(
        'ul',
        { class: 'lines' },
        offences.map(({ offender }) => h('li', {}, facts(offender))),
      ),
    ),
  );
}

/** In words, if it is one that joins services; one of a service's own has a name, and the service's words. */
function ruleOf({ invariant, detail = invariant }) {
  if (t.has(`rule-${invariant}`)) return t(`rule-${invariant}`);
  const [service, rule] = invariant.split('/');
  return rule && t.has(`service-${service}`)
    ? t('rule-of-service', { service: t(`service-${service}`), rule })
    : detail;
}

/** Names and values as the service has them. */
const facts = (offender) =>
  h(
    'dl',
    { class: 'facts' },
    Object.entries(offender).map(([name, value]) =>
      h(
        'div',
        {},
        h('dt', { class: 'muted' }, name),
        h('dd', {}, typeof value === 'string' ? value : JSON.stringify(value)),
      ),
    ),
  );

const feeds = (all) =>
  table({
    caption: t('feeds'),
    head: [t('service'), t('state'), t('age'), t('events'), t('put-aside'), t('last-event')],
    rows: all.map((feed) => [
      t(`service-${feed.source}`),
      h(
        'span',
        { class: `badge ${feed.failures > 0 || feed.as_of === null ? 'careful' : 'good'}` },
        feed.failures > 0 ? t('failures', { count: feed.failures }) : t(feed.as_of === null ? 'known-not' : 'read'),
      ),
      feed.as_of === null ? '–' : lasting(feed.lag_ms),
      number(feed.consumed),
      feed.rejected > 0 ? h('strong', {}, number(feed.rejected)) : number(0),
      feed.last_event_at === null ? '–' : dateTime(feed.last_event_at),
    ]),
  });

/** Beside what reports are made from, compared with it, and put in its place; reports are answered all the while. */
function rebuilding(signal) {
  const notice = h('div');
  const progress = h('div', { class: 'stack tight' });
  const start = h('button', { type: 'button', class: 'button second' }, t('rebuild'));
  start.addEventListener('click', () =>
    busy(start, async () => {
      showNotice(notice);
      try {
        const begun = await ask('POST', '/api/v1/reports/rebuilds', { key: newKey() });
        announce(t('rebuild-begun'));
        const done = await through(begun.data);
        showNotice(notice, done.comparison.differing > 0 ? 'warning' : 'success', outcome(done.comparison));
      } catch (error) {
        showProblem(notice, error, t);
      } finally {
        replace(progress);
      }
    }),
  );

  async function through(rebuild) {
    while (rebuild.status !== 'switched') {
      replace(progress, rebuild.progress.map(step));
      await pause(LOOK_EVERY_MS, signal);
      rebuild = (await ask('GET', `/api/v1/reports/rebuilds/${rebuild.id}`, { signal })).data;
    }
    return rebuild;
  }

  return section(
    t('rebuild-title'),
    h('p', {}, t('rebuild-about')),
    notice,
    progress,
    h('div', { class: 'row' }, start),
  );
}

const step = ({ source, consumed, of }) =>
  h(
    'label',
    { class: 'row spread' },
    t(`service-${source}`),
    h('progress', { max: Math.max(1, of), value: of === 0 ? 1 : consumed }),
  );

const outcome = ({ compared, differing, complete }) =>
  t(differing > 0 ? 'rebuild-differs' : complete ? 'rebuild-same' : 'rebuild-partly', { count: differing, compared });
