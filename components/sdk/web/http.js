// Requests to the services, through the gateway that the page came from. Errors are problems (RFC 9457).

import { texts } from './i18n.js';

const ATTEMPTS = 3;
const PAUSE_MS = 300;
const PAUSE_MAX_MS = 5_000;
/** The most that a list gives at once. */
const PAGE = 200;

/** An answer that is no success. `code` is what one branches on; members of its own are in `body`. */
export class Problem extends Error {
  name = 'Problem';

  constructor(response, body) {
    super(body.detail ?? body.title ?? `status ${response.status}`);
    this.status = response.status;
    this.code = body.code ?? '';
    this.errors = body.errors ?? [];
    this.body = body;
    this.requestId = body.request_id ?? response.headers.get('x-request-id');
    this.retryAfterS = Number(response.headers.get('retry-after')) || null;
    this.etag = response.headers.get('etag');
  }

  /** What is wrong with the member at this pointer of the body, if anything. */
  at(pointer) {
    return this.errors.find((error) => error.pointer === pointer);
  }
}

/** There was no answer. */
export class NoAnswer extends Error {
  name = 'NoAnswer';
}

/**
 * An answer that is a success: `{ status, data, etag, headers }`.
 *
 * `key` is the Idempotency-Key of a POST or PATCH: make it once for what somebody means to do, with `newKey`, and send it
 * with every attempt. What may be repeated is repeated, when nobody answered or was told to come back.
 */
export async function request(method, path, { body, key, ifMatch, ifNoneMatch, headers = {}, signal } = {}) {
  const fields = new Headers({ accept: 'application/json', ...headers });
  if (key !== undefined) fields.set('idempotency-key', key);
  if (ifMatch !== undefined) fields.set('if-match', ifMatch);
  if (ifNoneMatch !== undefined) fields.set('if-none-match', ifNoneMatch);
  if (body !== undefined && !fields.has('content-type')) fields.set('content-type', 'application/json');
  // What is somebody's own is not left on the disk.
  const cache = fields.has('authorization') || fields.has('x-api-key') ? 'no-store' : 'no-cache';
  const sent = { method, headers: fields, signal, credentials: 'omit', cache };
  if (body !== undefined) sent.body = typeof body === 'string' ? body : JSON.stringify(body);
  const repeatable = key !== undefined || ['GET', 'PUT', 'DELETE'].includes(method);
  for (let attempt = 1; ; attempt += 1) {
    const { answer, error } = await send(path, sent);
    if (answer) return answer;
    if (attempt === ATTEMPTS || !repeatable || !comesBack(error)) throw error;
    await pause(Math.min(1000 * (error.retryAfterS ?? 0) || PAUSE_MS * attempt, PAUSE_MAX_MS), signal);
  }
}

export const get = (path, options) => request('GET', path, options);
export const post = (path, body, options) => request('POST', path, { body, ...options });

/** All that a list has, page by page; `ask` is given the path of one. */
export async function everyPage(ask, path, parameters = {}) {
  const found = [];
  let after;
  do {
    const { data } = await ask(query(path, { ...parameters, limit: PAGE, after }));
    found.push(...data.data);
    after = data.next_cursor;
  } while (after);
  return found;
}

/** What a page gets along without: null when it cannot be had. A bug is still one. */
export async function optional(answer) {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Problem || error instanceof NoAnswer) return null;
    throw error;
  }
}

async function send(path, sent) {
  let response;
  let body;
  try {
    response = await fetch(path, sent);
    body = await read(response);
  } catch (cause) {
    if (cause.name === 'AbortError') throw cause;
    return { error: new NoAnswer('there was no answer', { cause }) };
  }
  if (!response.ok && response.status !== 304) return { error: new Problem(response, body ?? {}) };
  return {
    answer: { status: response.status, data: body, etag: response.headers.get('etag'), headers: response.headers },
  };
}

async function read(response) {
  const text = await response.text();
  const isJson = /[/+]json\b/.test(response.headers.get('content-type') ?? '');
  if (!isJson) return text;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Whether asking again may help: nobody answered, a dependency is down, or the first attempt still runs. */
const comesBack = (error) =>
  error instanceof NoAnswer || [502, 503, 504].includes(error.status) || error.code === 'idempotency-in-progress';

export const pause = (ms, signal) =>
  new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal?.addEventListener('abort', stop, { once: true });
  });

/** 122 random bits, as a UUID. `crypto.randomUUID` is not there on plain HTTP. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** A path with its parameters; what is empty is left out. */
export function query(path, parameters) {
  const pairs = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== null && value !== '');
  return pairs.length ? `${path}?${new URLSearchParams(pairs)}` : path;
}

const t = texts({
  fr: {
    'no-answer': 'Pas de réponse. Vérifiez votre connexion, puis réessayez.',
    unavailable: 'Le service est momentanément indisponible. Réessayez dans un instant.',
    'too-many': 'Trop de demandes à la fois. Réessayez dans un instant.',
    unauthorized: 'Il faut vous identifier.',
    forbidden: 'Vous n’y avez pas accès.',
    'not-found': 'Introuvable.',
    stale: 'Cela a changé entre-temps. Voici l’état actuel.',
    bug: 'Une erreur est survenue de notre côté. Référence : {id}',
  },
  en: {
    'no-answer': 'No answer. Check your connection, then try again.',
    unavailable: 'The service is unavailable for the moment. Try again shortly.',
    'too-many': 'Too many requests at once. Try again shortly.',
    unauthorized: 'You have to sign in.',
    forbidden: 'You have no access to this.',
    'not-found': 'Not found.',
    stale: 'It was changed in the meantime. This is how it is now.',
    bug: 'Something went wrong on our side. Reference: {id}',
  },
});

/**
 * What to tell people. `own` are a page's texts, looked up by the problem's code first, and by that of what is wrong with
 * the body; what is known of a status comes next, and then the service's own words, which are English.
 */
export function explain(error, own) {
  const code = [error.code, error.errors?.[0]?.code].find((one) => own?.has(one));
  if (code) return own(code, error.body);
  if (error instanceof NoAnswer) return t('no-answer');
  if (!(error instanceof Problem)) throw error;
  switch (error.status) {
    case 401:
      return t('unauthorized');
    case 403:
      return t('forbidden');
    case 404:
      return t('not-found');
    case 412:
      return t('stale');
    case 429:
      return t('too-many');
    case 502:
    case 503:
    case 504:
      return t('unavailable');
    case 500:
      return t('bug', { id: error.requestId });
    default:
      return error.errors[0]?.detail ?? error.message;
  }
}
