const patience = 15_000;

let asked = null;

/**
 * The vendor's BX24, initialised; null outside of a portal, and when it does not come in time. Never rejects.
 * Asked again after null, it tries again.
 * @param {string} [url]
 */
export function loadBX24(url = document.body.dataset.bx24) {
  asked ??= within(patience, load(url)).catch(() => null).then(BX24 => {
    if (!BX24) asked = null;
    return BX24;
  });
  return asked;
}

async function load(url) {
  // Whoever opens a window can name it, and would play the portal; the portal itself shows frames.
  if (window.parent === window) return null;
  // In a frame that no portal has named, the vendor's script throws, and nobody can catch that.
  if (!/^[^|]+\|\d*\|.+/.test(window.name)) return null;
  if (!window.BX24) await loadScript(url);
  const { BX24 } = window;
  if (!BX24) return null;
  await new Promise(resolve => BX24.init(resolve));
  return BX24;
}

const restPatience = 30_000;

/**
 * `BX24.callMethod` as a promise, rejected with what its callback would get. The vendor's library calls nobody back after a 5xx,
 * a torn or a garbled answer: silence is a failure too.
 */
export function callMethod(BX24, method, params = {}) {
  const answer = new Promise((resolve, reject) => {
    BX24.callMethod(method, params, result => { if (result.error()) reject(result); else resolve(result); });
  });
  return within(restPatience, answer).catch(problem => { throw problem.error ? problem : silence; });
}

const silence = {
  data: () => undefined,
  error: () => ({ status: 0, getError: () => ({ error: 'NO_ANSWER' }), toString: () => 'No answer in time' }),
};

/** @param {string} url */
export function loadScript(url) {
  return new Promise((resolve, reject) => {
    const script = Object.assign(document.createElement('script'), { src: url, async: true, onload: resolve });
    script.onerror = () => {
      script.remove();
      reject(new Error(`${url} could not be loaded`));
    };
    document.head.append(script);
  });
}

/**
 * @template T
 * @param {number} milliseconds
 * @param {Promise<T>} promise
 * @returns {Promise<T>}
 */
export function within(milliseconds, promise) {
  let timer;
  const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error('No answer in time')), milliseconds); });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
