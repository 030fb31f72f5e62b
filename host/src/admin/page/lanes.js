// One service: how it fares, what serves, what drains, what was refused; and the buttons that change it.

import { retired } from './changes.js';
import { Chart } from './chart.js';
import { h } from './dom.js';
import { list } from './i18n.js';
import { keyed, setAttribute, setText } from './keep.js';
import { age, latency, percent, rate, short, stage, t } from './texts.js';

const COLUMNS = ['replica', 'generation', 'state', 'in-flight', 'instances', 'age', 'digest'];

export class Lane {
  #name;
  #badges = h('p', { class: 'badges' });
  #where = h('p', { class: 'where muted small' });
  #charts = [
    new Measure('rate', ['rate'], 1, rate),
    new Measure('errors', ['errors'], 1, rate),
    new Measure('latency', ['p50', 'p95'], 0.005, latency),
  ];
  #replace;
  #rollBack;
  #actions = h('div', { class: 'actions' });
  #refusals = h('div', { class: 'refusals' });
  #summary = h('summary');
  #caption = h('caption', { class: 'visually-hidden' });
  #head = h('tr');
  #rows = h('tbody');
  #earlier = h('div', { class: 'refusals' });
  #drop = h('p', { class: 'drop', 'aria-hidden': 'true' });

  constructor(name, { replace, rollBack }) {
    this.#name = name;
    this.#replace = h('button', { type: 'button', class: 'button second', on: { click: () => replace(name) } });
    this.#rollBack = h('button', { type: 'button', class: 'button second', on: { click: () => rollBack(name) } });
    this.#actions.append(this.#replace, this.#rollBack);
    const table = h('table', {}, this.#caption, h('thead', {}, this.#head), this.#rows);
    const title = `lane-${name}`;
    this.element = h('li', { class: 'lane card' },
      h('article', { 'aria-labelledby': title },
        h('div', { class: 'lane-top' },
          h('div', { class: 'who' }, h('h2', { id: title }, name), this.#badges, this.#where),
          this.#charts.map(({ element }) => element),
          this.#actions),
        this.#refusals,
        h('details', {}, this.#summary, h('div', { class: 'wide', tabindex: '0' }, table), this.#earlier)),
      this.#drop);
    takesFiles(this.element, (file) => replace(name, file));
  }

  draw(replicas, points, marks, canChange) {
    this.#drawBadges(replicas);
    setText(this.#where, replicas.length > 1 ? t('replicas', { count: replicas.length }) : replicas[0].address);
    for (const chart of this.#charts) chart.draw(points, marks);
    this.#drawActions(replicas, canChange);
    this.#drawGenerations(replicas);
    const [recent, earlier] = refusals(replicas);
    drawRefusals(this.#refusals, recent, 'refusal', 'notice error');
    drawRefusals(this.#earlier, earlier, 'refusal-earlier', 'notice');
  }

  #drawBadges(replicas) {
    const badges = badgesOf(replicas);
    const items = keyed(this.#badges, badges, ({ key }) => key, () => h('span'));
    items.forEach((item, index) => {
      item.className = `badge ${badges[index].kind}`;
      setText(item, badges[index].text);
    });
  }

  #drawActions(replicas, canChange) {
    this.#actions.hidden = !canChange;
    setText(this.#replace, t('replace'));
    setAttribute(this.#replace, 'aria-label', t('replace-of', { service: this.#name }));
    setText(this.#rollBack, t('roll-back'));
    setAttribute(this.#rollBack, 'aria-label', t('roll-back-of', { service: this.#name }));
    this.#rollBack.disabled = !replicas.some(({ previous }) => previous);
    this.#rollBack.title = this.#rollBack.disabled ? t('no-previous') : '';
    setText(this.#drop, t('drop', { service: this.#name }));
  }

  #drawGenerations(replicas) {
    setText(this.#summary, summary(replicas));
    setText(this.#caption, t('generations', { service: this.#name }));
    const heads = keyed(this.#head, COLUMNS, (column) => column, () => h('th', { scope: 'col' }));
    heads.forEach((cell, index) => setText(cell, t(`column-${COLUMNS[index]}`)));
    const generations = replicas.flatMap((component) =>
      [component.current, ...retired(component)].filter(Boolean).map((generation) => ({ component, generation })));
    const key = ({ component, generation }) => `${component.replica} ${generation.generation}`;
    const rows = keyed(this.#rows, generations, key, row);
    rows.forEach((element, index) => {
      const { component, generation } = generations[index];
      element.className = generation.state;
      const texts = cells(component, generation);
      [...element.children].forEach((cell, column) => setText(cell, texts[column]));
    });
  }
}

/** A chart with its name, the last value, and how far up it goes. */
class Measure {
  #name;
  /** Whose last value is told. */
  #line;
  #format;
  #chart;
  #title = h('span', { class: 'measure-name' });
  #value = h('span', { class: 'measure-value' });
  #note = h('span', { class: 'measure-note' });

  constructor(name, lines, least, format) {
    this.#name = name;
    this.#line = lines.at(-1);
    this.#format = format;
    this.#chart = new Chart(lines, least);
    this.element = h('figure', { class: `measure ${name}` },
      h('figcaption', {}, this.#title, this.#value, this.#note), this.#chart.element);
  }

  draw(points, marks) {
    const now = points.at(-1) ?? {};
    const top = this.#format(this.#chart.draw(points, marks));
    const value = this.#format(now[this.#line]);
    const isFailing = this.#name === 'errors' && now.errors > 0;
    this.element.classList.toggle('bad', isFailing);
    setText(this.#title, t(this.#name));
    setText(this.#value, value);
    setText(this.#note, isFailing ? t('share-of-answers', { share: percent(now.share) }) : t('up-to', { value: top }));
    setAttribute(this.#chart.element, 'aria-label', t('chart-label', { name: t(this.#name), value, top }));
  }
}

function badgesOf(replicas) {
  const badges = [];
  for (const { replica, loading } of replicas.filter(({ loading }) => loading)) {
    const who = replicas.length > 1 ? `${replica} – ` : '';
    const text = who + t('loading', { stage: stage(loading.stage) });
    badges.push({ key: `loading ${replica}`, kind: 'careful', text });
  }
  const onProbation = replicas.map(({ current }) => current?.probation).filter(Boolean);
  if (replicas.some(({ current }) => !current)) badges.push({ key: 'empty', kind: 'bad', text: t('empty') });
  else if (onProbation.length > 0) {
    const sum = (name) => onProbation.reduce((total, probation) => total + probation[name], 0);
    const left = Math.max(...onProbation.map(({ left_s }) => left_s));
    const failures = sum('failures');
    const counts = failures > 0 ? ` · ${t('probation-counts', { failures, answers: sum('answers') })}` : '';
    const text = t('probation', { left: age(left) }) + counts;
    badges.push({ key: 'serving', kind: failures > 0 ? 'bad' : 'careful', text });
  } else badges.push({ key: 'serving', kind: 'good', text: t('serving') });
  const draining = replicas.flatMap(retired).reduce((sum, { in_flight }) => sum + in_flight, 0);
  if (draining > 0) badges.push({ key: 'draining', kind: 'careful', text: t('draining', { count: draining }) });
  return badges;
}

/** Of replicas that are alike, one line. */
function summary(replicas) {
  const serving = replicas.filter(({ current }) => current);
  const versions = Map.groupBy(serving, ({ current }) => `${current.generation} ${current.digest}`);
  const parts = [...versions.values()].map((alike) => {
    const { generation, digest } = alike[0].current;
    const oldest = Math.max(...alike.map(({ current }) => current.age_s));
    const same = t('is-same', {
      generation: t('generation', { number: String(generation) }), digest: short(digest), age: age(oldest),
    });
    return versions.size > 1 ? `${list(alike.map(({ replica }) => replica))}: ${same}` : same;
  });
  const count = serving.reduce((sum, { current }) => sum + current.in_flight, 0);
  return [...parts, t('in-flight', { count })].join(' · ');
}

const row = () =>
  h('tr', {}, COLUMNS.map((column) =>
    column === 'replica' ? h('th', { scope: 'row' }) : h('td', { class: `column-${column}` })));

function cells({ replica }, generation) {
  const states = {
    serving: () => t('state-serving'),
    ready: () => (generation.in_flight > 0 ? drains(generation) : t('state-ready')),
    draining: () => drains(generation),
  };
  return [
    replica,
    `${generation.generation}`,
    states[generation.state](),
    `${generation.in_flight}`,
    `${generation.instances}`,
    t('ago', { age: age(generation.age_s) }),
    generation.digest,
  ];
}

const drains = (generation) => t('state-draining', { age: age(generation.retired_s ?? 0) });

/** Those since which nothing else was loaded, and those before; replicas that were told the same are told together. */
function refusals(replicas) {
  const told = replicas.filter(({ last_refusal }) => last_refusal);
  const alike = [...Map.groupBy(told, ({ last_refusal: { stage, message } }) => `${stage} ${message}`).values()];
  const refusals = alike.map((same) => ({
    ...same[0].last_refusal,
    replicas: same.map(({ replica }) => replica),
    isRecent: same.some(({ last_refusal, current }) => !current || last_refusal.age_s < current.age_s),
  }));
  return [refusals.filter(({ isRecent }) => isRecent), refusals.filter(({ isRecent }) => !isRecent)];
}

function drawRefusals(parent, refusals, text, kind) {
  const make = ({ message }) =>
    h('div', { class: kind }, h('p', { class: 'refused' }), h('p', { class: 'about' }), h('p', { lang: 'en', class: 'said' }, message));
  const items = keyed(parent, refusals, ({ stage, message }) => `${stage} ${message}`, make);
  items.forEach((item, index) => {
    const refusal = refusals[index];
    const [what, about] = item.children;
    setText(what, t(text, { replicas: list(refusal.replicas), stage: stage(refusal.stage), age: age(refusal.age_s) }));
    setText(about, t.has(`about-${refusal.stage}`) ? t(`about-${refusal.stage}`) : '');
  });
}

/** A file that is dropped on the lane; what opens a dialog has buttons beside. */
function takesFiles(element, take) {
  let depth = 0;
  const show = () => element.classList.toggle('dropping', depth > 0);
  const isFile = (event) => event.dataTransfer.types.includes('Files');
  element.addEventListener('dragenter', (event) => { if (isFile(event)) { depth += 1; show(); } });
  element.addEventListener('dragleave', (event) => { if (isFile(event)) { depth -= 1; show(); } });
  element.addEventListener('dragover', (event) => { if (isFile(event)) event.preventDefault(); });
  element.addEventListener('drop', (event) => {
    event.preventDefault();
    depth = 0;
    show();
    const [file] = event.dataTransfer.files;
    if (file) take(file);
  });
}
