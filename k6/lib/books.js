// After the load: waits until nothing is on its way any more, and then has the books of all services
// compared. The service `reports` does that; where it is not, each service's own audit cannot be reached
// from here, and is not asked.

import { sleep } from 'k6';
import { booksAgeS, settleS } from './config.js';
import { claim } from './claims.js';
import { ask, insist, pages, request } from './http.js';

const PAUSE_S = 1;
/** Looks at books that are about everything and do not agree, before that is believed. */
const LOOKS = 5;

/** Waits until every checkout has ended. The violations: checkouts that have not. */
export function atRest() {
  const running = () => ['running', 'compensating'].flatMap((state) =>
    pages('checkout.list', `/api/v1/checkouts?state=${state}`, { as: 'hq' }));
  const end = Date.now() + settleS * 1000;
  let left = running();
  while (left.length > 0 && Date.now() < end) {
    sleep(PAUSE_S);
    left = running();
  }
  return left;
}

/** Compares the books until they are about everything that was done before now, or time is up. */
export function reconcile(scenario) {
  const path = '/api/v1/reports/reconciliation?max_staleness_ms=0';
  const wanted = Date.now() + booksAgeS * 1000;
  const end = Date.now() + (booksAgeS + settleS) * 1000;
  let books = insist(request('GET', 'reports.reconciliation', path, { as: 'hq' })).must();
  const covers = ({ freshness }) => freshness.complete && Date.parse(freshness.as_of) >= wanted;
  console.log(`the books are compared in ${booksAgeS} s: rules that join services leave the last minute out`);
  for (let looks = 0; !(covers(books) && isSilent(books)) && looks < LOOKS && Date.now() < end; ) {
    if (covers(books)) looks += 1;
    sleep(PAUSE_S);
    books = insist(request('GET', 'reports.reconciliation', path, { as: 'hq' })).must();
  }
  claim('broken_books', books.data.length, JSON.stringify(books.data.slice(0, 5)), scenario);
  claim('broken_books', books.unavailable.length, `no audit of ${books.unavailable.join(', ')}`, scenario);
  claim('broken_books', books.unchecked.length, `not looked at: ${books.unchecked.join(', ')}`, scenario);
  claim('broken_books', covers(books) ? 0 : 1, `the feeds were not read to their end: ${JSON.stringify(books.freshness)}`, scenario);
}

function isSilent({ data, unavailable, unchecked }) {
  return data.length + unavailable.length + unchecked.length === 0;
}

/** Which of these services are not behind the gateway. */
export function absent(services) {
  return services.filter((service) => {
    const answer = ask('GET', `${service}.ready`, `/api/${service}/ready`, { expect: [200, 404] });
    if (answer.ok) return answer.status === 404;
    throw new Error(`${service} is not ready: ${answer.status} ${answer.text.slice(0, 300)}`);
  });
}
