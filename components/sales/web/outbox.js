// Sales, from the moment that they are paid until the services have recorded them. Each is on the disk before anybody is
// told of it, under an id that the till has made: it may be sent as often as it takes, and is recorded once.
//
//   waiting   on the disk; the services may have it or not
//   recorded  the services have it, and have given it a number
//   refused   the services will never take it as it is: somebody has to look at it
//   settled   somebody has

import { ask, isAway, isConnected, isDenied, now } from './api.js';
import { add, read, readAll, remove, write } from './database.js';

const OUTBOX = 'comptoir:outbox';
/** What was recorded is kept for a while, to be shown: the services have it. What was settled is nowhere else. */
const KEPT_MS = 24 * 60 * 60 * 1000;
const SHORTAGES_MAX = 100;
/** How long a customer waits for a number. */
const PATIENCE_MS = 5_000;

let entries = new Map();
const underWay = new Set();
let uploading = null;

export const onOutbox = (listener, options) => document.addEventListener(OUTBOX, listener, options);
const changed = () => document.dispatchEvent(new Event(OUTBOX));

const inState = (state) => [...entries.values()].filter((entry) => entry.state === state);
export const waiting = () => inState('waiting').filter(({ id }) => !underWay.has(id));
export const refused = () => inState('refused');
export const settled = () => inState('settled');
export const entryOf = (id) => entries.get(id);
/** The latest first. */
export const allEntries = () => [...entries.values()].sort((one, other) => other.at.localeCompare(one.at));

export async function load() {
  const stored = await readAll('sales');
  entries = new Map(stored.map((entry) => [entry.id, entry]));
  const old = new Date(Date.now() - KEPT_MS).toISOString();
  const done = stored.filter(({ state, at }) => state === 'recorded' && at < old);
  for (const { id } of done) {
    entries.delete(id);
    await remove('sales', id);
  }
}

/** Each window has its own idea of what is on the disk, and hears of what another one has written. */
const windows = new BroadcastChannel(OUTBOX);
windows.addEventListener('message', async ({ data: id }) => {
  const entry = await read('sales', id);
  if (entry) entries.set(id, entry);
  else entries.delete(id);
  changed();
});

async function put(entry) {
  await write('sales', entry);
  entries.set(entry.id, entry);
  windows.postMessage(entry.id);
  changed();
  return entry;
}

/**
 * A sale that is paid: `{ id, session, lines, payments, expected }`, and `shown`, from which a receipt can be made.
 * Resolves to its entry, recorded or waiting. What the services refuse at once was not sold: that is thrown, and nothing
 * is kept. Neither was a basket that is on the disk already, sold in another window: that is a `ConstraintError`.
 */
export async function sell({ id, session, cashier, lines, payments, expected, shown }) {
  const at = now().toISOString();
  const offline = {
    session_id: session,
    lines: lines.map(({ id: product, quantity, price }) => ({ product_id: product, quantity, unit_price: price })),
    payments,
    offline: { sold_at: at, cashier },
  };
  const body = {
    session_id: session,
    lines: lines.map(({ id: product, quantity }) => ({ product_id: product, quantity })),
    payments,
    expected_total: expected,
  };
  const entry = { id, at, state: 'waiting', session, body: offline, shown };
  underWay.add(id);
  try {
    // Other windows hear of it in the end: they would send it as sold, and it may be refused yet.
    await add('sales', entry);
    entries.set(id, entry);
    return isConnected() ? await sentAtOnce(entry, body) : entry;
  } finally {
    underWay.delete(id);
    windows.postMessage(id);
    changed();
  }
}

async function sentAtOnce(entry, body) {
  const { id, shown } = entry;
  let sale;
  try {
    sale = await record({ id, body, shown }, PATIENCE_MS);
  } catch (error) {
    // Without an answer it may have been recorded. The customer goes: it is sold, and sent until that is certain.
    if (isAway(error)) return entry;
    entries.delete(id);
    await remove('sales', id);
    throw error;
  }
  return recorded(entry, sale);
}

async function recorded(entry, sale) {
  const done = { ...entry, state: 'recorded', sale, problem: undefined, uploaded: now().toISOString() };
  try {
    return await put(done);
  } catch (error) {
    // The services have it. For the disk it waits: when the page is loaded again it is sent again, and recorded once.
    reportError(error);
    entries.set(done.id, done);
    changed();
    return done;
  }
}

/**
 * Everything that waits, the oldest first, until nobody answers any more. One at a time, in however many windows. One that
 * the services stumble over does not keep the others back.
 * Resolves to what was `sent`, and what it was `interrupted` by.
 */
export function upload() {
  uploading ??= alone(send).finally(() => {
    uploading = null;
    changed();
  });
  return uploading;
}

export const isUploading = () => uploading !== null;

const alone = (work) => navigator.locks?.request('comptoir.till.upload', work) ?? work();

async function send() {
  const sent = [];
  let stumbled;
  for (const entry of waiting().sort((one, other) => one.at.localeCompare(other.at))) {
    changed();
    try {
      sent.push(await recorded(entry, await record(entry)));
    } catch (error) {
      if (error.status === 500) {
        stumbled = error;
        continue;
      }
      if (isAway(error) || isDenied(error)) return { sent, interrupted: error };
      const { status, code, message, errors, requestId } = error;
      if (status === undefined) throw error;
      const [{ code: reason, detail } = { code, detail: message }] = errors;
      const problem = { status, code: reason, detail, requestId };
      await put({ ...entry, state: 'refused', problem });
    }
  }
  return { sent, interrupted: stumbled };
}

/** As it is recorded: by this request, or by one before of which nobody has heard, as it was sent then. */
async function record({ id, body, shown }, patience) {
  try {
    return (await ask('PUT', `/api/v1/sales/${id}`, { body, patience })).data;
  } catch (error) {
    if (error.code !== 'sale-differs') throw error;
    const { data: sale } = await ask('GET', `/api/v1/sales/${id}`);
    if (sale.total.amount !== shown.total.amount) throw error;
    return sale;
  }
}

/** Sold, and not on the shelf by the books: what inventory has noted of these sales. */
export async function shortages(store, sales) {
  const parameters = new URLSearchParams({ location: store, kind: 'sold_without_stock', limit: SHORTAGES_MAX });
  const { data } = await ask('GET', `/api/v1/discrepancies?${parameters}`);
  const of = new Set(sales.map(({ id }) => `issue/${id}`));
  return data.data.filter(({ reference }) => of.has(reference));
}

export const note = (id, members) => put({ ...entries.get(id), ...members });
export const tryAgain = (id) => note(id, { state: 'waiting' });
export const settle = (id) => note(id, { state: 'settled' });
