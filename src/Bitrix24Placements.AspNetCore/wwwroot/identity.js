import { checksum, keep, kept, oneAtATime } from './browser.js';
import { callMethod, within } from './bx24.js';

/** A portal that cannot renew its user's access does not answer. */
const accessTime = 30_000;

/**
 * Who sits here, with as few REST calls as can be: the portal allows two a second for everybody.
 * The user's id is kept as his user option. The portal gives that back with every page, without a call, and never to
 * another user who logs in in this browser. Tabs that were opened before it was kept, and portals that do not keep it, go by
 * the access token: the portal uses one for all tabs, until it expires or another user comes. Only its checksum is stored.
 */
export async function identify(BX24, app) {
  const auth = BX24.getAuth() || await within(accessTime, new Promise(resolve => BX24.refreshAuth(resolve)));
  if (!auth) throw new Error('The portal gives no access');
  const portal = `${app}@${auth.member_id}`;
  const place = `worker ${portal}`;
  const token = checksum(auth.access_token);
  const known = () => {
    const last = kept('localStorage', place);
    return last?.token === token ? last.userId : 0;
  };
  const userId = Number(option(BX24, 'get')) || known() || await oneAtATime(`${portal} profile`, async () => {
    const id = known() || Number((await callMethod(BX24, 'profile')).data().ID);
    keep('localStorage', place, { token, userId: id });
    option(BX24, 'set', id);
    return id;
  });
  // Two portals may share this site, and two users this browser: no lock, channel or store has a name without both.
  return { portal, userId, scope: `${portal} ${userId}` };
}

function option(BX24, act, ...values) {
  try {
    return BX24.userOption[act]('userId', ...values);
  } catch {
    return null; // a portal that sent no options at all
  }
}
