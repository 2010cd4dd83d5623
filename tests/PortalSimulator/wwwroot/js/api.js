async function call(method, path, body) {
  const response = await fetch(path, {
    method,
    headers: body === undefined ? {} : { 'Content-Type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
    cache: 'no-store',
    keepalive: method === 'POST',
  });
  if (!response.ok) {
    const error = new Error(reason(response.status, await response.text()).slice(0, 300));
    error.status = response.status;
    throw error;
  }
  const text = await response.text();
  return text ? JSON.parse(text) : null;
}

/** What the simulator says went wrong; of an event, what the service answered to it. */
function reason(status, text) {
  try {
    const told = JSON.parse(text);
    const failed = told.deliveries?.find(delivery => !(delivery.status >= 200 && delivery.status < 300)) ?? told;
    return told.error ?? `failed: ${[failed.status, failed.body].filter(Boolean).join(' ')}`;
  } catch {
    return `${status} ${text}`;
  }
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
