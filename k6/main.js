// One run: a workload (how much) of scenarios (what).
//
//   make load WORKLOAD=load SCENARIO=purchases        or, by hand, k6 run -e WORKLOAD=.. -e SCENARIO=.. k6/main.js
//
// `lib/config.js` has the other variables. A scenario is a module: `services` that it needs, `rate` of a busy day in
// iterations a second, `claims` that have to hold, `routes` with the p95 in milliseconds that is promised of each,
// `setup`, `run` and `teardown`; `hand`, for what is done to the platform while it runs.

import exec from 'k6/execution';
import { chosen as choice, buyers, durationS, rateFactor, slower, together, workloadName } from './lib/config.js';
import { absent, atRest, reconcile } from './lib/books.js';
import { claim, excuse } from './lib/claims.js';
import { planned, scenarios, thresholds } from './lib/plan.js';
import { summary } from './lib/summary.js';
import * as authorization from './scenarios/authorization.js';
import * as browse from './scenarios/browse.js';
import * as carts from './scenarios/carts.js';
import * as flash_sale from './scenarios/flash_sale.js';
import * as health from './scenarios/health.js';
import * as hot_swap from './scenarios/hot_swap.js';
import * as offline_burst from './scenarios/offline_burst.js';
import * as point_of_sale from './scenarios/point_of_sale.js';
import * as purchases from './scenarios/purchases.js';
import * as rate_limit from './scenarios/rate_limit.js';
import * as replica_lost from './scenarios/replica_lost.js';
import * as reports_under_write from './scenarios/reports_under_write.js';
import * as restock from './scenarios/restock.js';
import breakpoint from './workloads/breakpoint.js';
import load from './workloads/load.js';
import smoke from './workloads/smoke.js';
import soak from './workloads/soak.js';
import spike from './workloads/spike.js';
import stress from './workloads/stress.js';

const WORKLOADS = { smoke, load, stress, spike, soak, breakpoint };
const SCENARIOS = {
  health, browse, carts, purchases, flash_sale, point_of_sale, offline_burst, restock, reports_under_write, rate_limit,
  authorization, hot_swap, replica_lost,
};
/** What goes on at the same time on a day in which nothing happens to the platform. */
const DAY = ['health', 'browse', 'carts', 'purchases', 'point_of_sale', 'restock', 'reports_under_write'];
/** What needs somebody to take a replica away, and so its own name. */
const APART = ['replica_lost'];

const workload = { ...known(WORKLOADS, workloadName, 'workload') };
workload.seconds = durationS ?? workload.seconds;
workload.slower *= slower;
const chosen = choose();

function known(all, name, kind) {
  if (all[name] === undefined) throw new Error(`there is no ${kind} ${name}; there is: ${Object.keys(all).join(', ')}`);
  return all[name];
}

function choose() {
  const names = { day: DAY, all: Object.keys(SCENARIOS).filter((name) => !APART.includes(name)) };
  const list = names[choice] ?? choice.split(',');
  return Object.fromEntries(list.map((name) => [name, known(SCENARIOS, name, 'scenario')]));
}

export const options = {
  scenarios: scenarios(chosen, workload, rateFactor, choice === 'day' || together),
  thresholds: thresholds(chosen, workload),
  // So that what is sent at once is at once.
  batch: 24,
  batchPerHost: 24,
  setupTimeout: '5m',
  teardownTimeout: '10m',
  summaryTrendStats: ['count', 'med', 'p(95)', 'p(99)', 'max'],
  userAgent: 'comptoir-k6',
};

export function setup() {
  const services = new Set(Object.values(chosen).flatMap(({ services: needed, optional = [] }) => [...needed, ...optional]));
  services.add('reports');
  const missing = absent([...services]);
  const present = [...services].filter((service) => !missing.includes(service));
  const made = {};
  for (const [name, scenario] of Object.entries(chosen)) {
    const lacking = scenario.services.filter((service) => missing.includes(service));
    const reason = lacking.length > 0 ? `there is no ${lacking.join(' and no ')} behind the gateway` : scenario.lacks?.();
    if (reason !== undefined) {
      excuse(name, reason);
    } else {
      made[name] = scenario.setup({ buyers, present, planned: planned(scenario, rateFactor, workload) });
    }
  }
  // Whoever asked for this would take its end for a proof.
  if (Object.keys(made).length === 0) throw new Error('all of it was skipped: nothing was looked at');
  return { made, missing };
}

/** What is done again and again; nothing where it was skipped. */
export function run({ made }) {
  const { name } = exec.scenario;
  if (made[name] !== undefined) counted(name, () => SCENARIOS[name].run(made[name]));
}

/** What is done to the platform meanwhile. */
export function hand({ made }) {
  const name = exec.scenario.name.replace(/_hand$/, '');
  if (made[name] !== undefined) counted(name, () => SCENARIOS[name].hand(made[name], Number(__ENV.SECONDS), name));
}

/** k6 logs what a script throws and goes on; here it is a violation. */
function counted(name, act) {
  try {
    act();
  } catch (error) {
    claim('wrong_answers', 1, `${error}${error.stack ?? ''}`, name);
  }
}

export function teardown({ made, missing }) {
  const names = Object.keys(made);
  if (!missing.includes('checkout')) {
    const left = atRest();
    claim('broken_books', left.length, `checkouts that have not ended: ${JSON.stringify(left.slice(0, 3))}`, names[0]);
  }
  for (const name of names) counted(name, () => SCENARIOS[name].teardown?.(made[name], name));
  if (missing.includes('reports')) {
    console.warn('skipped: the books: there is no reports behind the gateway, and audits cannot be reached through it');
  } else {
    reconcile(names[0]);
  }
}

export function handleSummary(data) {
  return summary(data, { name: workloadName, workload, choice, chosen });
}
