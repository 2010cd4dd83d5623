import { oneAtATime, patiently, pause } from './browser.js';
import { callMethod, loadScript, within } from './bx24.js';

/**
 * Holds a connection to Push & Pull until `signal` is aborted. The pauses between reconnections are the vendor's library's;
 * only what it gives up for good is tried again from here: a library that was not loaded, a configuration that was refused.
 * @param {{ BX24: object, url: string, identity: { portal: string, userId: number, scope: string }, receive: (message: object) => void }} to
 * @param {AbortSignal} signal
 */
export async function listen(to, signal) {
  const client = await patiently(() => open(to), () => signal.aborted);
  const stop = () => client?.stop(1000, 'another tab listens');
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop);
}

async function open({ BX24, url, identity, receive }) {
  if (!window.BX?.PullClient) await within(60_000, loadScript(url));
  const rest = restClient(BX24);
  const client = new window.BX.PullClient({ restApplication: identity.portal, restClient: rest, userId: identity.userId });
  client.subscribe({ moduleId: 'application', callback: receive });
  // The library keeps the configuration for all tabs: the second one waits, and then need not ask for it.
  await oneAtATime(`${identity.scope} connect`, async () => {
    // A connection that fails is the library's own concern.
    await Promise.race([client.start(), pause(10_000)]).catch(problem => console.debug(problem));
    await rest.asked;
  });
  if (rest.refusal) {
    client.stop();
    throw rest.refusal;
  }
  return client;
}

/** The vendor's library waits for a promise, which BX24.callMethod does not promise to return. */
function restClient(BX24) {
  const client = {
    asked: null,
    refusal: null,
    callMethod(method, params, callback) {
      const answer = callMethod(BX24, method, params);
      client.asked = answer.then(() => { client.refusal = null; }, refusal => { client.refusal = refusal; });
      if (callback) answer.then(callback, callback);
      return answer;
    },
  };
  return client;
}
