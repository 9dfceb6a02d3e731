import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Recording } from '../../bench/harness/recording.ts';
import { BENCHMARK, PROBLEMS, RESULT, STATUS } from '../../demo/lab/words.ts';
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
    type: 'device', block: { name: 'Some GPU' }, info: { vendor: '', architecture: '', device: 'Some GPU', description: '', software: true },
    workloads: ['256x31', '512x31'].map((shape) => ({ op: 'softmax', shape, kernels: ['shipped'] })),
  }),
  checked: (edited) => ({ type: 'checked', edited, checks: [{ result: 'y', shape: [7936], count: 7936, wrong: 0, allowed: 1e-6, elements: [] }] }),
  faults: () => ({ type: 'faults', faults: [{ path: 'shaders/softmax.wgsl', line: 2, column: 1, length: 1, text: 'nonsense' }] }),
  peaks: () => ({ type: 'peaks', peaks: { scalarGflops: 2, vectorGflops: 3, copyGbps: 1 } }),
  row: (bench) => ({ type: 'row', done: 1, cases: 1, row: { bench, shape: '2x2', peer: 'padagrad', kernel: 'some', medianMs: 1, p5Ms: 1, p95Ms: 1, coldMs: 1, gflops: 1, gbps: 1, percentOfPeak: 1, verified: true } }),
  variants: (bench) => ({ type: 'variants', row: { bench, variants: [{ variant: {}, ms: 1 }] } }),
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

stateTest('everything measured can be sent: one file, as the command line records it', opened, async (visitor) => {
  const { page } = visitor;
  const measure = async (...reports: [kind: string, ...words: string[]][]) => {
    await page.click('#everything');
    for (const [kind, ...words] of reports) await report(page, kind, ...words);
    await report(page, 'idle', 'bench');
    await visitor.enabled('bench');
  };
  await measure(['peaks'], ['row', 'matmul'], ['failed', 'no memory is left']);
  assert.equal(await visible(page, ['sending']), []);
  await measure(['row', 'matmul'], ['variants', 'matmul']);
  const day = new Date().toISOString().slice(0, 10);
  const file = `padagrad-some-gpu-${day}.json`;
  await checkTexts(visitor, { 'send-text': BENCHMARK.send(file) });
  const { name, bytes } = await visitor.download('Save the file');
  assert.is(name, file);
  const { device, peaks, rows, variants, ...head } = JSON.parse(String(bytes)) as Recording;
  assert.equal([device.name, peaks.copyGbps, rows.length, rows[0]!.bench], ['Some GPU', 1, 1, 'matmul']);
  assert.equal(variants, [{ bench: 'matmul', variants: [{ variant: {}, ms: 1 }] }] as unknown);
  assert.equal([head.date, head.command, head.load], [day, 'kernel lab', null]);
  // Another benchmark is not everything.
  await page.click('#bench');
  await report(page, 'idle', 'bench');
  assert.equal(await visible(page, ['sending']), []);
  await visitor.check();
});

stateTest('nothing looks alive after an error that the worker does not report', opened, async (visitor) => {
  await visitor.page.click('#run');
  await crashWorker(visitor, 'verdict');
  await checkTexts(visitor, { status: STATUS.noGpu });
  await checkDisabled(visitor.page, ['run', 'op', 'shape', 'bench', 'everything']);
});

test.run();
