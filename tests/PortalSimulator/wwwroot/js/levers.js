import { api } from './api.js';
import { el } from './dom.js';
import { eventLever } from './levers-event.js';

export function drawLevers(shell) {
  const status = el('p', { class: 'lever-status', role: 'status', 'data-testid': 'lever-status' });
  /** What came of it is told beside the lever that was pulled. `body` may be a function: what it throws is told, too. */
  const pull = async (name, where, body = {}, after = null) => {
    const place = where.closest('fieldset') ?? where.querySelector('fieldset');
    if (status.parentElement !== place) place.append(status);
    status.textContent = `${name}…`;
    try {
      await api.lever(name, typeof body === 'function' ? body() : body);
      const state = await shell.refresh();
      status.textContent = `${name}: done`;
      await after?.(state);
    } catch (error) {
      status.textContent = `${name}: ${error.message}`;
    }
  };

  const button = (testid, text, onclick) => el('button', { type: 'button', 'data-testid': `lever-${testid}`, onclick }, text);
  const simple = (name, text, body, after) => button(name, text, event => pull(name, event.target, body, after));
  const field = (testid, label, input) => {
    input.id = `lever-${testid}`;
    input.dataset.testid = `lever-${testid}`;
    return el('div', { class: 'field' }, el('label', { for: input.id }, label), input);
  };
  const check = (testid, label, onchange) => {
    const input = el('input', { type: 'checkbox', 'data-testid': `lever-${testid}`, onchange });
    return [input, el('label', { class: 'check' }, input, label)];
  };
  const group = (name, ...content) => el('fieldset', {}, el('legend', {}, name), content);
  const number = (testid, label, name) => {
    const input = el('input', { type: 'number', min: '0', step: '500', value: '0' });
    return [input, el('div', { class: 'with-button' }, field(testid, label, input),
      el('button', {
        type: 'button', 'data-testid': `lever-${testid}-apply`, 'aria-label': `Apply: ${label}`,
        onclick: () => pull(name, input, { ms: Number(input.value) }),
      }, 'Apply'))];
  };

  const [clean, cleanLabel] = check('uninstall-clean', 'and forget its data (CLEAN=1)');
  const [oauth, oauthLabel] = check('breakOAuth', 'OAuth server is broken', () => pull('breakOAuth', oauth, { on: oauth.checked }));
  const [limit, limitLabel] = check('queryLimit', 'REST answers QUERY_LIMIT_EXCEEDED',
    () => pull('queryLimit', limit, { on: limit.checked }));
  const [vendor, vendorField] = number('vendorScriptDelay', 'Vendor scripts wait, ms', 'vendorScriptDelay');
  const [handler, handlerField] = number('handlerDelay', 'Handler answers after, ms', 'handlerDelay');
  const [old, oldLabel] = check('oldPortal', 'An old portal: no APPLICATION_TOKEN in pages',
    () => pull('oldPortal', old, { on: old.checked }));

  const show = ({ levers }) => {
    oauth.checked = Boolean(levers.oauthBroken);
    limit.checked = Boolean(levers.queryLimit);
    old.checked = Boolean(levers.oldPortal);
    for (const [input, value] of [[vendor, levers.vendorScriptDelayMs], [handler, levers.handlerDelayMs]]) {
      if (document.activeElement !== input) input.value = String(value ?? 0);
    }
  };
  show(shell.state());
  shell.onState(show);

  // Behind the new name is the same portal: stay on the page, as the same person.
  const goHome = ({ portal }) => {
    const { user, lang } = shell.session;
    location.href = `${new URL(portal.url).origin}${location.pathname}?user=${user.id}&lang=${lang}`;
  };

  return el('details', { class: 'levers', open: true }, el('summary', { 'data-testid': 'levers-toggle' }, 'Levers'),
    group('Application',
      button('install-wizard', 'Install (wizard)', ({ target }) =>
        pull('install', target, { mode: 'wizard' }, () => { shell.openApplication(); })),
      button('install-api', 'Install (API only)', ({ target }) => pull('install', target, { mode: 'api' })),
      simple('update', 'Update'),
      button('uninstall', 'Uninstall', ({ target }) => pull('uninstall', target, { clean: clean.checked })), cleanLabel,
      simple('userReady', 'System user is ready'), simple('wipe', 'Wipe its placements'), simple('market', 'Market check (HEAD)')),
    group('Portal',
      simple('rename', 'Rename the portal', {}, goHome),
      simple('removeWorker', 'Remove the worker (too slow)'),
      simple('reset', 'Reset everything', {}, goHome), oldLabel),
    group('Faults', simple('expireTokens', 'Expire all tokens'), oauthLabel, limitLabel, vendorField, handlerField),
    signal(shell, pull, field, group),
    eventLever(shell, pull, field, group),
    callCard(shell, field, group, check, button));
}

function signal(shell, pull, field, group) {
  const command = el('input', { value: 'openApplication', required: true, autocomplete: 'off' });
  const params = el('textarea', { rows: '2', spellcheck: 'false' }, '{"docId":"42"}');
  const users = el('select', {}, el('option', { value: '' }, 'everybody'),
    shell.state().users.map(({ id, name }) => el('option', { value: String(id) }, name)));
  const send = event => {
    event.preventDefault();
    pull('signal', event.target, () => ({
      command: command.value, params: JSON.parse(params.value || '{}'), userIds: users.value ? [Number(users.value)] : null,
    }));
  };
  return el('form', { onsubmit: send }, group('Signal',
    field('signal-command', 'Command', command), field('signal-params', 'Parameters, JSON', params), field('signal-user', 'To', users),
    el('button', { 'data-testid': 'lever-signal' }, 'Send a signal')));
}

function callCard(shell, field, group, check, button) {
  const direction = el('select', {}, ['incoming', 'outgoing', 'callback'].map(value => el('option', {}, value)));
  const [list, listLabel] = check('callcard-list', 'in a call list');
  return group('Telephony', field('callcard-direction', 'Direction', direction), listLabel,
    button('callcard', 'Show a call card', () => shell.callCard.show({ direction: direction.value, callList: list.checked })));
}
