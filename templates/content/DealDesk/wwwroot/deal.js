import { fetchWithSession } from './static/session.js';

const form = document.getElementById('comment');
const status = document.getElementById('status');

form?.addEventListener('submit', async event => {
  event.preventDefault();
  const text = new FormData(form).get('text');
  try {
    const answer = await fetchWithSession(`deals/${form.dataset.deal}/comment`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ text }),
    });
    const body = await answer.json();
    if (answer.ok) {
      document.getElementById('count').textContent = body.count;
      form.reset();
    }
    status.textContent = answer.ok ? 'Added.' : body.detail ?? body.title;
  } catch {
    status.textContent = 'No answer. Try again.';
  }
});
