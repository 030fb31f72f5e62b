// What a page remembers, in the storage of its own origin, which no other can read. Where a browser forbids that, it is
// remembered until the page is left.

const here = new Map();

export function recall(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return here.get(key) ?? null;
  }
}

export function remember(key, text) {
  try {
    localStorage.setItem(key, text);
  } catch {
    here.set(key, text);
  }
}

export function forget(key) {
  try {
    localStorage.removeItem(key);
  } catch {
    here.delete(key);
  }
}
