// Pictures of products, drawn: a shape for what it is, a tint for which one it is. They say nothing that the name does
// not, so they are hidden from screen readers.

import { svg } from './dom.js';

/** In a square of 64: the body, what is printed on it, and what is beside it. */
const SHAPES = {
  can: ['M22 14h20l3 5v32l-3 5H22l-3-5V19z', 'M19 27h26v16H19z', 'M24 10h16l2 4H22z'],
  bottle: [
    'M28 10h8v9c0 4 7 7 7 15v20a4 4 0 0 1-4 4H25a4 4 0 0 1-4-4V34c0-8 7-11 7-15z',
    'M21 36h22v12H21z',
    'M27 4h10v6H27z',
  ],
  carton: ['M20 25l6-11h12l6 11v31a2 2 0 0 1-2 2H22a2 2 0 0 1-2-2z', 'M20 33h24v14H20z', 'M26 6h12v8H26z'],
  cup: [
    'M13 22h31v19a12 12 0 0 1-12 12h-7a12 12 0 0 1-12-12z',
    'M19 28h4v12h-4z',
    'M44 26h4a7 7 0 0 1 0 16h-4v-4h4a3 3 0 0 0 0-8h-4zM22 17c-3-4 3-5 0-9h3c3 4-3 5 0 9zM32 17c-3-4 3-5 0-9h3c3 4-3 5 0 9z',
  ],
  loaf: [
    'M11 31c-4-10 5-16 21-16s25 6 21 16v20a3 3 0 0 1-3 3H14a3 3 0 0 1-3-3z',
    'M21 24l4 8h3l-4-8zM31 22l4 8h3l-4-8zM41 24l3 6h3l-3-6z',
    '',
  ],
  apple: [
    'M32 23c-5-4-17-4-17 11 0 13 9 23 13 23 2 0 2-1 4-1s2 1 4 1c4 0 13-10 13-23 0-15-12-15-17-11z',
    'M21 34c0-5 3-7 6-7-3 2-4 5-4 9z',
    'M33 20c0-7 4-12 11-14 1 8-4 13-11 14z',
  ],
  bag: ['M16 10l4 3 4-3 4 3 4-3 4 3 4-3 4 3 4-3v44l-4-3-4 3-4-3-4 3-4-3-4 3-4-3-4 3z', 'M22 24h20v15H22z', ''],
  candy: [
    'M22 20h20a4 4 0 0 1 4 4v16a4 4 0 0 1-4 4H22a4 4 0 0 1-4-4V24a4 4 0 0 1 4-4z',
    'M26 20h4l-4 24h-4zM36 20h4l-4 24h-4z',
    'M17 29L5 21v22l12-8zM47 29l12-8v22l-12-8z',
  ],
  jar: [
    'M19 20h26a4 4 0 0 1 4 4v28a5 5 0 0 1-5 5H20a5 5 0 0 1-5-5V24a4 4 0 0 1 4-4z',
    'M15 32h34v14H15z',
    'M18 9h28v8H18z',
  ],
  box: ['M12 22h40v34H12z', 'M24 32h16v12H24z', 'M12 19l6-10h28l6 10z'],
  flake: [
    'M14 12h36a4 4 0 0 1 4 4v34a4 4 0 0 1-4 4H14a4 4 0 0 1-4-4V16a4 4 0 0 1 4-4z',
    'M31 20h2v26h-2zM20.2 27.4l1-1.7 22.6 13-1 1.7zM42.800 25.7l1 1.7-22.6 13-1-1.7z',
    '',
  ],
  bowl: [
    'M8 32h48a24 24 0 0 1-15 21v4H23v-4A24 24 0 0 1 8 32z',
    'M18 38h4c1 4 3 6 6 8h-5c-3-2-4-5-5-8z',
    'M17 28c2-9 8-13 15-13s13 4 15 13z',
  ],
  spray: [
    'M25 25h14c5 3 7 8 7 15v14a4 4 0 0 1-4 4H22a4 4 0 0 1-4-4V40c0-7 2-12 7-15z',
    'M18 39h28v11H18z',
    'M27 6h15l5 8h-9v8H27z',
  ],
  tube: ['M24 8h16l5 38H19z', 'M27 18h10l1 14H26z', 'M20 49h24v8H20z'],
  paw: [
    'M32 31c8 0 15 9 15 16 0 6-5 8-9 7-4-2-8-2-12 0-4 1-9-1-9-7 0-7 7-16 15-16z',
    '',
    'M11 27a4.5 6 0 1 0 9 0 4.5 6 0 1 0-9 0M22 16a4.5 6.5 0 1 0 9 0 4.5 6.5 0 1 0-9 0M34 16a4.5 6.5 0 1 0 9 0 4.5 6.5 0 1 0-9 0M44 27a4.5 6 0 1 0 9 0 4.5 6 0 1 0-9 0',
  ],
  paper: [
    'M13 9h38v48H13z',
    'M19 15h26v7H19zM19 27h12v14H19zM35 27h10v3H35zM35 33h10v3H35zM35 38h10v3H35zM19 46h26v3H19z',
    '',
  ],
  wedge: [
    'M8 37h48v17H8z',
    'M17 46a3 3 0 1 0 6 0 3 3 0 1 0-6 0M32 44a4 4 0 1 0 8 0 4 4 0 1 0-8 0',
    'M8 34l31-16c10 0 17 7 17 16z',
  ],
  tub: ['M16 25h32l-4 29a3 3 0 0 1-3 3H23a3 3 0 0 1-3-3z', 'M18.5 33h27l-1.7 13H20.2z', 'M14 16h36v7H14z'],
  block: ['M8 31h48v20H8z', 'M23 31h18v20H23z', 'M8 28l8-8h32l8 8z'],
};

const OF_CATEGORY = {
  'soft-drinks': 'can',
  juices: 'bottle',
  water: 'bottle',
  'coffee-tea': 'cup',
  dairy: 'carton',
  bakery: 'loaf',
  produce: 'apple',
  snacks: 'bag',
  candy: 'candy',
  pantry: 'jar',
  frozen: 'flake',
  'ready-to-eat': 'bowl',
  household: 'spray',
  'personal-care': 'tube',
  baby: 'box',
  pets: 'paw',
  press: 'paper',
  beverages: 'bottle',
};

const TINTS = 8;

/** Where a category has more than one shape, the French name tells. */
const OF_NAME = [
  [/rouleaux|boîtes?\b|^(ampoule|piles|couches)/i, 'box'],
  [/^(fromage|brie|mozzarella|cheddar|bâtonnets? au fromage)/i, 'wedge'],
  [/^(yogourt|crème sure|fromage à la crème|crème glacée|houmous|margarine)/i, 'tub'],
  [/^beurre (salé|non salé)/i, 'block'],
  [/^œufs/i, 'block'],
  [/bouteille/i, 'bottle'],
];

function shapeOf({ category, name, name_fr: french }) {
  const named = OF_NAME.findLast(([pattern]) => pattern.test(french ?? name));
  return named?.[1] ?? OF_CATEGORY[category] ?? 'box';
}

export function picture(product) {
  const parts = SHAPES[shapeOf(product)];
  return svg(
    'svg',
    { viewBox: '0 0 64 64', class: `picture tint-${product.id % TINTS}`, 'aria-hidden': 'true' },
    ['body', 'print', 'beside'].map(
      (part, index) => parts[index] && svg('path', { class: `picture-${part}`, d: parts[index] }),
    ),
  );
}
