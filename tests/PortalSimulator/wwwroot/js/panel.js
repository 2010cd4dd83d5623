import { el } from './dom.js';
import { drawLevers } from './levers.js';
import { localAppPath } from './localapp.js';
import { startLog } from './log.js';

/** The simulator beside the portal: what is going on, and the levers. */
export function startPanel(shell, host) {
  const kept = localStorage.getItem('portal.panel');
  const narrow = matchMedia('(max-width: 1100px)').matches;
  const content = el('div', { id: 'panel-content', class: 'panel-content' });
  const toggle = el('button', {
    type: 'button', class: 'panel-toggle', 'data-testid': 'panel-toggle', 'aria-controls': 'panel-content',
    onclick: () => { show(content.hidden); localStorage.setItem('portal.panel', content.hidden ? 'closed' : 'open'); },
  });
  const show = open => {
    content.hidden = !open;
    document.body.classList.toggle('panel-open', open);
    toggle.setAttribute('aria-expanded', String(open));
    toggle.textContent = open ? 'Simulator ›' : '‹ Simulator';
  };
  const badges = el('ul', { class: 'badges', 'data-testid': 'badges', 'aria-label': 'State' });
  const tabs = el('p', { class: 'tabs' });
  content.append(badges, tabs, drawLevers(shell), startLog(shell));
  host.append(toggle, content);
  show(kept ? kept === 'open' : !narrow);

  const draw = state => {
    badges.replaceChildren(...badgesOf(state).map(([id, text, tone]) =>
      el('li', { class: `badge ${tone ?? ''}`, 'data-testid': `badge-${id}` }, text)));
    tabs.replaceChildren('Open a second tab: ', ...state.users.flatMap(({ id, name }) => [
      el('a', { href: `/stream/?user=${id}`, target: '_blank', rel: 'noopener', 'data-testid': `second-tab-${id}` }, name), ' ']),
    el('br'), el('a', { href: localAppPath, 'data-testid': 'local-app' }, 'The form of the app'), ' ',
    el('a', { href: `${state.app.serviceUrl}/inspector`, target: '_blank', rel: 'noopener', 'data-testid': 'inspector' }, 'Inspector'));
  };
  draw(shell.state());
  shell.onState(draw);
}

function badgesOf({ app, placements, levers, portal }) {
  const installed = !app.installed ? ['not installed', 'off']
    : app.apiOnly ? ['installed (API only)', 'good']
      : app.installFinished ? ['installed', 'good']
        : app.wizardOpened ? ['waiting for installFinish', 'warn'] : ['saved: open the application to install it', 'warn'];
  const has = code => placements.some(({ placement, clientId }) => placement === code && clientId === app.clientId);
  const slow = levers.slowLoads ?? 0;
  return [
    ['installed', ...installed],
    ...['REST_APP_URI', 'PAGE_BACKGROUND_WORKER'].map(code =>
      has(code) ? [code, `${code}: registered`, 'good'] : [code, `${code}: none`, 'off']),
    ['slow-loads', `slow loads ${slow}/10`, slow > 0 ? 'warn' : ''],
    ['version', `version ${app.version}`],
    ['portal', portal.domain],
    levers.oauthBroken && ['oauth-broken', 'OAuth server broken', 'bad'],
    levers.queryLimit && ['query-limit', 'QUERY_LIMIT_EXCEEDED', 'bad'],
    levers.vendorScriptDelayMs > 0 && ['vendor-delay', `vendor scripts +${levers.vendorScriptDelayMs} ms`, 'bad'],
    levers.handlerDelayMs > 0 && ['handler-delay', `handler +${levers.handlerDelayMs} ms`, 'bad'],
  ].filter(Boolean);
}
