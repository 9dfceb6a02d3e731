import * as assert from 'uvu/assert';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { accuracy } from '../../src/ops/accuracy.ts';
import { tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { gpuTest, run, seeded } from '../harness.ts';

async function percent(gpu: Gpu, logits: Float32Array, cols: number, labels: Uint32Array): Promise<number> {
  const result = tidy(() => accuracy(tensor(gpu, logits, [labels.length, cols]), tensor(gpu, labels)));
  const value = await result.item();
  result.dispose();
  return value;
}

for (const [rows, cols] of [
  [1, 1],
  [63, 10],
  [64, 2],
  [65, 31],
  [1009, 3],
  [5, 1000],
] as const) {
  gpuTest(`accuracy [${rows},${cols}], with many equals`, async (gpu) => {
    const random = seeded(rows + cols);
    const logits = Float32Array.from({ length: rows * cols }, () => Math.floor(random() * 4));
    const labels = Uint32Array.from({ length: rows }, () => Math.floor(random() * Math.min(cols, 3)));
    let right = 0;
    for (let r = 0; r < rows; r++) {
      const row = logits.subarray(r * cols, (r + 1) * cols);
      if (row.indexOf(Math.max(...row)) === labels[r]) right++;
    }
    const value = await percent(gpu, logits, cols, labels);
    assert.ok(Math.abs(value - (100 * right) / rows) < 1e-4, `${value} for ${right} of ${rows}`);
  });
}

gpuTest(
  'accuracy takes NaN for the largest, the first of them, and a label out of range for a wrong one',
  async (gpu) => {
    const ask = (row: number[], label: number) =>
      percent(gpu, Float32Array.from(row), row.length, Uint32Array.of(label));
    assert.is(await ask([1, Number.NaN, 3, Number.NaN], 1), 100);
    assert.is(await ask([1, Number.NaN, 3, Number.NaN], 3), 0);
    assert.is(await ask([1, Number.NaN, 3, Number.NaN], 2), 0);
    assert.is(await ask([0, -0, 0], 0), 100);
    assert.is(await ask([Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY], 0), 100);
    assert.is(await ask([1, 2], 2), 0);
    assert.ok(Number.isNaN(await percent(gpu, new Float32Array(0), 3, new Uint32Array(0))));
  },
);

gpuTest('accuracy refuses what does not fit', (gpu) => {
  tidy(() => {
    const logits = tensor(gpu, [[1, 2, 3]]);
    assert.throws(() => accuracy(tensor(gpu, [1]), tensor(gpu, Uint32Array.of(0))), /logits must be \[n, C\]/);
    assert.throws(() => accuracy(logits, tensor(gpu, [0])), /labels must be u32/);
    assert.throws(() => accuracy(logits, tensor(gpu, Uint32Array.of(0, 1))), /labels must be \[1\] but is \[2\]/);
  });
});

run();
