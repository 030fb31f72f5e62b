// What the page asks of the admin port. The token goes into a header of what changes something, and nowhere else.

import { tab } from './storage.js';

const TIMEOUT_MS = 10_000;
/** Databases are asked one after another, and each may have to be waited for. */
const READINESS_TIMEOUT_MS = 60_000;
const KEPT_AS = 'comptoir.admin-token';

/** An answer that is no success, with what its problem document says. */
export class Refused extends Error {
  constructor(status, problem) {
    super(problem?.detail ?? `HTTP ${status}`);
    this.status = status;
    /** Where the component was turned away; nothing when it was not looked at. */
    this.stage = problem?.stage;
    this.replica = problem?.replica;
    /** Replicas that had it already. */
    this.swapped = problem?.swapped ?? [];
  }
}

/** The connection failed, or there was no answer in time. */
export class Unreachable extends Error {}

async function ask(path, options = {}, timeout = TIMEOUT_MS) {
  try {
    return await fetch(path, { cache: 'no-store', signal: AbortSignal.timeout(timeout), ...options });
  } catch (error) {
    throw new Unreachable(error.message, { cause: error });
  }
}

async function json(path, options) {
  const answer = await ask(path, options);
  // Somebody in between may answer as well, and not in JSON.
  if (!answer.ok) throw new Refused(answer.status, await content(answer).catch(() => undefined));
  return content(answer);
}

async function content(answer) {
  try {
    return await answer.json();
  } catch (error) {
    throw new Unreachable(error.message, { cause: error });
  }
}

export const components = async () => (await json('components')).components;
export const traffic = () => json('traffic');

/** What keeps the host from being ready; an empty list is good. */
export async function waiting() {
  // 503 with the same content, while there is something.
  return (await content(await ask('ready', {}, READINESS_TIMEOUT_MS))).waiting;
}

/** In this tab, until it is closed or locked. */
export const token = {
  get: () => tab.recall(KEPT_AS),
  set: (value) => tab.remember(KEPT_AS, value),
  forget: () => tab.forget(KEPT_AS),
};

const bearer = (value) => (value ? { authorization: `Bearer ${value}` } : {});

/** Whether changes are 'allowed' with this token, or 'need-token', or 'off' because this host has none. */
export const permission = async (value) => (await json('authorization', { headers: bearer(value) })).changes;

export const rollback = (name) =>
  json(`components/${encodeURIComponent(name)}/rollback`, { method: 'POST', headers: bearer(token.get()) });

/** `fetch` does not tell how much of a body has been sent. */
export function swap(name, file, onProgress) {
  const request = new XMLHttpRequest();
  const done = new Promise((resolve, reject) => {
    request.open('PUT', `components/${encodeURIComponent(name)}`);
    request.setRequestHeader('authorization', `Bearer ${token.get()}`);
    request.setRequestHeader('content-type', 'application/wasm');
    request.responseType = 'json';
    request.upload.onprogress = ({ loaded, total }) => onProgress(loaded, total);
    request.onload = () =>
      request.status === 200 ? resolve(request.response) : reject(new Refused(request.status, request.response));
    request.onerror = () => reject(new Unreachable());
    request.onabort = () => reject(new DOMException('aborted', 'AbortError'));
    request.send(file);
  });
  return { done, abort: () => request.abort() };
}
