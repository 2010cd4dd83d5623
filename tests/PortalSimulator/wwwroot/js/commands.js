import { api } from './api.js';
import { openablePath } from './links.js';
import { optionStore } from './session.js';
import { callCardCommands, callCardEvents } from './callcard-interface.js';

/** What a frame may ask for. An unknown command is ignored: no answer, no error. */
export function commands(frame) {
  if (frame.placement === 'DEFAULT') return { ...everywhere, ...ownPage };
  return frame.placement === 'PAGE_BACKGROUND_WORKER'
    ? { ...everywhere, ...placement, ...callCardCommands }
    : { ...everywhere, ...placement };
}

const everywhere = {
  getInitData({ frame, shell, answer }) {
    const { fields } = frame.launch;
    const { user, lang } = frame.session;
    const { app } = shell.state();
    const installing = frame.placement === 'DEFAULT' && !app.installFinished && !app.apiOnly;
    answer({
      LANG: lang,
      DOMAIN: location.host,
      PROTOCOL: location.protocol === 'https:' ? 1 : 0,
      PATH: '/rest',
      AUTH_ID: fields.AUTH_ID,
      AUTH_EXPIRES: Number(fields.AUTH_EXPIRES),
      REFRESH_ID: fields.REFRESH_ID,
      MEMBER_ID: fields.member_id,
      FIRST_RUN: installing && !frame.firstRunTold,
      IS_ADMIN: Boolean(user.admin),
      INSTALL: installing,
      USER_OPTIONS: optionStore(`user.${user.id}`).all(),
      APP_OPTIONS: optionStore('app').all(),
      PLACEMENT: frame.placement,
      PLACEMENT_OPTIONS: JSON.parse(fields.PLACEMENT_OPTIONS || '[]'),
    });
    frame.firstRunTold = true;
  },

  async refreshAuth({ frame, answer }) {
    const { AUTH_ID, AUTH_EXPIRES, REFRESH_ID } = await api.auth(frame.session.user.id, frame.sid);
    Object.assign(frame.launch.fields, { AUTH_ID, AUTH_EXPIRES, REFRESH_ID });
    answer({ AUTH_ID, AUTH_EXPIRES: Number(AUTH_EXPIRES), REFRESH_ID });
  },

  getInterface({ frame, answer }) {
    const worker = frame.placement === 'PAGE_BACKGROUND_WORKER';
    answer({ command: worker ? Object.keys(callCardCommands) : [], event: worker ? callCardEvents : [] });
  },

  resizeWindow({ frame, params, answer }) {
    const height = parseInt(params.height, 10);
    if (params.width) frame.layout.style.width = params.width === '100%' ? '100%' : `${parseInt(params.width, 10) || 100}px`;
    if (height) frame.layout.style.height = `${height}px`;
    const { width, height: now } = frame.layout.getBoundingClientRect();
    answer({ width, height: now });
  },

  openApplication({ params, shell, answer }) {
    shell.openApplication(params, () => answer());
  },

  closeApplication({ shell, answer }) {
    shell.closeApplication(() => answer());
  },

  openPath({ params, shell, answer }) {
    const path = openablePath(params.path, shell.state().app.clientId);
    if (path) shell.openPath(path, () => answer({ result: 'close' }));
    else answer({ result: 'error', errorCode: 'PATH_NOT_AVAILABLE' });
  },

  /** Never answered: the page is replaced by the app's own. */
  async setInstallFinish({ frame, shell }) {
    await api.installFinish(frame.session.user.id, frame.sid);
    await shell.refresh();
    frame.slider?.reload();
  },

  setInstall: ({ params, answer }) => answer(params),

  setUserOption({ frame, params, answer }) {
    optionStore(`user.${frame.session.user.id}`).set(params.name, params.value);
    answer(params);
  },

  setAppOption({ frame, params, answer }) {
    if (!frame.session.user.admin) return;
    optionStore('app').set(params.name, params.value);
    answer(params);
  },
};

const ownPage = {
  setTitle({ frame, params, answer }) {
    frame.slider?.setTitle(String(params.title));
    answer(params);
  },
  setScroll({ frame, params, answer }) {
    if (params.scroll >= 0) frame.slider?.scrollTo(params.scroll);
    answer(params);
  },
  reloadWindow: ({ frame }) => frame.slider?.reload(),
};

const placement = {
  /** Answered once per event, not now. A subscription to an event the placement does not have is ignored. */
  placementBindEvent({ frame, params, shell, answer }) {
    if (frame.placement === 'PAGE_BACKGROUND_WORKER' && callCardEvents.includes(params.event)) {
      shell.callCard.bind(params.event, argument => answer(argument));
    }
  },
};
