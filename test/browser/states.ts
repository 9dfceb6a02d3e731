import type { Page } from 'playwright-core';

// Workers that report what a test says, so that every state of a page stands still.

/** Makes the worker report something, and waits until the page shows it. */
export async function tell(page: Page, name: string, ...args: unknown[]): Promise<void> {
  const worker = page.workers().at(-1) ?? (await page.waitForEvent('worker'));
  await worker.evaluate(
    ([called, given]) => {
      const scope = globalThis as unknown as {
        reports: Record<string, (...args: unknown[]) => unknown>;
        postMessage(report: unknown): void;
      };
      scope.postMessage(scope.reports[called]!(...given));
    },
    [name, args] as const,
  );
  await shown(page);
}

/** Until everything that changed is drawn: views take turns, some in every frame. */
export const shown = (page: Page): Promise<void> =>
  page.evaluate(async () => {
    for (let i = 0; i < 20; i++) await new Promise(requestAnimationFrame);
  });

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
