const log = document.getElementById('log');
let last = 0;

function make(tag, text = '', kind = '') {
  const element = document.createElement(tag);
  element.textContent = text;
  element.className = kind;
  return element;
}

function link(text, href) {
  const a = make('a', text);
  a.href = href;
  return a;
}

/** What can be done with a request: sent again, or kept. */
function actions({ number, title }) {
  const row = make('div', '', 'do');
  const button = make('button', 'Replay');
  const outcome = make('span', '', 'soft');
  outcome.setAttribute('role', 'status');
  button.type = 'button';
  button.addEventListener('click', async () => {
    const answer = await fetch(`inspector/${number}/replay`, { method: 'POST', headers: { 'Bitrix24-Inspector': '1' } });
    outcome.textContent = answer.ok ? `Answered ${await answer.text()}` : `Failed with ${answer.status}`;
  });
  const name = `${title.replace(/[^a-z0-9]+/gi, '-').replace(/^-|-$/g, '')}-${number}.txt`;
  const masked = link('Save for a test', `inspector/${number}.txt`);
  const whole = link('Save with tokens', `inspector/${number}.txt?tokens`);
  masked.download = whole.download = name;
  row.append(button, masked, whole, outcome);
  return row;
}

function entry(exchange) {
  const { kind, title, decision, fields, milliseconds, at, canReplay } = exchange;
  const item = make('li');
  const details = make('details');
  const summary = make('summary');
  const good = kind === 'call' ? decision === 'ok' : /^2/.test(decision);
  summary.append(
    make('span', new Date(at).toLocaleTimeString('en-GB'), 'soft'), make('span', kind, 'soft'), make('span', title),
    make('span', decision, good ? 'good' : 'bad'), make('span', `${milliseconds} ms`, 'soft ms'));
  const list = make('dl');
  for (const { key, value } of fields) list.append(make('dt', key), make('dd', value));
  details.append(summary, ...(fields.length ? [list] : []), ...(canReplay ? [actions(exchange)] : []));
  item.append(details);
  return item;
}

async function look() {
  const answer = await fetch(`inspector/log?after=${last}`).catch(() => null);
  const exchanges = answer?.ok ? await answer.json() : [];
  for (const exchange of exchanges) log.prepend(entry(exchange));
  while (log.children.length > 200) log.lastChild.remove();
  last = exchanges.at(-1)?.number ?? last;
  document.getElementById('empty').hidden = log.children.length > 0;
  setTimeout(look, 1000);
}

await look();
