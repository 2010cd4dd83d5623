async function call(method, path, body) {
  const response = await fetch(path, {
    method,
    headers: body === undefined ? {} : { 'Content-Type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
    cache: 'no-store',
    keepalive: method === 'POST',
  });
  if (!response.ok) {
    const error = new Error(`${path}: ${response.status} ${(await response.text()).slice(0, 300)}`);
    error.status = response.status;
    throw error;
  }
  const text = await response.text();
  return text ? JSON.parse(text) : null;
}

export const api = {
  state: () => call('GET', '/sim/state'),
  launch: request => call('POST', '/sim/launch', request),
  auth: (userId, appSid) => call('GET', `/sim/auth?${new URLSearchParams({ userId, appSid })}`),
  installFinish: (userId, appSid) => call('POST', '/sim/install-finish', { userId, appSid }),
  workerLoaded: (userId, ms) => call('POST', '/sim/worker-loaded', { userId, ms }),
  log: after => call('GET', `/sim/log?after=${after}`),
  lever: (name, body = {}) => call('POST', `/sim/levers/${name}`, body),
  bridge: message => call('POST', '/sim/bridge', message),
};
