// Answers for the till's page while nobody else does, with what offline.js has kept, and for its files, whose addresses
// say what is in them. As long as somebody serves the page, it is theirs: a version that is replaced is replaced.

const PAGE = '/till';
/** A network that is there and carries nothing is none. */
const PATIENCE_MS = 10_000;

addEventListener('install', () => skipWaiting());
addEventListener('activate', (event) => event.waitUntil(clients.claim()));

addEventListener('fetch', (event) => {
  const { request } = event;
  if (request.method !== 'GET') return;
  if (request.mode === 'navigate') event.respondWith(page(request));
  else if (new URL(request.url).pathname.startsWith('/assets/')) event.respondWith(file(request));
});

async function page(request) {
  const old = await kept(PAGE);
  const asked = fetch(request).catch(() => Response.error());
  const answer = await (old ? Promise.race([asked, pause(PATIENCE_MS)]) : asked);
  const isAnswer = answer && answer.type !== 'error' && answer.status < 500;
  return isAnswer ? answer : (old ?? answer);
}

/** A page that was kept has its own files, also when a newer till is served by the time that it asks for them. */
const file = async (request) => (await kept(request)) ?? fetch(request);

/** A disk that cannot be read is no reason not to ask. */
const kept = (wanted) => caches.match(wanted).catch(() => undefined);

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
