import { loadBX24 } from './bx24.js';
import { fetchWithSession } from './session.js';

const { base, session } = document.body.dataset;
const section = document.getElementById('doctor');
const { language, failed, seen, healthy, ill, do: todo } = section.dataset;
const button = document.getElementById('examine');
const list = document.getElementById('examined');
const diagnosis = document.getElementById('diagnosis');

function element(name, text, css = '') {
  return Object.assign(document.createElement(name), { textContent: text, className: css });
}

function show({ title, state, stateText, findings }) {
  const item = element('li', '', { good: 'good', wrong: 'bad' }[state] ?? '');
  item.append(element('strong', title), element('span', stateText));
  for (const finding of findings) {
    item.append(element('p', finding.what, 'reason'));
    if (finding.seen) item.append(element('p', `${seen}: ${finding.seen}`, 'small'));
    if (finding.do) item.append(element('p', `${todo}: ${finding.do}`, 'reason'));
  }
  list.append(item);
  return state !== 'wrong';
}

/** @returns {AsyncGenerator<object>} each check as it ends */
async function* examine() {
  const response = await fetchWithSession(`/doctor?language=${language}`, { method: 'POST' });
  if (!response.ok) throw new Error(String(response.status));
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split('\n');
    rest = lines.pop();
    yield* lines.map(line => JSON.parse(line));
  }
}

const BX24 = await loadBX24();
section.hidden = !session || !BX24?.isAdmin();
button.addEventListener('click', async () => {
  button.disabled = true;
  list.replaceChildren();
  Object.assign(diagnosis, { textContent: '', className: '' });
  try {
    let good = true;
    for await (const check of examine()) {
      good = show(check) && good;
      BX24.fitWindow();
    }
    Object.assign(diagnosis, { textContent: good ? healthy : ill, className: `outcome ${good ? 'good' : 'bad'}` });
  } catch {
    Object.assign(diagnosis, { textContent: failed, className: 'outcome bad' });
  }
  button.disabled = false;
  BX24.fitWindow();
});
