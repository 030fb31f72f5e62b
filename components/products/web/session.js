// Who has signed in. Two tokens in this origin's own storage, which no other origin can read, and no cookie, so nothing
// goes out by itself with a request that another site makes.

import { optional, post, request } from './http.js';
import { forget, recall, remember } from './storage.js';

const KEY = 'comptoir.session';
/** A token that lives less than this is renewed first. */
const LEFT_MS = 30_000;

const read = () => JSON.parse(recall(KEY) ?? 'null');

function write(session) {
  if (session) remember(KEY, JSON.stringify(session));
  else forget(KEY);
  document.dispatchEvent(new Event('comptoir:session'));
}

export const signedIn = () => read() !== null;
export const customerId = () => read()?.customer;
/** `listener` is told whether it was `elsewhere`, in another tab, that somebody came or left, or a token was renewed. */
export const onSession = (listener) => {
  document.addEventListener('comptoir:session', () => listener({ elsewhere: false }));
  addEventListener('storage', (event) => event.key === KEY && listener({ elsewhere: true }));
};

const kept = ({ data }) => ({
  customer: data.customer_id,
  access: data.access_token,
  accessEnds: Date.now() + 1000 * data.expires_in,
  refresh: data.refresh_token,
});

export async function signIn(email, password) {
  write(kept(await post('/api/v1/auth/login', { email, password })));
}

/** `key` is that of the form: who tries again after an answer was lost has the account already, and signs in. */
export async function register(account, key) {
  await post('/api/v1/customers', account, { key });
  await signIn(account.email, account.password);
}

export async function signOut() {
  const session = read();
  write(null);
  if (!session) return;
  // Forgotten here; what was not revoked there ends by itself.
  await optional(post('/api/v1/auth/logout', { refresh_token: session.refresh }));
}

/** As the customer. A token that is no good any more ends the session: the answer is 401 then. */
export async function authorized(method, path, options = {}) {
  const token = await accessToken();
  try {
    return await request(method, path, {
      ...options,
      headers: { ...options.headers, authorization: `Bearer ${token}` },
    });
  } catch (error) {
    if (error.status === 401) write(null);
    throw error;
  }
}

async function accessToken() {
  const session = read();
  if (session && session.accessEnds - Date.now() > LEFT_MS) return session.access;
  // One tab renews, and the others find what it got. There are no locks on plain HTTP: then a race is answered with 409.
  if (navigator.locks) return navigator.locks.request(KEY, renew);
  return renew();
}

async function renew() {
  const session = read();
  if (!session) return '';
  if (session.accessEnds - Date.now() > LEFT_MS) return session.access;
  try {
    write(kept(await post('/api/v1/auth/refresh', { refresh_token: session.refresh })));
  } catch (error) {
    const newer = read();
    if (error.code === 'token-rotated' && newer && newer.refresh !== session.refresh) return newer.access;
    if (error.status === 401) write(null);
    throw error;
  }
  return read().access;
}
