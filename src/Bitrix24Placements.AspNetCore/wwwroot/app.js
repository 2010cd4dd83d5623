import { loadBX24 } from './bx24.js';
import { fetchWithSession } from './session.js';

const { session } = document.body.dataset;
const form = document.getElementById('link-form');
const link = document.getElementById('link');
const copy = document.getElementById('copy');
const status = document.getElementById('link-status');

/** The page's own backend makes the link: it knows the app's code and how parameters are written. */
async function makeLink(params) {
  const response = await fetchWithSession('/api/links', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ params }),
  });
  if (!response.ok) throw new Error(String(response.status));
  return (await response.json()).path;
}

form?.addEventListener('submit', async event => {
  event.preventDefault();
  if (!session) {
    status.textContent = status.dataset.noSession;
    return;
  }
  try {
    const { name, value } = Object.fromEntries(new FormData(form));
    link.value = await makeLink({ [name]: value });
    status.textContent = status.dataset.made;
  } catch {
    status.textContent = status.dataset.failed;
  }
});

/** The portal's frame may not allow the clipboard; a selection can be copied all the same, if need be with Ctrl+C. */
async function copyLink() {
  try {
    await navigator.clipboard.writeText(link.value);
    return true;
  } catch {
    link.select();
    return document.execCommand('copy');
  }
}

copy?.addEventListener('click', async () => {
  status.textContent = '';
  if (!await copyLink()) return;
  copy.focus();
  status.textContent = copy.dataset.copied;
});

(await loadBX24())?.fitWindow();
