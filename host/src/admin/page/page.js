// The page for operators: what runs, how it fares, and replacing it. It asks once a second while somebody looks.

import { announce } from './a11y.js';
import * as api from './api.js';
import { changes as between } from './changes.js';
import * as dialogs from './dialogs.js';
import { h } from './dom.js';
import { Events } from './events.js';
import { frame } from './frame.js';
import { History } from './history.js';
import { list } from './i18n.js';
import { keyed, setText } from './keep.js';
import { Lane } from './lanes.js';
import { age, rate, t } from './texts.js';

const PAUSE_MS = 1000;
/** Whether the host is ready asks every database. */
const READINESS_PAUSE_MS = 5000;

const history = new History();
const events = new Events();
/** @type {Map<string, Lane>} */
const lanes = new Map();

const state = {
  components: [],
  uptime_s: 0,
  /** Undefined until it is known. */
  waiting: undefined,
  /** Since when the host does not answer. */
  lostAt: undefined,
  /** 'allowed', 'need-token', or 'off': this host allows none. */
  changes: 'need-token',
};

// --- what is on the page

const readiness = h('span', { class: 'badge' });
const heading = h('h1');
const totals = Object.fromEntries(['rate', 'errors', 'in-flight', 'uptime'].map((name) => [name, total()]));
const lost = h('p', { class: 'notice warning', role: 'alert', hidden: true });
const laneList = h('ul', { class: 'lanes' });
const lockState = h('span', { class: 'lock-state small' });
const lockButton = h('button', { type: 'button', class: 'button second', on: { click: toggleLock } });

const { main } = frame({
  brand: () => t('brand'),
  home: './',
  head: () => h('div', { class: 'lock' }, lockState, lockButton),
  foot: () => h('p', {}, t('foot'), ' ', ['metrics', 'components', 'traffic', 'ready'].flatMap((path) =>
    [h('a', { href: path }, `/${path}`), ' '])),
  view: draw,
});
main.append(
  h('div', { class: 'overview' },
    h('div', { class: 'row' }, heading, readiness),
    h('dl', { class: 'totals' }, Object.values(totals).map(({ element }) => element))),
  lost,
  laneList,
  events.element,
);

function total() {
  const name = h('dt');
  const value = h('dd');
  return { element: h('div', {}, name, value), name, value };
}

function draw() {
  document.title = `${t('title')} – Comptoir`;
  setText(heading, t('title'));
  drawReadiness();
  drawTotals();
  drawLock();
  lost.hidden = state.lostAt === undefined;
  if (state.lostAt) setText(lost, t('lost', { time: state.lostAt.toLocaleTimeString(document.documentElement.lang) }));
  laneList.classList.toggle('stale', state.lostAt !== undefined);
  const services = Map.groupBy(state.components, (component) => component.service);
  keyed(laneList, [...services.keys()], (name) => name, (name) => {
    const lane = new Lane(name, { replace, rollBack });
    lanes.set(name, lane);
    return lane.element;
  });
  for (const [name, replicas] of services) {
    lanes.get(name).draw(replicas, history.points(name), history.marks(name), state.changes !== 'off');
  }
  events.draw();
}

function drawReadiness() {
  const { waiting } = state;
  readiness.hidden = waiting === undefined;
  if (waiting === undefined) return;
  const isReady = waiting.length === 0;
  readiness.className = `badge ${isReady ? 'good' : 'bad'}`;
  setText(readiness, isReady ? t('ready') : t('not-ready-because', { reasons: reasons(waiting) }));
}

const reasons = (waiting) => list(waiting.map(({ replica, reason }) => `${replica}: ${reason}`));

function drawTotals() {
  const now = history.total();
  const values = {
    rate: rate(now.rate),
    errors: rate(now.errors),
    'in-flight': rate(inFlight(state.components)),
    uptime: age(state.uptime_s),
  };
  for (const [name, { name: term, value }] of Object.entries(totals)) {
    setText(term, t(`total-${name}`));
    setText(value, values[name]);
  }
  totals.errors.element.classList.toggle('bad', now.errors > 0);
}

