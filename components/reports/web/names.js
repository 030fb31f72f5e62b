// What stores and products are called.

import { everyPage, get, optional, query } from './http.js';
import { nameOf } from './i18n.js';

/** How many products can be asked for at once. */
const IDS_MAX = 100;

let known;
/** Every store and warehouse, `{ id, name, kind }`. They hardly ever change: asked for once. */
function locations() {
  known ??= everyPage(get, '/api/v1/locations').catch((error) => {
    known = undefined;
    throw error;
  });
  return known;
}

export const stores = async () => (await locations()).filter(({ kind }) => kind === 'store');

/** `await locationNames()` is a function from an id to a name. */
export async function locationNames() {
  const names = new Map((await locations()).map(({ id, name }) => [id, name]));
  return (id) => names.get(id) ?? `${id}`;
}

/**
 * A function from what a report says of a product to its name: the catalogue's in the page's language, if it has one and
 * answers.
 */
export async function productNames(ids) {
  const wanted = [...new Set(ids)];
  const parts = [];
  for (let index = 0; index < wanted.length; index += IDS_MAX) parts.push(wanted.slice(index, index + IDS_MAX));
  const answers = await Promise.all(parts.map((part) => optional(get(query('/api/v1/products', { ids: part.join() })))));
  const names = new Map(
    answers.flatMap((answer) => answer?.data.data.map((product) => [product.id, nameOf(product)]) ?? []),
  );
  return ({ product_id: id, name }) => names.get(id) ?? name ?? `${id}`;
}
