// What stores and products are called.

import { get, query } from './http.js';
import { language } from './i18n.js';

/** How many products can be asked for at once. */
const IDS_MAX = 100;

let known;
/** Every store and warehouse, `{ id, name, kind }`. They hardly ever change: asked for once. */
export function locations() {
  known ??= all('/api/v1/locations').catch((error) => {
    known = undefined;
    throw error;
  });
  return known;
}

/** The pages of a list, one after another. */
async function all(path) {
  const found = [];
  let after;
  do {
    const { data } = await get(query(path, { limit: 200, after }));
    found.push(...data.data);
    after = data.next_cursor;
  } while (after);
  return found;
}

export const stores = async () => (await locations()).filter(({ kind }) => kind === 'store');

/** `await locationNames()` is a function from an id to a name. */
export async function locationNames() {
  const names = new Map((await locations()).map(({ id, name }) => [id, name]));
  return (id) => names.get(id) ?? `${id}`;
}

/** In the language of the page; a number stays with its unit. */
export const nameOf = (product) =>
  (product[`name_${language()}`] ?? product.name).replace(/(\d) (?=(?:ml|L|g|kg|mg|W)\b|%)/g, '$1\u00a0');

/** A function from what a report says of a product to its name: the catalogue's in the page's language, if it has one. */
export async function productNames(ids) {
  const wanted = [...new Set(ids)];
  const parts = [];
  for (let index = 0; index < wanted.length; index += IDS_MAX) parts.push(wanted.slice(index, index + IDS_MAX));
  const answers = await Promise.all(parts.map((part) => get(query('/api/v1/products', { ids: part.join() }))));
  const names = new Map(answers.flatMap(({ data }) => data.data.map((product) => [product.id, nameOf(product)])));
  return ({ product_id: id, name }) => names.get(id) ?? name ?? `${id}`;
}
