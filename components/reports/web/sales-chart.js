// What was sold, from hour to hour or from day to day.

import { chart } from './charts.js';
import { day, money, time } from './i18n.js';
import { t } from './office-texts.js';
import { daysOf } from './period.js';

const HOUR_MS = 3_600_000;

/** Integer cents, as charts have them. */
export const amount = (cents) => money({ amount: cents, currency: 'CAD' });

/** A scale says dollars, unless it is one of cents. */
export const axis = (cents) =>
  money({ amount: cents, currency: 'CAD' }, { minimumFractionDigits: 0, maximumFractionDigits: cents % 100 ? 2 : 0 });

/** What was sold hour by hour, or day by day, those included in which nothing was. */
function pointsOf({ from, to }, by, rows) {
  if (by === 'day') {
    const sold = new Map(rows.map((row) => [row.key, row]));
    return daysOf({ from, to }).map((key) => ({
      tick: day(key, { day: 'numeric', month: 'short' }),
      name: day(key, { weekday: 'short', day: 'numeric', month: 'long' }),
      row: sold.get(key),
    }));
  }
  const sold = new Map(rows.map((row) => [Date.parse(row.key), row]));
  const hours = [...sold.keys()];
  const points = [];
  // By instants: the hour that comes twice in autumn is two.
  for (let hour = hours[0]; hour <= hours.at(-1); hour += HOUR_MS)
    points.push({
      tick: time(hour, { hour: 'numeric' }),
      name: time(hour, { hour: 'numeric' }),
      row: sold.get(hour),
    });
  return points;
}

/** `rows` are grouped `by` hour or by day; there is one at least. */
export function salesChart(period, by, rows, label, tabled = false) {
  const points = pointsOf(period, by, rows).map(({ tick, name, row }) => {
    const [net, count] = [row?.net.amount ?? 0, row?.sales ?? 0];
    return { tick, name, values: [net], text: t('sold-then', { when: name, amount: amount(net), count }) };
  });
  const most = points.reduce((best, point) => (point.values[0] > best.values[0] ? point : best));
  return chart({
    kind: 'columns',
    label,
    heading: t(by),
    series: [t('net')],
    points,
    format: amount,
    axis,
    tabled,
    summary: t('most', { when: most.name, amount: amount(most.values[0]) }),
  });
}
