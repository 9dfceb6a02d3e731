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
// What the page says of itself, for the worker too, and that no other page may frame it.
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const HEADERS = {
  'content-security-policy': POLICY,
  'cache-control': 'no-cache',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'x-content-type-options': 'nosniff',
};
const LOCAL = /^(localhost|127\.0\.0\.1)(:\d+)?$/;

/**
 * Serves the files of a folder to this machine alone; gives the address, and a function that ends it. Port 0 is any that
 * is free. A request under another name than this machine's is refused: a page from elsewhere may point its own name here.
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
    // Links are followed first: it counts where a file is, not what it is called.
    const path = await realpath(join(root, pathname.endsWith('/') ? `${pathname}index.html` : pathname));
    if (!path.startsWith(root + sep)) return refuse(404, 'no such file');
    return { status: 200, type: TYPES[extname(path)] ?? 'application/octet-stream', body: await readFile(path) };
  } catch {
    return refuse(404, 'no such file');
  }
}
