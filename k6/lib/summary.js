// What a run came to, as a table for people and as a small document for comparisons.

import { CLAIMS } from './claims.js';
import { machine, rateFactor, result } from './config.js';
import { rateAfter } from './plan.js';

export function summary(data, run) {
  const report = reportOf(data, run);
  const files = result === '' ? {} : { [result]: `${JSON.stringify(report, null, 2)}\n` };
  return { ...files, stdout: table(report) };
}

function reportOf(data, { name: workload, workload: how, choice, chosen }) {
  const { metrics } = data;
  const { seconds } = how;
  const count = (metric, name) => metrics[`${metric}{scenario:${name}}`]?.values.count ?? 0;
  const scenarios = Object.entries(chosen).map(([name, scenario]) => ({
    name,
    seconds: Math.max(seconds, scenario.atLeastS ?? 0),
    iterations: count('iterations', name),
    ...(how.ends ? { broke_at: broke(metrics, name, scenario, how) } : {}),
    looks: count('evidence', name),
    claims: Object.fromEntries([...scenario.claims, 'wrong_answers', 'broken_books', 'server_errors', 'unexpected']
      .map((claim) => [claim, count(claim, name)])),
    routes: routesOf(metrics, name, scenario),
  }));
  const broken = Object.entries(metrics).flatMap(([metric, { thresholds = {} }]) =>
    Object.entries(thresholds).filter(([, { ok }]) => !ok).map(([rule]) => `${metric}: ${rule}`));
  return { workload, choice, seconds, machine, scenarios, broken };
}

/** Iterations a second that were asked for in the end; what was dropped arrived as well. */
function broke(metrics, name, scenario, workload) {
  const of = (metric) => metrics[`${metric}{scenario:${name}}`]?.values.count ?? 0;
  return Math.round(rateAfter(of('iterations') + of('dropped_iterations'), scenario, rateFactor, workload) * 10) / 10;
}

function routesOf(metrics, name, scenario) {
  const rows = Object.keys(scenario.routes).map((route) => {
    const { values } = metrics[`http_req_duration{scenario:${name},route:${route}}`] ?? {};
    if (!values?.count) return undefined;
    const ms = (key) => Math.round(values[key] * 10) / 10;
    return { route, requests: values.count, p50_ms: ms('med'), p95_ms: ms('p(95)'), max_ms: ms('max') };
  });
  return rows.filter((row) => row !== undefined);
}

function table({ workload, choice, seconds, scenarios, broken }) {
  const lines = ['', `${workload} of ${choice}, ${seconds} s a scenario`, ''];
  for (const { name, iterations, looks, claims, routes, broke_at } of scenarios) {
    const skipped = routes.length === 0 ? ', skipped' : '';
    lines.push(`${name}: ${iterations} iterations, ${looks} looks${skipped}`);
    if (broke_at !== undefined) lines.push(`  ended at ${broke_at} iterations/s`);
    for (const row of routes) {
      const [p50, p95, max] = [row.p50_ms, row.p95_ms, row.max_ms].map((ms) => ms.toFixed(1).padStart(9));
      lines.push(`  ${row.route.padEnd(26)}${String(row.requests).padStart(8)} requests   p50${p50}   p95${p95}   max${max} ms`);
    }
    if (routes.length > 0) {
      for (const [claim, violations] of Object.entries(claims)) {
        if (violations > 0 || CLAIMS[claim] !== undefined) lines.push(`  ${claim.padEnd(26)}${String(violations).padStart(8)}`);
      }
    }
    lines.push('');
  }
  const skipped = scenarios.filter(({ routes }) => routes.length === 0).map(({ name }) => name);
  if (skipped.length > 0) lines.push(`skipped: ${skipped.join(', ')}`);
  lines.push(broken.length === 0 ? 'what was looked at holds' : `broken: ${broken.length}`);
  lines.push(...broken.map((rule) => `  ${rule}`), '', '');
  return lines.join('\n');
}
