// The services as a till asks them: with its key, for a while, and knowing whether anybody answers.

import { NoAnswer, Problem, everyPage, request } from './http.js';
import { forget, recall, remember } from './storage.js';

const KEY = 'comptoir.till.key';
const CLOCK = 'comptoir.till.clock';
const CONNECTION = 'comptoir:connection';
const PATIENCE_MS = 10_000;
const CLOCK_OFF_MS = 60_000;

const mayBeKept = Boolean(navigator.serviceWorker?.controller);
/** A page from the network was answered. One that was kept does not know, until somebody was asked. */
let connected = navigator.onLine && (mayBeKept ? undefined : true);

export const key = () => recall(KEY);
export const rememberKey = (text) => remember(KEY, text);
export const forgetKey = () => forget(KEY);

/** Unless nobody answered, the last time that somebody was asked. */
export const isConnected = () => connected !== false;
export const isKnown = () => connected !== undefined;
export const onConnection = (listener, options) => document.addEventListener(CONNECTION, listener, options);

/** Nobody answered, or somebody without the one behind. It may have been done all the same. */
export const isAway = (error) =>
  error instanceof NoAnswer || (error instanceof Problem && [429, 500, 502, 503, 504].includes(error.status));

/** The key is not, or not any more, one that may do this. */
export const isDenied = (error) => error instanceof Problem && [401, 403].includes(error.status);

/** Like `request`, with the till's key, and for so long. */
export async function ask(method, path, { headers, patience = PATIENCE_MS, ...options } = {}) {
  const fields = { 'x-api-key': key() ?? '', ...headers };
  try {
    const answer = await request(method, path, {
      ...options,
      headers: fields,
      signal: AbortSignal.timeout(patience),
    });
    setClock(answer.headers);
    notice(true);
    return answer;
  } catch (cause) {
    const error = cause.name === 'TimeoutError' ? new NoAnswer('there was no answer in time', { cause }) : cause;
    notice(!isAway(error) || [429, 500].includes(error.status));
    throw error;
  }
}

export const all = (path, parameters) => everyPage((page) => ask('GET', page), path, parameters);

/** Somebody says that there is a network, or that there is none. */
export function notice(now) {
  if (now === connected) return;
  connected = now;
  document.dispatchEvent(new Event(CONNECTION));
}

/**
 * A till's clock may be wrong; what it sold is recorded with the time of the services. They say it to the second and some
 * time ago, so a clock that is about right is the better one.
 */
function setClock(headers) {
  const off = Date.parse(headers.get('date') ?? '') - Date.now();
  if (!Number.isNaN(off)) remember(CLOCK, String(Math.abs(off) < CLOCK_OFF_MS ? 0 : off));
}

export const now = () => new Date(Date.now() + Number(recall(CLOCK) ?? 0));
