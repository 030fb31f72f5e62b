// The three questions that the page asks: for the token, for a component, and whether to go back. Each is a modal
// dialog, whose promise is settled when it is closed.

import * as api from './api.js';
import { h, newId, replace as put } from './dom.js';
import { list } from './i18n.js';
import { setText } from './keep.js';
import { age, megabytes, short, stage, t } from './texts.js';

/** Who wants to know what the host says meanwhile. */
let watching = () => {};

/** The components were looked at again. */
export const looked = (components) => watching(components);

/**
 * `build` gets a function that closes the dialog with a result, and returns what is in it; closed by Escape, its result
 * is `undefined`.
 */
function open(title, build) {
  return new Promise((resolve) => {
    const heading = h('h2', { id: newId('dialog') }, title);
    const dialog = h('dialog', { class: 'card', 'aria-labelledby': heading.id });
    let result;
    const close = (value) => {
      result = value;
      dialog.close();
    };
    dialog.addEventListener('close', () => {
      watching = () => {};
      dialog.remove();
      resolve(result);
    });
    dialog.append(heading, build(close, dialog, heading));
    document.body.append(dialog);
    dialog.showModal();
  });
}

const button = (text, click, kind = 'button second') => h('button', { type: 'button', class: kind, on: { click } }, text);
const submit = (text) => h('button', { type: 'submit', class: 'button' }, text);

/** A form is sent by its script alone, and once: a second click while the first is answered would roll back twice. */
function form(send, ...children) {
  const element = h('form', { class: 'stack', novalidate: true }, ...children);
  let isSending = false;
  element.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (isSending) return;
    isSending = true;
    try {
      await send();
    } finally {
      isSending = false;
    }
  });
  return element;
}

/** A labelled control with a hint, and a place for what is wrong with it. */
function field(label, control, hint) {
  const error = h('p', { class: 'error', id: newId('error'), role: 'alert' });
  control.id = newId('control');
  const note = hint && h('p', { class: 'hint', id: newId('hint') }, hint);
  control.setAttribute('aria-describedby', note ? `${note.id} ${error.id}` : error.id);
  const element = h('div', { class: 'field' }, h('label', { for: control.id }, label), control, note, error);
  const complain = (text) => {
    setText(error, text);
    control.toggleAttribute('aria-invalid', text !== '');
    if (text !== '') {
      control.setAttribute('aria-invalid', 'true');
      control.focus();
    }
  };
  return { element, complain };
}

// --- the token

/** Whether it was given, and is the right one. */
export const askForToken = () =>
  open(t('token-title'), (close) => {
    const control = h('input', { type: 'password', class: 'control', autocomplete: 'current-password', spellcheck: 'false' });
    const { element, complain } = field(t('token-label'), control, t('token-hint'));
    const send = async () => {
      const value = control.value.trim();
      if (value === '') return complain(t('token-missing'));
      // What no header can carry is no token either.
      if (!/^[\x20-\x7e]+$/.test(value)) return complain(t('token-wrong'));
      try {
        if ((await api.permission(value)) !== 'allowed') return complain(t('token-wrong'));
      } catch (error) {
        if (error instanceof api.Unreachable) return complain(t('unreachable'));
        throw error;
      }
      api.token.set(value);
      close(true);
    };
    // For whoever keeps passwords: a token is one, and has no user.
    const user = h('input', { type: 'text', autocomplete: 'username', value: 'admin', readonly: true, hidden: true });
    return form(send, user, element, h('div', { class: 'row end' }, button(t('cancel'), () => close()), submit(t('token-go'))));
  });

// --- a component

