// Fields with their labels, hints and errors, and buttons that are busy.

import { announce, focusOn } from './a11y.js';
import { h, newId, replace } from './dom.js';
import { newKey } from './http.js';
import { day, texts } from './i18n.js';

/** A labelled control: `field({ label, name, type: 'email', required: true })`. `options` make it a select. */
export function field({ label, name, hint, options, optional, ...attributes }) {
  const id = newId(name);
  const described = `${id}-about`;
  const common = { id, name, class: 'control', 'aria-describedby': described, ...attributes };
  const control = options
    ? h(
        'select',
        common,
        options.map(([value, text]) => h('option', { value }, text)),
      )
    : h('input', { type: 'text', ...common });
  if (options && attributes.value !== undefined) control.value = attributes.value;
  return h(
    'div',
    { class: 'field' },
    h('label', { for: id }, label, optional && h('span', { class: 'muted' }, ` (${optional})`)),
    control,
    h('div', { id: described, class: 'field-about' }, hint && h('p', { class: 'hint' }, hint)),
  );
}

/** Marks the fields of a form that are wrong, `{ name: text }`, and leads to the first. Without any, all are right. */
export function showErrors(form, errors) {
  for (const control of form.elements) {
    const about = control.closest('.field')?.querySelector('.field-about');
    about?.querySelector('.error')?.remove();
    control.removeAttribute('aria-invalid');
    const text = errors[control.name];
    if (!about || text === undefined) continue;
    control.setAttribute('aria-invalid', 'true');
    about.prepend(h('p', { class: 'error' }, text));
  }
  form.querySelector('[aria-invalid]')?.focus();
}

const t = texts({
  fr: {
    valueMissing: 'Ce champ est obligatoire.',
    typeMismatch: 'Ce n’est pas une adresse de courriel.',
    tooShort: 'Il faut au moins {min} caractères.',
    patternMismatch: 'Ce n’est pas de la forme voulue.',
    rangeUnderflow: 'Au moins {min}.',
    rangeOverflow: 'Au plus {max}.',
    other: 'Cette valeur ne convient pas.',
  },
  en: {
    valueMissing: 'This field is required.',
    typeMismatch: 'This is no e-mail address.',
    tooShort: 'It takes at least {min} characters.',
    patternMismatch: 'This is not of the form that is wanted.',
    rangeUnderflow: 'At least {min}.',
    rangeOverflow: 'At most {max}.',
    other: 'This value does not fit.',
  },
});

/** What the browser itself finds wrong, by name; in the page's words, because the browser's are in its own language. */
export function invalid(form) {
  const wrong = Array.from(form.elements).filter((control) => control.willValidate && !control.validity.valid);
  return Object.fromEntries(wrong.map((control) => [control.name, reason(control)]));
}

function reason({ type, validity, minLength, min, max }) {
  const key = ['valueMissing', 'typeMismatch', 'tooShort', 'patternMismatch', 'rangeUnderflow', 'rangeOverflow'].find(
    (kind) => validity[kind],
  );
  const bound = (text) => (type === 'date' && text ? day(text) : text);
  return t(key ?? 'other', { min: minLength > 0 ? minLength : bound(min), max: bound(max) });
}

/** The key of what somebody means to do with a form: another one when something in it was changed. */
export function intent(form) {
  let key = newKey();
  form.addEventListener('input', () => {
    key = newKey();
  });
  return () => key;
}

/** While the promise is pending, the button says so and does nothing. */
export async function busy(button, work) {
  if (button.getAttribute('aria-disabled') === 'true') return undefined;
  button.setAttribute('aria-disabled', 'true');
  try {
    return await work();
  } finally {
    button.removeAttribute('aria-disabled');
  }
}

/**
 * A text that stands out, in its place and read out: `error`, `warning`, `success` or `info`; without a text it goes. An
 * error has the focus, where one goes on from.
 */
export function showNotice(place, kind, text) {
  if (!text) {
    replace(place);
    return;
  }
  const shown = h('div', { class: `notice ${kind}` }, text);
  replace(place, shown);
  announce(text, kind === 'error' ? 'assertive' : 'polite');
  if (kind === 'error') focusOn(shown);
}
