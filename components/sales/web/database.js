// What the till keeps on its own disk: the catalogue, and every sale until the services have it.

const NAME = 'comptoir.till';
const VERSION = 1;

let opened;

function database() {
  opened ??= new Promise((resolve, reject) => {
    const opening = indexedDB.open(NAME, VERSION);
    opening.onupgradeneeded = () => {
      const { result } = opening;
      result.createObjectStore('products', { keyPath: 'id' });
      result.createObjectStore('facts');
      result.createObjectStore('sales', { keyPath: 'id' });
    };
    opening.onsuccess = () => {
      const { result } = opening;
      // Of a browser that has closed it, or in favour of a page that has another version of it: the next one opens it anew.
      result.onclose = forget;
      result.onversionchange = () => {
        result.close();
        forget();
      };
      resolve(result);
    };
    opening.onerror = () => {
      forget();
      reject(opening.error);
    };
  });
  return opened;
}

function forget() {
  opened = undefined;
}

/**
 * `work` is given the stores by name and may make one request, whose result this resolves to once everything is on the
 * disk and not only on its way.
 */
async function transaction(names, mode, work) {
  const open = (await database()).transaction(names, mode, { durability: 'strict' });
  const request = work(Object.fromEntries(names.map((name) => [name, open.objectStore(name)])));
  return new Promise((resolve, reject) => {
    open.oncomplete = () => resolve(request?.result);
    open.onabort = () => reject(open.error);
  });
}

export const readAll = (name) => transaction([name], 'readonly', ({ [name]: store }) => store.getAll());
export const read = (name, key) => transaction([name], 'readonly', ({ [name]: store }) => store.get(key));
/** Fails with a `ConstraintError` when there is one of that key. */
export const add = (name, value) => transaction([name], 'readwrite', ({ [name]: store }) => store.add(value));
export const write = (name, value) => transaction([name], 'readwrite', ({ [name]: store }) => store.put(value));
export const remove = (name, key) => transaction([name], 'readwrite', ({ [name]: store }) => store.delete(key));

/** Products and what is known of them, together or not at all. */
export const writeCatalogue = ({ products, facts, whole }) =>
  transaction(['products', 'facts'], 'readwrite', (stores) => {
    if (whole) stores.products.clear();
    for (const product of products) stores.products.put(product);
    for (const [key, value] of Object.entries(facts)) stores.facts.put(value, key);
  });

/** Asks the browser not to throw it away when the disk is full. */
export async function keep() {
  await navigator.storage?.persist?.();
}
