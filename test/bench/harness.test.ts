import * as assert from 'uvu/assert';
import { type Case, kernelCase } from '../../bench/harness/case.ts';
import { uniform, wanted } from '../../bench/harness/inputs.ts';
import { COLUMNS, cellsOf, csvOf } from '../../bench/harness/report.ts';
import type { Row } from '../../bench/harness/row.ts';
import { stepCase } from '../../bench/harness/stepCase.ts';
import { runSuite } from '../../bench/harness/suite.ts';
import { capture } from '../../src/capture.ts';
import type { Peaks } from '../../src/debug/peaks.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { relu } from '../../src/ops/relu.ts';
import { tensor } from '../../src/tensor.ts';
import { gpuTest, run } from '../harness.ts';

const SIZE = 1000;

/** A case of relu; the expected element `wrong` is off by 0.01. */
function reluCase(wrong?: number, backward = false): Case {
  const changed = <T extends Float32Array>(values: T): T => {
    if (wrong !== undefined) values[wrong]! += 0.01;
    return values;
  };
  return kernelCase({
    bench: 'relu',
    shape: `${SIZE}`,
    inputs: () => ({ x: backward ? wanted(uniform([SIZE])) : uniform([SIZE]) }),
    run: ({ x }) => [relu(x)],
    truth: ({ x }, dy) => [
      changed(backward ? dy.map((v, i) => (x.data[i]! > 0 ? v : 0)) : x.data.map((v) => Math.max(v, 0))),
    ],
    bytes: 8 * SIZE,
  });
}

// Peaks of an imaginary adapter.
const peaks: Peaks = {
  scalarGflops: 1,
  vectorGflops: 1,
  halfGflops: null,
  readGbps: 1,
  writeGbps: 1,
  copyGbps: 1,
  dispatchUs: 1,
  submitUs: 1,
  readbackUs: 1,
  clock: 'wall',
};
const measure = (gpu: Gpu, ...cases: Case[]) => runSuite(gpu, cases, peaks, { quick: true });

const TIMES = ['medianMs', 'p5Ms', 'p95Ms', 'coldMs', 'gflops', 'gbps', 'percentOfPeak'] as const;

function assertNoTime(row: Row): void {
  assert.is(row.verified, false);
  for (const name of TIMES) assert.is(row[name], null, name);
  assert.equal(
    cellsOf(row).filter((cell) => /^[\d.e-]+$/.test(cell)),
    [`${SIZE}`],
    'no number but the shape',
  );
  assert.match(csvOf([row]).split('\n')[1]!, /,,,,,,,false,/);
}

gpuTest('a correct kernel is timed, and its row is complete', async (gpu) => {
  const { rows, failed } = await measure(gpu, reluCase(), reluCase(undefined, true));
  assert.is(failed, 0);
  for (const row of rows) {
    assert.is(row.verified, true);
    assert.is(row.peer, 'padagrad');
    for (const name of TIMES) if (name !== 'gflops') assert.ok(row[name]! > 0, `${name} is ${row[name]}`);
    assert.is(row.gflops, null);
    assert.ok(row.p5Ms! <= row.medianMs! && row.medianMs! <= row.p95Ms!);
    assert.is(cellsOf(row).length, COLUMNS.length);
  }
  assert.equal(
    rows.map((row) => row.kernel),
    ['relu.forward', 'relu.backward'],
  );
});

gpuTest('one wrong element of a result or a gradient fails the row, which has no times', async (gpu) => {
  for (const at of [0, SIZE - 1]) {
    for (const backward of [false, true]) {
      const { rows, failed } = await measure(gpu, reluCase(at, backward));
      assert.is(failed, 1);
      assertNoTime(rows[0]!);
      assert.match(rows[0]!.problem!, new RegExp(`^element ${at} is `));
    }
  }
});

gpuTest('a case that throws fails only its own row', async (gpu) => {
  const broken = kernelCase({
    bench: 'broken',
    shape: `${SIZE}`,
    inputs: () => ({ x: uniform([SIZE]) }),
    run: () => {
      throw new Error('no such kernel');
    },
    truth: () => [],
    bytes: 1,
  });
  const { rows, failed } = await measure(gpu, broken, reluCase());
  assert.is(failed, 1);
  assertNoTime(rows[0]!);
  assert.is(rows[0]!.problem, 'no such kernel');
  assert.is(rows[1]!.verified, true);
});

const reluStep = (problem: string | null) =>
  stepCase({
    bench: 'step',
    shape: `${SIZE}`,
    kernel: 'captured step',
    flops: 1e3,
    prepare: async (gpu) => {
      const x = tensor(gpu, uniform([SIZE]).data);
      const captured = await capture(gpu, () => relu(relu(x)));
      return {
        step: () => captured.run(),
        verify: async () => problem,
        dispose: () => {
          for (const thing of [captured, captured.result, x]) thing.dispose();
        },
      };
    },
  });

gpuTest('the calls of one replay of a step and the bytes of its buffers are counted', async (gpu) => {
  const { rows } = await measure(gpu, reluStep(null));
  const { dispatches, submits, bindGroups, buffers, writeBuffers, gpuBytes, medianMs, firstMs, coldMs } = rows[0]!;
  assert.equal({ dispatches, submits, bindGroups, buffers }, { dispatches: 2, submits: 1, bindGroups: 0, buffers: 0 });
  assert.is(writeBuffers, 0);
  assert.ok(gpuBytes! >= 3 * 4096 && gpuBytes! < 1e6, `${gpuBytes} bytes`);
  assert.ok(medianMs! > 0 && firstMs! > 0 && coldMs! > 0);
});

gpuTest('a wrong step fails, and its row has no times', async (gpu) => {
  const { rows, failed } = await measure(gpu, reluStep('loss: off'));
  assert.is(failed, 1);
  assertNoTime(rows[0]!);
  assert.is(rows[0]!.problem, 'loss: off');
});

run();
