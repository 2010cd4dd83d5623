import { api } from './api.js';
import { el } from './dom.js';

const open = new Set();

/** The app's frames of this document, for the bridge. */
export const frames = {
  bySource: source => [...open].find(frame => frame.iframe.contentWindow === source) ?? null,
  bySid: sid => [...open].find(frame => frame.sid === sid) ?? null,
};

/**
 * What a portal page does to show an app: a form, filled in by the portal, that the user's browser submits into a frame
 * named `{DOMAIN}|{PROTOCOL}|{APP_SID}`. Null when nothing is registered for that placement.
 */
export async function openFrame({ placement, clientId, handler, options = null, uri = null, session, host, slider = null }) {
  const asked = performance.now();
  const hidden = placement === 'PAGE_BACKGROUND_WORKER';
  // Covers the place until the app's page is there.
  const loading = el('p', { class: 'app-loading', role: 'status' }, 'Loading…');
  if (!hidden) host.append(loading);
  const launch = await api.launch({ placement, clientId, handler, userId: session.user.id, lang: session.lang, options, uri })
    .catch(error => { loading.remove(); if (error.status === 404) return null; throw error; });
  if (!launch) return null;

  const iframe = el('iframe', {
    name: launch.windowName,
    title: hidden ? 'Background worker' : 'Application',
    class: 'app-frame',
    hidden,
    tabindex: hidden ? '-1' : null,
    allow: 'microphone *; camera *; geolocation *; clipboard-write *',
    'data-testid': hidden ? 'worker-frame' : 'app-frame',
    'data-placement': placement,
    'data-app-sid': launch.appSid,
  });
  const layout = el('div', { class: 'app-layout', hidden }, iframe);
  const frame = { sid: launch.appSid, origin: launch.origin, placement, launch, iframe, layout, slider, session };
  open.add(frame);
  host.append(layout);
  const loaded = submit(launch, iframe);
  loaded.then(() => loading.remove());
  // Counted from the request to launch it, because that is where the lever "handler delay" holds the handler up.
  if (hidden) loaded.then(() => api.workerLoaded(session.user.id, Math.round(performance.now() - asked))).catch(console.error);
  return frame;
}

export function closeFrame(frame) {
  open.delete(frame);
  frame.layout.remove();
}

function submit({ action, fields, windowName }, iframe) {
  const form = el('form', { method: 'post', action, target: windowName, hidden: true },
    Object.entries(fields).map(([name, value]) => el('input', { type: 'hidden', name, value: String(value) })));
  document.body.append(form);
  const loaded = new Promise(resolve => iframe.addEventListener('load', () => {
    iframe.dataset.loaded = 'true';
    resolve();
  }, { once: true }));
  form.submit();
  form.remove();
  return loaded;
}
