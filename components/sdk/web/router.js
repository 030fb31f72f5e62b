// Views by path, within one page: links of ours are followed without loading it again, back and forward work, and
// whoever cannot see the page hears of the view that came.

import { announce, focusOn } from './a11y.js';
import { h, replace } from './dom.js';
import { explain } from './http.js';

/**
 * `views` are `[pattern, view]`, tried in order: `view({ groups, url, signal, go })` resolves to `{ title, content }`, or to
 * `{ redirect: path }`. `groups` are the pattern's, `signal` aborts when another view is wanted, `go` leads to a path. What
 * has `data-first` in the content has the focus, or else its heading.
 * `site` comes after every title; `failed` has the texts for a view that could not be made, and `entrance` makes the path
 * to go to when it could not because nobody is signed in; `shown` is told of each view.
 */
export function router({ main, views, site, failed, entrance, shown: tell = () => {} }) {
  let running = new AbortController();

  /** `focus`: the keyboard goes `first` to the top of a view that is new, or `back` to one, which is not scrolled. */
  async function show({ focus }) {
    running.abort();
    running = new AbortController();
    const { signal } = running;
    const url = new URL(location.href);
    const [pattern, view] = views.find(([candidate]) => candidate.test(url.pathname));
    main.setAttribute('aria-busy', 'true');
    let shown;
    try {
      shown = await view({ groups: pattern.exec(url.pathname).slice(1), url, signal, go });
    } catch (error) {
      if (signal.aborted) return;
      shown = error.status === 401 && entrance ? { redirect: entrance(url) } : problem(error);
    } finally {
      if (!signal.aborted) main.removeAttribute('aria-busy');
    }
    if (signal.aborted) return;
    if (shown.redirect) {
      await go(shown.redirect, { replacing: true });
      return;
    }
    document.title = shown.title === site ? site : `${shown.title} – ${site}`;
    replace(main, shown.content);
    tell(url);
    if (!focus) return;
    if (focus === 'first') scrollTo(0, 0);
    const first = main.querySelector('[data-first]');
    const heading = main.querySelector('h1');
    if (!first && heading) {
      focusOn(heading, { preventScroll: focus === 'back' });
      return;
    }
    first?.focus({ preventScroll: focus === 'back' });
    announce(document.title);
  }

  function problem(error) {
    const again = h(
      'button',
      { type: 'button', class: 'button second', on: { click: () => show({ focus: 'first' }) } },
      failed.again(),
    );
    return {
      title: failed.title(),
      content: h('div', { class: 'empty' }, h('h1', {}, failed.title()), h('p', {}, reason(error)), again),
    };
  }

  /** A mistake of ours has no words for people; it is reported, and the view before does not stay at this address. */
  function reason(error) {
    try {
      return explain(error);
    } catch {
      reportError(error);
      return null;
    }
  }

  function go(path, { replacing = false, focus = true } = {}) {
    if (replacing) history.replaceState(null, '', path);
    else history.pushState(null, '', path);
    return show({ focus: focus && 'first' });
  }

  document.addEventListener('click', (event) => {
    const link = event.target.closest?.('a[href]');
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (!link || !plain || event.defaultPrevented || link.target || link.origin !== location.origin) return;
    if (!views.some(([pattern]) => pattern.test(link.pathname))) return;
    event.preventDefault();
    const path = link.pathname + link.search;
    // As browsers have it, the page that is shown is not one more to come back to.
    go(path, { replacing: path === location.pathname + location.search });
  });
  addEventListener('popstate', () => show({ focus: 'back' }));

  return { go, refresh: () => show({ focus: false }) };
}
