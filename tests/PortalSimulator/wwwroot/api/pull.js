/* A compatible BX.PullClient for the portal simulator, over WebSocket. */
(function () {
  'use strict';

  const pauses = [1, 2, 4, 8, 15, 30, 60];

  class PullClient {
    constructor({ restApplication, restClient, userId } = {}) {
      this.restClient = restClient || window.BX24;
      this.key = `bx-pull-config-${restApplication}-${userId}`;
      this.subscriptions = [];
      this.socket = null;
      this.attempt = 0;
      this.stopped = true;
    }

    /** With `command`, only that command: callback(params, extra, command). Returns the function that ends it. */
    subscribe({ moduleId, command, callback } = {}) {
      if (typeof callback !== 'function') throw new TypeError('callback is not a function');
      const subscription = { moduleId: String(moduleId || '').toLowerCase(), command, callback };
      this.subscriptions.push(subscription);
      return () => { this.subscriptions = this.subscriptions.filter(other => other !== subscription); };
    }

    /** Fulfilled with the first connection; rejected when the portal refuses the configuration. */
    start() {
      if (this.started) return this.started;
      this.stopped = false;
      this.started = new Promise((resolve, reject) => this.connect(resolve, reject));
      return this.started;
    }

    stop() {
      this.stopped = true;
      this.started = null;
      clearTimeout(this.timer);
      if (this.socket) this.socket.close(1000);
    }

    isConnected() {
      return this.socket !== null && this.socket.readyState === WebSocket.OPEN;
    }

    async connect(resolve = () => {}, reject = () => {}) {
      try {
        const config = this.cached() || await this.ask();
        if (!this.stopped) this.open(config, resolve);
      } catch (error) {
        reject(error);
        this.again();
      }
    }

    open(config, resolve) {
      const { server, channels, clientId } = config;
      const query = new URLSearchParams({ CHANNEL_ID: `${channels.private.id}/${channels.shared.id}`, clientId });
      const socket = new WebSocket(`${server.websocket || server.websocket_secure}?${query}`);
      let opened = false;
      this.socket = socket;
      socket.onopen = () => {
        opened = true;
        this.attempt = 0;
        resolve(true);
      };
      socket.onmessage = event => this.receive(event.data);
      socket.onclose = () => {
        if (this.socket === socket) this.socket = null;
        if (!opened) this.forget();
        this.again(resolve);
      };
    }

    again(resolve) {
      if (this.stopped) return;
      const pause = pauses[Math.min(this.attempt++, pauses.length - 1)];
      this.timer = setTimeout(() => this.connect(resolve), pause * 1000);
    }

    receive(text) {
      for (const [, json] of text.matchAll(/#!NGINXNMS!#(.*?)#!NGINXNME!#/g)) this.tell(JSON.parse(json).text);
    }

    tell(message) {
      const { command, params = {}, extra = {} } = message;
      const moduleId = String(message.module_id || '').toLowerCase();
      for (const subscription of [...this.subscriptions]) {
        if (subscription.moduleId !== moduleId) continue;
        try {
          if (!subscription.command) subscription.callback({ command, params, extra });
          else if (subscription.command === command) subscription.callback(params, extra, command);
        } catch (error) {
          console.error(error);
        }
      }
    }

    async ask() {
      const config = await new Promise((resolve, reject) => {
        const settle = answer => answer.error() ? reject(answer.error()) : resolve(answer.data());
        const promise = this.restClient.callMethod('pull.application.config.get', { CACHE: 'N' }, settle);
        if (promise && typeof promise.then === 'function') promise.then(answer => answer && answer.data && settle(answer), reject);
      });
      if (!config || !config.server) throw new Error('No push server in the configuration');
      try { localStorage.setItem(this.key, JSON.stringify(config)); } catch { /* storage is closed to this frame */ }
      return config;
    }

    cached() {
      try {
        const config = JSON.parse(localStorage.getItem(this.key));
        return config && config.server && (!config.exp || config.exp * 1000 > Date.now()) ? config : null;
      } catch {
        return null;
      }
    }

    forget() {
      try { localStorage.removeItem(this.key); } catch { /* nothing was kept either */ }
    }
  }

  window.BX = window.BX || {};
  window.BX.PullClient = PullClient;
})();
