// What a run is told by its environment, read and checked once, before anything is sent.

// `import.meta.resolve`, because `open` would look beside main.js, wherever this file is.
const ROOT = import.meta.resolve('../../');

/** Where the platform is. */
export const gateway = (__ENV.GATEWAY || 'http://127.0.0.1:8000').replace(/\/$/, '');
/** The host's port for operators, where it can be reached; the hot swap then replaces components by itself. */
export const admin = (__ENV.ADMIN || '').replace(/\/$/, '');
/** Where the components that run were built. */
const components = __ENV.COMPONENTS || 'target/wasm32-wasip2/component';
const keys = __ENV.KEYS || '.comptoir/secrets';

export const workloadName = __ENV.WORKLOAD || 'smoke';
/** Names of scenarios, `day` for those that run side by side, or `all`, one after another. */
export const chosen = __ENV.SCENARIO || (workloadName === 'smoke' ? 'all' : 'day');

/** Scenarios that were named run side by side as well, with TOGETHER=1. */
export const together = __ENV.TOGETHER === '1';

/** The rates of a workload times this. */
export const rateFactor = number('RATE', 1);
/** How long a workload lasts, in seconds; its own time if left out. */
export const durationS = seconds(__ENV.DURATION);
/** How long the books may take to be at rest after the last request. */
export const settleS = number('SETTLE_S', 120);
/** How old the books have to be, so that the rules that join services are about everything: a minute, and a little. */
export const booksAgeS = number('BOOKS_AGE_S', 61);
/** Promised latencies times this, for a machine that has other things to do. */
export const slower = number('SLOWER', 1);
/** Accounts that buy. */
export const buyers = number('BUYERS', 10);
/** Where the summary goes; nowhere if left out. */
export const result = __ENV.RESULT || '';
/** What the numbers were measured on, in words. */
export const machine = __ENV.MACHINE || 'unknown';

function number(name, otherwise) {
  const text = __ENV[name];
  if (text === undefined || text === '') return otherwise;
  const value = Number(text);
  if (!(value >= 0)) throw new Error(`${name}=${text}: a number is expected, 0 or more`);
  return value;
}

/** `90s`, `10m`, `1h`. */
function seconds(text) {
  if (!text) return undefined;
  const parts = /^(\d+)(s|m|h)$/.exec(text);
  if (parts === null) throw new Error(`DURATION=${text}: write it as 90s, 10m or 1h`);
  return Number(parts[1]) * { s: 1, m: 60, h: 3600 }[parts[2]];
}

function path(given) {
  return given.startsWith('/') ? `file://${given}` : `${ROOT.replace(/\/$/, '')}/${given}`;
}

/** A secret of the platform, without the line's end; `otherwise`, if that is given, where there is none. */
export function secret(name, otherwise) {
  try {
    return open(path(`${keys}/${name}`)).trim();
  } catch (error) {
    if (otherwise !== undefined) return otherwise;
    throw new Error(`cannot read the secret ${name} in ${keys}; KEYS says where they are (${error})`);
  }
}

/** The bytes of a component; `otherwise`, where there is none. */
export function component(name, otherwise) {
  try {
    return open(path(`${components}/${name}.wasm`), 'b');
  } catch (_) {
    return otherwise;
  }
}
