/**
 * `/marketplace/view/{code}/?params[a][b]=c`, or `/marketplace/view/?APP={code}&params…`.
 * Null for any other address.
 */
export function parseDeepLink(href, base = location.href) {
  const url = new URL(href, base);
  const match = /^\/marketplace\/view\/(?:([^/]+)\/?)?$/.exec(url.pathname);
  if (url.origin !== new URL(base).origin || !match) return null;
  const code = match[1] ? decodeURIComponent(match[1]) : url.searchParams.get('APP');
  return code ? { code, options: phpArray(url.searchParams, 'params') } : null;
}

/** One array of a query string, read as PHP reads it: `params[a][b]=c`, `params[list][]=1`. Null when it is not there. */
export function phpArray(searchParams, wanted) {
  const root = Object.create(null);
  for (const [name, value] of searchParams) {
    const bracket = name.indexOf('[');
    if (bracket < 0 || name.slice(0, bracket) !== wanted) continue;
    const keys = [...name.slice(bracket).matchAll(/\[([^\]]*)\]/g)].map(match => match[1]);
    if (keys.length) put(root, keys, value);
  }
  return Object.keys(root).length ? mapValues(root, toList) : null;
}

function put(target, keys, value) {
  keys.forEach((raw, depth) => {
    const key = raw === '' ? nextIndex(target) : raw;
    if (depth === keys.length - 1) {
      target[key] = value;
      return;
    }
    if (typeof target[key] !== 'object') target[key] = Object.create(null);
    target = target[key];
  });
}

const nextIndex = target =>
  Object.keys(target).filter(key => /^\d+$/.test(key)).reduce((next, key) => Math.max(next, Number(key) + 1), 0);

/** json_encode writes an array whose keys are 0, 1, 2… as a list. */
function toList(value) {
  if (typeof value !== 'object') return value;
  const keys = Object.keys(value);
  return keys.every((key, index) => key === String(index))
    ? keys.map(key => toList(value[key]))
    : mapValues(value, toList);
}

function mapValues(source, map) {
  const target = Object.create(null);
  for (const key of Object.keys(source)) target[key] = map(source[key]);
  return target;
}

// https://apidocs.bitrix24.com/sdk/bx24-js-sdk/additional-functions/bx24-open-path.html
const allowedPath = /^\/(crm\/(deal|lead|contact|company|type)|marketplace|company\/personal\/user\/[0-9]+|workgroups\/group\/[0-9]+)\//;

/** The address BX24.openPath may open, marked with the app it came from; null when the path is not allowed. */
export function openablePath(path, clientId) {
  if (typeof path !== 'string' || !allowedPath.test(path)) return null;
  const url = new URL(path, location.origin);
  if (url.origin !== location.origin || !allowedPath.test(url.pathname)) return null;
  return `${path}${path.includes('?') ? '&' : '?'}from=rest_placement&from_app=${encodeURIComponent(clientId)}`;
}

/** Pages that the portal itself shows in a slider rather than in the window. */
export const opensInSlider = pathname => /\/details\/|^\/workgroups\/group\/\d+\//.test(pathname);
