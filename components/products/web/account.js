// Signing up, signing in, and what is known of a customer.

import { forgetCart } from './basket.js';
import { h } from './dom.js';
import { busy, field, intent, invalid, showErrors, showNotice } from './forms.js';
import { Problem, explain } from './http.js';
import { date, language, number } from './i18n.js';
import { authorized, customerId, register, signIn, signOut, signedIn } from './session.js';
import { t } from './shop-texts.js';

const PASSWORD_MIN = 12;

/** Where one was going; a path of ours, and nothing that a link from elsewhere can make lead away. */
function nextOf(url) {
  const next = url.searchParams.get('next') ?? '/';
  return /^\/(?![/\\])/.test(next) ? next : '/';
}

export const signInPath = (next) => `/sign-in?next=${encodeURIComponent(next)}`;

function entrance({ title, fields, action, other, submit, go, next }) {
  const notice = h('div');
  const button = h('button', { class: 'button wide-button' }, action);
  const form = h('form', { class: 'stack', novalidate: true }, fields, notice, button);
  const meant = intent(form);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const wrong = invalid(form);
    showErrors(form, wrong);
    if (Object.keys(wrong).length > 0) return;
    busy(button, async () => {
      try {
        showNotice(notice);
        await submit(Object.fromEntries(new FormData(form)), meant());
        await go(next, { replacing: true });
      } catch (error) {
        const text = explain(error, t);
        const fieldErrors =
          error instanceof Problem
            ? Object.fromEntries(
                error.errors
                  .filter(({ pointer }) => pointer)
                  .map(({ pointer, code, detail }) => [pointer.slice(1), t.has(code) ? t(code) : detail]),
              )
            : {};
        if (Object.keys(fieldErrors).some((name) => name in form.elements)) showErrors(form, fieldErrors);
        else showNotice(notice, 'error', text);
      }
    });
  });
  return {
    title,
    content: h('div', { class: 'narrow stack loose' }, h('h1', {}, title), h('div', { class: 'card' }, form), other),
  };
}

const email = () =>
  field({ label: t('email'), name: 'email', type: 'email', autocomplete: 'email', required: true, maxlength: 254 });

export async function signInView({ url, go }) {
  const next = nextOf(url);
  if (signedIn()) return { redirect: next };
  return entrance({
    title: t('sign-in'),
    action: t('sign-in'),
    go,
    next,
    fields: [
      email(),
      field({
        label: t('password'),
        name: 'password',
        type: 'password',
        autocomplete: 'current-password',
        required: true,
      }),
    ],
    submit: (values) => signIn(values.email, values.password),
    other: h(
      'p',
      {},
      t('no-account'),
      ' ',
      h('a', { href: `/sign-up?next=${encodeURIComponent(next)}` }, t('sign-up')),
    ),
  });
}

export async function signUpView({ url, go }) {
  const next = nextOf(url);
  if (signedIn()) return { redirect: next };
  return entrance({
    title: t('sign-up'),
    action: t('sign-up'),
    go,
    next,
    fields: [
      field({ label: t('name'), name: 'name', autocomplete: 'name', required: true, maxlength: 200 }),
      email(),
      field({
        label: t('password'),
        name: 'password',
        type: 'password',
        autocomplete: 'new-password',
        required: true,
        minlength: PASSWORD_MIN,
        maxlength: 128,
        hint: t('password-hint', { min: PASSWORD_MIN }),
      }),
    ],
    submit: (values, key) => register({ ...values, language: language() }, key),
    other: h('p', {}, t('has-account'), ' ', h('a', { href: signInPath(next) }, t('sign-in'))),
  });
}

export async function account({ signal, go }) {
  if (!signedIn()) return { redirect: signInPath('/account') };
  const about = `/api/v1/customers/${customerId()}`;
  const [customer, loyalty, addresses] = await Promise.all([
    authorized('GET', about, { signal }),
    authorized('GET', `${about}/loyalty`, { signal }),
    authorized('GET', `${about}/addresses`, { signal }),
  ]);
  const leave = h('button', { type: 'button', class: 'button second' }, t('sign-out'));
  leave.addEventListener('click', () =>
    busy(leave, async () => {
      // Whoever uses this browser next starts with nothing, whether or not the service hears of it.
      forgetCart();
      await signOut();
      await go('/');
    }),
  );
  const entry = (label, value) => h('div', {}, h('dt', {}, label), h('dd', {}, value));
  return {
    title: t('account'),
    content: h(
      'div',
      { class: 'stack loose' },
      h('div', { class: 'row spread' }, h('h1', {}, t('hello', { name: customer.data.name })), leave),
      h(
        'div',
        { class: 'halves' },
        h(
          'section',
          { class: 'card stack' },
          h('h2', {}, t('account')),
          h(
            'dl',
            { class: 'facts' },
            entry(t('name'), customer.data.name),
            entry(t('email'), customer.data.email),
            entry(t('customer-since'), date(customer.data.created_at)),
            entry(t('points'), number(loyalty.data.balance)),
          ),
        ),
        h(
          'section',
          { class: 'card stack' },
          h('h2', {}, t('addresses')),
          addresses.data.data.length === 0
            ? h('p', { class: 'muted' }, t('no-addresses'))
            : h(
                'ul',
                { class: 'stack' },
                addresses.data.data.map((address) => h('li', {}, addressOf(address))),
              ),
        ),
      ),
      h('p', {}, h('a', { class: 'button', href: '/orders' }, t('my-orders'))),
    ),
  };
}

export const addressOf = (address) =>
  h(
    'address',
    {},
    [address.recipient, address.line1, address.line2, `${address.city} (${address.province})  ${address.postal_code}`]
      .filter(Boolean)
      .map((line) => h('span', {}, line)),
  );
