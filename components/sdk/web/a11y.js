// What a screen reader is told and where the keyboard is.

import { h } from './dom.js';

const regions = new Map();

/** Both are there from the start: a region that comes with its text is not read. */
export function liveRegions() {
  return ['polite', 'assertive'].map((kind) => {
    const region = h('div', { class: 'visually-hidden', 'aria-live': kind, 'aria-atomic': 'true' });
    regions.set(kind, region);
    return region;
  });
}

/** Read out, whatever has the focus; `assertive` interrupts. The same text twice is read twice. */
export function announce(text, kind = 'polite') {
  const region = regions.get(kind);
  region.textContent = '';
  requestAnimationFrame(() => {
    region.textContent = text;
  });
}

/** For what is no control, such as the heading of a view that was just shown. */
export function focusOn(element, options) {
  if (!element.matches('a[href], button, input, select, textarea, [tabindex]')) element.setAttribute('tabindex', '-1');
  element.focus(options);
}
