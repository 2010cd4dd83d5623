import { el } from './dom.js';

const buttonsOf = {
  incoming: ['answer', 'skip'],
  transferIncoming: ['answer', 'skip'],
  outgoing: ['makeCall'],
  connectingIncoming: ['hangup'],
  connectingOutgoing: ['hangup'],
  connected: ['mute', 'hold', 'hangup', 'transfer', 'dialpad', 'quality'],
  transferring: ['completeTransfer', 'cancelTransfer'],
  transferFailed: ['cancelTransfer'],
  transferConnected: ['hangup'],
  error: ['close'],
  moneyError: ['notifyAdmin', 'close'],
  redial: ['makeCall'],
};

const labels = {
  answer: 'Answer', skip: 'Skip', makeCall: 'Call', hangup: 'Hang up', completeTransfer: 'Transfer',
  cancelTransfer: 'Return to call', notifyAdmin: 'Notify administrator', close: 'Close', next: 'Next',
};

const timerGoesOn = new Set(['connected', 'transferring', 'transferFailed', 'transferConnected']);

/** The card of an external call. It only tells the app what was clicked: the app decides what the card shows next. */
export function createCallCard(host, users) {
  const handlers = [];
  let card = null;

  const emit = (name, argument) => {
    for (const handler of handlers.filter(candidate => candidate.event === `BackgroundCallCard::${name}`)) {
      try { handler.run(argument); } catch { handlers.splice(handlers.indexOf(handler), 1); } // its document is gone
    }
  };
  const changed = change => { Object.assign(card, change); draw(); };

  function show({ direction = 'incoming', callList = false } = {}) {
    close();
    card = {
      title: 'Incoming call', statusText: '', uiState: direction === 'incoming' ? 'incoming' : 'outgoing', phone: '+1 900 123-45-67',
      muted: false, held: false, callList, entity: 123, seconds: 0, timerShown: false, timer: null,
      comment: el('input', { id: 'callcard-comment', 'data-testid': 'callcard-comment', placeholder: 'Comment' }),
    };
    if (direction !== 'incoming') card.title = 'Outgoing call';
    draw();
    emit('initialized', {
      CALL_ID: `externalCall.${crypto.randomUUID?.() ?? Date.now()}`, PHONE_NUMBER: number(), LINE_NUMBER: 'reg151083', LINE_NAME: '',
      CRM_ENTITY_TYPE: 'CONTACT', CRM_ENTITY_ID: card.entity, CRM_ACTIVITY_ID: 456, CRM_BINDINGS: [{ ENTITY_TYPE: 'DEAL', ENTITY_ID: 5 }],
      CALL_DIRECTION: direction, CALL_STATE: 'idle', CALL_LIST_MODE: callList,
    });
    if (card) emit('entityChanged', entity());
  }

  const number = () => card.phone.replace(/[^+\d]/g, '');
  const entity = () => ({ PHONE_NUMBER: number(), CRM_ENTITY_TYPE: 'CONTACT', CRM_ENTITY_ID: card.entity });

  function close() {
    stopTimer();
    card = null;
    host.replaceChildren();
  }

  function setUiState(uiState, startsTimer = true) {
    if (!timerGoesOn.has(uiState)) stopTimer();
    card.uiState = uiState;
    if (uiState === 'connected') {
      if (startsTimer) startTimer();
      else { stopTimer(); Object.assign(card, { timerShown: false, seconds: 0 }); }
    } else if (!card.timer) card.timerShown = false;
    draw();
  }

  function startTimer() {
    card.timerShown = true;
    card.timer ??= setInterval(() => { card.seconds += 1; drawTimer(); }, 1000);
    draw();
  }

  function stopTimer() {
    clearInterval(card?.timer);
    if (card) card.timer = null;
  }

  function setMuted(muted) {
    if (card.muted === muted) return;
    changed({ muted });
    emit('muteButtonClick', muted);
  }

  function setHeld(held) {
    if (card.held === held) return;
    changed({ held });
    emit('holdButtonClick', held);
  }

  const clock = () => `${String(Math.floor(card.seconds / 60)).padStart(2, '0')}:${String(card.seconds % 60).padStart(2, '0')}`;
  const drawTimer = () => { const timer = host.querySelector('.callcard-timer'); if (timer) timer.textContent = clock(); };

  const transfer = target => emit('transferButtonClick', { phoneNumber: number(), target });
  const save = comment => {
    emit('addCommentButtonClick', comment.value);
    comment.value = '';
  };
  const next = () => {
    emit('nextButtonClick');
    changed({ entity: card.entity + 1 });
    emit('entityChanged', entity());
  };

  const controls = {
    mute: () => toggle('mute', 'Mute', card.muted, () => setMuted(!card.muted)),
    hold: () => toggle('hold', 'Hold', card.held, () => setHeld(!card.held)),
    transfer: () => el('label', { class: 'callcard-field' }, 'Transfer to',
      el('select', { 'data-testid': 'callcard-transfer', onchange: e => e.target.value && transfer(e.target.value) },
        el('option', { value: '' }, 'choose…'), users.map(user => el('option', { value: String(user.id) }, user.name)))),
    dialpad: () => el('div', { class: 'callcard-dialpad', role: 'group', 'aria-label': 'Keypad' },
      [...'123456789*0#'].map(key =>
        el('button', { type: 'button', 'data-testid': `callcard-key-${key}`, onclick: () => emit('dialpadButtonClick', key) }, key))),
    quality: () => el('label', { class: 'callcard-field' }, 'Call quality',
      el('select', { 'data-testid': 'callcard-quality', onchange: e => e.target.value && emit('qualityMeterClick', e.target.value) },
        el('option', { value: '' }, 'rate…'), [...'12345'].map(mark => el('option', {}, mark)))),
    close: () => button('close', () => { emit('closeButtonClick'); close(); }),
  };

  const button = (name, onclick) =>
    el('button', { type: 'button', class: `callcard-${name}`, 'data-testid': `callcard-${name}`, onclick }, labels[name]);
  const toggle = (name, label, on, onclick) =>
    el('button', { type: 'button', 'aria-pressed': String(on), 'data-testid': `callcard-${name}`, onclick }, label);

  function draw() {
    if (!card) return;
    const { comment } = card;
    const focused = document.activeElement?.dataset?.testid;
    const place = { class: 'callcard', 'aria-label': 'Call card', 'data-testid': 'callcard', 'data-ui-state': card.uiState };
    host.replaceChildren(el('section', place,
      el('h2', { 'data-testid': 'callcard-title' }, card.title),
      el('p', { class: 'callcard-caller' }, 'Dana Client', el('br'), card.phone),
      el('p', { class: 'callcard-state', 'data-testid': 'callcard-status' }, card.statusText || card.uiState),
      card.timerShown && el('p', { class: 'callcard-timer', role: 'timer', 'data-testid': 'callcard-timer' }, clock()),
      el('div', { class: 'callcard-buttons' },
        buttonsOf[card.uiState].map(name => (controls[name] ?? (() => button(name, () => emit(`${name}ButtonClick`))))()),
        card.callList && button('next', next)),
      el('form', { class: 'callcard-form', onsubmit: e => { e.preventDefault(); save(comment); } },
        el('label', { for: 'callcard-comment', class: 'unseen' }, 'Comment'), comment,
        el('button', { 'data-testid': 'callcard-save-comment' }, 'Save'))));
    if (focused) host.querySelector(`[data-testid="${CSS.escape(focused)}"]`)?.focus();
  }

  return {
    show, close, setUiState, startTimer, setMuted, setHeld,
    stopTimer,
    shown: () => card !== null,
    setTitle: title => changed({ title: String(title ?? '') }),
    setStatusText: statusText => changed({ statusText: String(statusText ?? '') }),
    bind: (event, run) => handlers.push({ event, run }),
  };
}
