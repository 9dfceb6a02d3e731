import { judge } from '../test/runFile.mjs';
import { openBrowser } from './openBrowser.mjs';

/** Runs test files one after the other, each in its own page and context. After a failure it starts another browser. */
export class PageRunner {
  #browser;

  constructor(address) {
    this.address = address;
  }

  /** Runs one test file; returns its verdict (runFile.mjs) with the names of its tests. Never throws. */
  async run({ title, file, problem, profile }, { seconds, strict, env }) {
    if (!file) return { ...judge({ title, seconds: 0, output: '', problem }, strict), names: [] };
    const start = performance.now();
    const seen = { output: '', errors: '', names: [], problem: undefined };
    try {
      const url = new URL(file, this.address).href;
      await this.#inPage(url, { ...env, NO_COLOR: '1', PADAGRAD_TEST_PROFILE: profile }, seconds, seen);
    } catch (error) {
      seen.problem ??= error.message.split('\n')[0];
    }
    const { names, ...ended } = seen;
    const verdict = judge({ title, seconds: (performance.now() - start) / 1000, ...ended }, strict);
    if (verdict.failed > 0) await this.close();
    return { ...verdict, names };
  }

  async close() {
    const browser = this.#browser;
    this.#browser = undefined;
    await browser?.close().catch(() => {});
  }

  async #inPage(url, env, seconds, seen) {
    this.#browser ??= await openBrowser();
    const context = await this.#browser.newContext();
    const page = await context.newPage();
    await page.exposeFunction('print', (text) => (seen.output += text));
    page.on('console', (message) => (seen.errors += `${message.type()}: ${message.text()}\n`));
    page.on('pageerror', (error) => {
      seen.problem ??= `an error outside of the tests: ${error.message}`;
      seen.errors += `${error.stack}\n`;
    });
    await page.goto(this.address);
    let limit;
    const late = new Promise((_, reject) => {
      limit = setTimeout(() => reject(new Error(`did not end within ${seconds} s`)), seconds * 1000);
    });
    const crashed = new Promise((_, reject) => page.on('crash', () => reject(new Error('the page crashed'))));
    try {
      const { names, exitCode } = await Promise.race([page.evaluate(runTests, { url, env }), late, crashed]);
      seen.names = names;
      if (exitCode !== 0) seen.problem ??= `exit code ${exitCode}`;
    } finally {
      clearTimeout(limit);
    }
    await context.close();
  }
}

/** Runs the tests of a bundle, in the page. It fakes the parts of Node's `process` that uvu and test/files.ts use. */
async function runTests({ url, env }) {
  const { print } = globalThis;
  globalThis.process = {
    env,
    argv: [],
    stdout: { write: print },
    hrtime: (since = [0, 0]) => {
      const now = performance.now() - since[0] * 1e3 - since[1] / 1e6;
      return [Math.floor(now / 1e3), (now % 1e3) * 1e6];
    },
    on: () => {},
  };
  console.log = (...parts) => void print(`${parts.join(' ')}\n`);
  globalThis.UVU_DEFER = true;
  globalThis.UVU_QUEUE = [[null]];
  await import(url);
  await globalThis.tests.exec();
  return { names: globalThis.tests.names, exitCode: globalThis.process.exitCode };
}
