// A line of the last minutes, drawn in SVG; time runs to the right edge, which is now.

import { POINTS } from './history.js';
import { svg } from './dom.js';
import { setAttribute } from './keep.js';

const HEIGHT = 40;
/** Of a line at the edge, no half is cut off. */
const MARGIN = 2;

export class Chart {
  /** `lines` are names of a point's values, the last one with an area below it. */
  constructor(lines, least) {
    this.lines = lines;
    /** The scale's end when everything is smaller: noise is not to look like a mountain. */
    this.least = least;
    this.area = svg('path', { class: 'area' });
    this.paths = lines.map((name) => svg('path', { class: `line ${name}` }));
    this.marks = svg('g', { class: 'marks' });
    this.element = svg(
      'svg',
      { viewBox: `0 0 ${POINTS - 1} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img' },
      svg('line', { class: 'ground', x1: 0, x2: POINTS - 1, y1: HEIGHT - MARGIN, y2: HEIGHT - MARGIN }),
      this.area,
      this.marks,
      ...this.paths,
    );
  }

  /** Returns the scale's end. */
  draw(points, marks) {
    const values = this.lines.flatMap((name) => points.map((point) => point[name] ?? 0));
    const top = niceAbove(Math.max(this.least, ...values));
    const y = (value) => HEIGHT - MARGIN - (value / top) * (HEIGHT - 2 * MARGIN);
    this.lines.forEach((name, index) => {
      const runs = unbroken(points, name);
      const line = runs.map((run) => `M${run.map(([x, value]) => `${x},${y(value).toFixed(2)}`).join('L')}`).join('');
      setAttribute(this.paths[index], 'd', line);
      if (index === this.lines.length - 1) {
        const under = (run) => {
          const top = run.map(([x, value]) => `${x},${y(value).toFixed(2)}`).join('L');
          return `M${run[0][0]},${HEIGHT - MARGIN}L${top}L${run.at(-1)[0]},${HEIGHT - MARGIN}Z`;
        };
        setAttribute(this.area, 'd', runs.map(under).join(''));
      }
    });
    this.marks.replaceChildren(
      ...marks.map(({ kind, age }) => {
        const x = POINTS - 1 - age;
        return svg('line', { class: `mark ${kind}`, x1: x, x2: x, y1: 0, y2: HEIGHT });
      }),
    );
    return top;
  }
}

/** What can be drawn without a gap, as places and values. A single value is drawn as a short line. */
function unbroken(points, name) {
  const runs = [];
  let run = [];
  points.forEach((point, index) => {
    const x = POINTS - points.length + index;
    if (point[name] === undefined) {
      if (run.length > 0) runs.push(run);
      run = [];
    } else {
      if (run.length === 0) run.push([x - 0.5, point[name]]);
      run.push([x, point[name]]);
    }
  });
  if (run.length > 0) runs.push(run);
  return runs;
}

/** A round number: a scale's end is read at a glance. */
export function niceAbove(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 5, 7, 10].map((step) => step * power).find((step) => step >= value * 0.999) ?? 10 * power;
}
