/** Null over plain http and where the browser closes storage to frames: then everything goes on without. */
export const locks = await usable(async () => {
  await navigator.locks.query();
  return navigator.locks;
});

async function usable(find) {
  try {
    return await find();
  } catch {
    return null;
  }
}

/**
 * @template T
 * @param {string} name
 * @param {() => Promise<T>} work
 * @returns {Promise<T>} one frame of this browser after the other, where there are locks
 */
export const oneAtATime = (name, work) => locks ? locks.request(name, work) : work();

/** To the other frames of this origin; says nothing where the browser has no such thing. */
export function openChannel(name, hear) {
  try {
    const channel = new BroadcastChannel(name);
    channel.onmessage = event => hear(event.data);
    return message => channel.postMessage(message);
  } catch {
    return () => {};
  }
}

/** Storage may be full or closed: a page has to work without. */
export function keep(storage, key, value) {
  try {
    window[storage].setItem(key, JSON.stringify(value));
  } catch {
    // Kept for this page alone then.
  }
}

export function kept(storage, key) {
  try {
    return JSON.parse(window[storage].getItem(key));
  } catch {
    return null;
  }
}

export const pause = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds));

const minutes = [1, 5, 15, 60];

/** Until it succeeds, with growing pauses: thousands of pages may be waiting for the same outage to end. */
export async function patiently(work, stopped = () => false) {
  for (let attempt = 0; !stopped(); attempt++) {
    try {
      return await work();
    } catch (problem) {
      console.debug(problem);
    }
    await pause(minutes[Math.min(attempt, minutes.length - 1)] * 60_000 * (1 + Math.random() / 5));
  }
  return null;
}

/** Tells texts apart; no cryptography, which plain http does not have. */
export function checksum(text) {
  let [a, b] = [0x811c9dc5, 0x1b873593];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 0x01000193);
    b = Math.imul((b ^ code) + (a >>> 15), 0x85ebca6b);
  }
  return (a >>> 0).toString(36) + (b >>> 0).toString(36);
}
