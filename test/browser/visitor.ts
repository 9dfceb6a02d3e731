import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Download, Page } from 'playwright-core';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openBrowser } from '../../tools/browser/openBrowser.mjs';
import { buildAndWeigh } from '../../tools/page/build.mjs';
import { servePage } from '../../tools/page/serve.mjs';

const READY_MS = 120_000;
const STEPS_MS = 180_000;

// Runs first in the worker: remembers devices, so that a test can lose them.
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

export interface Site {
  browser: Browser;
  address: string;
  /** The built page. */
  folder: string;
}

/** Builds the page and serves it to a browser during the tests of a file. One of its workers remembers its devices. */
export function hostedSite(worker: string): Site {
  const site = {} as Site;
  let close: (() => Promise<void>) | undefined;
  test.before(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'padagrad-page-'));
    await buildAndWeigh(folder);
    const file = join(folder, worker);
    writeFileSync(file, REMEMBER + readFileSync(file, 'utf8'));
    const server = await servePage(folder);
    close = async () => {
      await site.browser?.close();
      server.close();
      rmSync(folder, { recursive: true, force: true });
    };
    site.address = server.address;
    site.folder = folder;
    site.browser = await openBrowser();
  });
  test.after(() => close?.());
  return site;
}

/** How a visitor differs from one with the page's own worker and WebGPU. */
export interface Circumstances extends BrowserContextOptions {
  /** Turns the page's worker into another one. */
  worker?: (script: string) => string;
  webgpu?: boolean;
}

/** A visitor of the page, who also notes everything that the page should not do. */
export class Visitor {
  readonly faults: string[] = [];

  private constructor(readonly page: Page) {}

  /** Opens the page in a browser profile of its own. */
  static async open({ browser, address }: Site, path = '', circumstances: Circumstances = {}): Promise<Visitor> {
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
        faults.push(`requested ${request.url()}`);
    });
    await page.goto(address + path);
    return visitor;
  }

  /** Waits until the button with an id is enabled. */
  async enabled(id: string): Promise<void> {
    await this.page.locator(`#${id}:enabled`).waitFor({ timeout: READY_MS });
  }

  async text(id: string): Promise<string> {
    return (await this.page.textContent(`#${id}`)) ?? '';
  }

  async iteration(): Promise<number> {
    return Number((await this.text('iteration')).replaceAll(',', ''));
  }

  /** Waits until this many iterations are done. */
  async reach(iteration: number): Promise<void> {
    await this.page.waitForFunction(
      (wanted) => Number(document.querySelector('#iteration')!.textContent!.replaceAll(',', '')) >= wanted,
      iteration,
      { timeout: STEPS_MS },
    );
  }

  /** Waits until the text of an element contains some words. */
  async says(id: string, words: string): Promise<void> {
    await this.page.waitForFunction(
      ([host, part]) => document.getElementById(host!)!.textContent!.includes(part!),
      [id, words],
      { timeout: READY_MS },
    );
  }

  /** Waits until the texts that a selector finds differ from these, and returns them. */
  async changed(selector: string, before: readonly string[]): Promise<string[]> {
    await this.page.waitForFunction(
      ([where, old]) => [...document.querySelectorAll(where!)].map(({ textContent }) => textContent).join() !== old,
      [selector, before.join()],
      { timeout: STEPS_MS },
    );
    return this.texts(selector);
  }

  /** Waits until all elements that a selector finds have the same text. */
  async allSay(selector: string, text: string): Promise<void> {
    await this.page.waitForFunction(
      ([where, wanted]) => [...document.querySelectorAll(where!)].every(({ textContent }) => textContent === wanted),
      [selector, text],
      { timeout: STEPS_MS },
    );
  }

  texts(selector: string): Promise<string[]> {
    return this.page.locator(selector).allTextContents();
  }

  /** Presses a button by its name, and returns the file that it downloads. */
  async download(name: string): Promise<{ name: string; bytes: Buffer }> {
    const [download] = await Promise.all([
      this.page.waitForEvent('download', { timeout: STEPS_MS }),
      this.page.getByRole('button', { name }).click(),
    ]);
    return { name: download.suggestedFilename(), bytes: await contentOf(download) };
  }

  /** Checks that hidden elements are not displayed, and that no text shows `NaN` and the like. */
  async checkTexts(): Promise<void> {
    const found = await this.page.evaluate(() => {
      const displayed = [...document.querySelectorAll('[hidden]')].filter(
        (node) => getComputedStyle(node).display !== 'none',
      );
      // A kernel's own text may mention NaN.
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

  /** Checks the texts, and that nothing was logged, thrown or requested from another server since the last check. */
  async check(): Promise<void> {
    await this.checkTexts();
    assert.equal(this.faults.splice(0), []);
  }

  /** Checks that the page fits a phone and has a dark mode. */
  async checkPhone(): Promise<void> {
    const { page } = this;
    await page.setViewportSize({ width: 360, height: 740 });
    const width = () => page.evaluate(() => document.documentElement.scrollWidth);
    // Charts take their new width after the layout.
    for (let i = 0; i < 100 && (await width()) !== 360; i++) await page.waitForTimeout(100);
    assert.is(await width(), 360);
    const brightness = () =>
      page.evaluate(() => Number(/\d+/.exec(getComputedStyle(document.body).backgroundColor)![0]));
    assert.ok((await brightness()) > 200);
    await page.emulateMedia({ colorScheme: 'dark' });
    assert.ok((await brightness()) < 60);
  }

  /** Checks that everything that can be operated has a name for screen readers. */
  async checkNames(): Promise<void> {
    const nameless = await this.page.evaluate(() =>
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
    assert.equal(nameless, []);
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
