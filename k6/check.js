// What the scripts compute by themselves, checked by `k6 run k6/check.js`: no platform is needed.

import { Counter } from 'k6/metrics';
import { inCash, totalOf } from './lib/money.js';
import { planned, rateAfter, scenarios, thresholds } from './lib/plan.js';
import { gaps } from './lib/receipts.js';
import breakpoint from './workloads/breakpoint.js';
import load from './workloads/load.js';
import smoke from './workloads/smoke.js';
import soak from './workloads/soak.js';
import spike from './workloads/spike.js';
import stress from './workloads/stress.js';

const wrong = new Counter('wrong');
export const options = { iterations: 1, thresholds: { wrong: ['count==0'] } };

function same(what, is, wanted) {
  const [one, other] = [JSON.stringify(is), JSON.stringify(wanted)];
  wrong.add(one === other ? 0 : 1);
  if (one !== other) console.error(`${what}: ${one}, not ${other}`);
}

/** A scenario, as far as a plan knows one. */
const SCENARIO = { rate: 6, claims: ['lost_updates'], routes: { 'cart.read': 500 } };

export default function () {
  const line = (price, deposit, quantity) => ({ price, deposit, quantity });
  same('two cokes and a juice', totalOf([line(299, 10, 2), line(349, 10, 1)]), 1118);
  same('a hundred dollars', totalOf([line(10000, 0, 1)]), 11498);
  same('nothing', totalOf([]), 0);
  same('half a cent is a cent', totalOf([line(10, 0, 1)]), 12);
  same('in cash', [1116, 1117, 1118, 1120, 1122, 1123].map(inCash), [1115, 1115, 1120, 1120, 1120, 1125]);

  const numbered = (...numbers) => numbers.map((number) => ({ number: `1-2-${number}` }));
  same('no receipt', gaps([]), 0);
  same('receipts in any order', gaps(numbered('000043', '000042', '000044')), 0);
  same('one is missing', gaps(numbered('000042', '000044')), 1);
  same('one is there twice', gaps(numbered('000042', '000042', '000044')) > 0, true);

  same('a constant rate', planned(SCENARIO, 1, load), 720);
  same('half of it', planned(SCENARIO, 0.5, load), 360);
  same('a rate that grows', planned(SCENARIO, 1, { ...breakpoint, seconds: 100 }), 3150);
  same('at its end', Math.round(rateAfter(3150, SCENARIO, 1, { ...breakpoint, seconds: 100 })), 60);
  same('at its beginning', rateAfter(0, SCENARIO, 1, breakpoint), 3);
  same('no less than it takes', planned({ ...SCENARIO, atLeastS: 60 }, 1, { ...smoke, seconds: 10 }), 90);

  for (const workload of [smoke, load, stress, spike, soak, breakpoint]) {
    const shares = workload.stages.reduce((all, { share }) => all + share, 0);
    same('the stages are the whole time', Math.round(shares * 1000) / 1000, 1);
    plans(workload);
  }
  const after = scenarios({ one: SCENARIO, two: SCENARIO }, smoke, 1, false);
  same('one after the other', [after.one.startTime, after.two.startTime], ['0s', '12s']);
  const beside = scenarios({ one: SCENARIO, two: SCENARIO }, smoke, 1, true);
  same('side by side', [beside.one.startTime, beside.two.startTime], ['0s', '0s']);
  same('a hand', scenarios({ one: { ...SCENARIO, hand: () => {} } }, smoke, 1, true).one_hand.exec, 'hand');
}

/** The model is open, a claim is zero, and what is promised at a rate is promised at that rate. */
function plans(workload) {
  const { one } = scenarios({ one: SCENARIO }, workload, 1, true);
  same('requests arrive when they arrive', /-arrival-rate$/.test(one.executor), true);
  const limits = thresholds({ one: SCENARIO }, workload);
  same('a claim', limits['lost_updates{scenario:one}'], ['count==0']);
  same('what was not looked at does not hold', limits['evidence{scenario:one}'], ['count>0']);
  const dropped = limits['dropped_iterations{scenario:one}'];
  same('none is left out', dropped?.[0] === 'count==0', workload.strict);
  same('no request fails', limits['http_req_failed{scenario:one}'] !== undefined, workload.strict);
  const [{ threshold }] = limits['http_req_duration{scenario:one,route:cart.read}'];
  same('a latency', threshold, `p(95)<${500 * workload.slower}`);
}
