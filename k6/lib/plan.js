// How a workload and scenarios become the options of k6: executors, and thresholds. The model is open
// everywhere: requests arrive when they arrive, whether those before are answered or not.

/** For what is on its way when the time is over. */
const GRACE_S = 40;
/** For what is done to the platform: what has begun when the time is over is done to its end. */
const HAND_S = 240;
/** How long an iteration keeps a client busy, on a machine that has other things to do. */
const HOLDS_S = 2;
const SPARE = 10;
/** Clients that are made beforehand, at most; three times as many may be made later. */
const CLIENTS = 250;

/** The rate of a workload at its highest, as a factor. */
function peak(workload) {
  return Math.max(workload.start, ...workload.stages.map(({ to }) => to));
}

/** How long a scenario lasts. */
function secondsOf(scenario, workload) {
  return Math.max(workload.seconds, scenario.atLeastS ?? 0);
}

/** How many iterations of a scenario there will be. */
export function planned(scenario, rateFactor, workload) {
  let [from, all] = [workload.start, 0];
  for (const { share, to } of workload.stages) {
    all += share * secondsOf(scenario, workload) * ((from + to) / 2);
    from = to;
  }
  return Math.floor(scenario.rate * rateFactor * all);
}

/** How many iterations a second arrive when so many have; of a workload whose rate only grows. */
export function rateAfter(arrived, scenario, rateFactor, workload) {
  const [{ to }] = workload.stages;
  const [low, high] = [workload.start, to].map((factor) => factor * scenario.rate * rateFactor);
  // The sum of a rate that grows from `low` by `slope`, solved for the time at which it has come so far.
  const slope = (high - low) / secondsOf(scenario, workload);
  return Math.sqrt(low * low + 2 * slope * arrived);
}

/** How the rate goes, in iterations a minute, so that one in ten seconds can be said as well. */
function executor({ rate: each, holdsS = HOLDS_S }, rateFactor, seconds, workload) {
  const rate = each * rateFactor;
  const aMinute = (factor) => Math.max(1, Math.round(rate * factor * 60));
  const clients = Math.min(Math.ceil(rate * peak(workload) * holdsS) + SPARE, CLIENTS);
  const { start, stages } = workload;
  const common = { timeUnit: '1m', preAllocatedVUs: clients, maxVUs: clients * 4 };
  if (stages.every(({ to }) => to === start)) {
    return { ...common, executor: 'constant-arrival-rate', rate: aMinute(start), duration: `${seconds}s` };
  }
  return {
    ...common,
    executor: 'ramping-arrival-rate',
    startRate: aMinute(start),
    stages: stages.map(({ share, to }) => ({ target: aMinute(to), duration: `${Math.max(1, share * seconds)}s` })),
  };
}

/**
 * Scenarios by name, side by side or one after the other. `exec` is `run` for what they do again and again,
 * `hand` for what is done to the platform meanwhile.
 */
export function scenarios(chosen, workload, rateFactor, sideBySide) {
  const all = {};
  let startS = 0;
  for (const [name, scenario] of Object.entries(chosen)) {
    const startTime = `${startS}s`;
    const seconds = secondsOf(scenario, workload);
    all[name] = { ...executor(scenario, rateFactor, seconds, workload), exec: 'run', startTime, gracefulStop: `${GRACE_S}s` };
    if (scenario.hand !== undefined) {
      all[`${name}_hand`] = {
        executor: 'per-vu-iterations', vus: 1, iterations: 1, exec: 'hand', startTime,
        maxDuration: `${seconds + HAND_S}s`, env: { SECONDS: String(seconds) },
      };
    }
    if (!sideBySide) startS += seconds + 2;
  }
  return all;
}

/** What has to hold, of each scenario by itself. */
export function thresholds(chosen, workload) {
  const all = {};
  const zero = (metric, name) => {
    all[`${metric}{scenario:${name}}`] = ['count==0'];
  };
  for (const [name, scenario] of Object.entries(chosen)) {
    for (const claim of [...scenario.claims, 'wrong_answers', 'broken_books']) zero(claim, name);
    for (const metric of ['server_errors', 'unexpected']) zero(metric, name);
    all[`evidence{scenario:${name}}`] = ['count>0'];
    all[`iterations{scenario:${name}}`] = ['count>0'];
    if (workload.strict) {
      if (!scenario.sheds) zero('shed', name);
      zero('dropped_iterations', name);
      if (!scenario.faults) all[`http_req_failed{scenario:${name}}`] = ['rate==0'];
    }
    for (const [route, ms] of Object.entries(scenario.routes)) {
      const limit = { threshold: `p(95)<${ms * workload.slower}` };
      // The first seconds of a growing rate are no reason to stop.
      if (workload.ends) Object.assign(limit, { abortOnFail: true, delayAbortEval: '10s' });
      all[`http_req_duration{scenario:${name},route:${route}}`] = [limit];
      all[`http_reqs{scenario:${name},route:${route}}`] = ['count>=0'];
    }
    if (workload.ends) {
      all[`dropped_iterations{scenario:${name}}`] = [{ threshold: 'count<50', abortOnFail: true }];
    }
  }
  return all;
}
