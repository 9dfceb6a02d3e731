import type { Browser } from 'playwright-core';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { shown, tell, visible } from './states.ts';
import { host, Visitor } from './visitor.ts';

// The lab's claims after an edit and after an error.

let browser: Browser;
let address: string;
let close: (() => Promise<void>) | undefined;

test.before(async () => {
  ({ browser, address, close } = await host('worker.js'));
});
test.after(() => close?.());

/** The lab's worker, in the same way; it opens what it is asked for. */
const MEASURER = `
const heard = [];
const sources = [{ path: 'shaders/softmax.wgsl', text: '// softmax: a kernel\\nfn main() { }\\n' }];
globalThis.opens = true;
onmessage = ({ data }) => {
  heard.push(data);
  if (data.type !== 'open') return;
  postMessage(opens ? { type: 'opened', choice: data.choice, sources } : reports.failed('no memory is left'));
  postMessage(reports.idle('open'));
};
globalThis.reports = {
  machine: () => ({
    type: 'machine', block: {}, info: { vendor: '', architecture: '', device: 'Some GPU', description: '', software: true },
    subjects: ['256x31', '512x31'].map((shape) => ({ op: 'softmax', shape, kernels: ['shipped'] })),
  }),
  checked: (edited) => ({ type: 'checked', edited, checks: [{ result: 'y', shape: [7936], count: 7936, wrong: 0, allowed: 1e-6, elements: [] }] }),
  faults: () => ({ type: 'faults', faults: [{ path: 'shaders/softmax.wgsl', line: 2, column: 1, length: 1, text: 'nonsense' }] }),
  failed: (text, code = '') => ({ type: 'failed', code, text }),
  idle: (after) => ({ type: 'idle', after }),
};
`;

/** The lab with a kernel that is open. */
async function opened(): Promise<Visitor> {
  const visitor = await Visitor.open(browser, `${address}lab/`, { worker: () => MEASURER });
  await tell(visitor.page, 'machine');
  await visitor.page.waitForFunction(() => !document.querySelector<HTMLButtonElement>('#run')!.disabled);
  return visitor;
}

test('in the lab a result of the text before a change is marked', async () => {
  const visitor = await opened();
  const { page } = visitor;
  await page.click('#run');
  await page.fill('#code', '// softmax: a kernel\nfn other() { }\n');
  await tell(page, 'checked', false);
  await tell(page, 'idle', 'run');
  assert.is(await visitor.text('verdict'), 'Right: all 7,936 elements. That was before the latest change.');
  assert.ok(await page.locator('#result.stale').isVisible());
  await page.click('#run');
  await shown(page);
  assert.is(await visitor.text('verdict'), 'Running.');
  await page.fill('#code', '// softmax: a kernel\n\n\nfn other() { }\n');
  // Its line is another one now.
  await tell(page, 'faults');
  await tell(page, 'idle', 'run');
  assert.is(await visitor.text('verdict'), 'The text did not compile. That was before the latest change.');
  assert.is(await page.locator('#paint .fault').count(), 0);
  await page.click('#run');
  await tell(page, 'checked', true);
  assert.is(await visitor.text('verdict'), 'Right: all 7,936 elements.');
  await visitor.sound();
  visitor.calm();
  await visitor.leave();
});

test('in the lab an error is no verdict, and nothing that failed is called ready or measured', async () => {
  const visitor = await opened();
  const { page } = visitor;
  await page.click('#run');
  await tell(page, 'failed', 'no memory is left');
  await tell(page, 'idle', 'run');
  assert.equal(
    [await visitor.text('verdict'), await visitor.text('status')],
    ['no memory is left', 'No result: see why.'],
  );
  await page.click('#bench');
  await tell(page, 'failed', 'no memory is left');
  await tell(page, 'idle', 'bench');
  assert.is(await visitor.text('status'), 'Ended by an error after 0 rows.');
  await page.workers()[0]!.evaluate(() => Object.assign(globalThis, { opens: false }));
  await page.selectOption('#shape', '512x31');
  await shown(page);
  assert.is(await visitor.text('status'), 'This kernel cannot be opened here.');
  assert.equal([await visible(page, ['notice']), await visitor.text('notice')], [['notice'], 'no memory is left']);
  assert.ok(await page.locator('#run').isDisabled());
  await visitor.sound();
  visitor.calm();
  await visitor.leave();
});

test('in the lab an error that the worker does not report itself is shown, and nothing looks alive', async () => {
  const visitor = await opened();
  const { page } = visitor;
  await page.click('#run');
  await page.workers()[0]!.evaluate(
    () =>
      void setTimeout(() => {
        throw new Error('out of ink');
      }),
  );
  await page.waitForFunction(() => document.querySelector('#verdict')!.textContent!.includes('out of ink'));
  await shown(page);
  assert.is(await visitor.text('status'), 'Nothing can be run here.');
  for (const id of ['run', 'op', 'shape', 'bench']) assert.ok(await page.locator(`#${id}`).isDisabled(), id);
  await visitor.sound();
  await visitor.leave();
});

test.run();
