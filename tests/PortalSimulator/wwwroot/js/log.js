import { api } from './api.js';
import { el } from './dom.js';

const kept = 500;

/** Every request, REST call, OAuth call and bridge message, as the simulator saw them. */
export function startLog(shell) {
  const text = el('input', {
    type: 'search', id: 'log-filter', 'data-testid': 'log-filter', placeholder: 'Filter', autocomplete: 'off', oninput: filter,
  });
  const kind = el('select', { id: 'log-kind', 'data-testid': 'log-kind', onchange: filter }, el('option', { value: '' }, 'all'));
  const list = el('ol', { class: 'log', 'data-testid': 'log', tabindex: '0', 'aria-label': 'Log' });
  const kinds = new Set();
  let last = 0;

  function filter() {
    const wanted = text.value.toLowerCase();
    for (const row of list.children) {
      row.hidden = Boolean(kind.value && row.dataset.kind !== kind.value) || !row.dataset.search.includes(wanted);
    }
  }

  function add(entry) {
    if (!kinds.has(entry.kind)) {
      kinds.add(entry.kind);
      kind.append(el('option', {}, entry.kind));
    }
    list.append(rowOf(entry));
    while (list.children.length > kept) list.firstChild.remove();
  }

  async function poll() {
    try {
      const { entries } = await api.log(last);
      if (entries.length) {
        const atEnd = list.scrollTop + list.clientHeight >= list.scrollHeight - 20;
        entries.forEach(add);
        last = entries.at(-1).n;
        filter();
        if (atEnd) list.scrollTop = list.scrollHeight;
        await shell.refresh();
      }
      list.classList.remove('log-stopped');
    } catch {
      list.classList.add('log-stopped'); // the simulator is being restarted
    }
    setTimeout(poll, 1000);
  }
  poll();

  return el('section', { class: 'log-box', 'aria-labelledby': 'log-title' },
    el('div', { class: 'log-head' }, el('h2', { id: 'log-title' }, 'Log'),
      el('label', { for: 'log-filter', class: 'unseen' }, 'Filter the log'), text,
      el('label', { for: 'log-kind', class: 'unseen' }, 'Kind'), kind,
      el('button', { type: 'button', 'data-testid': 'log-clear', onclick: () => list.replaceChildren() }, 'Clear')), list);
}

function rowOf(entry) {
  const failed = entry.status >= 400 || entry.error;
  const head = el('button', { type: 'button', class: 'log-line', 'aria-expanded': 'false', onclick: () => toggle(row, head, entry) },
    el('span', { class: 'log-kind' }, entry.kind),
    el('span', { class: 'log-way' }, `${entry.from} → ${entry.to}`),
    el('span', { class: 'log-summary' }, entry.summary),
    entry.status ? el('span', { class: failed ? 'log-status failed' : 'log-status' }, String(entry.status)) : null,
    typeof entry.ms === 'number' ? el('span', { class: 'log-ms' }, `${Math.round(entry.ms)} ms`) : null);
  const row = el('li', {
    'data-kind': entry.kind, 'data-n': String(entry.n), 'data-testid': 'log-entry',
    'data-search': `${entry.kind} ${entry.from} ${entry.to} ${entry.summary} ${entry.status ?? ''}`.toLowerCase(),
  }, head);
  return row;
}

function toggle(row, head, { at, detail }) {
  const open = row.querySelector('pre');
  head.setAttribute('aria-expanded', String(!open));
  if (open) open.remove();
  else row.append(el('pre', { 'data-testid': 'log-detail', tabindex: '0' }, `${at}\n${pretty(detail)}`));
}

function pretty(detail) {
  if (detail === null || detail === undefined) return '';
  if (typeof detail !== 'string') return JSON.stringify(detail, null, 2);
  try { return JSON.stringify(JSON.parse(detail), null, 2); } catch { return detail; }
}
