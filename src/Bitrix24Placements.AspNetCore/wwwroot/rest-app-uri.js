import { loadBX24 } from './bx24.js';
import { fetchWithSession } from './session.js';

const { session } = document.body.dataset;

/**
 * How this page talks to its own backend: cookies do not work in the frame, so it was given a session.
 * Facts are fetched with it; the parameters of a link were made by whoever wrote the link.
 */
async function showContext(place) {
  const response = await fetchWithSession('/api/context');
  if (!response.ok) return;
  place.querySelector('pre').textContent = JSON.stringify(await response.json(), null, 2);
  place.hidden = false;
}

const place = document.getElementById('context');
if (session && place) await showContext(place).catch(problem => console.debug(problem));

const BX24 = await loadBX24();
if (BX24) {
  const close = document.getElementById('close');
  close.hidden = false;
  close.addEventListener('click', () => BX24.closeApplication());
  BX24.fitWindow();
  place?.addEventListener('toggle', () => BX24.fitWindow());
}
