import { loadBX24 } from './bx24.js';

document.getElementById('retry').addEventListener('click', async event => {
  event.target.disabled = true;
  const BX24 = await loadBX24();
  // The portal opens the page anew, with new tokens; a plain reload sends the old ones once more.
  if (BX24) BX24.reloadWindow();
  else location.reload();
});
loadBX24();
