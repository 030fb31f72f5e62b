// A run beside the baseline: `k6 run -e RESULT=<file> k6/compare.js`, or `make load-compare`. Needs nothing but k6.
//
// Machines differ, and so does one machine from hour to hour: the middle of all ratios says by how much, and is taken
// out. What is left, `relative`, is how a route fares among the others; that is robust. With MAX_RATIO, a route that
// is slower than that among the others fails the comparison.

import { Counter } from 'k6/metrics';

/** Fewer requests say nothing of a p95. */
const ENOUGH = 20;
/** Below this a p95 is the machine's noise, and counts as this. */
const FLOOR_MS = 5;

const file = (given) => open(given.startsWith('/') ? `file://${given}` : import.meta.resolve(given));
const baseline = JSON.parse(file(__ENV.BASELINE || './baseline.json'));
const now = JSON.parse(file(__ENV.RESULT));
const bound = Number(__ENV.MAX_RATIO || 0);

const slower = new Counter('slower');
export const options = { iterations: 1, thresholds: bound > 0 ? { slower: ['count==0'] } : {} };

const rows = compared();
const middle = median(rows.map(({ ratio }) => ratio));

function compared() {
  const before = byRoute(baseline);
  return Object.entries(byRoute(now)).map(([key, row]) => {
    const old = before[key];
    const enough = old !== undefined && Math.min(old.requests, row.requests) >= ENOUGH;
    const ratio = enough ? Math.max(row.p95_ms, FLOOR_MS) / Math.max(old.p95_ms, FLOOR_MS) : undefined;
    return { key, row, old, ratio };
  });
}

function byRoute({ scenarios }) {
  const all = scenarios.flatMap(({ name, seconds, routes }) =>
    routes.map((row) => [`${name} ${row.route}`, { ...row, rate: row.requests / seconds }]));
  return Object.fromEntries(all);
}

function median(numbers) {
  const sorted = numbers.filter((number) => number !== undefined).sort((one, other) => one - other);
  return sorted.length === 0 ? 1 : sorted[Math.floor(sorted.length / 2)];
}

export default function () {
  if (bound === 0) return;
  const compared = rows.filter(({ ratio }) => ratio !== undefined);
  if (compared.length === 0) console.error(`no route has ${ENOUGH} requests in both: nothing was compared`);
  slower.add(compared.length === 0 ? 1 : compared.filter(({ ratio }) => ratio / middle > bound).length);
}

export function handleSummary() {
  const of = (number, digits) => (number === undefined ? '-' : number.toFixed(digits)).padStart(9);
  const line = (key, cells) => `${key.padEnd(44)}${cells.join('')}`;
  const head = ['p95 then', 'p95 now', 'ratio', 'relative', 'then /s', 'now /s'].map((text) => text.padStart(9));
  const body = rows.map(({ key, row, old, ratio }) => {
    const relative = ratio === undefined ? undefined : ratio / middle;
    const late = bound > 0 && relative > bound ? '  slower' : '';
    const cells = [of(old?.p95_ms, 1), of(row.p95_ms, 1), of(ratio, 2), of(relative, 2), of(old?.rate, 2), of(row.rate, 2)];
    return line(key, cells) + late;
  });
  const gone = Object.keys(byRoute(baseline)).filter((key) => byRoute(now)[key] === undefined);
  const lines = [
    '', `then: ${baseline.workload} of ${baseline.choice}, ${baseline.machine}`,
    `now:  ${now.workload} of ${now.choice}, ${now.machine}`, '', line('milliseconds', head), ...body,
    ...gone.map((key) => `${key}: only in the baseline`),
    '', `the middle of the ratios is ${middle.toFixed(2)}: this machine, or everything, takes so much longer`, '', '',
  ];
  return { stdout: lines.join('\n') };
}
