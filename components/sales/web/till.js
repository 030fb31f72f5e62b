// The till: what is around its views, which view is at which path, and what goes on beside them: sales are uploaded, and
// the catalogue is kept fresh. `src/api/browser.rs` knows the paths.

import { announce } from './a11y.js';
import { ask, isAway, isConnected, isDenied, isKnown, key, notice, onConnection } from './api.js';
import { isStale, load as loadCatalogue, productOf, refresh as refreshCatalogue } from './catalogue.js';
import { h, replace } from './dom.js';
import { closing, drawer } from './drawer.js';
import { frame, navigation } from './frame.js';
import { money } from './i18n.js';
import { keepPage } from './offline.js';
import { opening, signIn } from './opening.js';
import {
  entryOf,
  isUploading,
  load as loadOutbox,
  note,
  onOutbox,
  refused,
  shortages,
  upload,
  waiting,
} from './outbox.js';
import { kbd, names } from './parts.js';
import { payment } from './payment.js';
import { returning, sale, sales, voiding } from './sales.js';
import { listen } from './scanner.js';
import { onScan, selling } from './selling.js';
import { basketId, empty, lines, onElsewhere, onTill, put, theTill } from './state.js';
import { t } from './till-texts.js';
import { router } from './router.js';
import { uploads } from './uploads.js';

const SOON_MS = 3_000;
const LATER_MS = 15_000;

const inSession = (view) => (options) => (theTill() ? view(options) : { redirect: '/till/open' });

