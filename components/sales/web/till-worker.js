// Answers for the till's page and its files while nobody else does, with what offline.js has kept. As long as somebody
// does, nothing comes from here: a version that is replaced is replaced.

const PAGE = '/till';

addEventListener('install', () => skipWaiting());
addEventListener('activate', (event) => event.waitUntil(clients.claim()));

addEventListener('fetch', (event) => {
  const { request } = event;
  const isPage = request.mode === 'navigate';
  const isFile = new URL(request.url).pathname.startsWith('/assets/');
  if (request.method !== 'GET' || !(isPage || isFile)) return;
  event.respondWith(answer(request, isPage ? PAGE : request.url));
});

async function answer(request, kept) {
  const response = await fetch(request).catch(() => Response.error());
  const isAnswer = response.type !== 'error' && response.status < 500;
  return isAnswer ? response : ((await caches.match(kept)) ?? response);
}
