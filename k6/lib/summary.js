// What a run came to, as a table for people and as a small document for comparisons.

import { CLAIMS } from './claims.js';
import { machine, result } from './config.js';

export function summary(data, run) {
  const report = reportOf(data, run);
  const files = result === '' ? {} : { [result]: `${JSON.stringify(report, null, 2)}\n` };
  return { ...files, stdout: table(report) };
}

function reportOf(data, { workload, choice, seconds, chosen }) {
  const { metrics } = data;
  const count = (metric, name) => metrics[`${metric}{scenario:${name}}`]?.values.count ?? 0;
  const scenarios = Object.entries(chosen).map(([name, scenario]) => ({
    name,
    iterations: count('iterations', name),
    looks: count('evidence', name),
    claims: Object.fromEntries([...scenario.claims, 'wrong_answers', 'broken_books', 'server_errors', 'unexpected']
      .map((claim) => [claim, count(claim, name)])),
    routes: routesOf(metrics, name, scenario),
  }));
  const broken = Object.entries(metrics).flatMap(([metric, { thresholds = {} }]) =>
    Object.entries(thresholds).filter(([, { ok }]) => !ok).map(([rule]) => `${metric}: ${rule}`));
  return { workload, choice, seconds, machine, measured_s: Math.round(data.state.testRunDurationMs / 1000), scenarios, broken };
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
  for (const { name, iterations, looks, claims, routes } of scenarios) {
    const skipped = routes.length === 0 ? ', skipped' : '';
    lines.push(`${name}: ${iterations} iterations, ${looks} looks${skipped}`);
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
  lines.push(broken.length === 0 ? 'everything holds' : `broken: ${broken.length}`, ...broken.map((rule) => `  ${rule}`), '', '');
  return lines.join('\n');
}
