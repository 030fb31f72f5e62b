// How much a report knows, and asking for the rest.

import { announce } from './a11y.js';
import { h, replace } from './dom.js';
import { busy, showNotice } from './forms.js';
import { dateTime, number, time, today } from './i18n.js';
import { t } from './office-texts.js';
import { showProblem } from './parts.js';

/** A time of the day with its seconds: figures that are older than a few are a reason to look. Of another day, its date. */
const clock = (instant) =>
  today(new Date(instant)) === today() ? time(instant, { timeStyle: 'medium' }) : dateTime(instant);

const UNITS = [
  ['second', 1_000, 120_000],
  ['minute', 60_000, 7_200_000],
  ['hour', 3_600_000, 172_800_000],
  ['day', 86_400_000, Infinity],
];

/** `0.6 seconds`, `14 minutes` */
export function lasting(ms) {
  const [unit, length] = UNITS.find(([, , below]) => ms < below);
  const options = { style: 'unit', unit, unitDisplay: 'long', maximumFractionDigits: unit === 'second' ? 1 : 0 };
  return number(ms / length, options);
}

/** What `freshness` says, in a line, with its sources below; `again` asks for everything until now. */
function line(freshness, again) {
  const { complete, as_of: asOf } = freshness;
  const text = asOf === null ? t('known-not') : t(complete ? 'known-until' : 'known-until-only', { time: clock(asOf) });
  const refresh = h('button', { type: 'button', class: 'quiet refresh', on: { click: () => busy(refresh, again) } });
  replace(refresh, t('refresh'));
  return h(
    'div',
    { class: 'freshness row' },
    h('span', { class: `badge ${complete ? 'good' : 'careful'}` }, t(complete ? 'complete' : 'incomplete')),
    h('span', {}, text),
    refresh,
    h(
      'details',
      {},
      h('summary', {}, t('sources')),
      h(
        'ul',
        { class: 'stack tight' },
        freshness.sources.map(({ source, as_of: at, lag_ms: lag }) =>
          h(
            'li',
            { class: 'row spread' },
            h('span', {}, t(`service-${source}`)),
            h('span', { class: 'muted' }, at === null ? t('known-not') : t('ago', { age: lasting(lag) })),
          ),
        ),
      ),
    ),
  );
}

/**
 * A view that can be asked again: `read({ staleness })` resolves to its data, with `freshness`, and `show(data)` makes what
 * is drawn of it. `staleness` is given when somebody wants to know everything until now.
 */
export async function refreshable({ read, show }) {
  const place = h('div', { class: 'stack loose' });
  const notice = h('div');
  const draw = (data) => replace(place, h('div', {}, line(data.freshness, again), notice), show(data));
  async function again() {
    showNotice(notice);
    try {
      const data = await read({ staleness: 0 });
      if (!place.isConnected) return;
      draw(data);
      place.querySelector('.refresh').focus();
      announce(place.querySelector('.freshness > :nth-child(2)').textContent);
    } catch (error) {
      showProblem(notice, error);
    }
  }
  draw(await read({}));
  return place;
}
