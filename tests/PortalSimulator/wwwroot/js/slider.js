import { el } from './dom.js';

// The names that bx24_label.bgColor may have.
const labelColors = {
  aqua: '#06bab1', green: '#a5de00', orange: '#ffa801', brown: '#b57051', pink: '#f968b6', blue: '#2eceff',
  grey: '#a1a6ac', violet: '#6b52cc',
};

/** The stack of sliders. `fill(slider)` puts the content into `slider.body`, at first and after each reload. */
export function createSliders(host, portal) {
  const stack = [];
  let serial = 0;

  function open({ kind, title, settings = {}, fill, empty, onClose }) {
    const id = `slider-title-${++serial}`;
    const heading = el('h2', { id, tabindex: '-1', 'data-testid': 'slider-title' }, title);
    const body = el('div', { class: 'slider-body', 'data-testid': 'slider-body', tabindex: '0', role: 'group', 'aria-labelledby': id });
    const label = el('div', { class: 'slider-label' },
      el('button', {
        type: 'button', class: 'slider-close', 'data-testid': 'slider-close', 'aria-label': 'Close', onclick: () => close(slider),
      }, '✕'));
    const box = el('div', { class: 'slider', role: 'dialog', 'aria-labelledby': id, 'data-testid': 'slider', 'data-kind': kind },
      label, el('header', { class: 'slider-head' }, heading), body);
    const cover = el('div', { class: 'slider-cover', onclick: event => { if (event.target === cover) close(slider); } }, box);
    const slider = {
      kind, body, heading, cover, onClose, frames: [],
      returnTo: document.activeElement,
      setTitle: text => { heading.textContent = text; },
      scrollTo: top => { body.scrollTop = top; },
      async reload() {
        empty(slider);
        body.replaceChildren();
        try {
          await fill(slider);
        } catch (error) {
          body.replaceChildren(el('p', { class: 'slider-notice', role: 'alert', 'data-testid': 'slider-notice' }, error.message));
        }
      },
      close: () => close(slider),
    };
    apply(settings, slider, box, label);
    stack.push(slider);
    host.append(cover);
    freeze();
    heading.focus();
    slider.reload();
    return slider;
  }

  function close(slider = stack.at(-1)) {
    const index = stack.indexOf(slider);
    if (index < 0) return;
    for (const above of stack.slice(index + 1).reverse()) close(above);
    stack.splice(index, 1);
    // Before the frames go: one of them may be the frame that wants to know.
    slider.onClose?.();
    slider.dispose?.();
    slider.cover.remove();
    freeze();
    if (slider.returnTo?.isConnected) slider.returnTo.focus();
    else stack.at(-1)?.heading.focus();
  }

  /** Only the topmost can be worked with. */
  function freeze() {
    portal.inert = stack.length > 0;
    stack.forEach((slider, index) => { slider.cover.inert = index < stack.length - 1; });
  }

  document.addEventListener('keydown', event => {
    // In a field of the panel it belongs to the field.
    if (event.key === 'Escape' && stack.length && !event.target.closest?.('aside :is(input, textarea, select)')) close();
  });

  return { open, close, top: () => stack.at(-1) ?? null };
}

/** bx24_width, bx24_leftBoundary, bx24_title, bx24_label. Values of a wrong type are ignored. */
function apply({ width, leftBoundary, title, label }, slider, box, tab) {
  if (typeof leftBoundary === 'number') {
    box.classList.add('slider-bounded');
    box.style.setProperty('--boundary', `${leftBoundary}px`);
  } else if (typeof width === 'number') {
    box.style.width = `${width}px`;
  }
  if (typeof title === 'string') slider.setTitle(title);
  if (label && typeof label === 'object') {
    if (label.text) tab.append(el('span', { class: 'slider-label-text', 'data-testid': 'slider-label' }, String(label.text)));
    if (labelColors[label.bgColor]) tab.style.background = labelColors[label.bgColor];
    if (label.color) tab.style.color = String(label.color);
  }
}
