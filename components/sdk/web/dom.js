// Elements. Text is always text: nothing here parses HTML, and the page's policy forbids whoever would.

/**
 * `h('a', { href: '/', class: 'brand' }, 'Comptoir')`. A property that is null, undefined or false is left out, true is an
 * empty attribute; `on` has listeners, `style` goes through the CSSOM, `data` is the dataset, `value` and `checked` are set.
 */
export const h = (name, properties, ...children) => fill(document.createElement(name), properties, children);

export const svg = (name, properties, ...children) =>
  fill(document.createElementNS('http://www.w3.org/2000/svg', name), properties, children);

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === 'on') for (const [type, listener] of Object.entries(value)) element.addEventListener(type, listener);
    else if (name === 'style')
      for (const [property, text] of Object.entries(value)) element.style.setProperty(property, text);
    else if (name === 'data') Object.assign(element.dataset, value);
    else if (name === 'value' || name === 'checked') element[name] = value;
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...shown(children));
  return element;
}

const shown = (children) =>
  children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);

/** Puts these in the place of whatever was in there. */
export function replace(parent, ...children) {
  parent.replaceChildren(...shown(children));
  return parent;
}

let last = 0;
/** An id for `for`, `aria-labelledby` and the like. */
export const newId = (prefix = 'id') => `${prefix}-${(last += 1)}`;
