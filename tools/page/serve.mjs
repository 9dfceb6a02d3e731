import { realpathSync } from 'node:fs';
import { readFile, realpath } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, sep } from 'node:path';

const TYPES = {
  '.css': 'text/css',
  '.gz': 'application/gzip',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
};
// The policy of the pages' HTML, repeated because it must also apply to workers; other pages may not frame this one.
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; worker-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const HEADERS = {
  'content-security-policy': POLICY,
  'cache-control': 'no-cache',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'x-content-type-options': 'nosniff',
};
const LOCAL = /^(localhost|127\.0\.0\.1)(:\d+)?$/;

/**
 * Serves the files of a folder, only to this machine. Returns the address and a function that stops the server. Port 0 takes any free
 * port. Requests with another host name are refused, because another site could point its own name to this machine.
 */
export async function servePage(folder, port = 0) {
  const root = realpathSync(folder);
  const server = createServer(async ({ method, url, headers }, response) => {
    const { status, type, body } = await answer(method, url, headers.host ?? '', root);
    response.writeHead(status, { ...HEADERS, 'content-type': type });
    response.end(method === 'HEAD' ? undefined : body);
  });
  await new Promise((done, failed) => server.once('error', failed).listen(port, '127.0.0.1', done));
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { address: `http://localhost:${server.address().port}/`, close };
}

async function answer(method, url, host, root) {
  const refuse = (status, body) => ({ status, type: 'text/plain', body });
  if (method !== 'GET' && method !== 'HEAD') return refuse(405, 'only GET and HEAD');
  if (!LOCAL.test(host)) return refuse(403, 'only for this machine');
  try {
    const pathname = decodeURIComponent(url.split(/[?#]/)[0]);
    // Resolves links first: the real place of a file decides.
    const path = await realpath(join(root, pathname.endsWith('/') ? `${pathname}index.html` : pathname));
    if (!path.startsWith(root + sep)) return refuse(404, 'no such file');
    return { status: 200, type: TYPES[extname(path)] ?? 'application/octet-stream', body: await readFile(path) };
  } catch {
    return refuse(404, 'no such file');
  }
}
