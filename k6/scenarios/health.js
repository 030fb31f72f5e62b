// The pages that every service has of its own, of all services at once: each answers, says who it is, and keeps the
// request's id.

import { request, sendTogether } from '../lib/http.js';
import { unique } from '../lib/shop.js';

export const about = 'every service, and each of its own pages';
export const services = ['products', 'cart'];
export const optional = ['inventory', 'customers', 'orders', 'checkout', 'sales', 'reports'];
export const rate = 4;
export const claims = [];
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
  // Whoever of the replicas is in; all of them are looked at by `replica_lost`.
  for (const answer of sendTogether(Array.from({ length: 9 }, () => request('GET', 'cart.health', '/api/cart/health')))) {
    answer.is('a replica says which one it is', /^cart-[0-9]+$/.test(answer.header('X-Served-By')));
  }
}
