// The days that a page is about, as its address has them: `?period=week`, `?from=2026-11-01&to=2026-11-15`, or neither: today.

import { h } from './dom.js';
import { day, today } from './i18n.js';
import { t } from './office-texts.js';

/** The day so many days later. */
export function plus(text, days) {
  const date = new Date(`${text}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() + days);
  return date.toISOString().slice(0, 10);
}

/** Every day, both ends included. */
export function daysOf({ from, to }) {
  const days = [];
  for (let one = from; one <= to; one = plus(one, 1)) days.push(one);
  return days;
}

const CHOICES = ['today', 'yesterday', 'week', 'month'];

export function periodOf(url) {
  const now = today();
  const [from, to] = ['from', 'to'].map((name) => isDay(url.searchParams.get(name)));
  if (from || to) return { choice: 'days', from: from ?? to, to: to ?? from };
  const choice = CHOICES.find((name) => name === url.searchParams.get('period')) ?? 'today';
  switch (choice) {
    case 'yesterday':
      return { choice, from: plus(now, -1), to: plus(now, -1) };
    case 'week':
      return { choice, from: plus(now, -6), to: now };
    case 'month':
      return { choice, from: plus(now, -29), to: now };
    default:
      return { choice, from: now, to: now };
  }
}

const isDay = (text) =>
  /^\d{4}-\d\d-\d\d$/.test(text ?? '') && !Number.isNaN(Date.parse(`${text}T00:00:00Z`)) ? text : undefined;

/** In words: a day with its weekday, or from one to another. */
export const inWords = ({ from, to }) =>
  from === to ? day(from, { dateStyle: 'full' }) : t('from-to', { from: day(from), to: day(to) });

/** Links to the same page for other days. */
export const choices = (path, period) =>
  h(
    'nav',
    { 'aria-label': t('period') },
    h(
      'ul',
      { class: 'chips' },
      CHOICES.map((choice) =>
        h(
          'li',
          {},
          h(
            'a',
            {
              class: 'chip',
              href: choice === 'today' ? path : `${path}?period=${choice}`,
              'aria-current': choice === period.choice && 'true',
            },
            t(choice),
          ),
        ),
      ),
    ),
  );
