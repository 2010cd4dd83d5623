import { api } from './api.js';
import { commands } from './commands.js';
import { frames } from './frames.js';

/** The parent side of BX24.js: `command:json:callbackId:APP_SID` comes in, `callbackId:json` goes back. */
export function startBridge(shell) {
  window.addEventListener('message', event => {
    const message = parse(event.data);
    if (!message) return;
    const frame = frames.bySource(event.source);
    const reason = refusal(message, frame, event.origin);
    if (reason) {
      if (frame || frames.bySid(message.sid)) logIn(message, 'refused', { reason, origin: event.origin, params: message.params });
      return;
    }
    const command = commands(frame)[message.command];
    logIn(message, command ? null : 'ignored', message.params);
    if (command) run(command, { params: message.params, frame, shell, answer: result => reply(frame, message, result) });
  });
}

/** A command that fails is not answered, as on a real portal. */
async function run(command, request) {
  try {
    await command(request);
  } catch (error) {
    console.warn(error);
  }
}

function refusal(message, frame, origin) {
  if (!frame) return 'not a frame of this page';
  if (origin !== frame.origin) return `the frame's origin is not the handler's, ${frame.origin}`;
  return message.sid === frame.sid ? null : 'not the APP_SID of this frame';
}

/** The JSON in the middle has colons of its own: the first part and the last two are what is fixed. */
function parse(data) {
  try {
    if (typeof data === 'object' && data?.method) {
      return { command: String(data.method), params: data.params ?? [], callback: data.callback ?? '', sid: data.appSid };
    }
    if (typeof data !== 'string') return null;
    const parts = data.split(':');
    if (parts.length < 4) return null;
    const json = parts.slice(1, -2).join(':');
    return { command: parts[0], params: json ? JSON.parse(json) : [], callback: parts.at(-2), sid: parts.at(-1) };
  } catch {
    return null;
  }
}

function reply(frame, message, result) {
  if (!message.callback || !frame.iframe.contentWindow) return;
  // An event arrives as one more answer to the subscription: the log names the event.
  log('out', message.params?.event ?? message.command, message.sid, result);
  frame.iframe.contentWindow.postMessage(
    `${message.callback}:${result === undefined ? '' : JSON.stringify(result)}`, frame.origin);
}

const logIn = (message, verdict, payload) =>
  log('in', verdict ? `${message.command} (${verdict})` : message.command, message.sid, payload);

let queue = Promise.resolve();

/** One after the other, so that the log has them in the order in which they were said. */
function log(direction, command, sid, payload) {
  const entry = { direction, command, appSid: String(sid), payload: mask(payload ?? null) };
  queue = queue.then(() => api.bridge(entry)).catch(console.error);
}

const secret = new Set(['AUTH_ID', 'REFRESH_ID']);

function mask(value) {
  if (Array.isArray(value)) return value.map(mask);
  if (!value || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) =>
    [key, secret.has(key) && inner ? `${String(inner).slice(0, 4)}…` : mask(inner)]));
}
