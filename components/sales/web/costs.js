// What the basket costs: at once by the catalogue that is here, and then by the services, who decide.

import { isAway, isConnected } from './api.js';
import { learn, productOf, quoteHere, quoteThere } from './catalogue.js';
import { Problem, pause } from './http.js';
import { money, nameOf } from './i18n.js';
import { lines, theTill } from './state.js';
import { t } from './till-texts.js';

/** While somebody types or scans on, nobody is asked. */
const PAUSE_MS = 200;

/** `of` is the basket that `quote` is of; `problem` says why the services have none. */
let known = { of: '' };
let asking = new AbortController();

const basket = () => JSON.stringify(lines());

/** `{ quote, isSure, problem }` */
export function costs() {
  const isKnown = known.of === basket();
  const quote = (isKnown && known.quote) || quoteHere(lines());
  return { quote, isSure: isKnown && known.quote !== undefined, problem: isKnown ? known.problem : undefined };
}

/**
 * Asks the services; resolves to what has changed, as texts, or null when it was not asked to the end. Every change of the
 * basket asks again.
 */
export async function confirm() {
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  const of = basket();
  if (lines().length === 0 || !isConnected()) return null;
  try {
    await pause(PAUSE_MS, signal);
  } catch {
    return null; // the basket is another by now
  }
  try {
    const before = new Map(lines().map(({ id }) => [id, productOf(id)]));
    const quote = await quoteThere(theTill().store, JSON.parse(of));
    if (signal.aborted) return null;
    known = { of, quote };
    const changed = quote.lines.filter(
      ({ product_id: id, unit_price: price }) => before.get(id)?.price.amount !== price.amount,
    );
    await learn(quote.lines);
    return changed.map(({ product_id: id, unit_price: price }) =>
      t('price-is-now', { name: nameOf(productOf(id)), price: money(price), before: money(before.get(id).price) }),
    );
  } catch (error) {
    if (isAway(error) || signal.aborted) return null;
    if (!(error instanceof Problem)) throw error;
    const wrong = error.errors.map(({ pointer }) => /^\/lines\/(\d+)\//.exec(pointer)?.[1]).filter(Boolean);
    const names = wrong.map((index) => nameOf(productOf(JSON.parse(of)[index].id)));
    known = { of, problem: names.length ? t('not-sold', { names: names.join(', ') }) : error.message };
    return [];
  }
}

/** What was known is not so any more. */
export const doubt = () => {
  known = { of: '' };
};
