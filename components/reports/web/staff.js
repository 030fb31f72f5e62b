// Who is at the desk: a key that the gateway knows, kept in this tab alone and gone with it. It is sent by these scripts
// only, so nothing goes out by itself with a request that another site makes.

import { request } from './http.js';
import { tab } from './storage.js';

const KEY = 'comptoir.office';

const read = () => JSON.parse(tab.recall(KEY) ?? 'null');

function write(staff) {
  if (staff) tab.remember(KEY, JSON.stringify(staff));
  else tab.forget(KEY);
  document.dispatchEvent(new Event(KEY));
}

/** `hq`, `manager`, or undefined. */
export const role = () => read()?.role;
export const signedIn = () => read() !== null;
export const signOut = () => write(null);
export const onStaff = (listener) => document.addEventListener(KEY, listener);

/** Fails with the answer of whoever refused the key: 401 for one that is none, 403 for one that is for something else. */
export async function signIn(key) {
  await send(key, 'GET', '/api/v1/reports/freshness');
  write({ key, role: (await mayRebuild(key)) ? 'hq' : 'manager' });
}

/** No service says what a key is for. Only the head office is told that there is no such rebuild. */
async function mayRebuild(key) {
  try {
    await send(key, 'GET', '/api/v1/reports/rebuilds/00000000-0000-0000-0000-000000000000');
    return true;
  } catch (error) {
    if (error.status === 403) return false;
    if (error.status === 404) return true;
    throw error;
  }
}

/** As whoever has signed in. A key that is no good any more ends the session: the answer is 401 then. */
export async function ask(method, path, options = {}) {
  try {
    return await send(read()?.key ?? '', method, path, options);
  } catch (error) {
    if (error.status === 401) write(null);
    throw error;
  }
}

const send = (key, method, path, options = {}) =>
  request(method, path, { ...options, headers: { ...options.headers, 'x-api-key': key } });
