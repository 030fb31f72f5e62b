// From what a host has counted since its start to rates and quantiles of the last minutes.

/** How many points a chart has: two minutes of seconds. */
export const POINTS = 120;

/** A rate is that of so many intervals: one request every other second is no comb. */
const WINDOW = 3;

export class History {
  /** @type {Map<string, object[]>} the last points of each service */
  #points = new Map();
  /** @type {object[]} the last documents */
  #documents = [];
  /** Of the last document, also of one before a gap. */
  #uptime_s = 0;
  #marks = new Map();

  /** True when the host has started anew, and counts from zero. */
  add(document) {
    const isNew = document.uptime_s < this.#uptime_s;
    this.#uptime_s = document.uptime_s;
    if (isNew) this.#documents = [];
    this.#documents.push(document);
    const before = this.#documents.at(-1 - WINDOW) ?? this.#documents[0];
    this.#documents = this.#documents.slice(-1 - WINDOW);
    for (const service of Object.keys(document.services)) {
      this.#push(service, point(before, document, service));
    }
    return isNew;
  }

  /** A second of which nothing is known. */
  addGap() {
    this.#documents = [];
    for (const service of this.#points.keys()) this.#push(service, {});
  }

  /** Something happened to this service now. */
  mark(service, kind) {
    const marks = this.#marks.get(service) ?? [];
    marks.push({ kind, age: 0 });
    this.#marks.set(service, marks);
  }

  points = (service) => this.#points.get(service) ?? [];

  /** By how many points ago. */
  marks = (service) => this.#marks.get(service) ?? [];

  /** Of all services together. */
  total() {
    const last = [...this.#points.values()].map((points) => points.at(-1) ?? {});
    const sum = (key) => last.reduce((total, now) => total + (now[key] ?? 0), 0);
    return { rate: sum('rate'), errors: sum('errors') };
  }

  #push(service, now) {
    const points = this.#points.get(service) ?? [];
    points.push(now);
    if (points.length > POINTS) points.shift();
    this.#points.set(service, points);
    const marks = (this.#marks.get(service) ?? []).filter((mark) => ++mark.age < POINTS);
    this.#marks.set(service, marks);
  }
}

/** What happened between two documents; nothing is known from one alone. */
export function point(before, after, service) {
  const seconds = after.uptime_s - before.uptime_s;
  const now = after.services[service];
  const then = before.services[service] ?? { requests: 0, errors: 0, by_duration: [] };
  if (seconds <= 0) return {};
  const requests = now.requests - then.requests;
  const counts = now.by_duration.map((count, index) => count - (then.by_duration[index] ?? 0));
  return {
    rate: requests / seconds,
    errors: (now.errors - then.errors) / seconds,
    share: requests > 0 ? (now.errors - then.errors) / requests : 0,
    p50: quantile(0.5, requests, counts, after.bounds_s),
    p95: quantile(0.95, requests, counts, after.bounds_s),
  };
}

/** As Prometheus does it: evenly spread within a bucket, and at most the last bound. In seconds. */
export function quantile(share, total, counts, bounds) {
  if (total === 0) return undefined;
  const rank = share * total;
  let below = 0;
  for (const [index, count] of counts.entries()) {
    if (count > 0 && below + count >= rank) {
      const lower = index === 0 ? 0 : bounds[index - 1];
      return lower + ((bounds[index] - lower) * (rank - below)) / count;
    }
    below += count;
  }
  return bounds.at(-1);
}
