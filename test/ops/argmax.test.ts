import * as assert from 'uvu/assert';
import { argmax } from '../../src/ops/argmax.ts';
import { tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { gpuTest, run, seeded } from '../harness.ts';

// Few values, so that most rows have several largest: the first must be found, whichever lane or chunk has it.
for (const [rows, cols] of [
  [1, 1],
  [64, 10],
  [65, 31],
  [3, 257],
  [2, 70001],
] as const) {
  gpuTest(`argmax [${rows},${cols}]`, async (gpu) => {
    const random = seeded(cols);
    const data = Float32Array.from({ length: rows * cols }, () => Math.floor(random() * 5));
    const first = (values: number[]) => values.indexOf(values.reduce((a, v) => Math.max(a, v)));
    const [x, y] = tidy(() => {
      const x = tensor(gpu, data, [rows, cols]);
      return [argmax(x), argmax(x, { dim: 0 })];
    }) as [ReturnType<typeof argmax>, ReturnType<typeof argmax>];
    assert.equal(
      [...(await x.readU32())],
      Array.from({ length: rows }, (_, r) => first([...data.subarray(r * cols, (r + 1) * cols)])),
    );
    assert.equal(
      [...(await y.readU32())],
      Array.from({ length: cols }, (_, c) => first(Array.from({ length: rows }, (_, r) => data[r * cols + c]!))),
    );
    for (const held of [x, y]) held.dispose();
  });
}

gpuTest('argmax takes NaN for the largest, the first of them', async (gpu) => {
  const nan = Number.NaN;
  const low = Number.NEGATIVE_INFINITY;
  const y = tidy(() =>
    argmax(
      tensor(gpu, [
        [1, nan, 3, nan],
        [low, low, low, low],
        [low, low, 0, 1e30],
      ]),
    ),
  );
  assert.equal([...(await y.readU32())], [1, 0, 3]);
  y.dispose();
});

gpuTest('argmax finds a NaN in a late chunk', async (gpu) => {
  const data = new Float32Array(10_000);
  data[9000] = Number.NaN;
  data[9001] = Number.NaN;
  data[17] = 5;
  const y = tidy(() => argmax(tensor(gpu, data)));
  assert.is(await y.item(), 9000);
  y.dispose();
});

gpuTest('argmax keeps the dimension if asked to', async (gpu) => {
  const x = tensor(gpu, [
    [1, 5, 2],
    [9, 0, 3],
  ]);
  const [rows, columns] = [argmax(x, { keepdim: true }), argmax(x, { dim: 0, keepdim: true })];
  assert.equal(
    [rows.shape, columns.shape],
    [
      [2, 1],
      [1, 3],
    ],
  );
  assert.equal([...(await rows.readU32()), ...(await columns.readU32())], [1, 0, 1, 0, 1]);
  for (const held of [x, rows, columns]) held.dispose();
});

gpuTest('argmax of a single number is 0; of nothing there is none', async (gpu) => {
  const y = tidy(() => argmax(tensor(gpu, 5)));
  assert.equal(y.shape, []);
  assert.is(await y.item(), 0);
  y.dispose();
  tidy(() => {
    assert.throws(() => argmax(tensor(gpu, new Float32Array(0), [3, 0])), /argmax: x is \[3,0\], which leaves nothing/);
    assert.throws(() => argmax(tensor(gpu, 1), { dim: 1 }), /argmax: dim is 1, but x is \[\]/);
  });
});

run();
