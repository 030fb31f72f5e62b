// The head office: what is around it, and which view is at which path. `src/api/browser.rs` knows the paths.

import { books } from './books.js';
import { dashboard } from './dashboard.js';
import { h } from './dom.js';
import { busy, field, invalid, showErrors, showNotice } from './forms.js';
import { frame, navigation } from './frame.js';
import { t } from './office-texts.js';
import { showProblem } from './parts.js';
import { price, prices } from './prices.js';
import { router } from './router.js';
import { sales } from './sales.js';
import { onStaff, role, signIn, signOut, signedIn } from './staff.js';
import { stock } from './stock.js';
import { taxes } from './taxes.js';

const HOME = '/office';
const SIGN_IN = '/office/sign-in';

const LINKS = [
  ['dashboard', HOME],
  ['sales', '/office/sales'],
  ['taxes', '/office/taxes'],
  ['stock', '/office/stock'],
  ['prices', '/office/prices'],
  ['books', '/office/books'],
];

const signInPath = (url) => `${SIGN_IN}?next=${encodeURIComponent(url.pathname + url.search)}`;

/** Where one was going; a path of ours, and nothing that a link from elsewhere can make lead away. */
const nextOf = (url) => {
  const next = url.searchParams.get('next') ?? HOME;
  return /^\/office(?:[/?]|$)/.test(next) ? next : HOME;
};

/** For those who have signed in. */
const guarded = (view) => (asked) => (signedIn() ? view(asked) : { redirect: signInPath(asked.url) });

async function entrance({ url, go }) {
  if (signedIn()) return { redirect: nextOf(url) };
  const notice = h('div');
  const button = h('button', { class: 'button wide-button' }, t('sign-in'));
  const key = field({
    label: t('key'),
    hint: t('key-hint'),
    name: 'key',
    type: 'password',
    autocomplete: 'current-password',
    required: true,
  });
  // Whoever keeps passwords wants to know whose.
  const whose = h('input', { name: 'username', autocomplete: 'username', value: 'Comptoir', hidden: true });
  const form = h('form', { class: 'stack', novalidate: true }, whose, key, notice, button);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const wrong = invalid(form);
    showErrors(form, wrong);
    if (Object.keys(wrong).length > 0) return;
    busy(button, async () => {
      showNotice(notice);
      try {
        await signIn(form.elements.key.value.trim());
      } catch (error) {
        const own = { 401: t('key-unknown'), 403: t('key-of-others') }[error.status];
        if (own) showNotice(notice, 'error', own);
        else showProblem(notice, error);
        return;
      }
      await go(nextOf(url), { replacing: true });
    });
  });
  return {
    title: t('sign-in'),
    content: h(
      'div',
      { class: 'narrow stack loose entrance' },
      h('div', { class: 'stack tight' }, h('h1', {}, t('office')), h('p', { class: 'muted' }, t('entrance'))),
      h('div', { class: 'card' }, form),
    ),
  };
}

const nowhere = async () => ({
  title: t('nowhere'),
  content: h(
    'div',
    { class: 'empty' },
    h('h1', {}, t('nowhere')),
    h('a', { class: 'button', href: HOME }, t('to-the-dashboard')),
  ),
});

const VIEWS = [
  [/^\/office$/, guarded(dashboard)],
  [/^\/office\/sales$/, guarded(sales)],
  [/^\/office\/taxes$/, guarded(taxes)],
  [/^\/office\/stock$/, guarded(stock)],
  [/^\/office\/prices$/, guarded(prices)],
  [/^\/office\/prices\/(\d+)$/, guarded(price)],
  [/^\/office\/books$/, guarded(books)],
  [/^\/office\/sign-in$/, entrance],
  [/^\/office(?:\/|$)/, nowhere],
];

function head() {
  if (!signedIn()) return [];
  return [navigation(...LINKS.map(([text, path]) => h('a', { href: path }, t(text))))];
}

function foot() {
  if (!signedIn()) return [h('p', {}, t('foot'))];
  return [
    h('p', {}, t('foot')),
    h(
      'p',
      { class: 'row' },
      t('as', { role: t(role()) }),
      h('button', { type: 'button', class: 'quiet', on: { click: signOut } }, t('sign-out')),
    ),
  ];
}

/** Which link of the head leads to what is shown, or to the list that it is of. */
function shown({ pathname }) {
  for (const link of document.querySelectorAll('.nav a')) {
    const current = pathname === link.pathname || (link.pathname !== HOME && pathname.startsWith(`${link.pathname}/`));
    if (current) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
}

const { main, draw } = frame({
  brand: () => 'Comptoir',
  home: HOME,
  head,
  foot,
  view: () => refresh(),
});
const { go, refresh } = router({
  main,
  views: VIEWS,
  site: 'Comptoir',
  shown,
  failed: { title: () => t('failed'), again: () => t('again') },
});

// Signed out, or with a key that is no good any more: whoever comes next finds nothing of what was shown.
onStaff(async () => {
  draw();
  if (signedIn()) shown(new URL(location.href));
  else await go(signInPath(new URL(location.href)), { replacing: true });
});
await refresh();
