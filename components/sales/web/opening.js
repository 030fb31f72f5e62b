// Before anything is sold: the till shows its key, and a drawer is counted and opened.

import { ask, all, forgetKey, isAway, isDenied, key, rememberKey } from './api.js';
import { cad } from './amounts.js';
import { refresh } from './catalogue.js';
import { counter } from './count.js';
import { keep } from './database.js';
import { h } from './dom.js';
import { busy, field, intent, invalid, showErrors, showNotice } from './forms.js';
import { explain } from './http.js';
import { dateTime } from './i18n.js';
import { before, setTill, theTill } from './state.js';
import { t } from './till-texts.js';

const registers = () => all('/api/v1/registers', { kind: 'till' });

export async function signIn({ go, again }) {
  const notice = h('div');
  const button = h('button', { class: 'button wide-button' }, t('sign-in'));
  const form = h(
    'form',
    { class: 'stack card narrow', novalidate: true },
    h('h1', {}, t('sign-in-till')),
    h('p', { class: 'muted' }, t('sign-in-hint')),
    notice,
    field({ label: t('key'), name: 'key', type: 'password', required: true, autocomplete: 'off', 'data-first': true }),
    button,
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const errors = invalid(form);
    showErrors(form, errors);
    if (Object.keys(errors).length) return;
    busy(button, async () => {
      const typed = form.elements.key.value.trim();
      const held = key();
      rememberKey(typed);
      try {
        await registers();
        again();
        await go(theTill() ? '/till' : '/till/open', { replacing: true });
      } catch (error) {
        if (held === null) forgetKey();
        else rememberKey(held);
        showNotice(notice, 'error', isDenied(error) ? t('key-refused') : explain(error, t));
      }
    });
  });
  return { title: t('sign-in-till'), content: form };
}

export async function opening({ go }) {
  if (theTill()) return { redirect: '/till' };
  if (key() === null) return { redirect: '/till/key' };
  let list;
  let stores;
  try {
    [list, stores] = await Promise.all([registers(), all('/api/v1/locations', { kind: 'store' })]);
  } catch (error) {
    if (isDenied(error)) return { redirect: '/till/key' };
    throw error;
  }
  const nameOfStore = new Map(stores.map(({ id, name }) => [id, name]));
  const storeOf = ({ store_id: id }) => nameOfStore.get(id) ?? t('store', { id });
  const last = before();
  const notice = h('div', { class: 'stack' });
  const count = counter({ label: t('float'), name: 'float', hint: t('float-hint') });
  const button = h('button', { class: 'button wide-button' }, t('open-drawer'));
  const form = h(
    'form',
    { class: 'stack card narrow', novalidate: true },
    h('h1', {}, t('open-till')),
    notice,
    field({
      label: t('register'),
      name: 'register',
      value: String(last.register ?? list[0]?.id),
      options: list.map((register) => [String(register.id), `${storeOf(register)} – ${register.name}`]),
    }),
    field({
      label: t('cashier'),
      name: 'cashier',
      required: true,
      maxlength: 100,
      autocomplete: 'off',
      value: last.cashier ?? '',
      'data-first': true,
    }),
    count.content,
    button,
  );
  const meant = intent(form);
  const begin = async (session) => {
    const register = list.find(({ id }) => id === session.register_id);
    setTill({
      session: session.id,
      cashier: session.cashier,
      register: register.id,
      registerName: register.name,
      store: register.store_id,
      storeName: storeOf(register),
    });
    keep();
    try {
      await refresh(register.store_id);
    } catch (error) {
      if (!isAway(error)) throw error; // it is tried again, before long
    }
    await go('/till', { replacing: true });
  };
  const goOn = async (id) => {
    const { data: session } = await ask('GET', `/api/v1/sessions/${id}`);
    const again = h('button', { type: 'button', class: 'button second' }, t('go-on'));
    again.addEventListener('click', () => busy(again, () => begin(session)));
    showNotice(notice, 'warning', t('is-open', { cashier: session.cashier, at: dateTime(session.opened_at) }));
    notice.append(again);
    again.focus();
  };
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const errors = invalid(form);
    const counted = count.read();
    if (!errors.float && counted === null) errors.float = t('no-amount');
    showErrors(form, errors);
    if (Object.keys(errors).length) return;
    busy(button, async () => {
      const register = form.elements.register.value;
      const body = { cashier: form.elements.cashier.value.trim(), opening_float: cad(counted.cents) };
      try {
        const path = `/api/v1/registers/${register}/sessions`;
        const { data: session } = await ask('POST', path, { key: meant(), body });
        await begin(session);
      } catch (error) {
        if (error.code === 'session-open' && error.body.session_id) await goOn(error.body.session_id);
        else if (isDenied(error)) await go('/till/key');
        else showNotice(notice, 'error', explain(error, t));
      }
    });
  });
  const leave = h('button', { type: 'button', class: 'quiet' }, t('sign-out'));
  leave.addEventListener('click', () => {
    forgetKey();
    go('/till/key', { replacing: true });
  });
  return { title: t('open-till'), content: h('div', { class: 'stack' }, form, h('p', { class: 'narrow' }, leave)) };
}