const VIEWS = [
  [/^\/till$/, inSession(selling)],
  [/^\/till\/payment$/, inSession(payment)],
  [/^\/till\/sales$/, inSession(sales)],
  [/^\/till\/sales\/([0-9a-f-]+)$/, inSession(sale)],
  [/^\/till\/sales\/([0-9a-f-]+)\/return$/, inSession(returning)],
  [/^\/till\/sales\/([0-9a-f-]+)\/void$/, inSession(voiding)],
  [/^\/till\/drawer$/, inSession(drawer)],
  [/^\/till\/close$/, inSession(closing)],
  [/^\/till\/uploads$/, (options) => uploads({ ...options, again: () => wake() })],
  [/^\/till\/open$/, opening],
  [/^\/till\/key$/, (options) => signIn({ ...options, again: () => wake() })],
  [/^\//, async () => ({ redirect: '/till' })],
];

const KEYS = { F2: '/till', F4: '/till/payment', F7: '/till/sales', F8: '/till/drawer' };

let isKeyRefused = false;

const badge = h('a', { class: 'badge condition', href: '/till/uploads' });
const messages = h('aside', { class: 'messages', 'aria-label': t('messages') });

function head() {
  messages.setAttribute('aria-label', t('messages'));
  drawCondition();
  if (!theTill()) return [h('span', { class: 'nav' }), badge];
  const link = (href, text, shortcut) => h('a', { href, 'aria-keyshortcuts': shortcut }, text, kbd(shortcut));
  return [
    navigation(
      link('/till', t('sell'), 'F2'),
      link('/till/sales', t('sales'), 'F7'),
      link('/till/drawer', t('drawer'), 'F8'),
    ),
    badge,
  ];
}

function foot() {
  const till = theTill();
  return [till && h('p', {}, t('where', till)), till && h('p', { class: 'shortcuts' }, t('shortcuts'))];
}

/** What is to be known of the till's condition: calm while all is well. */
function condition() {
  if (isKeyRefused) return ['bad', t('key-is-refused')];
  if (!isKnown()) return ['', t('connecting')];
  const count = waiting().length;
  if (!isConnected()) return ['careful', count > 0 ? t('away-with', { count }) : t('away')];
  if (refused().length > 0) return ['bad', t('refused', { count: refused().length })];
  if (count > 0) return ['careful', isUploading() ? t('uploading', { count }) : t('to-upload', { count })];
  return ['good', t('connected')];
}

let said = '';
function drawCondition() {
  const [kind, text] = condition();
  badge.className = `badge condition ${kind}`;
  badge.setAttribute('href', isKeyRefused ? '/till/key' : '/till/uploads');
  // Without a key nobody is asked.
  badge.hidden = key() === null && !isKnown();
  replace(badge, h('span', { class: 'dot', 'aria-hidden': 'true' }), text);
  if (!isKnown()) return;
  if (said !== '' && said !== text && badge.isConnected) announce(text);
  said = text;
}

function message(kind, ...content) {
  const close = h('button', { type: 'button', class: 'quiet icon', 'aria-label': t('dismiss') }, '×');
  const shown = h('div', { class: `notice ${kind} message` }, h('div', {}, content), close);
  close.addEventListener('click', () => shown.remove());
  messages.append(shown);
  announce(shown.innerText);
}

function shown(url) {
  for (const link of document.querySelectorAll('.nav a')) {
    if (url.pathname === link.pathname) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  if (document.activeElement === document.body) document.querySelector('main [data-first]')?.focus();
  for (const old of messages.querySelectorAll('.info.seen')) old.remove();
  for (const here of messages.children) here.classList.add('seen');
}

const { main, draw } = frame({
  brand: () => t('till'),
  home: '/till',
  head,
  foot,
  view: () => show(),
});
main.before(messages);
const { go, refresh: show } = router({
  main,
  views: VIEWS,
  site: t('till'),
  shown,
  failed: { title: () => t('failed'), again: () => t('try-again') },
  entrance: () => '/till/key',
});

addEventListener('keydown', (event) => {
  const path = KEYS[event.key];
  if (!path || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
  event.preventDefault();
  if (location.pathname !== path) go(path);
  else if (path === '/till') document.querySelector('main [data-first]')?.focus();
});

listen('.scan', (code) => {
  if (location.pathname === '/till') onScan(code);
  else if (theTill()) go('/till').then(() => onScan(code));
});

onTill(draw);
onElsewhere(({ isDrawer }) => {
  if (isDrawer) draw();
  if (isDrawer || ['/till', '/till/payment'].includes(location.pathname)) show();
});
onConnection(() => {
  drawCondition();
  if (isConnected()) wake();
});
onOutbox(drawCondition);
addEventListener('offline', () => notice(false));
addEventListener('online', () => wake());

/** What was found when sales came to the services later than they were made. */
async function tell(sent) {
  let short = [];
  try {
    short = await shortages(theTill()?.store ?? sent[0].sale.store_id, sent);
  } catch (error) {
    if (!isAway(error) && !isDenied(error)) throw error;
  }
  for (const { id } of sent) {
    const own = short.filter(({ reference }) => reference.endsWith(id));
    if (own.length) await note(id, { shortages: own });
  }
  const otherwise = sent.filter(({ sale: { price_differs: differs } }) => differs);
  const total = { amount: sent.reduce((sum, entry) => sum + entry.sale.total.amount, 0), currency: 'CAD' };
  const link = ({ id, sale: { number } }) => [' ', h('a', { href: `/till/sales/${id}` }, number)];
  message(
    otherwise.length || short.length ? 'warning' : 'info',
    h('p', {}, t('uploaded', { count: sent.length, total: money(total) }), sent.length <= 5 && sent.map(link)),
    otherwise.length > 0 && h('p', {}, t('prices-differed', { count: otherwise.length }), otherwise.map(link)),
    short.length > 0 && h('p', {}, t('shortages', { names: names(short.map(({ product_id: id }) => id)) })),
  );
}

let wake = () => {};
const slept = (ms) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    wake = () => {
      clearTimeout(timer);
      resolve();
    };
  });

/** Uploads what waits; asks whether anybody is there when the last one was not; hears of new prices. */
async function tend() {
  if (key() === null) return;
  if (waiting().length > 0) {
    const { sent, interrupted } = await upload();
    if (sent.length > 0) await tell(sent);
    if (interrupted) throw interrupted;
  } else if (!isKnown() || !isConnected()) {
    await ask('GET', '/api/v1/registers?limit=1');
  }
  const till = theTill();
  if (till && isConnected() && isStale(till.store)) {
    await refreshCatalogue(till.store);
    forgetUnknown();
  }
  isKeyRefused = false;
}

async function tendForEver() {
  let pause = SOON_MS;
  for (;;) {
    try {
      await tend();
      pause = SOON_MS;
    } catch (error) {
      if (isDenied(error)) isKeyRefused = true;
      else if (!isAway(error)) reportError(error);
      pause = Math.min(pause * 1.5, LATER_MS);
    }
    drawCondition();
    await slept(pause);
  }
}

/** What the catalogue does not have cannot be sold, and has no name. */
function forgetUnknown() {
  for (const { id } of lines()) if (!productOf(id)) put(id, 0);
}

/** Two windows have one drawer and one basket, and whoever stands at them is confused. */
function claim() {
  navigator.locks?.request('comptoir.till', { ifAvailable: true }, (lock) => {
    if (lock) return new Promise(() => {}); // until the window is closed
    message('warning', h('p', {}, t('two-windows')));
    return undefined;
  });
}

try {
  await Promise.all([loadCatalogue(), loadOutbox()]);
  // The window was closed when it was paid, and before it was emptied.
  if (entryOf(basketId())) empty();
  forgetUnknown();
} catch (error) {
  message('error', h('p', {}, t('no-disk')));
  reportError(error);
}
await show();
claim();
tendForEver();
try {
  await keepPage();
} catch (error) {
  message('warning', h('p', {}, t('page-not-kept')));
  reportError(error);
}
