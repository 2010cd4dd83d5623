import { drawCrm, drawRecord, nameOf, recordAt } from './crm.js';
import { byId, el } from './dom.js';
import { drawLocalApp, localAppPath } from './localapp.js';
import { switchTo } from './session.js';
import { words } from './words.js';

const entries = user => [
  ['feed', '/stream/'], ['crm', '/crm/'], ['tasks', '/tasks/'], ['profile', `/company/personal/user/${user.id}/`],
  ['app', '/marketplace/app/'],
];

/** Header and left menu. */
export function drawFrame(state, session) {
  const say = words(session.lang);
  document.documentElement.lang = say.tag;
  byId('top').append(
    el('a', { class: 'logo', href: '/stream/', 'data-testid': 'portal-name' }, state.portal.name, ' ', el('b', {}, '24')),
    choice(say.user, 'user', 'user-switcher', String(session.user.id),
      state.users.map(({ id, name, admin }) => [String(id), admin ? `${name} (${say.admin})` : name])),
    choice(say.language, 'lang', 'language-switcher', session.lang,
      state.languages.map(language => [language, language])));
  byId('menu').append(el('ul', {}, entries(session.user).map(([key, href]) =>
    el('li', {}, el('a', {
      href,
      'data-testid': `menu-${key}`,
      'aria-current': location.pathname.startsWith(href) ? 'page' : null,
    }, say[key])))));
}

const choice = (label, name, testid, current, options) => el('label', { class: 'choice' }, el('span', {}, label),
  el('select', { 'data-testid': testid, onchange: event => switchTo(name, event.target.value) },
    options.map(([value, text]) => el('option', { value, selected: value === current }, text))));

export function drawPage(state, session) {
  const path = location.pathname;
  const say = words(session.lang);
  const opened = recordAt(path, state.records);
  const [title, ...content] =
    path.startsWith('/stream/') ? [say.feed, ...feed(state)]
      : path === '/crm/' ? [say.crm, ...drawCrm(state)]
        : opened ? [nameOf(opened.record), ...drawRecord(opened, state, session)]
          : path.startsWith('/tasks/') ? [say.tasks, tasks(state)]
            : path.startsWith('/company/personal/user/') ? [say.profile, card(profileOf(state, path))]
              : path.startsWith('/marketplace/') ? [say.app]
                : path === localAppPath ? drawLocalApp(state, session.lang)
                  : [pageName(path), card(`This is the page ${path}`)];
  document.title = `${title} · ${state.portal.name}`;
  byId('page').replaceChildren(el('h1', { 'data-testid': 'page-title' }, title), ...content);
}

/** `/crm/deal/details/5/` is "Deal 5". */
function pageName(path) {
  const words = path.split('/').filter(part => part && !['crm', 'details', 'workgroups'].includes(part)).join(' ');
  return words ? words[0].toUpperCase() + words.slice(1) : 'Page';
}

function profileOf(state, path) {
  const user = state.users.find(({ id }) => String(id) === path.split('/')[4]);
  return user ? `${user.name}, ${user.admin ? 'administrator' : 'employee'}` : 'Nobody has this number.';
}

const card = (...content) => el('section', { class: 'card' }, el('p', {}, ...content));

const tasks = state => table('Tasks', [...state.tasks.map(({ title }) => ['/tasks/', title]), ['/workgroups/group/4/', 'Project 4']]);

const table = (title, rows) => el('section', { class: 'card', lang: 'en' }, el('h2', {}, title),
  el('ul', { class: 'rows' }, rows.map(([href, text]) => el('li', {}, el('a', { href }, text)))));

function feed(state) {
  let serial = 0;
  return state.posts.map(({ author, text, links }) => el('article', { class: 'card post', lang: 'en', 'data-testid': 'post' },
    el('h2', {}, el('span', { class: 'avatar', 'aria-hidden': 'true' }, author.slice(0, 1)), author),
    el('p', {}, text),
    el('ul', { class: 'links' }, links.map(({ title, href }) =>
      el('li', {}, el('a', { href, 'data-testid': `deep-link-${++serial}` }, title))))));
}
