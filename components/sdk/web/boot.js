// Runs before anything is drawn: the language and the colours of the page, and a way out when the
// component was replaced between the page and one of its files. A classic script, with nothing to import.
(() => {
  'use strict';
  const root = document.documentElement;
  const remembered = (key) => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null; // storage is forbidden: the browser's own settings are good enough
    }
  };

  const wanted = [remembered('comptoir.language'), ...navigator.languages];
  root.lang = wanted.map((tag) => tag?.slice(0, 2).toLowerCase()).find((tag) => tag === 'fr' || tag === 'en') ?? 'fr';
  const theme = remembered('comptoir.theme');
  if (theme === 'light' || theme === 'dark') root.dataset.theme = theme;

  // A file of another version is a 404. The page that is served by now names files that are there; while
  // several replicas are replaced one after another it may take more than one look.
  const ATTEMPTS = 6;
  const FORGOTTEN_MS = 30_000;
  let leaving = false;
  const reload = () => {
    if (leaving) return;
    leaving = true;
    const attempt = next();
    if (attempt <= ATTEMPTS) setTimeout(() => location.reload(), 100 * 2 ** attempt);
  };
  /** Which look it would be. Where nothing can be counted, a page that was loaded again is the last one. */
  const next = () => {
    try {
      const [count, at] = (sessionStorage.getItem('comptoir.reloads') ?? '0 0').split(' ').map(Number);
      const attempt = Date.now() - at < FORGOTTEN_MS ? count + 1 : 1;
      sessionStorage.setItem('comptoir.reloads', `${attempt} ${Date.now()}`);
      return attempt;
    } catch {
      return performance.getEntriesByType('navigation')[0]?.type === 'reload' ? Infinity : 1;
    }
  };
  // Of a script, a style sheet or a module that could not be loaded; such events do not bubble.
  addEventListener(
    'error',
    ({ target }) => {
      if (target instanceof HTMLScriptElement || target instanceof HTMLLinkElement) reload();
    },
    true,
  );
})();
