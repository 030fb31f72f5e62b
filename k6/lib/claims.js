// What a run claims, and what it counts to prove it. A claim is a counter of violations whose threshold
// is zero; each look at one is counted as well, so that a claim that nobody looked at does not hold either.

import { check } from 'k6';
import { Counter } from 'k6/metrics';

/** By name: what a violation of it is. */
export const CLAIMS = {
  lost_updates: 'acknowledged changes of a cart that are not in it',
  double_orders: 'orders beyond one for a key',
  oversold: 'units sold that were not there',
  unsold: 'units left over although somebody was refused',
  wrong_totals: 'totals that differ from what the lines come to',
  lost_units: 'units that nobody can account for',
  double_sales: 'sales beyond one for an id, or missing',
  receipt_gaps: 'receipt numbers that are missing',
  till_differences: 'drawers that do not hold what they should',
  stale_reports: 'reports that have more than was sold, or do not get to know of it',
  leaks: 'answers that somebody may not have',
  lockouts_missed: 'passwords tried that should not have been looked at, or somebody else who is locked out',
  swaps_missed: 'components that were not replaced',
  replicas_unseen: 'replicas that did not go, or did not come back',
  wrong_answers: 'answers that are not what the contract says',
  broken_books: 'violations that the services find in their own books',
};

const counters = {};
for (const name of Object.keys(CLAIMS)) counters[name] = new Counter(name);

/** Looks at claims, by scenario. */
export const evidence = new Counter('evidence');
/** Answers 5xx, and connections that broke; what a service refuses because it is busy is not among them. */
export const serverErrors = new Counter('server_errors');
/** 503 and 429 with `Retry-After`: somebody was told to come back. */
export const shed = new Counter('shed');
/** Statuses that nobody expected; each is told in the log, the first few of each client. */
export const unexpected = new Counter('unexpected');
/** Requests that were sent again because of a fault that was on purpose. */
export const retried = new Counter('retried');

/**
 * A look at a claim: 0 violations, or more. In `setup` and `teardown` the scenario has to be named.
 */
export function claim(name, violations, detail, scenario) {
  const tags = scenario === undefined ? {} : { scenario };
  counters[name].add(violations, tags);
  // As k6 shows such things, to whoever watches the run.
  check(violations, { [name]: (found) => found === 0 }, tags);
  evidence.add(1, tags);
  if (violations > 0) console.error(`${name}: ${violations} (${CLAIMS[name]}): ${detail}`);
}

/** For a scenario that cannot be looked at here, so that its thresholds do not say otherwise. */
export function excuse(scenario, reason) {
  console.warn(`skipped: ${scenario}: ${reason}`);
  evidence.add(1, { scenario });
}
