import { el } from './dom.js';
import { openFrame } from './frames.js';

const kinds = { deal: 'Deals', lead: 'Leads', contact: 'Contacts', company: 'Companies' };
const universal = ['REST_APP_URI', 'PAGE_BACKGROUND_WORKER'];

/** `/crm/deal/details/5/` → the deal; null for any other page, and for what is not there. */
export function recordAt(path, records) {
  const [, kind, id] = /^\/crm\/(deal|lead|contact|company)\/details\/(\d+)\//.exec(path) ?? [];
  const record = records[kind]?.find(({ ID }) => ID === id);
  return record ? { kind, id, record } : null;
}

export const nameOf = record => record.TITLE ?? `${record.NAME} ${record.LAST_NAME}`;

/** The lists of all records. */
export const drawCrm = ({ records }) => Object.entries(kinds).map(([kind, title]) =>
  el('section', { class: 'card', lang: 'en' }, el('h2', {}, title),
    el('ul', { class: 'rows' }, records[kind].map(record =>
      el('li', {}, el('a', { href: `/crm/${kind}/details/${record.ID}/` }, nameOf(record)))))));

/** One record, with a tab for every placement that has been bound. A tab's frame is opened when it is chosen first. */
export function drawRecord({ id, record }, state, session) {
  const placements = state.placements.filter(({ placement, userId, shown }) =>
    shown && !universal.includes(placement) && (!userId || userId === session.user.id));
  const general = el('div', { class: 'tab-content' }, el('dl', { class: 'fields' }, Object.entries(record).map(([name, value]) =>
    el('div', {}, el('dt', {}, name), el('dd', {}, typeof value === 'string' ? value : JSON.stringify(value))))));
  const tabs = [tabOf('General', { 'data-testid': 'tab-general' }, general),
    ...placements.map(placement => placementTab(placement, id, session))];
  const list = el('div', { class: 'tab-list', role: 'tablist', 'aria-label': 'Tabs', onkeydown: event => walk(event, tabs) },
    tabs.map(({ button }) => button));
  tabs.forEach((tab, index) => {
    Object.assign(tab.button, { id: `tab-${index}`, onclick: () => show(tab, tabs) });
    Object.assign(tab.panel, { id: `tab-panel-${index}` });
    tab.button.setAttribute('aria-controls', tab.panel.id);
    tab.panel.setAttribute('aria-labelledby', tab.button.id);
  });
  show(tabs[0], tabs);
  return [el('section', { class: 'card tabbed', lang: 'en' }, list, tabs.map(({ panel }) => panel))];
}

function tabOf(text, attributes, content = null, open = null) {
  const button = el('button', { type: 'button', role: 'tab', ...attributes }, text);
  const panel = el('div', { class: 'tab-panel', role: 'tabpanel', tabindex: '0' }, content);
  return { button, panel, open };
}

function placementTab({ placement, title, langAll, clientId, handler }, id, session) {
  const text = langAll?.[session.lang]?.TITLE || title || placement;
  return tabOf(text, { 'data-testid': 'placement-tab', 'data-placement': placement }, null, panel =>
    openFrame({ placement, clientId, handler, options: { ID: id }, session, host: panel })
      .then(frame => frame ?? panel.append(el('p', { class: 'slider-notice' }, 'This is not registered any more.')))
      .catch(error => panel.replaceChildren(el('p', { class: 'slider-notice', role: 'alert' }, error.message))));
}

function show(tab, tabs) {
  for (const { button, panel } of tabs) {
    const chosen = panel === tab.panel;
    button.setAttribute('aria-selected', String(chosen));
    button.tabIndex = chosen ? 0 : -1;
    panel.hidden = !chosen;
  }
  tab.open?.(tab.panel);
  tab.open = null;
}

function walk(event, tabs) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const at = tabs.findIndex(({ button }) => button === event.target);
  const next = tabs[(at + step + tabs.length) % tabs.length];
  next.button.focus();
  show(next, tabs);
}
