// French and English: texts, numbers, money, dates, names. The language is that of <html lang>, which boot.js chooses.

import { remember } from './storage.js';

const LOCALES = { fr: 'fr-CA', en: 'en-CA' };
const CHANGED = 'comptoir:language';

/** The business day is that of the stores, wherever the reader is. */
const TIME_ZONE = 'America/Toronto';

export const LANGUAGES = Object.keys(LOCALES);

export const language = () => document.documentElement.lang;

/** Remembered, and everybody who called `onLanguage` draws anew. */
export function setLanguage(tag) {
  if (!(tag in LOCALES)) throw new RangeError(`there is no language ${tag}`);
  document.documentElement.lang = tag;
  remember('comptoir.language', tag);
  document.dispatchEvent(new Event(CHANGED));
}

export const onLanguage = (draw) => document.addEventListener(CHANGED, draw);

/**
 * Texts by key: `const t = texts({ fr: { hello: 'Bonjour {name}' }, en: { .. } })`, then `t('hello', { name })`.
 * A text that counts is `{ one: '{count} article', other: '{count} articles' }`, and `zero` if nothing is said otherwise.
 */
export function texts(catalogues) {
  const keys = LANGUAGES.map((tag) => Object.keys(catalogues[tag]).sort().join());
  if (new Set(keys).size !== 1) throw new Error('the languages do not have the same texts');
  const t = (key, values = {}) => {
    const text = catalogues[language()][key];
    if (text === undefined) throw new RangeError(`there is no text ${key}`);
    return fill(typeset(typeof text === 'string' ? text : form(text, values.count)), values);
  };
  t.has = (key) => Object.hasOwn(catalogues[language()], key);
  return t;
}

/** In French, a space before `:` and its like, and before the sign of cents, which no line may break at. */
const typeset = (text) =>
  language() === 'fr' ? text.replace(/ (?=[:;?!»¢])/g, '\u00a0').replace(/« /g, '«\u00a0') : text;

function form(forms, count) {
  if (count === 0 && forms.zero !== undefined) return forms.zero;
  return forms[new Intl.PluralRules(LOCALES[language()]).select(count)] ?? forms.other;
}

function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name];
    return typeof value === 'number' ? number(value) : String(value ?? '');
  });
}

// An Intl object is slow to make and fast to use.
const made = new Map();
function formatter(kind, options) {
  const key = `${language()} ${kind.name} ${JSON.stringify(options)}`;
  if (!made.has(key)) made.set(key, new kind(LOCALES[language()], options));
  return made.get(key);
}

export const number = (value, options = {}) => formatter(Intl.NumberFormat, options).format(value);

/** `9.975` is 9.975 %. Text or number; never more digits than there are. */
export const percent = (value) =>
  formatter(Intl.NumberFormat, { style: 'percent', maximumFractionDigits: 3 }).format(`${value}e-2`);

/** `{ amount: 299, currency: 'CAD' }`, integer cents, as people write it; `options` are Intl's, to show less of it. */
export const money = ({ amount, currency }, options = {}) =>
  formatter(Intl.NumberFormat, { style: 'currency', currency, currencyDisplay: 'narrowSymbol', ...options }).format(
    decimal(amount),
  );

/** Cents as a decimal text, which Intl takes as it is: no floating point touches money. */
export function decimal(cents) {
  const digits = String(Math.abs(cents)).padStart(3, '0');
  return `${cents < 0 ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

/** What somebody typed as cents: `12,50`, `12.5`, `1 250,00 $`, `$1,250.00`. `null` when it is no amount. */
export function cents(text) {
  const typed = text.replace(/[\s\u00a0\u202f$]/g, '');
  // A comma is of thousands where cents come after a point; alone it may be either, and is taken for that of cents.
  const plain = /^-?\d{1,3}(,\d{3})+\.\d{1,2}$/.test(typed) ? typed.replaceAll(',', '') : typed;
  const match = /^(-?)(\d{1,12})(?:[.,](\d{1,2}))?$/.exec(plain);
  if (!match) return null;
  const [, sign, whole, fraction = ''] = match;
  return Number(`${sign}${whole}${fraction.padEnd(2, '0')}`);
}

export const date = (instant) =>
  formatter(Intl.DateTimeFormat, { dateStyle: 'long', timeZone: TIME_ZONE }).format(new Date(instant));

export const dateTime = (instant) =>
  formatter(Intl.DateTimeFormat, { dateStyle: 'medium', timeStyle: 'short', timeZone: TIME_ZONE }).format(
    new Date(instant),
  );

export const time = (instant, options = { timeStyle: 'short' }) =>
  formatter(Intl.DateTimeFormat, { timeZone: TIME_ZONE, ...options }).format(new Date(instant));

/** A day of the business, `2026-11-29`; `options` are Intl's. */
export const day = (text, options = { dateStyle: 'long' }) =>
  formatter(Intl.DateTimeFormat, { timeZone: 'UTC', ...options }).format(new Date(`${text}T00:00:00Z`));

/** Which one it is now, or was at an instant. */
export const today = (now = new Date()) =>
  new Intl.DateTimeFormat('sv', { timeZone: TIME_ZONE, dateStyle: 'short' }).format(now);

/** The instant at which a day of the business begins. */
export function startOf(text) {
  const midnight = Date.parse(`${text}T00:00:00Z`);
  // How far the clocks of the stores are from UTC at an instant; what is midnight there lies that much later.
  const ahead = (instant) =>
    Date.parse(`${new Date(instant).toLocaleString('sv', { timeZone: TIME_ZONE }).replace(' ', 'T')}Z`) - instant;
  return new Date(midnight - ahead(midnight - ahead(midnight))).toISOString();
}

/** What a product or a category is called; a number stays with its unit. */
export const nameOf = (one) =>
  (one[`name_${language()}`] ?? one.name).replace(/(\d) (?=(?:ml|L|g|kg|mg|W)\b|%)/g, '$1\u00a0');

/** `a, b and c` */
export const list = (items) => formatter(Intl.ListFormat, { type: 'conjunction' }).format(items);

/** In the order of the alphabet, accents as the language has them. */
export const compare = (one, other) => formatter(Intl.Collator, {}).compare(one, other);
