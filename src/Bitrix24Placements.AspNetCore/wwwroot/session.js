import { loadBX24, within } from './bx24.js';

const { base = '', session: given = '' } = document.body.dataset;

/** A session ends with its user's token: an hour after that was made at the latest. */
const hour = 3_600_000;

/** So long before its end it is renewed rather than tried. */
const margin = 60_000;

/** A portal that cannot renew its user's access does not answer. */
const accessTime = 30_000;

let session = given;
let endsAt = Date.now() + hour;
let renewing = null;

/**
 * `fetch` to the app's own backend as the page's user, with `Authorization: Bearer {session}`. Cookies do not work in a portal's frame.
 * An ended session is renewed with a new token of the portal, and the request sent again; where that cannot be done, the 401 is the answer.
 * @param {string} path of the app's own: `/deals/1/comment`, below the path at which the service stands
 * @param {RequestInit} [init] a body that can be sent twice: no stream
 */
export async function fetchWithSession(path, init = {}) {
  const url = new URL(path.startsWith('/') ? base + path : path, location.href);
  if (url.origin !== location.origin) throw new TypeError('A session is sent to its own service alone');
  if (Date.now() > endsAt - margin) await renew();
  const used = session;
  const answer = await send(url, init);
  if (answer.status !== 401) return answer;
  // Another request may have renewed it meanwhile.
  return session !== used || await renew() ? send(url, init) : answer;
}

function send(url, init) {
  const headers = new Headers(init.headers);
  headers.set('Authorization', `Bearer ${session}`);
  return fetch(url, { ...init, headers });
}

/** Once for all requests that are waiting. */
function renew() {
  renewing ??= askAnew().catch(problem => console.debug(problem)).finally(() => { renewing = null; });
  return renewing;
}

/** @returns {Promise<boolean>} whether there is another session now */
async function askAnew() {
  const BX24 = session && await loadBX24();
  const auth = BX24 && await within(accessTime, new Promise(resolve => BX24.refreshAuth(resolve)));
  if (!auth) return false;
  const answer = await fetch(`${base}/api/session`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${session}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ accessToken: auth.access_token }),
  });
  if (!answer.ok) return false;
  const renewed = await answer.json();
  session = renewed.session;
  endsAt = Date.now() + renewed.expiresIn * 1000;
  return true;
}
