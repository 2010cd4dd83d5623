import { loadBX24 } from './bx24.js';
import { patiently } from './browser.js';
import { beat } from './heartbeat.js';
import { identify } from './identity.js';
import { listen } from './pull.js';
import { takeSeat } from './seats.js';
import { Delivery, onSignal } from './signals.js';

// The hidden page has been loaded before this was asked for: nothing here counts as slowness of the worker.
const { bx24, pull, app } = document.body.dataset;

/** Nothing that fails here is a user's concern: not a word in his console, and another attempt later. */
await patiently(async () => {
  const BX24 = await loadBX24(bx24);
  // Not in a portal at all: nothing to wait for.
  if (!BX24 && window.parent === window) return;
  if (!BX24) throw new Error('BX24 did not come');
  onSignal('openApplication', params => BX24.openApplication(params));
  await import('./custom.js').catch(problem => console.error(problem));
  const identity = await identify(BX24, app);
  beat(identity);
  const delivery = new Delivery(identity.scope);
  await takeSeat(identity.scope, seat => listen({ BX24, url: pull, identity, receive: delivery.receive }, seat));
});
