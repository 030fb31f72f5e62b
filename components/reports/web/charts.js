// Charts in SVG, drawn for the width that they have. Whoever points at one, or goes through it with the arrow keys, is
// told each value; and everything is in a table as well.

import { h, newId, replace, svg } from './dom.js';
import { texts } from './i18n.js';
import { table } from './parts.js';

const HEIGHT = 220;
const TOP = 10;
const FOOT = 26;
/** Of a character of an axis, about. */
const CHARACTER = 6.6;
const COLUMN_MAX = 46;

const t = texts({
  fr: {
    table: 'Voir en tableau',
    keys: 'Flèches gauche et droite : d’une valeur à l’autre.',
  },
  en: {
    table: 'Show as a table',
    keys: 'Left and right arrows lead from value to value.',
  },
});

/**
 * `kind` is `columns`, of one series, or `lines`. `points` are `{ tick, name, values, text }`: what is written below, what
 * it is in the table, a number for each of `series`, and all of it in words. `format` writes a value, `axis` one of the
 * scale. `heading` is that of the names, `summary` what is said while nothing is pointed at. `tabled`: a table is there
 * already.
 */
export function chart({ kind, label, heading, series, points, format, axis, summary, tabled = false }) {
  const keys = newId('keys');
  const readout = h('p', { class: 'readout' }, summary);
  const plot = h('div', {
    class: 'plot',
    tabindex: '0',
    role: 'slider',
    'aria-label': label,
    'aria-describedby': keys,
    'aria-orientation': 'horizontal',
    'aria-valuemin': '0',
    'aria-valuemax': String(points.length - 1),
  });
  const last = points.length - 1;
  let chosen = null;
  let scale = null;

  const tell = (index) => {
    plot.setAttribute('aria-valuenow', String(index));
    plot.setAttribute('aria-valuetext', points[index].text);
  };
  const choose = (index) => {
    if (index === chosen) return;
    chosen = index;
    replace(readout, index === null ? summary : points[index].text);
    if (index !== null) tell(index);
    for (const mark of plot.querySelectorAll('.chosen')) mark.classList.remove('chosen');
    for (const mark of plot.querySelectorAll(`[data-index="${index}"]`)) mark.classList.add('chosen');
  };
  const under = ({ clientX }) => {
    const { left } = plot.getBoundingClientRect();
    return Math.max(0, Math.min(last, scale.index(clientX - left)));
  };
  const draw = (width) => {
    scale = scaleOf({ kind, points, axis, width });
    replace(plot, drawing({ kind, points, axis, scale, width }));
    const index = chosen;
    chosen = null;
    choose(index);
  };

  tell(last);
  plot.addEventListener('pointermove', (event) => choose(under(event)));
  plot.addEventListener('pointerdown', (event) => choose(under(event)));
  plot.addEventListener('pointerleave', () => choose(document.activeElement === plot ? chosen : null));
  plot.addEventListener('focus', () => choose(chosen ?? last));
  plot.addEventListener('blur', () => choose(null));
  plot.addEventListener('keydown', (event) => {
    const now = chosen ?? last;
    const next = { ArrowLeft: now - 1, ArrowDown: now - 1, ArrowRight: now + 1, ArrowUp: now + 1, Home: 0, End: last };
    if (!(event.key in next)) return;
    event.preventDefault();
    choose(Math.max(0, Math.min(last, next[event.key])));
  });
  new ResizeObserver(([{ contentRect }]) => draw(contentRect.width)).observe(plot);

  return h(
    'figure',
    { class: 'chart' },
    h('div', { class: 'row spread chart-head' }, readout, series.length > 1 && legend(series)),
    plot,
    h('p', { id: keys, class: 'visually-hidden' }, t('keys')),
    !tabled &&
      h(
        'details',
        {},
        h('summary', {}, t('table')),
        table({
          caption: label,
          head: [heading, ...series],
          rows: points.map(({ name, values }) => [name, ...values.map(format)]),
        }),
      ),
  );
}

const legend = (series) =>
  h(
    'ul',
    { class: 'legend' },
    series.map((name, index) =>
      h(
        'li',
        {},
        svg(
          'svg',
          { viewBox: '0 0 24 8', width: 24, height: 8, 'aria-hidden': 'true' },
          svg('path', { d: 'M1 4h22', class: `line line-${index}` }),
        ),
        name,
      ),
    ),
  );

