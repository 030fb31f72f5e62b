// Drawing anew every second without touching what stays: a selection, the focus, and what a screen reader has read.

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** The children of `parent`, one for each item by its key; those that are there already are kept. */
export function keyed(parent, items, key, make) {
  const there = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  const wanted = items.map((item) => {
    const child = there.get(key(item)) ?? make(item);
    child.dataset.key = key(item);
    return child;
  });
  for (const child of there.values()) if (!wanted.includes(child)) child.remove();
  wanted.forEach((child, index) => {
    if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index] ?? null);
  });
  return wanted;
}
