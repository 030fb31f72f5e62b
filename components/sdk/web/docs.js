// A service's OpenAPI document, to be read and tried out. Swagger UI draws it; it and the document are in English.

import { h, replace } from './dom.js';
import { frame, navigation } from './frame.js';
import { texts } from './i18n.js';

const SERVICES = ['products', 'inventory', 'reports', 'sales', 'customers', 'cart', 'orders', 'checkout'];

/** Where the gateway has it; a service without a gateway has it at /docs, and no other beside it. */
const atGateway = /^\/api\/([a-z]+)\/docs$/.exec(location.pathname);

const t = texts({
  en: {
    title: '{service}: API – Comptoir',
    'title-alone': 'API – Comptoir',
    intro: 'What is tried out here is done: on this platform, with the keys that you give.',
    document: 'The document itself (OpenAPI 3.1)',
  },
  fr: {
    title: '{service} : API – Comptoir',
    'title-alone': 'API – Comptoir',
    intro: 'Ce qui est essayé ici est fait : sur cette plateforme, avec les clés que vous donnez. Le document est en anglais.',
    document: 'Le document même (OpenAPI 3.1)',
  },
});

const intro = h('p', { class: 'muted' });
const reference = h('div', { lang: 'en', class: 'reference' });

const { main } = frame({
  brand: () => 'Comptoir',
  home: '/',
  head: () => atGateway && navigation(...SERVICES.map(link)),
  view: draw,
});

function link(service) {
  const isHere = service === atGateway[1];
  return h('a', { href: `/api/${service}/docs`, 'aria-current': isHere && 'page' }, service);
}

function draw() {
  document.title = atGateway ? t('title', { service: atGateway[1] }) : t('title-alone');
  replace(intro, t('intro'), ' ', h('a', { href: 'openapi.json' }, t('document')));
}

/** Its own layout has a main part of its own in the page's, and more than is wanted here. */
const layout = ({ React }) => ({
  components: {
    Reference({ getComponent, specSelectors }) {
      const part = (name) => React.createElement(getComponent(name, true), { key: name });
      const parts = {
        loading: [],
        failed: ['errors'],
        failedConfig: ['errors'],
      }[specSelectors.loadingStatus()] ?? ['InfoContainer', 'AuthorizeBtnContainer', 'errors', 'operations', 'Models'];
      return React.createElement('div', { className: 'swagger-ui' }, ['SvgAssets', ...parts].map(part));
    },
  },
});

/** What it leaves out for those who do not see, or have no mouse; each time that it has drawn something. */
function mend() {
  // Headings are one below the other.
  for (const [selector, level] of [['h3', 2], ['h4', 3], ['h5', 4]]) {
    for (const heading of reference.querySelectorAll(selector)) {
      heading.setAttribute('role', 'heading');
      heading.setAttribute('aria-level', level);
    }
  }
  for (const field of reference.querySelectorAll('tr[data-param-name] :is(input, select, textarea):not([aria-label])')) {
    field.setAttribute('aria-label', field.closest('tr').dataset.paramName);
  }
  for (const table of reference.querySelectorAll('.responses-table[role]')) table.removeAttribute('role');
  for (const button of reference.querySelectorAll('.close-modal')) button.setAttribute('aria-label', 'Close');
  for (const button of reference.querySelectorAll('.modal-btn[aria-label]')) button.removeAttribute('aria-label');
  // What scrolls can be scrolled by keys.
  for (const code of reference.querySelectorAll('.microlight, .table-container')) code.setAttribute('tabindex', '0');
}
new MutationObserver(mend).observe(reference, { childList: true, subtree: true });

draw();
main.append(intro, reference);
globalThis.SwaggerUIBundle({
  url: 'openapi.json',
  domNode: reference,
  plugins: [layout],
  layout: 'Reference',
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  // Nothing is asked of anybody else.
  validatorUrl: null,
});
