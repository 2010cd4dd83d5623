import { loadBX24, within } from './bx24.js';

/**
 * The call card of an external call (scope `telephony`), as promises. For the background worker, where alone Bitrix24 offers it:
 *
 *   import { callCard } from './callcard.js';
 *   callCard.on('answerButtonClick', () => callCard.setUiState('connected'));
 *
 * There is a card from `initialized` until it is closed, and only for calls that the app registered with
 * `telephony.externalCall.register`. A command that cannot be carried out rejects with a CallCardError.
 * https://apidocs.bitrix24.com/api-reference/widgets/ui-interaction/page-background-worker/index.html
 *
 * @typedef {'incoming' | 'transferIncoming' | 'outgoing' | 'connectingIncoming' | 'connectingOutgoing' | 'connected' | 'transferring'
 *   | 'transferFailed' | 'transferConnected' | 'error' | 'moneyError' | 'redial'} UiState
 *
 * @typedef {object} Call
 * @property {string} CALL_ID
 * @property {string} [PHONE_NUMBER] absent when the caller is not identified
 * @property {string} LINE_NUMBER
 * @property {string} LINE_NAME
 * @property {'LEAD' | 'CONTACT' | 'COMPANY' | 'DEAL' | ''} CRM_ENTITY_TYPE
 * @property {number} CRM_ENTITY_ID 0: not in the CRM
 * @property {number | ''} [CRM_ACTIVITY_ID]
 * @property {{ ENTITY_TYPE: string, ENTITY_ID: number }[]} CRM_BINDINGS
 * @property {'incoming' | 'outgoing' | 'callback'} CALL_DIRECTION
 * @property {'idle' | 'connecting' | 'connected'} CALL_STATE
 * @property {boolean} CALL_LIST_MODE
 *
 * @typedef {object} CallCardEvents what the handler of each event receives
 * @property {Call} initialized
 * @property {{ PHONE_NUMBER: string, CRM_ENTITY_TYPE: string, CRM_ENTITY_ID: number }} entityChanged `unknown` for no number
 * @property {string} addCommentButtonClick the comment
 * @property {boolean} muteButtonClick is it muted now
 * @property {boolean} holdButtonClick is it held now
 * @property {{ phoneNumber: string, target: string }} transferButtonClick `target`: an employee's id or a number
 * @property {string} dialpadButtonClick `0`-`9`, `*` or `#`
 * @property {string} qualityMeterClick `1` to `5`
 * @property {undefined} answerButtonClick
 * @property {undefined} skipButtonClick
 * @property {undefined} makeCallButtonClick
 * @property {undefined} hangupButtonClick
 * @property {undefined} completeTransferButtonClick
 * @property {undefined} cancelTransferButtonClick
 * @property {undefined} nextButtonClick
 * @property {undefined} notifyAdminButtonClick
 * @property {undefined} closeButtonClick
 */

export const callCardEvents = /** @type {(keyof CallCardEvents)[]} */ ([
  'initialized', 'entityChanged', 'addCommentButtonClick', 'muteButtonClick', 'holdButtonClick', 'transferButtonClick', 'dialpadButtonClick',
  'qualityMeterClick', 'answerButtonClick', 'skipButtonClick', 'makeCallButtonClick', 'hangupButtonClick', 'completeTransferButtonClick',
  'cancelTransferButtonClick', 'nextButtonClick', 'notifyAdminButtonClick', 'closeButtonClick',
]);

/** `code`: what Bitrix24 said, as `Call card is undefined`, or `no portal`, `no such command`, `no answer`. */
export class CallCardError extends Error {
  /**
   * @param {string} command
   * @param {string} code
   */
  constructor(command, code) {
    super(`${command}: ${code}`);
    this.name = 'CallCardError';
    this.code = code;
  }
}

export const callCard = {
  /** @returns {Promise<UiState[]>} needs no card */
  getUiStates: () => run('CallCardGetListUiStates'),

  /**
   * @param {UiState} uiState `connected` starts the timer
   * @param {{ disableAutoStartTimer?: boolean }} [options]
   * @returns {Promise<void>}
   */
  setUiState: (uiState, options = {}) => act('CallCardSetUiState', { uiState, ...options }),

  /** @param {boolean} muted */
  setMute: muted => act('CallCardSetMute', { muted }),

  /** @param {boolean} held */
  setHold: held => act('CallCardSetHold', { held }),

  /** @param {string} title */
  setTitle: title => act('CallCardSetCardTitle', { title }),

  /** @param {string} statusText in the centre of the card */
  setStatusText: statusText => act('CallCardSetStatusText', { statusText }),

  startTimer: () => act('CallCardStartTimer', {}, silence),

  stopTimer: () => act('CallCardStopTimer', {}, silence),

  /** There is no card any more afterwards. */
  close: () => act('CallCardClose'),

  /**
   * @template {keyof CallCardEvents} E
   * @param {E} event
   * @param {(data: CallCardEvents[E]) => void} handler
   * @returns {() => void} ends it
   */
  on(event, handler) {
    if (!callCardEvents.includes(event)) throw new TypeError(`There is no call card event ${event}`);
    if (!handlers.has(event)) {
      handlers.set(event, new Set());
      bind(event);
    }
    handlers.get(event).add(handler);
    return () => handlers.get(event).delete(handler);
  },
};

const answerTime = 5_000;

/** In a browser the timer's commands are answered only when they fail: no news for this long is good news. */
const silence = 300;

/** @type {Map<string, Set<Function>>} */
const handlers = new Map();

async function bind(event) {
  const BX24 = await loadBX24();
  // Bitrix24 has no way to end a subscription: one for all handlers, for as long as the page lives.
  BX24?.placement.bindEvent(`BackgroundCallCard::${event}`, data => handlers.get(event).forEach(handler => handler(data)));
}

const act = async (command, params, answeredUnless) => { await run(command, params, answeredUnless); };

async function run(command, params = {}, answeredUnless = 0) {
  const BX24 = await loadBX24();
  if (!BX24) throw new CallCardError(command, 'no portal');
  // Bitrix24 ignores a command that the placement does not have, and would never answer.
  const { command: commands } = await answer(command, done => BX24.placement.getInterface(done));
  if (!commands?.includes(command)) throw new CallCardError(command, 'no such command');
  const said = await answer(command, done => {
    BX24.placement.call(command, params, done);
    if (answeredUnless) setTimeout(done, answeredUnless);
  });
  // A list with one object; from the desktop application also the object alone.
  const failure = [said].flat()[0];
  if (failure?.result === 'error') throw new CallCardError(command, failure.errorCode);
  return said;
}

const answer = (command, ask) =>
  within(answerTime, new Promise(ask)).catch(() => { throw new CallCardError(command, 'no answer'); });
