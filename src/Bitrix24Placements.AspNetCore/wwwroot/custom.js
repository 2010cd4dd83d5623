// The place for your own signals. Loaded by the worker on every page of the portal; runs before signals arrive.
//
// A signal sent with POST /api/signals {"memberId":"…","command":"refresh","params":{"docId":"42"},"userIds":[1]} acts here,
// once per user whatever the number of his tabs, with one line:
//
//   import { onSignal } from './signals.js';
//   onSignal('refresh', params => console.info('Look again at', params.docId));
//
// A signal carries no authority: any user of the app can make one. Fetch facts from your own backend.
// For telephony see callcard.js.
