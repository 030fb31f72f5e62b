// One request, or several at once: where it goes, what it is called in the metrics, and which answers
// count as what. Nothing here knows what a route is for.

import http from 'k6/http';
import { sleep } from 'k6';
import { gateway, secret } from './config.js';
import { claim, retried, serverErrors, shed, unexpected } from './claims.js';

const KEYS = {};
for (const role of ['hq', 'manager', 'logistics', 'pos']) KEYS[role] = secret(`key-${role}`);

/** Lines of the log that a client may spend on answers that nobody expected. */
let linesLeft = 5;

/** What is on its way when a threshold ends the run is nobody's fault. */
const CUT_OFF = 'context canceled';

/** How often a request is sent before it counts as unanswered. */
const ATTEMPTS = 12;
/** The longest that anybody waits in between, whatever `Retry-After` says: the window of the gateway's rate limits. */
const PATIENCE_S = 60;

/**
 * `route` is `service.operation`. Of the options, `as` is a role of the staff or the token of a customer,
 * `expect` the statuses that are an answer, `key` an Idempotency-Key, `faults` that faults are on purpose.
 */
export function request(method, route, path, options = {}) {
  const { as, body, key, headers = {}, expect = [200], faults = false } = options;
  const all = { ...headers };
  if (body !== undefined && all['Content-Type'] === undefined) all['Content-Type'] = 'application/json';
  if (key !== undefined) all['Idempotency-Key'] = key;
  if (as !== undefined) {
    if (KEYS[as] !== undefined) all['X-API-Key'] = KEYS[as];
    else all.Authorization = `Bearer ${as}`;
  }
  const params = {
    headers: all,
    redirects: 0,
    timeout: '30s',
    // Whoever repeats a key too soon is told to wait, which is no failure.
    responseCallback: http.expectedStatuses(...expect, ...(key === undefined ? [] : [409])),
    tags: { service: route.split('.')[0], route, name: route },
  };
  const raw = typeof body === 'string' || body instanceof ArrayBuffer;
  const text = body === undefined || raw ? body : JSON.stringify(body);
  return { method, url: `${path.startsWith('http') ? '' : gateway}${path}`, body: text, params, expect, faults, route };
}

/** Sends it once. */
export function send(wanted) {
  return seen(wanted, http.request(wanted.method, wanted.url, wanted.body ?? null, wanted.params));
}

/** Sends all of them at once. */
export function sendTogether(wanted) {
  const answers = http.batch(wanted.map((one) => [one.method, one.url, one.body ?? null, one.params]));
  return wanted.map((one, index) => seen(one, answers[index]));
}

/** A request and its answer in one call. */
export function ask(method, route, path, options) {
  return send(request(method, route, path, options));
}

/**
 * Sends it until somebody answers. Only for what may be sent twice: what has a key, or no effect.
 */
export function insist(wanted) {
  return settle(wanted, send(wanted));
}

/** The same of several that are sent at once. */
export function insistTogether(wanted) {
  return sendTogether(wanted).map((answer, index) => settle(wanted[index], answer));
}

function settle(wanted, first) {
  let answer = first;
  for (let attempt = 1; attempt < ATTEMPTS && isUnsettled(wanted, answer); attempt += 1) {
    const told = Number(answer.header('Retry-After')) || 0;
    sleep(Math.min(Math.max(told, Math.min(0.05 * 2 ** attempt, 1)), PATIENCE_S));
    retried.add(1);
    answer = send(wanted);
  }
  return answer;
}

/** Nobody answered, or not yet: the very request may be sent again. */
function isUnsettled(wanted, answer) {
  if (answer.status === 409 && answer.header('Retry-After') !== undefined) return true;
  return !answer.ok && [0, 429, 502, 503, 504].includes(answer.status);
}

/** What an answer counts as. */
function seen(wanted, response) {
  const answer = new Answer(wanted, response);
  if (answer.ok) return answer;
  const told = answer.header('Retry-After') !== undefined;
  const { status } = response;
  if (wanted.faults && (status === 0 || status >= 500)) return answer;
  if (response.error === CUT_OFF) return answer;
  if (told && (status === 503 || status === 429)) shed.add(1);
  else if (status === 0 || status >= 500) serverErrors.add(1);
  else if (!(told && status === 409)) unexpected.add(1);
  else return answer;
  if (linesLeft > 0) {
    linesLeft -= 1;
    const why = status === 0 ? response.error : String(response.body).slice(0, 300);
    console.error(`${wanted.method} ${wanted.url}: ${status}, not ${wanted.expect.join(' or ')}: ${why}`);
  }
  return answer;
}

/** An answer, whose body may be anything. */
class Answer {
  constructor(wanted, response) {
    this.wanted = wanted;
    this.response = response;
    this.status = response.status;
    this.ok = wanted.expect.includes(response.status);
  }

  header(name) {
    const wanted = name.toLowerCase();
    const found = Object.keys(this.response.headers).find((known) => known.toLowerCase() === wanted);
    return found === undefined ? undefined : this.response.headers[found];
  }

  /** The body; null if it is no JSON. */
  get json() {
    if (this.parsed === undefined) {
      try {
        this.parsed = this.response.json();
      } catch (_) {
        this.parsed = null;
      }
    }
    return this.parsed;
  }

  get text() {
    return String(this.response.body ?? '');
  }

  /** The body of what has to succeed for the run to mean anything. */
  must() {
    if (this.ok) return this.json;
    const { method, url } = this.wanted;
    throw new Error(`${method} ${url} was answered with ${this.status}: ${this.text.slice(0, 300)}`);
  }

  /** Whether the contract holds: a look at `wrong_answers`. */
  is(what, holds) {
    claim('wrong_answers', this.ok && !holds ? 1 : 0, `${this.wanted.route}: ${what}: ${this.text.slice(0, 300)}`);
    return this.ok && holds;
  }
}

/** All pages of a list; `path` has its first parameter already. */
export function pages(route, path, options) {
  const all = [];
  let cursor = null;
  do {
    const after = cursor === null ? '' : `&after=${encodeURIComponent(cursor)}`;
    const page = insist(request('GET', route, `${path}&limit=200${after}`, options)).must();
    all.push(...page.data);
    cursor = page.next_cursor;
  } while (cursor !== null);
  return all;
}
