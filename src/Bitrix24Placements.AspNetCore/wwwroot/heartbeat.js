import { keep, kept } from './browser.js';

const hour = 3_600_000;

/** Where storage is closed to frames, nobody knows when this user last spoke: a few of many loads do. */
const share = 1 / 50;

/**
 * Says that the worker runs, and how long its frame took by this browser's own measure: what the portal's page measures, too.
 * Once per user and hour, after everything else, and nobody waits for it.
 * @param {{ portal: string, scope: string }} identity
 */
export function beat({ portal, scope }) {
  const loadMs = performance.getEntriesByType('navigation')[0]?.duration;
  if (!loadMs || !isDue(`heartbeat ${scope}`)) return;
  const [app, memberId] = portal.split('@');
  navigator.sendBeacon(new URL('../../api/heartbeat', import.meta.url), JSON.stringify({ memberId, app, loadMs: Math.round(loadMs) }));
}

function isDue(place) {
  const now = Date.now();
  if (now - (kept('localStorage', place) ?? 0) < hour) return false;
  keep('localStorage', place, now);
  return kept('localStorage', place) === now || Math.random() < share;
}
