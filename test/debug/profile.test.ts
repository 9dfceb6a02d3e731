import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Peaks } from '../../src/debug/peaks.ts';
import { chromeTrace, reportProfile, reportTable } from '../../src/debug/profile.ts';
import type { Profile } from '../../src/gpu/profiler.ts';
import { run } from '../harness.ts';

const profile: Profile = {
  clock: 'timestamps',
  seconds: 0.004,
  events: [
    { kernel: 'matmul.gemm', start: 0, seconds: 0.003, flops: 6e6, bytes: 3e6 },
    { kernel: 'relu.forward', start: 0.0035, seconds: 0.001, flops: 0, bytes: 2e6 },
  ],
  rows: [
    { kernel: 'matmul.gemm', calls: 1, seconds: 0.003, share: 0.75, flops: 6e6, bytes: 3e6 },
    { kernel: 'relu.forward', calls: 1, seconds: 0.001, share: 0.25, flops: 0, bytes: 2e6 },
  ],
};
const peaks: Peaks = {
  scalarGflops: 2,
  vectorGflops: 8,
  halfGflops: null,
  readGbps: 3,
  writeGbps: 3,
  copyGbps: 4,
  dispatchUs: 1,
  submitUs: 1,
  readbackUs: 1,
  clock: 'timestamps',
};

test('kernels with counted operations are compared with the peak of multiply-adds, others with copied bytes', () => {
  const { rows } = reportProfile(profile, peaks);
  assert.equal(
    rows.map(({ gflops, gbps, intensity, percentOfPeak }) => ({ gflops, gbps, intensity, percentOfPeak })),
    [
      { gflops: 2, gbps: 1, intensity: 2, percentOfPeak: 25 },
      { gflops: null, gbps: 2, intensity: null, percentOfPeak: 50 },
    ],
  );
  assert.equal(
    reportProfile(profile).rows.map((row) => row.percentOfPeak),
    [null, null],
  );
});

test('a kernel that is too short for the clock has no rate', () => {
  const none = { ...profile, rows: profile.rows.map((row) => ({ ...row, seconds: 0 })) };
  const [row] = reportProfile(none, peaks).rows;
  assert.equal([row!.gflops, row!.gbps, row!.percentOfPeak], [null, 0, null]);
});

test('the table has a line per kernel and one for all', () => {
  const table = reportTable(reportProfile(profile, peaks));
  assert.equal(table[1], ['matmul.gemm', '1', '3.000', '75.0 %', '6.0', '3.0', '2.0', '1.0', '2.0', '25.0']);
  assert.equal(table[2], ['relu.forward', '1', '1.000', '25.0 %', '-', '2.0', '-', '2.0', '-', '50.0']);
  assert.equal(table[3]!.slice(0, 3), ['all', '2', '4.000']);
  assert.ok(table.every((line) => line.length === table[0]!.length));
});

test("the trace has Chrome's format: complete events in microseconds", () => {
  const { traceEvents } = JSON.parse(chromeTrace(profile));
  const spans = traceEvents.filter((event: { ph: string }) => event.ph === 'X');
  assert.equal(spans[1], {
    name: 'relu.forward',
    cat: 'gpu',
    ph: 'X',
    pid: 1,
    tid: 1,
    ts: 3500,
    dur: 1000,
    args: { flops: 0, bytes: 2e6 },
  });
  assert.ok(
    traceEvents.some((event: { ph: string; name: string }) => event.ph === 'M' && event.name === 'process_name'),
  );
});

run();
