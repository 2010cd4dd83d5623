/**
 * Who sits in front of this tab, and in which language. Kept per tab, so that two tabs can be two people.
 * `?user=2&lang=de` sets it; both are then taken out of the address, which the app is going to see as its URI.
 */
export function openSession(state) {
  const url = new URL(location.href);
  for (const name of ['user', 'lang']) {
    if (!url.searchParams.has(name)) continue;
    sessionStorage.setItem(`portal.${name}`, url.searchParams.get(name));
    url.searchParams.delete(name);
  }
  // Only touched when something was removed: URLSearchParams would rewrite the escaping of a deep link.
  if (url.href.length < location.href.length) history.replaceState(history.state, '', url);

  const wanted = sessionStorage.getItem('portal.user');
  const user = state.users.find(candidate => String(candidate.id) === wanted) ?? state.users[0];
  const lang = sessionStorage.getItem('portal.lang') || user.lang || 'en';
  return { user, lang };
}

export function switchTo(name, value) {
  sessionStorage.setItem(`portal.${name}`, value);
  location.reload();
}

/** BX24.appOption and BX24.userOption: the app's own, and each user's, kept for this tab. */
export function optionStore(key) {
  const name = `portal.options.${key}`;
  const all = () => JSON.parse(sessionStorage.getItem(name) ?? '{}');
  return { all, set: (option, value) => sessionStorage.setItem(name, JSON.stringify({ ...all(), [option]: value })) };
}
