import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { PROBLEMS, RESULT, STATUS } from '../../demo/lab/words.ts';
import { checkDisabled, checkTexts, crashWorker, press, report, stateTest, visible } from './states.ts';
import { hostedSite, Visitor } from './visitor.ts';

// The lab's claims after an edit and after an error.

const site = hostedSite('worker.js');

/** Replaces the lab's worker: it opens every kernel, and makes the reports that a test asks for. */
const WORKER = `
const sources = [{ path: 'shaders/softmax.wgsl', text: '// softmax: a kernel\\nfn main() { }\\n' }];
globalThis.opens = true;
onmessage = ({ data }) => {
  if (data.type !== 'open') return;
  postMessage(opens ? { type: 'opened', choice: data.choice, sources } : reports.failed('no memory is left'));
  postMessage(reports.idle('open'));
};
globalThis.reports = {
  device: () => ({
    type: 'device', block: {}, info: { vendor: '', architecture: '', device: 'Some GPU', description: '', software: true },
    workloads: ['256x31', '512x31'].map((shape) => ({ op: 'softmax', shape, kernels: ['shipped'] })),
  }),
  checked: (edited) => ({ type: 'checked', edited, checks: [{ result: 'y', shape: [7936], count: 7936, wrong: 0, allowed: 1e-6, elements: [] }] }),
  faults: () => ({ type: 'faults', faults: [{ path: 'shaders/softmax.wgsl', line: 2, column: 1, length: 1, text: 'nonsense' }] }),
  failed: (text, code = '') => ({ type: 'failed', code, text }),
  idle: (after) => ({ type: 'idle', after }),
};
`;

/** Opens the lab with a kernel. */
async function opened(): Promise<Visitor> {
  const visitor = await Visitor.open(site, 'lab/', { worker: () => WORKER });
  await report(visitor.page, 'device');
  await visitor.enabled('run');
  return visitor;
}

stateTest('a result of the text before an edit is marked', opened, async (visitor) => {
  const { page } = visitor;
  await page.click('#run');
  await page.fill('#code', '// softmax: a kernel\nfn other() { }\n');
  await report(page, 'checked', false);
  await report(page, 'idle', 'run');
  await checkTexts(visitor, { verdict: RESULT.stale(RESULT.correct(7936)) });
  assert.ok(await page.locator('#result.stale').isVisible());
  await press(page, '#run');
  await checkTexts(visitor, { verdict: RESULT.running });
  await page.fill('#code', '// softmax: a kernel\n\n\nfn other() { }\n');
  // The line of the error has moved.
  await report(page, 'faults');
  await report(page, 'idle', 'run');
  await checkTexts(visitor, { verdict: RESULT.stale(PROBLEMS.outdated) });
  assert.is(await page.locator('#paint .fault').count(), 0);
  await page.click('#run');
  await report(page, 'checked', true);
  await checkTexts(visitor, { verdict: RESULT.correct(7936) });
  await visitor.check();
});

stateTest('an error is no verdict, and failed work is not called ready or measured', opened, async (visitor) => {
  const { page } = visitor;
  await page.click('#run');
  await report(page, 'failed', 'no memory is left');
  await report(page, 'idle', 'run');
  await checkTexts(visitor, { verdict: 'no memory is left', status: STATUS.noResult });
  await page.click('#bench');
  await report(page, 'failed', 'no memory is left');
  await report(page, 'idle', 'bench');
  await checkTexts(visitor, { status: STATUS.benchmarkFailed(0) });
  await page.workers()[0]!.evaluate(() => Object.assign(globalThis, { opens: false }));
  await page.selectOption('#shape', '512x31');
  await visitor.says('status', STATUS.cannotOpen);
  await checkTexts(visitor, { notice: 'no memory is left' });
  assert.equal(await visible(page, ['notice']), ['notice']);
  await checkDisabled(page, ['run']);
  await visitor.check();
});

stateTest('nothing looks alive after an error that the worker does not report', opened, async (visitor) => {
  await visitor.page.click('#run');
  await crashWorker(visitor, 'verdict');
  await checkTexts(visitor, { status: STATUS.noGpu });
  await checkDisabled(visitor.page, ['run', 'op', 'shape', 'bench']);
});

test.run();
