import { checksum, keep, kept, locks, openChannel, pause } from './browser.js';

/** Longer than a hidden tab hesitates, and than the browser takes to show what one tab has stored to all others. */
const claimTime = 10_000;
const hesitation = 400;
const bidTime = 150;
const remembered = 100;

const handlers = new Map();

/**
 * Registers what a signal does, once per user: `onSignal('refresh', params => …)`.
 * A second handler of the same command takes the place of the first.
 * @param {string} command as in `POST /api/signals`
 * @param {(params: object) => void} handler
 */
export function onSignal(command, handler) {
  handlers.set(command, handler);
}

/**
 * Every frame hears every signal, from its own connection or over a channel from the frames that have one; one acts.
 * Frames in sight try at once, hidden ones after a moment, so that the user sees what happens and somebody acts in any case.
 * It acts who gets the signal's own lock, and holds it until everybody else has tried. A list of claims in localStorage,
 * changed under a common lock, would not do: between processes it becomes visible later than the lock is passed on. It is
 * kept as well, for signals that Push & Pull repeats to a page that has just been loaded.
 * @param {string} scope names the app, the portal and the user
 */
export class Delivery {
  #scope;
  #tell;
  #heard = new Recent();
  #acted;
  #bids = new Map();
  #occurrences = new Map();

  constructor(scope) {
    this.#scope = scope;
    this.#acted = new Recent(`signals ${scope}`);
    this.#tell = openChannel(`${scope} signals`, ({ signal, acted, bid }) => {
      if (signal) this.#hear(signal);
      if (acted) this.#acted.note(acted);
      if (bid) this.#countBid(bid);
    });
  }

  /** From this frame's own connection. */
  receive = ({ command, params, extra }) => {
    const signal = { key: this.#keyOf(command, params, extra ?? {}), command, params };
    this.#tell({ signal });
    this.#hear(signal);
  };

  async #hear(signal) {
    if (!handlers.has(signal.command) || this.#heard.has(signal.key)) return;
    this.#heard.note(signal.key);
    if (document.visibilityState !== 'visible') await pause(hesitation);
    if (this.#acted.has(signal.key)) return;
    if (!locks) await this.#bid(signal);
    else await locks.request(`${this.#scope} signal ${signal.key}`, { ifAvailable: true }, lock => lock && this.#claim(signal));
  }

  async #claim(signal) {
    if (this.#acted.has(signal.key)) return;
    this.#act(signal);
    await pause(claimTime);
  }

  /** Without locks: the lowest bid wins, those of frames in sight are lower. */
  async #bid({ key, ...signal }) {
    const value = Math.random() + (document.visibilityState === 'visible' ? 0 : 1);
    this.#tell({ bid: { key, value } });
    this.#countBid({ key, value });
    await pause(bidTime);
    if (this.#bids.get(key) === value && !this.#acted.has(key)) this.#act({ key, ...signal });
    setTimeout(() => this.#bids.delete(key), claimTime);
  }

  #countBid({ key, value }) {
    this.#bids.set(key, Math.min(value, this.#bids.get(key) ?? value));
  }

  #act({ key, command, params }) {
    this.#acted.store(key);
    this.#tell({ acted: key });
    try {
      // PHP writes an empty object as an empty list.
      handlers.get(command)(Array.isArray(params) && params.length === 0 ? {} : params ?? {});
    } catch (problem) {
      console.error(problem);
    }
  }

  /**
   * The same in every frame that receives the message, another for the same signal sent again. The vendor's library keeps
   * the message's id to itself; the server's time, in microseconds, stands in for it. Coarser times are counted: equal
   * messages within one of them arrive at every frame in the same order.
   */
  #keyOf(command, params, { server_time_unix, server_time }) {
    const time = server_time_unix ?? server_time;
    const key = `${time ?? Recent.undated}|${checksum(JSON.stringify([command, params]))}`;
    if (/\.\d{4,}$/.test(String(time))) return key;
    const last = this.#occurrences.get(key);
    const count = last && Date.now() - last.at < claimTime ? last.count + 1 : 1;
    this.#occurrences.delete(key);
    this.#occurrences.set(key, { count, at: Date.now() });
    trim(this.#occurrences);
    return `${key}|${count}`;
  }
}

/** The last signals. One without a time is forgotten soon, or it could never be sent again. */
class Recent {
  static undated = '?';

  #place;
  #own = new Map();

  constructor(place = null) {
    this.#place = place;
  }

  has(key) {
    const at = this.#own.get(key) ?? (this.#place ? this.#stored().get(key) : undefined);
    return at !== undefined && (!key.startsWith(Recent.undated) || Date.now() - at < claimTime);
  }

  note(key) {
    this.#own.set(key, Date.now());
    trim(this.#own);
  }

  /** For pages that are not there yet, too. */
  store(key) {
    this.note(key);
    keep('localStorage', this.#place, [...trim(this.#stored().set(key, Date.now()))]);
  }

  #stored() {
    const entries = kept('localStorage', this.#place);
    return new Map(Array.isArray(entries) ? entries.filter(Array.isArray) : []);
  }
}

function trim(map) {
  for (const key of map.keys()) {
    if (map.size <= remembered) break;
    map.delete(key);
  }
  return map;
}
