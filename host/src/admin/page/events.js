// What happened while the page was open, the newest first.

import { h } from './dom.js';
import { keyed, setText } from './keep.js';
import { short, stage, t } from './texts.js';

const MOST = 200;

export class Events {
  #events = [];
  #heading = h('h2');
  #nothing = h('p', { class: 'muted' });
  #list = h('ol');
  // Read out as it grows, whatever has the focus; and scrolled by keys.
  #log = h('div', { role: 'log', class: 'event-list', tabindex: '0', 'aria-labelledby': 'events' }, this.#list);
  element = h('section', { class: 'events card', 'aria-labelledby': 'events' }, this.#heading, this.#nothing, this.#log);

  constructor() {
    this.#heading.id = 'events';
  }

  add(event) {
    this.#events.unshift({ ...event, at: new Date(), id: String(this.#count++) });
    this.#events.length = Math.min(this.#events.length, MOST);
  }

  #count = 0;

  draw() {
    setText(this.#heading, t('events'));
    setText(this.#nothing, t('no-events'));
    this.#nothing.hidden = this.#events.length > 0;
    this.#log.hidden = this.#events.length === 0;
    const items = keyed(this.#list, this.#events, ({ id }) => id, make);
    items.forEach((item, index) => {
      const event = this.#events[index];
      const [time, text] = item.children;
      setText(time, event.at.toLocaleTimeString(document.documentElement.lang));
      setText(text.firstChild, told(event));
    });
  }
}

const make = (event) =>
  h('li', { class: `event ${event.kind}` },
    h('time', { datetime: event.at.toISOString() }),
    h('p', {}, h('span'), event.message && h('span', { lang: 'en', class: 'said' }, event.message)));

const told = ({ kind, replica, generation, digest, stage: at }) =>
  t(`event-${kind}`, {
    replica,
    generation: generation && String(generation),
    digest: digest && short(digest),
    stage: at && stage(at),
  });
