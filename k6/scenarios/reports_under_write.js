// Reports while tills sell: whoever asks for everything that has happened so far gets it, or is told that it is not all.
// Each client has a product of its own, sells some of it, and finds just that in the report that is complete.

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
/** How long reports may be incomplete, and how often one is asked for: a transaction that takes long holds them back. */
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
  let report = sales();
  while (report.ok && !report.json.freshness.complete && Date.now() < end) {
    sleep(PAUSE_S);
    report = sales();
  }
  if (!report.ok) return;
  const { data, freshness } = report.json;
  const units = data.find(({ key }) => key === String(mine.id))?.units ?? 0;
  const found = `product ${mine.id}: ${units} units, and ${sold} were sold; complete: ${freshness.complete}`;
  claim('stale_reports', freshness.complete && units === sold ? 0 : 1, found);
}

/** From yesterday on, because a day ends in Toronto and not here. */
function sales() {
  const day = (ago) => new Date(Date.now() - ago * 86400000).toISOString().slice(0, 10);
  const path = `/api/v1/reports/sales?group_by=product&from=${day(1)}&to=${day(0)}&channel=store&max_staleness_ms=0`;
  return ask('GET', 'reports.sales', path, { as: 'manager' });
}
