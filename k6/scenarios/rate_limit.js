// Somebody guesses passwords: ten wrong ones of an account are looked at, however many are tried at once, and whether
// there is such an account or not; the rest is told to come back later, with the right one as well. Nobody else
// notices.

import { claim } from '../lib/claims.js';
import { request, send, sendTogether } from '../lib/http.js';
import { accounts, PASSWORD, signIn, unique } from '../lib/shop.js';

export const about = 'an account is locked after ten wrong passwords, and no other is';
export const services = ['customers'];
export const rate = 0.2;
export const claims = ['lockouts_missed'];
export const routes = { 'customers.guess': 3000, 'customers.login': 3000 };
/** To be told to come back later is what it is about. */
export const sheds = true;
export const faults = true;

const LOOKED_AT = 10;
const TRIED = 14;

export function setup() {
  return { bystanders: accounts(2) };
}

export function run({ bystanders }) {
  const [victim] = accounts(1);
  guess(victim.email);
  const late = signIn(victim.email, { expect: [429] });
  const wait = Number(late.header('Retry-After'));
  claim('lockouts_missed', late.ok && wait > 0 ? 0 : 1, `the right password of a locked account: ${late.status}`);
  guess(`nobody-${unique().toLowerCase()}@example.com`);
  // Once, because who was locked out is told to wait for minutes. The gateway's own limit is not what this is about.
  const { email } = bystanders[0];
  const other = send(request('POST', 'customers.login', '/api/v1/auth/login', { body: { email, password: PASSWORD } }));
  claim('lockouts_missed', other.json?.code === 'account-locked' ? 1 : 0, `somebody else is locked out: ${other.text.slice(0, 300)}`);
}

function guess(email) {
  const one = () => request('POST', 'customers.guess', '/api/v1/auth/login', {
    body: { email, password: `guess ${unique()}` }, expect: [401, 429],
  });
  const answers = sendTogether(Array.from({ length: TRIED }, one));
  const looked = answers.filter(({ status }) => status === 401).length;
  claim('lockouts_missed', Math.max(looked - LOOKED_AT, 0), `${looked} guesses of ${email} were looked at`);
  const last = send(one());
  claim('lockouts_missed', last.status === 429 && Number(last.header('Retry-After')) > 0 ? 0 : 1, `guess ${TRIED + 1}: ${last.status}`);
}