/** 'wrong-token' when it is to be asked for again. */
export const replace = (service, replicas, dropped) =>
  open(t('replace-title', { service }), (close, dialog, heading) => {
    const content = h('div', { class: 'stack' });
    let sending;
    dialog.addEventListener('close', () => sending?.abort());

    const choose = (file) => {
      setText(heading, t('replace-title', { service }));
      const target = targets(t('target'), service, replicas);
      const control = h('input', { type: 'file', class: 'control', accept: '.wasm,application/wasm' });
      if (file) control.files = asList(file);
      const { element, complain } = field(t('file-label'), control);
      const send = () => {
        const [chosen] = control.files;
        if (!chosen) return complain(t('file-missing'));
        return transfer(target.value(), chosen);
      };
      put(content, h('p', {}, t('replace-hint')), form(send, target.element, element,
        h('p', { class: 'hint' }, t('replace-kept')),
        h('div', { class: 'row end' }, button(t('cancel'), () => close()), submit(t('replace-go')))));
      control.focus();
    };

    const transfer = async (name, file) => {
      const bar = h('progress', { max: 1, value: 0, 'aria-label': t('replace-title', { service }) });
      const what = h('p', { role: 'status' });
      const note = h('p', { class: 'hint' });
      const leave = button(t('cancel'), () => close());
      put(content, what, bar, note, h('div', { class: 'row end' }, leave));
      leave.focus();
      const progress = (sent, total) => {
        bar.value = total > 0 ? sent / total : 1;
        setText(what, t('sending', { file: file.name, sent: megabytes(sent), total: megabytes(total) }));
        if (sent < total) return;
        // From now on only the host knows.
        sending = undefined;
        bar.removeAttribute('value');
        setText(what, t('checking'));
        setText(note, t('checking-goes-on'));
        setText(leave, t('close'));
        watching = (components) => setText(what, checking(components.filter((component) => concerns(component, name))));
      };
      progress(0, file.size);
      try {
        const upload = api.swap(name, file, progress);
        sending = upload;
        done(await upload.done);
      } catch (error) {
        if (error.status === 401) return close('wrong-token');
        if (dialog.open) failed(error, file);
      } finally {
        watching = () => {};
        sending = undefined;
      }
    };

    const done = ({ swapped }) => {
      setText(heading, t('swapped'));
      end(h('div', { class: 'notice', role: 'status' }, swapped.map(({ replica, outcome, generation }) =>
        h('p', {}, t(`swapped-${outcome}`, { replica, generation: String(generation) })))));
    };

    const failed = (error, file) => {
      setText(heading, error.stage ? t('refused', { stage: stage(error.stage) }) : t('not-done'));
      end(failure(error), button(t('again'), () => choose()));
      // The same again, once what was missing is there.
      if (error.status === 503) content.querySelector('.row').prepend(button(t('replace-go'), () => choose(file)));
    };

    const end = (notice, ...more) => {
      const leave = button(t('close'), () => close(), 'button');
      put(content, notice, h('div', { class: 'row end' }, ...more, leave));
      leave.focus();
    };

    choose(dropped);
    return content;
  });

function checking(components) {
  const at = components.filter(({ loading }) => loading);
  if (at.length === 0) return t('checking');
  return at.map(({ replica, loading }) => t('checking-stage', { replica, stage: stage(loading.stage) })).join(' ');
}

/** Why not, in the host's own words, which are English, and what it means. */
function failure(error) {
  const alert = h('div', { class: 'notice error stack', role: 'alert' });
  if (error instanceof api.Refused) {
    if (t.has(`about-${error.stage}`)) alert.append(h('p', {}, t(`about-${error.stage}`)));
    alert.append(h('p', { class: 'said', lang: 'en' }, error.message));
    if (error.replica) alert.append(h('p', {}, t('refused-goes-on', { replica: error.replica })));
    const others = error.swapped.map(({ replica }) => replica);
    if (others.length > 0) alert.append(h('p', {}, t('refused-others', { replicas: list(others) })));
  } else if (error instanceof api.Unreachable) {
    alert.append(h('p', {}, t('unreachable')));
  } else {
    throw error;
  }
  return alert;
}

// --- back

export const rollBack = (service, replicas) =>
  open(t('back-title', { service }), (close, dialog, heading) => {
    const content = h('div', { class: 'stack' });
    const target = targets(t('target-back'), service, replicas, () => describe());
    const what = h('div', { class: 'stack' });
    const describe = () =>
      put(what, replicas.filter((component) => concerns(component, target.value())).map(({ replica, current, previous }) =>
        h('p', {}, current && previous ? fromTo(replica, current, previous) : `${replica}: ${t('no-previous')}`)));
    const end = (text, notice) => {
      setText(heading, text);
      const leave = button(t('close'), () => close(), 'button');
      put(content, notice, h('div', { class: 'row end' }, leave));
      leave.focus();
    };
    const send = async () => {
      try {
        const { rolled_back } = await api.rollback(target.value());
        end(t('back-title-done'), h('div', { class: 'notice', role: 'status' }, rolled_back.map(({ replica, generation }) =>
          h('p', {}, t('back-done', { replica, generation: String(generation) })))));
      } catch (error) {
        if (error.status === 401) return close('wrong-token');
        end(t('not-done'), failure(error));
      }
    };
    describe();
    put(content, form(send, target.element, what, h('p', { class: 'hint' }, t('back-hint')),
      h('div', { class: 'row end' }, button(t('cancel'), () => close()), submit(t('back-go')))));
    return content;
  });

const fromTo = (replica, current, previous) =>
  t('back-from-to', {
    replica,
    from: String(current.generation),
    fromDigest: short(current.digest),
    to: String(previous.generation),
    toDigest: short(previous.digest),
    age: age(previous.age_s),
  });

// --- both

/** By a service's name all of its replicas, by a replica's that one. */
const concerns = ({ service, replica }, name) => service === name || replica === name;

/** Which replicas it is about; nothing to choose where there is one. */
function targets(label, service, replicas, changed = () => {}) {
  if (replicas.length < 2) return { element: null, value: () => service };
  const all = h('option', { value: service }, t('target-all', { count: replicas.length }));
  const control = h('select', { class: 'control', on: { change: changed } }, all,
    replicas.map(({ replica }) => h('option', { value: replica }, replica)));
  return { element: field(label, control).element, value: () => control.value };
}

function asList(file) {
  const transfer = new DataTransfer();
  transfer.items.add(file);
  return transfer.files;
}
