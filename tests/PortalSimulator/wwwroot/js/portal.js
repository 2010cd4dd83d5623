import { api } from './api.js';
import { startBridge } from './bridge.js';
import { byId } from './dom.js';
import { openFrame } from './frames.js';
import { opensInSlider, parseDeepLink } from './links.js';
import { drawFrame, drawPage } from './pages.js';
import { startPanel } from './panel.js';
import { openSession } from './session.js';
import { createShell, notice, openWorker, widgetsShown } from './shell.js';

const inSlider = window.parent !== window && new URLSearchParams(location.search).get('IFRAME') === 'Y';
const here = () => location.pathname + location.search;
/** The page the user came from, as the portal sees it: by Referer. */
const cameFrom = () => document.referrer && new URL(document.referrer).origin === location.origin
  ? document.referrer.slice(location.origin.length) : null;

if (location.pathname === '/') history.replaceState(null, '', `/stream/${location.search}`);
const state = await api.state();
const home = new URL(state.portal.url);
if (home.origin !== location.origin) location.replace(home.origin + here()); // renamed, or opened under another name
else if (inSlider) await showInSlider(window.parent.portal);
else await showWindow();

async function showWindow() {
  const session = openSession(state);
  const shell = createShell(state, session);
  window.portal = shell;
  startBridge(shell);
  drawFrame(state, session, shell);
  drawPage(state, session);
  followLinks(shell);
  startPanel(shell, byId('panel'));
  const worker = openWorker(state, session, byId('workers'), here());
  const link = parseDeepLink(location.href);
  if (link) shell.openLink(link, here(), cameFrom());
  if (location.pathname.startsWith('/marketplace/app/')) shell.openApplication();
  await worker;
  document.documentElement.dataset.ready = 'true';
}

/** A portal page in a slider is a document of its own, with a worker of its own. */
async function showInSlider(shell) {
  document.documentElement.classList.add('in-slider');
  startBridge(shell);
  drawPage(state, shell.session);
  followLinks(shell);
  document.addEventListener('keydown', event => { if (event.key === 'Escape') shell.closeSlider(); });
  const worker = openWorker(state, shell.session, byId('workers'), here());
  const link = parseDeepLink(location.href);
  if (link) await showApp(link, shell.session);
  await worker;
  document.documentElement.dataset.ready = 'true';
}

async function showApp({ code, options }, session) {
  const host = byId('page');
  const frame = code === state.app.code && widgetsShown(state)
    && await openFrame({ placement: 'REST_APP_URI', options, uri: cameFrom(), session, host });
  if (!frame) host.append(notice(state.app));
}

function followLinks(shell) {
  document.addEventListener('click', event => {
    const anchor = event.target.closest?.('a[href]');
    if (!anchor || anchor.target || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const url = new URL(anchor.href);
    if (url.origin !== location.origin) return;
    const path = anchor.href.slice(location.origin.length);
    const link = parseDeepLink(anchor.href);
    if (link) shell.openLink(link, path, here());
    else if (url.pathname.startsWith('/marketplace/app/')) shell.openApplication();
    else if (opensInSlider(url.pathname)) shell.openPath(path);
    else return;
    event.preventDefault();
  });
}
