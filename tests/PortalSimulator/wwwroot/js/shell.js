import { api } from './api.js';
import { createCallCard } from './callcard.js';
import { byId, el } from './dom.js';
import { closeFrame, openFrame } from './frames.js';
import { createSliders } from './slider.js';

/** What the outer window does for every document of the portal, those inside its sliders too. */
export function createShell(initial, session) {
  let state = initial;
  const sliders = createSliders(byId('sliders'), byId('portal'));
  const listeners = [];

  const shell = {
    session,
    state: () => state,
    onState: listener => listeners.push(listener),
    async refresh() {
      state = await api.state();
      listeners.forEach(listener => listener(state));
      return state;
    },
    callCard: createCallCard(byId('callcard'), initial.users),
    closeSlider: () => sliders.close(),

    /** The app's own page, or its install wizard: what the menu and BX24.openApplication open. */
    openApplication(params = {}, onClose = null) {
      const { settings, options } = separate(params);
      return openAppSlider({ placement: 'DEFAULT', options, uri: null, url: '/marketplace/app/', settings, onClose });
    },

    /** A deep link somewhere in the portal's content. */
    openLink({ code, options }, href, from) {
      return code === state.app.code
        ? openAppSlider({ placement: 'REST_APP_URI', options, uri: from, url: href })
        : openNotice(`There is no application ${code} on this portal.`);
    },

    openPath(path, onClose = null) {
      return sliders.open({
        kind: 'path', title: 'Loading…', onClose, empty: () => {},
        fill(slider) {
          const url = new URL(path, location.origin);
          const src = `${path}${url.search ? '&' : '?'}IFRAME=Y&IFRAME_TYPE=SIDE_SLIDER`;
          const page = el('iframe', { class: 'page-frame', src, title: 'Portal page', 'data-testid': 'page-frame' });
          page.addEventListener('load', () => slider.setTitle(page.contentDocument?.title || 'Portal page'));
          slider.body.append(page);
        },
      });
    },

    closeApplication(done) {
      const top = sliders.top();
      if (top?.kind !== 'app') return;
      const answerAfter = top.onClose;
      top.onClose = () => { answerAfter?.(); done(); };
      top.close();
    },
  };

  function openAppSlider({ placement, options, uri, url, settings, onClose }) {
    const empty = slider => slider.frames.splice(0).forEach(closeFrame);
    const slider = sliders.open({
      kind: 'app', title: 'Application', settings, onClose, empty,
      async fill(slider) {
        const host = slider.body;
        const frame = shown(placement) ? await openFrame({ placement, options, uri, session, host, slider }) : null;
        if (frame) slider.frames.push(frame);
        else slider.body.append(notice(state.app));
        const worker = await openWorker(state, session, slider.body, url);
        if (worker) slider.frames.push(worker);
        if (!slider.body.isConnected) empty(slider); // closed meanwhile
      },
    });
    slider.dispose = () => empty(slider);
    return slider;
  }

  const shown = placement => placement === 'DEFAULT' || widgetsShown(state);

  const openNotice = text => sliders.open({
    kind: 'notice', title: 'Application', empty: () => {},
    fill: slider => slider.body.append(el('p', { class: 'slider-notice', 'data-testid': 'slider-notice' }, text)),
  });

  return shell;
}

/** Until installFinish nobody sees any widget. */
export const widgetsShown = ({ app }) => app.installFinished || app.apiOnly;

/** The hidden frame that every page has, and every slider once more. */
export async function openWorker(state, session, host, uri) {
  const registered = state.placements.some(({ placement, clientId, userId }) =>
    placement === 'PAGE_BACKGROUND_WORKER' && clientId === state.app.clientId && (!userId || String(userId) === String(session.user.id)));
  if (!registered || !widgetsShown(state)) return null;
  return openFrame({ placement: 'PAGE_BACKGROUND_WORKER', uri, session, host });
}

export const notice = app => el('p', { class: 'slider-notice', 'data-testid': 'slider-notice' },
  !app.installed ? 'The application is not installed on this portal.'
    : widgetsShown({ app }) ? 'The application has registered nothing for this.'
      : 'The installation of the application is not finished.');

/** Slider settings travel among the parameters; everything else is for the page that opens. */
function separate(params) {
  const settings = {};
  let options = {};
  for (const [key, value] of Object.entries(params ?? {})) {
    if (key.startsWith('bx24_')) settings[key.slice('bx24_'.length)] = value;
    else options[key] = value;
  }
  // The portal has a second form, { options, params }, and takes any object that looks like it for that.
  if ('options' in options && 'params' in options) options = options.params;
  return { settings, options: options && Object.keys(options).length ? options : null };
}
