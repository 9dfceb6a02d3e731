import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, resolve, sep } from 'node:path';

const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.json': 'application/json',
};
// These headers isolate the page, which it needs for shared memory.
const ISOLATED = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };
const PAGE = '<!doctype html><meta charset="utf-8"><title>padagrad</title><link rel="icon" href="data:,">';

/** Serves an empty page and the files of folders, only to this machine. Returns the page's address and a function that stops the server. */
export async function serve(folders) {
  const roots = folders.map((folder) => resolve(folder));
  const server = createServer(async ({ url }, response) => {
    const { pathname } = new URL(url, 'http://localhost');
    const { status, type, body } = await answer(decodeURIComponent(pathname), roots);
    response.writeHead(status, { ...ISOLATED, 'content-type': type, 'cache-control': 'no-store' }).end(body);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return { address: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}

async function answer(pathname, roots) {
  if (pathname === '/') return { status: 200, type: 'text/html', body: PAGE };
  try {
    // Folders outside the current one have absolute paths.
    const path = [`.${pathname}`, pathname].map((name) => resolve(name)).find((name) => roots.some(holds(name)));
    if (!path) throw new Error(`${pathname} is not served`);
    return { status: 200, type: TYPES[extname(path)] ?? 'application/octet-stream', body: await content(path) };
  } catch (error) {
    return { status: 404, type: 'text/plain', body: error.message };
  }
}

const holds = (path) => (root) => path.startsWith(root + sep);

/** Returns a file. `index.json` lists the files of its folder if the folder has no such file. */
async function content(path) {
  try {
    return await readFile(path);
  } catch (error) {
    if (!path.endsWith(`${sep}index.json`)) throw error;
    return JSON.stringify(await readdir(join(path, '..')));
  }
}
