// The pages that every service has of its own, of all services at once: each answers, says who it is, and keeps the
// request's id; and each replica of cart gets its turn.

import { claim } from '../lib/claims.js';
import { request, sendTogether } from '../lib/http.js';
import { unique } from '../lib/shop.js';

export const about = 'every service, and each of its own pages';
export const services = ['products', 'cart'];
export const optional = ['inventory', 'customers', 'orders', 'checkout', 'sales', 'reports'];
export const rate = 4;
export const claims = ['replicas_unseen'];
export const routes = { 'products.health': 500, 'products.ready': 500, 'products.openapi': 500, 'cart.health': 500 };

export function setup({ present }) {
  return { present };
}

export function run({ present }) {
  const id = `load-${unique()}`;
  const headers = { 'X-Request-ID': id };
  const wanted = present.flatMap((service) => ['health', 'ready', 'openapi.json'].map((page) =>
    request('GET', `${service}.${page.replace('.json', '')}`, `/api/${service}/${page}`, { headers })));
  for (const answer of sendTogether(wanted)) {
    const service = answer.wanted.params.tags.service;
    const by = answer.header('X-Served-By');
    answer.is('it says who it is', by === service || new RegExp(`^${service}-[0-9]+$`).test(by));
    answer.is('it keeps the id of the request', answer.header('X-Request-ID') === id);
  }
  const round = Array.from({ length: 9 }, () => request('GET', 'cart.health', '/api/cart/health'));
  const replicas = new Set(sendTogether(round).map((answer) => answer.header('X-Served-By')));
  // Other requests come between these, so that a round is not always complete; of nine, one alone never has all.
  claim('replicas_unseen', replicas.size >= 2 ? 0 : 1, `nine requests were answered by ${[...replicas].join(', ')}`);
}