const inFlight = (components) =>
  components
    .flatMap((component) => [component.current, component.previous, ...component.draining])
    .reduce((sum, generation) => sum + (generation?.in_flight ?? 0), 0);

// --- changing something

function drawLock() {
  const isAllowed = state.changes === 'allowed';
  const isOff = state.changes === 'off';
  setText(lockState, isAllowed ? t('unlocked') : isOff ? t('no-token') : '');
  setText(lockButton, isAllowed ? t('lock') : t('unlock'));
  lockButton.hidden = isOff;
}

async function toggleLock() {
  if (state.changes === 'allowed') {
    forgetToken();
    announce(t('is-locked'));
  } else {
    await unlock();
  }
  draw();
}

/** Whether changes are allowed, perhaps by now. */
async function unlock() {
  if (state.changes === 'need-token' && (await dialogs.askForToken())) state.changes = 'allowed';
  draw();
  return state.changes === 'allowed';
}

function forgetToken() {
  api.token.forget();
  state.changes = 'need-token';
}

async function change(dialog) {
  if (!(await unlock())) return;
  const ended = await dialog();
  if (ended === 'wrong-token') {
    forgetToken();
    return change(dialog);
  }
  draw();
}

const replicas = (service) => state.components.filter((component) => component.service === service);
const replace = (service, file) => change(() => dialogs.replace(service, replicas(service), file));
const rollBack = (service) => change(() => dialogs.rollBack(service, replicas(service)));

/** A file that misses its lane is not opened in the place of this page, with all that it knows of the time before. */
function keepPage(event) {
  if (event.dataTransfer.types.includes('Files') && !event.target.closest?.('[type=file]')) event.preventDefault();
}
for (const type of ['dragover', 'drop']) addEventListener(type, keepPage);

// --- looking

async function look(isFirst) {
  const token = api.token.get();
  const [components, traffic, changes] = await Promise.all([
    api.components(),
    api.traffic(),
    isFirst || state.lostAt ? api.permission(token) : undefined,
  ]);
  if (state.lostAt !== undefined) events.add({ kind: 'back' });
  state.lostAt = undefined;
  const isNewHost = history.add(traffic);
  if (isNewHost) events.add({ kind: 'restarted' });
  else for (const change of between(state.components, components)) {
    events.add(change);
    history.mark(change.service, change.kind);
  }
  Object.assign(state, { components, uptime_s: traffic.uptime_s });
  // What was answered is about the token of then; the page may have been unlocked or locked meanwhile.
  if (changes !== undefined && token === api.token.get()) state.changes = changes;
  dialogs.looked(components);
}

/** A database that is away makes this slow, and nothing else. */
async function lookWhetherReady() {
  const waiting = await api.waiting();
  const was = state.waiting;
  state.waiting = waiting;
  if (was === undefined || (was.length === 0) === (waiting.length === 0)) return;
  events.add(waiting.length === 0 ? { kind: 'ready' } : { kind: 'not-ready', message: reasons(waiting) });
}

/** What is no answer of the host: none at all, or that of somebody in between. */
const isMissing = (error) => error instanceof api.Unreachable || error instanceof api.Refused;

function missed(error) {
  // Nothing that was foreseen: for whoever looks into it. The page says that it has lost the host, and goes on looking.
  if (!isMissing(error)) console.error(error);
  history.addGap();
  if (state.lostAt === undefined) {
    state.lostAt = new Date();
    events.add({ kind: 'lost' });
  }
}

/** Nobody looks at a page that is hidden; when it is shown again, that is a gap in the charts. */
const shown = () =>
  new Promise((resolve) => {
    if (!document.hidden) return resolve(false);
    document.addEventListener('visibilitychange', () => resolve(true), { once: true });
  });

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function watch() {
  for (let isFirst = true; ; isFirst = false) {
    if (await shown()) history.addGap();
    await look(isFirst).catch(missed);
    draw();
    await pause(PAUSE_MS);
  }
}

async function watchReadiness() {
  for (;;) {
    await shown();
    await lookWhetherReady().catch((error) => {
      if (!isMissing(error)) throw error; // the other look tells of it
    });
    await pause(READINESS_PAUSE_MS);
  }
}

draw();
await Promise.all([watch(), watchReadiness()]);
