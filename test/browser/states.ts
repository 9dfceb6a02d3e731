// Tests with a worker that reports only what the test asks for, so that every state of a page can be inspected.
import type { Page } from 'playwright-core';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Visitor } from './visitor.ts';

/** A test that opens the page in some state, and checks at its end that the page is sound. */
export const stateTest = (name: string, open: () => Promise<Visitor>, body: (visitor: Visitor) => Promise<unknown>) =>
  test(name, async () => {
    const visitor = await open();
    await body(visitor);
    await visitor.checkTexts();
    await visitor.leave();
  });

/** Makes the worker report something, and waits until the page shows it. */
export async function report(page: Page, name: string, ...args: unknown[]): Promise<void> {
  const worker = page.workers().at(-1) ?? (await page.waitForEvent('worker'));
  await worker.evaluate(
    async ([called, given]) => {
      const scope = globalThis as unknown as {
        heard?: unknown[];
        reports: Record<string, (...args: unknown[]) => unknown>;
        postMessage(report: unknown): void;
      };
      // The page's first command may still be on its way to a new worker.
      while (scope.heard?.length === 0) await new Promise((resolve) => setTimeout(resolve));
      scope.postMessage(scope.reports[called]!(...given));
    },
    [name, args] as const,
  );
  await drawn(page);
}

/** Waits until all changes are drawn: each frame draws some of the views. */
export const drawn = (page: Page): Promise<void> =>
  page.evaluate(async () => {
    for (let i = 0; i < 20; i++) await new Promise(requestAnimationFrame);
  });

/** Presses something, and waits until all changes are drawn. */
export async function press(page: Page, selector: string): Promise<void> {
  await page.locator(selector).click();
  await drawn(page);
}

/** Makes the worker throw an error that it does not report itself, and waits until the page shows it. */
export async function crashWorker(visitor: Visitor, id: string): Promise<void> {
  const { page } = visitor;
  await page.workers()[0]!.evaluate(
    () =>
      void setTimeout(() => {
        throw new Error('out of ink');
      }),
  );
  await visitor.says(id, 'out of ink');
  await drawn(page);
}

/** Checks the texts of elements by their ids. */
export async function checkTexts(visitor: Visitor, texts: Readonly<Record<string, string | RegExp>>): Promise<void> {
  for (const [id, text] of Object.entries(texts)) {
    const found = await visitor.text(id);
    if (typeof text === 'string') assert.is(found, text, id);
    else assert.match(found, text, id);
  }
}

export async function checkDisabled(page: Page, ids: readonly string[]): Promise<void> {
  for (const id of ids) assert.ok(await page.locator(`#${id}`).isDisabled(), id);
}

/** Returns which of the elements are marked as busy, or contain one that is. */
export const busyIn = (page: Page, ids: readonly string[]): Promise<string[]> =>
  page.evaluate(
    (all) =>
      all.filter((id) => {
        const host = document.getElementById(id)!;
        return host.matches('[aria-busy="true"]') || host.querySelector('[aria-busy="true"]');
      }),
    ids,
  );

export const visible = (page: Page, ids: readonly string[]): Promise<string[]> =>
  page.evaluate((all) => all.filter((id) => document.getElementById(id)!.checkVisibility()), ids);
