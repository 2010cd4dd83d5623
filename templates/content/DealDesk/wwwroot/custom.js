// The worker loads this on every page of the portal. A command of your own is one line:
//
//   import { onSignal } from './signals.js';
//   onSignal('refresh', params => console.info('Look again at', params.docId));
//
// openApplication, which opens the app's slider, is there already.
