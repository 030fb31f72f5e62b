// What a page remembers, in the storage of its own origin, which no other can read. Where a browser forbids that, it is
// remembered until the page is left.

function memory(storage) {
  const here = new Map();
  return {
    recall(key) {
      try {
        return storage().getItem(key);
      } catch {
        return here.get(key) ?? null;
      }
    },
    remember(key, text) {
      try {
        storage().setItem(key, text);
      } catch {
        here.set(key, text);
      }
    },
    forget(key) {
      try {
        storage().removeItem(key);
      } catch {
        here.delete(key);
      }
    },
  };
}

export const { recall, remember, forget } = memory(() => localStorage);

/** The same until the tab is closed, and in this tab alone. */
export const tab = memory(() => sessionStorage);
