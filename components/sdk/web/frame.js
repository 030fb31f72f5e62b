// What is around every page: a link past the navigation, the head with the language and the colours, the main part,
// the foot.

import { announce, liveRegions } from './a11y.js';
import { h, replace, svg } from './dom.js';
import { LANGUAGES, language, onLanguage, setLanguage, texts } from './i18n.js';
import { remember } from './storage.js';

const t = texts({
  fr: {
    skip: 'Aller au contenu',
    navigation: 'Navigation principale',
    'theme-auto': 'Couleurs : comme l’appareil',
    'theme-light': 'Couleurs : claires',
    'theme-dark': 'Couleurs : sombres',
    'language-is': 'La page est en français.',
  },
  en: {
    skip: 'Skip to content',
    navigation: 'Main navigation',
    'theme-auto': 'Colours: as on the device',
    'theme-light': 'Colours: light',
    'theme-dark': 'Colours: dark',
    'language-is': 'The page is in English.',
  },
});

const NAMES = { fr: 'Français', en: 'English' };

/**
 * Draws the frame and returns `{ main, draw }`. `brand` is what is written at the top, `home` where it leads, `head` and
 * `foot` are functions that make what comes into them; they are called again by `draw`, and when the language changes.
 * `view` draws the main part then, and may be async; what was typed into its fields stays, and they hear of it.
 */
export function frame({ brand, home, head = () => [], foot = () => [], view }) {
  const skip = h('a', { class: 'skip', href: '#main' });
  const header = h('header', { class: 'head' });
  const main = h('main', { id: 'main', class: 'main', tabindex: '-1' });
  const footer = h('footer', { class: 'foot' });
  document.body.append(skip, header, main, footer, ...liveRegions());
  const draw = () => {
    replace(skip, t('skip'));
    replace(
      header,
      h(
        'div',
        { class: 'head-inner' },
        h('a', { class: 'brand', href: home }, mark(), h('span', {}, brand())),
        head(),
        h('div', { class: 'settings' }, languages(), theme()),
      ),
    );
    replace(footer, h('div', { class: 'foot-inner' }, foot()));
  };
  skip.addEventListener('click', (event) => {
    event.preventDefault(); // the address of the page stays what it is
    main.focus();
  });
  onLanguage(async () => {
    const typed = Array.from(
      main.querySelectorAll('.control, [type=radio], [type=checkbox]'),
      ({ name, value, checked }) => ({ name, value, checked }),
    );
    draw();
    header.querySelector('.languages button').focus();
    announce(t('language-is'));
    await view();
    for (const { name, value, checked } of typed) {
      for (const control of main.querySelectorAll(`[name="${CSS.escape(name)}"]`)) putBack(control, value, checked);
    }
  });
  draw();
  return { main, draw };
}

/** What a form shows may follow from what is in it, so it is told as if somebody had typed. */
function putBack(control, value, checked) {
  const isChoice = control.type === 'radio' || control.type === 'checkbox';
  if (isChoice ? control.value !== value || control.checked === checked : control.value === value) return;
  if (isChoice) control.checked = checked;
  else control.value = value;
  // Of a choice, the one that was made tells; the others only lose it.
  if (control.type === 'radio' && !checked) return;
  for (const type of ['input', 'change']) control.dispatchEvent(new Event(type, { bubbles: true }));
}

export const navigation = (...links) =>
  h(
    'nav',
    { class: 'nav', 'aria-label': t('navigation') },
    h(
      'ul',
      {},
      links.map((link) => h('li', {}, link)),
    ),
  );

/** One button: two languages need no menu. It is written in the language that it leads to. */
function languages() {
  const other = LANGUAGES.find((tag) => tag !== language());
  return h(
    'div',
    { class: 'languages' },
    h('button', { type: 'button', class: 'quiet', lang: other, on: { click: () => setLanguage(other) } }, NAMES[other]),
  );
}

const THEMES = ['auto', 'light', 'dark'];

function theme() {
  const root = document.documentElement;
  const button = h('button', { type: 'button', class: 'quiet icon' });
  const show = () => {
    const now = root.dataset.theme ?? 'auto';
    replace(button, icon(now));
    button.setAttribute('aria-label', t(`theme-${now}`));
    button.setAttribute('title', t(`theme-${now}`));
  };
  button.addEventListener('click', () => {
    const next = THEMES[(THEMES.indexOf(root.dataset.theme ?? 'auto') + 1) % THEMES.length];
    if (next === 'auto') delete root.dataset.theme;
    else root.dataset.theme = next;
    remember('comptoir.theme', next);
    show();
    announce(t(`theme-${next}`));
  });
  show();
  return button;
}

const drawing = (...shapes) =>
  svg('svg', { viewBox: '0 0 24 24', width: 20, height: 20, 'aria-hidden': 'true', class: 'drawing' }, ...shapes);

function icon(name) {
  const rays = Array.from({ length: 8 }, (_, n) =>
    svg('path', { d: 'M12 3v2.4', transform: `rotate(${45 * n} 12 12)` }),
  );
  const half = svg('path', { d: 'M12 4.5a7.5 7.5 0 0 1 0 15z', class: 'filled' });
  switch (name) {
    case 'light':
      return drawing(svg('circle', { cx: 12, cy: 12, r: 4 }), ...rays);
    case 'dark':
      return drawing(svg('path', { d: 'M19 14.2A7.6 7.6 0 0 1 9.8 5a7.6 7.6 0 1 0 9.2 9.2z' }));
    default:
      return drawing(svg('circle', { cx: 12, cy: 12, r: 7.5 }), half);
  }
}

/** A counter with an awning. */
const mark = () =>
  svg(
    'svg',
    { viewBox: '0 0 32 32', width: 28, height: 28, 'aria-hidden': 'true', class: 'mark' },
    svg('path', {
      class: 'mark-awning',
      d: 'M5 6h22l2 7a3.3 3.3 0 0 1-6.5.6 3.3 3.3 0 0 1-6.5 0 3.3 3.3 0 0 1-6.5 0A3.3 3.3 0 0 1 3 13z',
    }),
    svg('path', { class: 'mark-counter', d: 'M4 20h24v3H4zM6 23h20v4H6z' }),
  );
