// The shop: what is around it, and which view is at which path. `src/api/browser.rs` and `kong/kong.yml` know the paths.

import { account, signInPath, signInView, signUpView } from './account.js';
import { load, onCart, units } from './basket.js';
import { cart } from './cart.js';
import { catalogue, product, searchField } from './catalogue.js';
import { checkout } from './checkout.js';
import { h, replace } from './dom.js';
import { frame, navigation } from './frame.js';
import { optional } from './http.js';
import { number } from './i18n.js';
import { order, orders } from './orders.js';
import { router } from './router.js';
import { customerId, onSession, signedIn } from './session.js';
import { t } from './shop-texts.js';

const nowhere = async () => ({
  title: t('nowhere'),
  content: h(
    'div',
    { class: 'empty' },
    h('h1', {}, t('nowhere')),
    h('a', { class: 'button', href: '/' }, t('to-the-shelves')),
  ),
});

const VIEWS = [
  [/^\/$/, catalogue],
  [/^\/product\/(\d+)$/, product],
  [/^\/cart$/, cart],
  [/^\/checkout$/, checkout],
  [/^\/orders$/, orders],
  [/^\/orders\/([0-9a-f-]+)$/, order],
  [/^\/account$/, account],
  [/^\/sign-in$/, signInView],
  [/^\/sign-up$/, signUpView],
  [/^\//, nowhere],
];

function head() {
  const count = h('span', { class: 'count amount' });
  const cartLink = h('a', { href: '/cart' });
  const draw = () => {
    replace(count, number(units()));
    count.hidden = units() === 0;
    replace(cartLink, t('cart'), ' ', count, h('span', { class: 'visually-hidden' }, t('in-cart', { count: units() })));
  };
  draw();
  onCart(cartLink, draw);
  const own = signedIn()
    ? [h('a', { href: '/orders' }, t('orders')), h('a', { href: '/account' }, t('account'))]
    : [h('a', { href: '/sign-in' }, t('sign-in'))];
  return [searchField((path, options) => go(path, options)), navigation(...own, cartLink)];
}

/** Which link of the head leads to what is shown; and the field has what was searched for. */
function shown(url) {
  for (const link of document.querySelectorAll('.nav a')) {
    if (url.pathname === link.pathname) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  const field = document.querySelector('.search input');
  if (field !== document.activeElement) field.value = url.pathname === '/' ? (url.searchParams.get('q') ?? '') : '';
}

const { main, draw } = frame({
  brand: () => 'Comptoir',
  home: '/',
  head,
  view: () => refresh(),
  foot: () => [h('p', {}, t('foot')), h('p', {}, t('foot-demo'))],
});
const { go, refresh } = router({
  main,
  views: VIEWS,
  site: 'Comptoir',
  shown,
  entrance: (url) => signInPath(url.pathname),
  failed: { title: () => t('failed'), again: () => t('again') },
});

let whose = customerId();
onSession(({ elsewhere }) => {
  // A token was renewed: the head stays, and what is typed in it.
  if (customerId() === whose) return;
  whose = customerId();
  draw();
  // What is shown is of somebody who has left.
  if (elsewhere) refresh();
  else shown(new URL(location.href));
});
await refresh();
// The number beside the cart is not worth a message; the cart's own view will have one.
await optional(load());
