/* A compatible BX24 for the portal simulator: the same messages and the same answers as the vendor's library. */
(function () {
  'use strict';

  const name = (window.name || '').split('|');
  const domain = (name[0] || '').replace(/:(80|443)$/, '');
  const appSid = name[2];
  if (!domain || !appSid) {
    window.BX24 = null;
    throw new Error('Unable to initialize Bitrix24 JS library!');
  }
  const portal = `http${parseInt(name[1], 10) ? 's' : ''}://${domain}`;

  const answers = new Map();
  const data = { AUTH_ID: '', AUTH_EXPIRES: 0 };
  const isFunction = value => typeof value === 'function';
  let initialized = false;
  let ready = false;
  const waiting = [];
  const installers = [];
  const readyList = [];

  /** `command:json:callbackId:APP_SID` */
  function send(command, params, callback) {
    if (isFunction(params)) [params, callback] = [null, params];
    let id = '';
    if (callback) {
      id = Array.from(crypto.getRandomValues(new Uint8Array(16)), byte => byte.toString(16).padStart(2, '0')).join('');
      answers.set(id, callback);
    }
    parent.postMessage(`${command}:${params ? JSON.stringify(params) : ''}:${id}:${appSid}`, portal);
  }

  // An event's callback is called again and again: nothing is ever taken out of `answers`.
  window.addEventListener('message', event => {
    if (event.origin !== portal || event.source !== window.parent || typeof event.data !== 'string') return;
    const colon = event.data.indexOf(':');
    const callback = answers.get(event.data.slice(0, colon));
    if (callback) callback(colon < event.data.length - 1 ? JSON.parse(event.data.slice(colon + 1)) : []);
  });

  const later = callback => setTimeout(() => callback.call(document), 10);

  function keepAuth(answer) {
    data.AUTH_ID = answer.AUTH_ID;
    data.REFRESH_ID = answer.REFRESH_ID;
    data.AUTH_EXPIRES = Date.now() + answer.AUTH_EXPIRES * 1000;
  }

  function initialize(answer) {
    Object.assign(data, answer);
    keepAuth(answer);
    initialized = true;
    if (answer.FIRST_RUN && installers.length) installNext();
    else finishInit();
  }

  function finishInit() {
    if (!data.INSTALL) BX24.installFinish = () => {};
    waiting.splice(0).forEach(later);
  }

  function installNext() {
    const installer = installers.shift();
    if (installer) {
      BX24.installFinish = installNext;
      installer.call(document);
    } else {
      BX24.installFinish = () => {};
      send('setInstall', { install: true });
      waiting.splice(0).forEach(later);
    }
  }

  /** PHP brackets: {a: {b: 1}} → a[b]=1 */
  function encode(value, prefix, into) {
    for (const [key, inner] of Object.entries(value || {})) {
      const field = prefix ? `${prefix}[${key}]` : key;
      if (inner instanceof Date) into.append(field, inner.toJSON());
      else if (inner && typeof inner === 'object' && Object.keys(inner).length) encode(inner, field, into);
      else into.append(field, inner && typeof inner === 'object' ? '' : inner);
    }
    return into;
  }

  class Result {
    constructor(answer, status, again) {
      Object.assign(this, { answer, status, again });
    }
    data() { return this.answer.result; }
    error() {
      if (this.answer.error === undefined) return undefined;
      const { answer, status } = this;
      return {
        ex: answer, status,
        getError: () => answer,
        getStatus: () => status,
        toString: () => `${answer.error}${answer.error_description ? `: ${answer.error_description}` : ''} (${status})`,
      };
    }
    error_description() { return this.answer.error_description; }
    more() { return this.answer.next !== undefined && !isNaN(this.answer.next); }
    total() { return parseInt(this.answer.total, 10); }
    next(callback) { return this.more() ? this.again(parseInt(this.answer.next, 10), callback) : false; }
  }

  async function rest(method, params, callback, start, refreshed) {
    const body = encode(params, '', new URLSearchParams({ auth: data.AUTH_ID }));
    if (start !== undefined) body.set('start', start);
    let status;
    let answer;
    try {
      const response = await fetch(`${portal}${data.PATH || '/rest'}/${encodeURIComponent(method)}.json`, { method: 'POST', body });
      status = response.status;
      if (status >= 500) throw new Error(status);
      answer = JSON.parse(await response.text() || '{"result":{}}');
    } catch {
      // As the vendor's library does: an uncaught error, and whoever called never hears of it.
      throw new Error('Query error!');
    }
    if (answer.error === 'expired_token' && !refreshed) {
      BX24.refreshAuth(() => rest(method, params, callback, start, true));
    } else if (isFunction(callback)) {
      callback(new Result(answer, status, (from, other) => rest(method, params, other || callback, from)));
    }
  }

  const size = () => ({
    scrollWidth: Math.max(document.documentElement.scrollWidth, document.documentElement.offsetWidth),
    scrollHeight: Math.max(document.documentElement.scrollHeight, document.documentElement.offsetHeight),
  });

  const options = (kind, command, allowed) => ({
    get: option => data[kind][option],
    set: (option, value, callback) => {
      if (!allowed()) return;
      data[kind][option] = value;
      send(command, { name: option, value }, callback);
    },
  });

  const BX24 = window.BX24 = {
    init: callback => { if (callback) { if (initialized) later(callback); else waiting.push(callback); } },
    install: callback => { if (callback) installers.push(callback); },
    installFinish: () => send('setInstallFinish', {}),
    ready: callback => { if (isFunction(callback)) { if (ready) later(callback); else readyList.push(callback); } },
    isReady: () => ready,

    getAuth: () => initialized && data.AUTH_EXPIRES > Date.now() && {
      access_token: data.AUTH_ID, refresh_token: data.REFRESH_ID, expires_in: data.AUTH_EXPIRES, domain, member_id: data.MEMBER_ID,
    },
    refreshAuth: callback => {
      if (initialized) send('refreshAuth', {}, answer => { keepAuth(answer); if (callback) callback(BX24.getAuth()); });
    },
    getLang: () => data.LANG,
    getDomain: () => domain,
    isAdmin: () => !!data.IS_ADMIN,
    appOption: options('APP_OPTIONS', 'setAppOption', () => BX24.isAdmin()),
    userOption: options('USER_OPTIONS', 'setUserOption', () => true),

    callMethod: (method, params, callback) => {
      const run = () => data.AUTH_EXPIRES > Date.now()
        ? rest(method, params, callback)
        : BX24.refreshAuth(() => rest(method, params, callback));
      if (initialized) run();
      else BX24.init(run);
    },

    placement: {
      info: () => ({ placement: data.PLACEMENT, options: data.PLACEMENT_OPTIONS }),
      getInterface: callback => send('getInterface', callback),
      call: (command, params, callback) => {
        if (BX24[command]) return;
        if (isFunction(params)) [params, callback] = [{}, params];
        send(command, params, callback);
      },
      bindEvent: (event, callback) => send('placementBindEvent', { event }, callback),
    },

    openApplication: (params, callback, settings) => {
      if (isFunction(params)) [params, callback, settings] = [{}, params, callback];
      const all = { ...params };
      for (const [key, value] of Object.entries(settings || {})) all[`bx24_${key}`] = value;
      send('openApplication', all, callback);
    },
    closeApplication: callback => send('closeApplication', callback),
    openPath: (path, callback) => send('openPath', { path }, callback),

    getScrollSize: size,
    resizeWindow: (width, height, callback) => {
      [width, height] = [parseInt(width, 10), parseInt(height, 10)];
      if (width > 0 && height > 0) send('resizeWindow', { width, height }, callback);
    },
    fitWindow: callback => send('resizeWindow', { width: '100%', height: size().scrollHeight }, callback),
    setTitle: (title, callback) => send('setTitle', { title: title.toString() }, callback),
    reloadWindow: callback => send('reloadWindow', {}, callback),
    scrollParentWindow: (scroll, callback) => {
      if (!isNaN(parseInt(scroll, 10))) send('setScroll', { scroll: parseInt(scroll, 10) }, callback);
    },
  };

  function becomeReady() {
    if (ready) return;
    ready = true;
    readyList.splice(0).forEach(later);
  }
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', becomeReady);
  else becomeReady(); // loaded late: DOMContentLoaded and load have been

  send('getInitData', initialize);
})();
