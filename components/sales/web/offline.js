// The page itself, kept so that it can be loaded again without a network: a till that is switched off and on goes on
// selling. Only where the browser allows a service worker, which is over HTTPS and on the machine itself.

const PAGE = '/till';
const WORKER = '/till/worker';
const CACHE = 'comptoir.till ';

/** Keeps this very version of the page with all of its files, and forgets the ones before. */
export async function keepPage() {
  if (!navigator.serviceWorker) return;
  const policy = window.trustedTypes?.createPolicy('worker', { createScriptURL: () => WORKER });
  const files = [...document.querySelectorAll('script[src], link[href]')].map(({ src, href }) => src ?? href);
  const name = CACHE + new URL(files[0]).pathname.split('/').slice(0, -1).join('/');
  try {
    await navigator.serviceWorker.register(policy?.createScriptURL(WORKER) ?? WORKER, { scope: PAGE });
    await keep(name, files);
  } catch (error) {
    // Nobody answers, or another version is served by now: what was kept before is still there, and is whole.
    if (!(error instanceof TypeError)) throw error;
  }
}

/** The page comes last, and what is there before it is of an older version: so a page that is kept has all of its files. */
async function keep(name, files) {
  if (!(await caches.match(PAGE, { cacheName: name }))) {
    const page = await fetch(PAGE);
    const text = await page.clone().text();
    if (!page.ok || !text.includes(new URL(files[0]).pathname)) return;
    const cache = await caches.open(name);
    await cache.addAll(files);
    await cache.put(PAGE, page);
  }
  const others = (await caches.keys()).filter((other) => other.startsWith(CACHE) && other !== name);
  await Promise.all(others.map((other) => caches.delete(other)));
}
