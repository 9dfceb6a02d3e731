import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Browser } from 'playwright-core';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openBrowser } from '../../tools/browser/openBrowser.mjs';
import { serve } from '../../tools/browser/serve.mjs';
import { installPackage } from '../package/install.ts';

// The published package in a browser: as a plain module script, in a worker, and bundled.

const folder = mkdtempSync(join(tmpdir(), 'padagrad-embedder-'));
let browser: Browser;
let server: Awaited<ReturnType<typeof serve>>;

const program = (padagrad: string, answer: string): string => `
const answer = ${answer};
import { createGpu, relu, tensor, tidy } from '${padagrad}';
const gpu = await createGpu({ software: 'allow' });
const x = tensor(gpu, [-1, 0, 2.5]);
const y = relu(x);
answer(Array.from(await y.read()).join());
gpu.dispose();
`;
const TO_PAGE = '(text) => { globalThis.answered = text; }';
const TO_OWNER = 'postMessage';
const SECONDS = 30;
const EXPECTED = '0,0,2.5';

// A strict policy: no eval, no blob, nothing from other servers.
const page = (script: string): string => `<!doctype html><title>embedder</title>
<meta http-equiv="content-security-policy" content="default-src 'self'; img-src data:"><link rel="icon" href="data:,">
<script type="module" src="${script}"></script>`;

test.before(async () => {
  installPackage(folder);
  cpSync('dist', join(folder, 'dist'), { recursive: true });
  mkdirSync(join(folder, 'bundled'));
  const files = {
    'script.js': program('./dist/index.js', TO_PAGE),
    'worker.js': program('./dist/index.js', TO_OWNER),
    'owner.js': `new Worker('worker.js', { type: 'module' }).onmessage = ({ data }) => { globalThis.answered = data; };`,
    'embedder.js': program('padagrad', TO_PAGE),
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  for (const script of ['script', 'owner', 'bundled/esbuild', 'bundled/vite'])
    writeFileSync(join(folder, `${script.replace('/', '-')}.html`), page(`${script}.js`));
  server = await serve([folder]);
  browser = await openBrowser();
});

test.after(async () => {
  await browser?.close();
  server?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Returns the page's answer. Fails if the page logs, throws, or requests anything from another server. */
async function answerOf(name: string): Promise<string> {
  const context = await browser.newContext();
  const tab = await context.newPage();
  const faults: string[] = [];
  tab.on('console', (message) => faults.push(`${message.type()}: ${message.text()}`));
  tab.on('pageerror', (error) => faults.push(error.message));
  tab.on('request', (request) => {
    if (!request.url().startsWith(server.address) && !request.url().startsWith('data:')) faults.push(request.url());
  });
  await tab.goto(new URL(join(folder, name), server.address).href);
  let answered: string | undefined;
  for (const start = Date.now(); answered === undefined && faults.length === 0; await tab.waitForTimeout(50)) {
    if (Date.now() - start > SECONDS * 1000) faults.push(`no answer within ${SECONDS} s`);
    answered = await tab.evaluate(() => (globalThis as { answered?: string }).answered);
  }
  await context.close();
  assert.equal(faults, []);
  return answered!;
}

test('a plain module script, under a strict content security policy', async () => {
  assert.is(await answerOf('script.html'), EXPECTED);
});

test('a module worker', async () => {
  assert.is(await answerOf('owner.html'), EXPECTED);
});

test('the example of a worker trains in it, bundled', async () => {
  const outdir = join(folder, 'bundled');
  await build({
    entryPoints: ['page', 'worker'].map((name) => `examples/worker-vite/${name}.js`),
    ...{ outdir, bundle: true, format: 'esm', platform: 'browser', nodePaths: [join(folder, 'node_modules')] },
  });
  cpSync('examples/worker-vite/index.html', join(outdir, 'index.html'));
  const tab = await browser.newPage();
  await tab.goto(new URL(join(outdir, 'index.html'), server.address).href);
  const done = tab.getByText('nearly all of 100 target images are labelled correctly');
  await done.waitFor({ timeout: 4 * SECONDS * 1000 }).catch(async () => {
    throw new Error(`the page shows ${await tab.locator('#message').textContent()}`);
  });
  await tab.close();
});

// The export conditions of each bundler.
const BUNDLERS = { esbuild: undefined, vite: ['module', 'browser', 'production'] };
for (const [name, conditions] of Object.entries(BUNDLERS)) {
  test(`bundled with the conditions of ${name}: only the browser build, no Node module`, async () => {
    const { metafile } = await build({
      entryPoints: [join(folder, 'embedder.js')],
      outfile: join(folder, 'bundled', `${name}.js`),
      bundle: true,
      minify: true,
      format: 'esm',
      platform: 'browser',
      conditions,
      metafile: true,
    });
    const inputs = Object.entries(metafile.inputs).filter(([path]) => path.includes('node_modules/'));
    const other = inputs.map(([path]) => path).filter((path) => !/node_modules\/padagrad\/dist\/(?!node\/)/.test(path));
    assert.equal([inputs.length > 0, other], [true, []]);
    const outside = inputs.flatMap(([, { imports }]) => imports.filter(({ external }) => external));
    assert.equal(outside, []);
    assert.is(await answerOf(`bundled-${name}.html`), EXPECTED);
  });
}

test.run();
