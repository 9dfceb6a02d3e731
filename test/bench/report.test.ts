import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { factored, repeating, uniform } from '../../bench/harness/inputs.ts';
import { parseRun, recordingOf } from '../../bench/harness/recording.ts';
import { compareRows, csvOf, type DeviceBlock, markdownOf } from '../../bench/harness/report.ts';
import { failedRow, type Row } from '../../bench/harness/row.ts';
import { quantile, times } from '../../bench/harness/session.ts';
import { casesOf } from '../../bench/harness/suite.ts';
import { distance, mismatch } from '../../bench/harness/verify.ts';
import { benches } from '../../bench/index.ts';
import { matmul } from '../../reference/index.ts';
import type { Peaks } from '../../src/debug/peaks.ts';
import { gpuTest, run } from '../harness.ts';

const row = (changes: Partial<Row>): Row => ({
  bench: 'matmul',
  shape: '8x8x8',
  peer: 'padagrad',
  kernel: 'matmul.product',
  medianMs: 1,
  p5Ms: 0.9,
  p95Ms: 1.1,
  coldMs: 2,
  gflops: 3,
  gbps: 4,
  percentOfPeak: 5,
  verified: true,
  ...changes,
});

test('quantiles are interpolated between neighbours', () => {
  assert.is(quantile([3, 1, 2], 0.5), 2);
  assert.is(quantile([4, 1, 2, 3], 0.5), 2.5);
  assert.is(quantile([7], 0.95), 7);
  assert.equal(times([0.002, 0.001, 0.003]), { medianMs: 2, p5Ms: 1.1, p95Ms: 2.9 });
});

test('a mismatch is measured by the largest element of the truth', () => {
  assert.is(mismatch([1, 2, 99.1], [1, 2.9, 100], 0.01), null);
  assert.match(mismatch([1, 2, 100], [1, 3.1, 100], 0.01)!, /^element 1 is 2, expected 3.1/);
});

test('half-precision gradients are compared as vectors', () => {
  assert.is(distance([3, 4.001], [3, 4], 1e-3), null);
  assert.match(distance([3, 4.1], [3, 4], 1e-3)!, /^the relative distance is 0.020, allowed 0.001$/);
  assert.match(distance([3, Number.NaN], [3, 4], 1)!, /^the relative distance is NaN/);
  assert.is(distance([3], [3, 4], 1), '1 elements, expected 2');
});

test('a factored matrix gives the product of its elements', () => {
  const [m, k, n] = [5, 7, 3];
  const a = factored(m, k);
  const b = uniform([k, n]).data;
  assert.is(mismatch(a.times(b), matmul(a, { shape: [k, n], data: b }).data, 1e-14), null);
  assert.ok(new Set(a.data).size > 20, 'its elements differ');
});

test('of repeating images only three differ', () => {
  const { shape, data } = repeating([7, 2]);
  assert.equal(shape, [7, 2]);
  const images = Array.from({ length: 7 }, (_, i) => String(data.subarray(2 * i, 2 * i + 2)));
  assert.equal([new Set(images).size, images[6], images.slice(0, 3)], [3, images[0], images.slice(3, 6)]);
});

test('--compare reads events and recordings, and finds the rows that are slower', () => {
  const before = [row({}), row({ shape: '16x16x16', medianMs: 2 }), row({ shape: 'gone' })];
  const text = [{ event: 'device', name: 'some' }, ...before.map((one) => ({ event: 'row', ...one }))]
    .map((one) => JSON.stringify(one))
    .join('\n');
  const now = [row({ medianMs: 1.5, p5Ms: 1.4 }), row({ shape: '16x16x16', medianMs: 2.1 }), row({ shape: 'new' })];
  assert.equal(
    compareRows(now, parseRun(text).rows).map(({ row, ratio, slower }) => [row.shape, ratio, slower]),
    [
      ['8x8x8', 1.5, true],
      ['16x16x16', 1.05, false],
    ],
  );
  const device = { name: 'one', driver: 'two' } as DeviceBlock;
  const origin = { date: '2026-11-29', commit: 'abc', command: 'bench', runtime: 'Node' };
  const recording = recordingOf({ ...origin, device, load: 1, peaks: {} as Peaks, rows: before, variants: [] });
  assert.equal(parseRun(recording), { rows: before, driver: 'two' });
  assert.throws(() => parseRun('{"event":"device"}'), /no rows/);
  assert.is(parseRun(text).driver, undefined);
  assert.is(parseRun(`{"event":"device","driver":"one"}\n${text}`).driver, 'one');
});

test('the CSV has the counts of a step, and the problem of a wrong row', () => {
  const step = { dispatches: 2, submits: 1, bindGroups: 0, buffers: 0, writeBuffers: 1, gpuBytes: 4096, firstMs: 7 };
  const [head, ...lines] = csvOf([row(step), row({}), failedRow(row({}), 'off by 1')]).split('\n');
  const cells = (line: string) => Object.fromEntries(line.split(',').map((cell, i) => [head!.split(',')[i]!, cell]));
  for (const [name, value] of Object.entries(step)) {
    assert.is(cells(lines[0]!)[name], String(value), name);
    assert.is(cells(lines[1]!)[name], '', name);
  }
  assert.is(cells(lines[2]!).problem, 'off by 1');
});

test('commas and bars in names do not break tables', () => {
  assert.match(csvOf([row({ shape: '(1,2)' })]), /"\(1,2\)"/);
  assert.is(markdownOf(['a|b'], [['c']]).split('\n')[0], '| a\\|b |');
});

gpuTest('--only takes the name of a bench, its beginning, or the name of the op', async (gpu) => {
  const names = (only?: string[]) => [
    ...new Set(casesOf(benches, gpu, { ...(only && { only }) }).map((one) => one.bench)),
  ];
  assert.equal(names(['matmul', 'relu-backward']), ['matmul', 'relu-backward']);
  assert.equal(names(['relu']), ['relu', 'relu-backward']);
  assert.equal(names(['crossEntropy']), ['cross-entropy', 'cross-entropy-backward']);
  assert.ok(names().length > 8);
  assert.throws(() => names(['matmul', 'matmull']), /no bench is called matmull; the benches are /);
});

run();
