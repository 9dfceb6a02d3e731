import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isForeign, repositoryOf } from '../../tools/page/build.mjs';
import { some } from '../../tools/page/images.mjs';
import { servePage } from '../../tools/page/serve.mjs';

const around = realpathSync(mkdtempSync(join(tmpdir(), 'padagrad-served-')));
const folder = join(around, 'page');
let server: Awaited<ReturnType<typeof servePage>>;

test.before(async () => {
  mkdirSync(join(folder, 'digits'), { recursive: true });
  mkdirSync(join(around, 'page-other'));
  for (const name of ['secret.txt', 'page/index.html', 'page/digits/a.gz', 'page-other/secret.txt'])
    writeFileSync(join(around, name), `this is ${name}`);
  symlinkSync(join(around, 'secret.txt'), join(folder, 'link.txt'));
  server = await servePage(folder);
});

test.after(() => {
  server?.close();
  rmSync(around, { recursive: true });
});

/** Sends a raw request line, which an HTTP client would normalise; returns the answer. */
function ask(target: string, { method = 'GET', host = 'localhost' } = {}): Promise<string> {
  const { port } = new URL(server.address);
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(Number(port), '127.0.0.1', () =>
      socket.write(`${method} ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`),
    );
    socket
      .on('data', (chunk) => {
        answer += chunk;
      })
      .on('end', () => resolve(answer))
      .on('error', reject);
  });
}

test('files of the folder are served with their types', async () => {
  for (const target of ['/', '/index.html', '/?a=b', '/digits/../index.html']) {
    const answer = await ask(target);
    assert.match(answer, /^HTTP\/1.1 200 /);
    assert.match(answer, /content-type: text\/html/);
    assert.match(answer, /this is page\/index.html/);
  }
  assert.match(await ask('/digits/a.gz'), /content-type: application\/gzip/);
  assert.not.match(await ask('/', { method: 'HEAD' }), /this is/);
});

test('no path reaches a file outside the folder', async () => {
  const up = [
    '../',
    '..%2f',
    '%2e%2e/',
    '%2e%2e%2f',
    '..\\',
    '..%5c',
    './../',
    'digits/../../',
    '//../',
    '%252e%252e/',
  ];
  const targets = up.flatMap((way) => [`/${way}secret.txt`, `/${way}page-other/secret.txt`]);
  const odd = ['/link.txt', '/%00', '/%', '/%c3%28', '/digits', '/nothing.js', `/${around}/secret.txt`, '*'];
  for (const target of [...targets, ...odd]) {
    const answer = await ask(target);
    assert.match(answer, /^HTTP\/1.1 404 /, target);
    assert.not.match(answer, /this is/, target);
  }
  assert.match(await ask('/'), /this is page/);
});

test('it serves only this machine, only under its own name, and only reads', async () => {
  for (const host of ['example.org', 'localhost.example.org', '10.0.0.1'])
    assert.match(await ask('/', { host }), /^HTTP\/1.1 403 /);
  assert.match(await ask('/', { host: 'localhost:8080' }), /^HTTP\/1.1 200 /);
  assert.match(await ask('/', { method: 'POST' }), /^HTTP\/1.1 405 /);
  const { port } = new URL(server.address);
  const outside = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ internal, family }) => !internal && family === 'IPv4');
  if (!outside) return;
  const refused = await new Promise((resolve) => {
    const socket = connect({ port: Number(port), host: outside.address, timeout: 2000 }, () => resolve(false));
    socket.on('error', () => resolve(true)).on('timeout', () => resolve(true));
    socket.on('connect', () => socket.destroy());
  });
  assert.ok(refused, `reachable at ${outside.address}`);
});

test('a part of an IDX file is an IDX file', () => {
  const header = Buffer.alloc(8);
  header.writeUInt32BE(2049, 0);
  header.writeUInt32BE(10, 4);
  const labels = Buffer.concat([header, Uint8Array.from({ length: 10 }, (_, i) => i)]);
  const fourth = some(labels, 'labels', { first: 9, every: 4 });
  assert.equal([fourth.readUInt32BE(4), ...fourth.subarray(8)], [3, 0, 4, 8]);
  const images = Buffer.concat([Buffer.from(labels.subarray(0, 8)), Buffer.alloc(8), Buffer.alloc(40, 7)]);
  assert.is(some(images, 'images', { first: 6, every: 1 }).length, 16 + 24);
});

test('a page is built only into an empty folder or over an older page', () => {
  const older = join(around, 'older');
  mkdirSync(older);
  assert.not(isForeign(older));
  writeFileSync(join(older, 'notes.txt'), 'mine');
  assert.ok(isForeign(older));
  for (const name of ['main.js', 'style.css', 'worker.js']) writeFileSync(join(older, name), '');
  assert.not(isForeign(older));
  assert.ok(isForeign(join(older, 'notes.txt')));
  assert.not(isForeign(join(around, 'new')));
});

test('the address of a repository is where a visitor can open an issue', () => {
  const [web, name] = ['https://example.org/some/name', 'https://github.com/some/name'];
  assert.is(repositoryOf({ repository: { type: 'git', url: `git+${web}.git` } }), web);
  assert.is(repositoryOf({ repository: web }), web);
  for (const repository of ['some/name', 'github:some/name']) assert.is(repositoryOf({ repository }), name);
  assert.is(repositoryOf({ repository: undefined }), null);
});

test.run();
