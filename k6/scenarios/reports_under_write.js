// Reports while tills sell: whoever asks for everything that has happened so far gets it at once, or very soon. Each
// client has a product of its own, sells some of it, and finds just that in the report: never more, and no less for
// longer than a feed may be held up by a transaction that was there before the sale and has not ended.

import exec from 'k6/execution';
import { sleep } from 'k6';
import { claim } from '../lib/claims.js';
import { ask, insist, request } from '../lib/http.js';
import { deliver, product, STORES } from '../lib/shop.js';
import { basket, saleOf, tills } from '../lib/tills.js';

export const about = 'sales, and reports that have to know of them';
export const services = ['products', 'inventory', 'sales', 'reports'];
export const rate = 1;
export const claims = ['stale_reports'];
export const routes = {
  'sales.sell': 1000, 'reports.sales': 2000, 'reports.consolidated': 2000, 'reports.dashboard': 2000, 'reports.freshness': 1000,
};

const PRODUCTS = 30;
/** How long a sale may be missing, and how often it is looked for. */
const LATE_S = 10;
const PAUSE_S = 0.25;

/** The product of this client, and what it has sold of it. */
let line;
let sold = 0;

export function setup() {
  const goods = Array.from({ length: PRODUCTS }, (_, index) => product(`Rapport ${index}`, 500 + index, 10));
  for (const store of STORES) deliver(store, 100000, ...goods);
  return { goods, tills: tills(STORES.length) };
}

export function run({ goods, tills: all }) {
  line ??= exec.scenario.iterationInTest;
  const mine = goods[line];
  if (mine === undefined) return;
  const till = all[exec.scenario.iterationInTest % all.length];
  const id = crypto.randomUUID();
  const body = saleOf(till, basket([{ product: mine, quantity: 2 }], 'card'));
  const sale = insist(request('PUT', 'sales.sell', `/api/v1/sales/${id}`, { as: 'pos', body, expect: [200, 201] }));
  if (!sale.ok) return;
  sold += 2;
  isKnown(mine);
  for (const report of ['consolidated', 'dashboard', 'freshness']) {
    ask('GET', `reports.${report}`, `/api/v1/reports/${report}`, { as: 'manager' });
  }
}

function isKnown(mine) {
  const end = Date.now() + LATE_S * 1000;
  let units = unitsOf(mine);
  while (units < sold && Date.now() < end) {
    sleep(PAUSE_S);
    units = unitsOf(mine);
  }
  claim('stale_reports', units === sold ? 0 : 1, `product ${mine.id}: ${units} units, and ${sold} were sold`);
}

/** From yesterday on, because a day ends in Toronto and not here. */
function unitsOf(mine) {
  const day = (ago) => new Date(Date.now() - ago * 86400000).toISOString().slice(0, 10);
  const path = `/api/v1/reports/sales?group_by=product&from=${day(1)}&to=${day(0)}&channel=store&max_staleness_ms=0`;
  const report = ask('GET', 'reports.sales', path, { as: 'manager' });
  return report.json?.data?.find(({ key }) => key === String(mine.id))?.units ?? 0;
}