function scaleOf({ kind, points, axis, width }) {
  const values = points.flatMap((point) => point.values);
  const ticks = ticksOf(Math.min(0, ...values), Math.max(0, ...values));
  const [low, high] = [ticks[0], ticks.at(-1)];
  const start = Math.ceil(Math.max(...ticks.map((tick) => axis(tick).length)) * CHARACTER) + 10;
  const inner = Math.max(1, width - start - 4);
  // A column has room on both sides; a line goes from edge to edge.
  const step = kind === 'columns' ? inner / points.length : inner / Math.max(1, points.length - 1);
  const first = kind === 'columns' ? start + step / 2 : start;
  return {
    ticks,
    start,
    end: start + inner,
    step,
    x: (index) => first + index * step,
    y: (value) => TOP + (HEIGHT - TOP - FOOT) * (1 - (value - low) / (high - low)),
    index: (x) => Math.round((x - first) / step),
  };
}

/** Four or so round numbers, from one that is not above `low` to one that is not below `high`. */
function ticksOf(low, high) {
  const rough = (high - low || 1) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  // Cents are the least that there is, and integers.
  const step = Math.max(1, power * [1, 2, 5, 10].find((factor) => factor * power >= rough));
  const ticks = [];
  for (let tick = Math.floor(low / step) * step; ; tick += step) {
    ticks.push(tick);
    if (tick >= high && ticks.length > 1) return ticks;
  }
}

function drawing({ kind, points, axis, scale, width }) {
  const bottom = HEIGHT - FOOT;
  const grid = scale.ticks.map((tick) => [
    svg('path', {
      class: tick === 0 ? 'base' : 'grid-line',
      d: `M${scale.start} ${scale.y(tick)}H${scale.end}`,
    }),
    svg(
      'text',
      { class: 'tick', x: scale.start - 8, y: scale.y(tick), 'text-anchor': 'end', dy: '0.32em' },
      axis(tick),
    ),
  ]);
  const longest = Math.max(...points.map(({ tick }) => tick.length));
  const every = Math.max(1, Math.ceil((longest * CHARACTER + 12) / scale.step));
  const names = points.map(
    ({ tick }, index) =>
      index % every === 0 && svg('text', { class: 'tick', ...placed(index, tick, scale, width), y: HEIGHT - 8 }, tick),
  );
  const marks = kind === 'columns' ? columns(points, scale) : lines(points, scale, bottom);
  return svg('svg', { width, height: HEIGHT, 'aria-hidden': 'true' }, ...grid, ...names, ...marks);
}

/** Below its point, and within the drawing. */
function placed(index, tick, scale, width) {
  const [x, half] = [scale.x(index), (tick.length * CHARACTER) / 2];
  if (x + half > width) return { x: width, 'text-anchor': 'end' };
  return { x: Math.max(x, half), 'text-anchor': 'middle' };
}

function columns(points, { x, y, step }) {
  const width = Math.max(1, Math.min(COLUMN_MAX, step * 0.72));
  return points.map(({ values: [value] }, index) => {
    const [top, bottom] = [y(Math.max(0, value)), y(Math.min(0, value))];
    return svg('rect', {
      class: 'column',
      'data-index': index,
      x: x(index) - width / 2,
      y: top,
      width,
      height: bottom - top,
      rx: Math.min(3, width / 4),
    });
  });
}

function lines(points, { x, y }, bottom) {
  const series = points[0].values.map((_, which) => which);
  const path = (which) =>
    points.map(({ values }, index) => `${index ? 'L' : 'M'}${x(index)} ${y(values[which])}`).join('');
  return [
    points.map((_, index) => svg('path', { class: 'guide', 'data-index': index, d: `M${x(index)} ${TOP}V${bottom}` })),
    // The first series is drawn last, above the others.
    series
      .toReversed()
      .map((which) => [
        svg('path', { class: `line line-${which}`, d: path(which) }),
        points.map(({ values }, index) =>
          svg('circle', { class: `dot dot-${which}`, 'data-index': index, cx: x(index), cy: y(values[which]), r: 4 }),
        ),
      ]),
  ].flat(Infinity);
}

/** A part of the whole beside its number, in a table; `mark` is a place on it. */
export function bar(part, mark) {
  const within = (ratio) => 100 * Math.max(0, Math.min(1, ratio || 0));
  return svg(
    'svg',
    { class: 'bar', viewBox: '0 0 100 10', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    svg('rect', { class: 'bar-whole', width: 100, height: 10 }),
    svg('rect', { class: 'bar-part', width: within(part), height: 10 }),
    mark !== undefined && svg('path', { class: 'bar-mark', d: `M${within(mark)} 0V10` }),
  );
}
