import { locks, openChannel, pause } from './browser.js';

const answerTime = 3_000;

/**
 * Who listens to Push & Pull. Every page of the portal and every slider holds a worker, but two connections per user are
 * enough: two seats, Web Locks, held by frames of two different tabs. When one tab closes, the other is connected already
 * while the next in line is still connecting: nothing is lost in between.
 * Within a tab the oldest frame stands in line; that is the page's own, which outlives its sliders.
 * Without locks every frame listens.
 * @param {string} scope names the app, the portal and the user
 * @param {(seat: AbortSignal) => void} listen until the signal is aborted
 */
export async function takeSeat(scope, listen) {
  if (!locks) {
    listen(new AbortController().signal);
    return;
  }
  await locks.request(`${scope} tab ${tabId()}`, async () => {
    const line = new Line(scope, listen);
    for (;;) await line.stand();
  });
}

class Line {
  #scope;
  #listen;
  #tell;
  #request = null;
  #seated = false;
  #question = null;

  constructor(scope, listen) {
    this.#scope = scope;
    this.#listen = listen;
    this.#tell = openChannel(`${scope} seats`, ({ ask, answerTo }) => {
      if (ask && this.#seated) this.#tell({ answerTo: ask });
      else if (answerTo === this.#question) this.#question = null;
    });
    document.addEventListener('visibilitychange', () => this.#check());
  }

  /** Waits for a seat and holds it: for ever, unless it is taken by force. */
  async stand() {
    const waiting = new AbortController();
    const seat = new AbortController();
    const sit = () => {
      if (this.#seated) return null; // both at once: one is enough
      this.#seated = true;
      waiting.abort();
      this.#listen(seat.signal);
      return new Promise(() => {});
    };
    const requests = [];
    this.#request = (number, options) => requests.push(locks.request(`${this.#scope} seat ${number}`, options, sit).catch(() => {}));
    for (const number of [1, 2]) this.#request(number, { signal: waiting.signal });
    this.#check();
    for (let i = 0; i < requests.length; i++) await requests[i];
    if (!this.#seated) throw new Error('The browser gives no locks');
    this.#seated = false;
    seat.abort();
  }

  /** A system may suspend the tabs that have the seats, locks and all. A tab in sight to which nobody answers sits down by force. */
  async #check() {
    if (document.visibilityState !== 'visible' || this.#seated || this.#question) return;
    const question = this.#question = Math.random();
    this.#tell({ ask: question });
    await pause(answerTime);
    const unanswered = this.#question === question;
    this.#question = null;
    if (unanswered && !this.#seated) this.#request(1, { steal: true });
  }
}

/** One per tab: the frames of one origin in one tab can see each other's windows, whatever else lies between them. */
function tabId() {
  window.workerTab = findTab(window.top) ?? `${Date.now().toString(36)}${Math.random().toString(36).slice(1)}`;
  return window.workerTab;
}

function findTab(frame) {
  let id = null;
  try {
    id = frame.workerTab ?? null;
  } catch {
    // The portal's own frame, or a stranger's.
  }
  for (let i = 0; id === null && i < frame.length; i++) id = findTab(frame[i]);
  return id;
}
