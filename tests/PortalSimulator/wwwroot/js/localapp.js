import { el } from './dom.js';

/** In Bitrix24 the app's number stands behind it. */
export const localAppPath = '/devops/edit/application/';

const all = {
  en: {
    title: 'Local application', name: 'Name', type: 'Type', server: 'Server', static: 'Static', handler: 'Your handler path',
    install: 'Initial installation path', api: 'Script only (no user interface)', menu: 'Menu item', scopes: 'Permissions',
    id: 'Application ID (client_id)', key: 'Application key (client_secret)', save: 'Save', reinstall: 'Reinstall',
    likeness: 'A likeness of the form in Bitrix24, filled in as this app is. Nothing can be changed here.',
  },
  ru: {
    title: 'Локальное приложение', name: 'Название', type: 'Тип', server: 'Серверное', static: 'Статичное',
    handler: 'Путь вашего обработчика', install: 'Путь для первоначальной установки', api: 'Использует только API',
    menu: 'Название пункта меню', scopes: 'Настройка прав', id: 'Код приложения (client_id)', key: 'Ключ приложения (client_secret)',
    save: 'Сохранить', reinstall: 'Переустановить',
    likeness: 'Подобие формы Битрикс24, заполненное для этого приложения. Изменить здесь ничего нельзя.',
  },
};

/** What a developer fills in on a real portal. */
export function drawLocalApp({ app }, lang) {
  const say = all[lang] ?? all.en;
  const text = (label, value) => el('label', { class: 'field' }, el('span', {}, label), el('input', { type: 'text', value, readonly: true }));
  const tick = (label, checked, type = 'checkbox') =>
    el('label', { class: 'tick' }, el('input', { type, checked, disabled: true }), ' ', label);
  const group = (label, ...ticks) => el('fieldset', { class: 'field' }, el('legend', {}, label), el('div', { class: 'ticks' }, ...ticks));
  const scopes = [...new Set(['crm', 'placement', 'pull', 'user', ...app.scopes])];
  return [say.title, el('form', { class: 'card local-app', lang: all[lang] ? null : 'en', onsubmit: event => event.preventDefault() },
    el('p', {}, say.likeness),
    text(say.name, 'Documents'),
    group(say.type, tick(say.server, true, 'radio'), tick(say.static, false, 'radio')),
    text(say.handler, app.appUrl),
    text(say.install, app.installUrl),
    tick(say.api, app.apiOnly),
    text(`${say.menu} (${lang})`, 'Documents'),
    group(say.scopes, ...scopes.map(scope => tick(scope, app.scopes.includes(scope)))),
    el('p', {}, el('button', { type: 'button', disabled: true }, say.save), ' ', el('button', { type: 'button', disabled: true }, say.reinstall)),
    text(say.id, app.clientId),
    text(say.key, '••••••••••••••••••••••••'))];
}
