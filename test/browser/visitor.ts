import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Download, Page } from 'playwright-core';
import * as assert from 'uvu/assert';
import { openBrowser } from '../../tools/browser/openBrowser.mjs';
import { buildAndWeigh } from '../../tools/page/build.mjs';
import { servePage } from '../../tools/page/serve.mjs';

const READY_MS = 120_000;
const STEPS_MS = 180_000;

// In the worker, before anything else: remembers devices, so that they can be lost on purpose.
const REMEMBER = `{
  const own = GPUAdapter.prototype.requestDevice;
  GPUAdapter.prototype.requestDevice = async function (...args) {
    const device = await own.apply(this, args);
    globalThis.firstDevice ??= device;
    globalThis.latestDevice = device;
    return device;
  };
}
`;

/** The page as it is built, served to a browser, with a worker of it that remembers devices. */
export async function host(worker: string): Promise<{ browser: Browser; address: string; close(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'padagrad-page-'));
  await buildAndWeigh(folder);
  const file = join(folder, worker);
  writeFileSync(file, REMEMBER + readFileSync(file, 'utf8'));
  const server = await servePage(folder);
  const browser = await openBrowser().catch((error) => {
    server.close();
    throw error;
  });
  const close = async (): Promise<void> => {
    await browser.close();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return { browser, address: server.address, close };
}

/** How a visitor differs from one with the page's own worker and WebGPU. */
export interface Circumstances extends BrowserContextOptions {
  /** Makes another worker's script of the page's own. */
  worker?: (script: string) => string;
  webgpu?: boolean;
}

/** Someone who looks at the page: what they do, and everything that the page should not have done meanwhile. */
export class Visitor {
  readonly faults: string[] = [];

  private constructor(readonly page: Page) {}

  /** Opens the page in a browser profile of its own. */
  static async open(browser: Browser, address: string, circumstances: Circumstances = {}): Promise<Visitor> {
    const { worker, webgpu = true, ...options } = circumstances;
    const context = await browser.newContext({ acceptDownloads: true, ...options });
    if (!webgpu) await context.addInitScript(() => Reflect.deleteProperty(Navigator.prototype, 'gpu'));
    if (worker)
      await context.route('**/worker.js', async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, body: worker(await response.text()) });
      });
    const page = await context.newPage();
    const visitor = new Visitor(page);
    const { faults } = visitor;
    page.on('console', (message) => faults.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => faults.push(`${error.stack}`));
    page.on('crash', () => faults.push('the page crashed'));
    context.on('request', (request) => {
      if (!request.url().startsWith(new URL(address).origin) && !/^(blob|data):/.test(request.url()))
        faults.push(`asked for ${request.url()}`);
    });
    await page.goto(address);
    return visitor;
  }

  /** Until the trainings stand ready, or run. */
  async ready(): Promise<void> {
    await this.page.waitForFunction(() => !document.querySelector<HTMLButtonElement>('#start')!.disabled, null, {
      timeout: READY_MS,
    });
  }

  async text(id: string): Promise<string> {
    return (await this.page.textContent(`#${id}`)) ?? '';
  }

  async iteration(): Promise<number> {
    return Number((await this.text('iteration')).replaceAll(',', ''));
  }

  /** Until so many iterations are done. */
  async reach(iteration: number): Promise<void> {
    await this.page.waitForFunction(
      (wanted) => Number(document.querySelector('#iteration')!.textContent!.replaceAll(',', '')) >= wanted,
      iteration,
      { timeout: STEPS_MS },
    );
  }

  /** Until the status says something. */
  async told(words: string): Promise<void> {
    await this.page.waitForFunction((part) => document.querySelector('#status')!.textContent!.includes(part), words, {
      timeout: READY_MS,
    });
  }

  /** Until the texts that a selector finds are others than these; gives them. */
  async changed(selector: string, before: readonly string[]): Promise<string[]> {
    await this.page.waitForFunction(
      ([where, old]) => [...document.querySelectorAll(where!)].map(({ textContent }) => textContent).join() !== old,
      [selector, before.join()],
      { timeout: STEPS_MS },
    );
    return this.texts(selector);
  }

  /** Waits until all of them say the same, whatever they say on the way. */
  async say(selector: string, text: string): Promise<void> {
    await this.page.waitForFunction(
      ([where, wanted]) => [...document.querySelectorAll(where!)].every(({ textContent }) => textContent === wanted),
      [selector, text],
      { timeout: STEPS_MS },
    );
  }

  texts(selector: string): Promise<string[]> {
    return this.page.locator(selector).allTextContents();
  }

  /** Clicks on something, and gets the file that comes of it. */
  async download(name: string): Promise<{ name: string; bytes: Buffer }> {
    const [download] = await Promise.all([
      this.page.waitForEvent('download', { timeout: STEPS_MS }),
      this.page.getByRole('button', { name }).click(),
    ]);
    return { name: download.suggestedFilename(), bytes: await contentOf(download) };
  }

  /** Nothing that is hidden is displayed, and no text shows a number that is none. */
  async sound(): Promise<void> {
    const found = await this.page.evaluate(() => {
      const displayed = [...document.querySelectorAll('[hidden]')].filter(
        (node) => getComputedStyle(node).display !== 'none',
      );
      // A kernel's own text may speak of NaN.
      const page = document.body.cloneNode(true) as HTMLElement;
      page.querySelector('.kernel')?.remove();
      const named = [...page.querySelectorAll('[aria-label], [aria-valuetext]')];
      const names = named.flatMap(({ ariaLabel, ariaValueText }) => [ariaLabel ?? '', ariaValueText ?? '']);
      const texts = [...page.textContent!.split('\n'), ...names];
      return {
        displayed: displayed.map((node) => node.outerHTML.slice(0, 80)),
        texts: texts.filter((text) => /\b(NaN|undefined|null|Infinity)\b|∞|\[object/.test(text)),
      };
    });
    assert.equal(found, { displayed: [], texts: [] });
  }

  /** Nothing was logged, thrown or asked of another place since the last time. */
  calm(): void {
    assert.equal(this.faults.splice(0), []);
  }

  async leave(): Promise<void> {
    await this.page.context().close();
  }
}

async function contentOf(download: Download): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of await download.createReadStream()) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

/** What can be worked with, and has no name that is read aloud. */
export const namelessIn = (page: Page): Promise<string[]> =>
  page.evaluate(() =>
    [...document.querySelectorAll('button, input, select, canvas, [tabindex="0"]')]
      .filter((node) => {
        const labels = (node as HTMLInputElement).labels?.length ?? 0;
        const own = node.getAttribute('aria-label') || node.textContent?.trim();
        const hidden =
          (node as HTMLElement).hidden || node.parentElement?.closest('[role="application"], [role="img"]');
        return !own && labels === 0 && !hidden;
      })
      .map((node) => node.outerHTML.slice(0, 80)),
  );
