// What a page remembers, in the storage of its own origin, which no other can read. Where a browser forbids that, or has
// no room left, it is remembered until the page is left.

function memory(storage) {
  const here = new Map();
  return {
    recall(key) {
      if (here.has(key)) return here.get(key);
      try {
        return storage().getItem(key);
      } catch {
        return null;
      }
    },
    remember(key, text) {
      try {
        storage().setItem(key, text);
        here.delete(key);
      } catch {
        here.set(key, text);
      }
    },
    forget(key) {
      here.delete(key);
      try {
        storage().removeItem(key);
      } catch {
        // Nothing could be kept there.
      }
    },
  };
}

export const { recall, remember, forget } = memory(() => localStorage);

/** The same until the tab is closed, and in this tab alone. */
export const tab = memory(() => sessionStorage);
