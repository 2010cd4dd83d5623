import { el } from './dom.js';

const known = [
  'ONCRMDEALADD', 'ONCRMDEALUPDATE', 'ONCRMDEALDELETE', 'ONCRMLEADADD', 'ONCRMCONTACTADD', 'ONTASKADD', 'ONTASKUPDATE', 'ONAPPTEST',
  'ONAPPINSTALL', 'ONAPPUPDATE', 'ONAPPUNINSTALL', 'ONAPPUSERREADY',
];

/** Any event, to whoever has bound it. */
export function eventLever(shell, pull, field, group) {
  const name = el('input', { value: 'ONCRMDEALADD', required: true, autocomplete: 'off', list: 'known-events', spellcheck: 'false' });
  const data = el('textarea', { rows: '2', spellcheck: 'false' }, '{"FIELDS":{"ID":"5"}}');
  const send = event => {
    event.preventDefault();
    pull('event', event.target, () => ({
      event: name.value, userId: shell.session.user.id, data: data.value.trim() ? JSON.parse(data.value) : null,
    }));
  };
  return el('form', { onsubmit: send }, group('Event',
    el('datalist', { id: 'known-events' }, known.map(value => el('option', { value }))),
    field('event-name', 'Name', name), field('event-data', 'data, JSON', data),
    el('button', { 'data-testid': 'lever-event' }, 'Send the event')));
}
