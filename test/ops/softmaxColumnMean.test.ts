import * as assert from 'uvu/assert';
import { capture } from '../../src/capture.ts';
import { fromBuffer } from '../../src/io/buffers.ts';
import { SoftmaxColumnSums, softmaxColumnMean } from '../../src/ops/softmaxColumnMean.ts';
import { empty, type Tensor, tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { assertClose, gpuTest, run, seeded, uniform } from '../harness.ts';

/** Sums over rows of softmax(x / T), in double precision. */
function reference(x: Float32Array, cols: number, temperature: number): Float64Array {
  const sums = new Float64Array(cols);
  for (let start = 0; start < x.length; start += cols) {
    const row = x.subarray(start, start + cols);
    const m = row.reduce((a, v) => Math.max(a, v));
    const e = Array.from(row, (v) => Math.exp((v - m) / temperature));
    const s = e.reduce((a, v) => a + v);
    for (const [c, v] of e.entries()) sums[c]! += v / s;
  }
  return sums;
}

const tolerance = { rtol: 4e-6, atol: 1e-9 };

// Around the 32 lanes of a workgroup and its 4,096 rows, the 32 columns that a lane holds, whole and broken vec4s, and the 2,048
// that a GPU's lanes hold.
for (const [rows, cols] of [
  [1, 1],
  [7, 2],
  [8, 10],
  [9, 31],
  [31, 17],
  [33, 31],
  [63, 32],
  [4096, 31],
  [4097, 6],
  [8195, 31],
  [65, 33],
  [300, 5],
  [257, 64],
  [129, 255],
  [70, 257],
  [5, 2049],
  [2, 4100],
] as const) {
  for (const temperature of [1, 0.1]) {
    gpuTest(`softmaxColumnMean [${rows},${cols}] at ${temperature}`, async (gpu) => {
      const data = uniform([rows, cols], seeded(rows + cols), 2);
      const y = tidy(() => softmaxColumnMean(tensor(gpu, data, [rows, cols]), { temperature }));
      const expected = reference(data, cols, temperature).map((v) => v / rows);
      assertClose('mean', await y.read(), expected, tolerance);
      y.dispose();
    });
  }
}

gpuTest('softmaxColumnMean of 100,000 rows that are all equal keeps its digits', async (gpu) => {
  const [rows, cols] = [100_000, 5];
  const data = Float32Array.from({ length: rows * cols }, (_, i) => (i % cols) / 3);
  const y = tidy(() => softmaxColumnMean(tensor(gpu, data, [rows, cols])));
  const expected = reference(data.subarray(0, cols), cols, 1);
  assertClose('mean', await y.read(), expected, { rtol: 2e-6, atol: 0 });
  y.dispose();
});

gpuTest('softmaxColumnMean of extremes: logits of 1e4 at T = 0.01, equal rows, infinities', async (gpu) => {
  const low = Number.NEGATIVE_INFINITY;
  const ask = async (rows: number[][], temperature: number) => {
    const y = tidy(() => softmaxColumnMean(tensor(gpu, rows), { temperature }));
    const values = await y.read();
    y.dispose();
    return values;
  };
  const big = [
    [1e4, -1e4, 0, 1e4 - 0.01],
    [-1e4, -1e4, -1e4, -1e4],
  ];
  const d = (1e4 - Math.fround(1e4 - 0.01)) / 0.01;
  const [p, q] = [1 / (1 + Math.exp(-d)), 1 / (1 + Math.exp(d))];
  assertClose('big', await ask(big, 0.01), [p / 2 + 0.125, 0.125, 0.125, q / 2 + 0.125], tolerance);
  assertClose('masked', await ask([[0, low, 0, low]], 0.1), [0.5, 0, 0.5, 0], tolerance);
  const nan = [Number.NaN, Number.NaN];
  assertClose(
    'NaN',
    await ask(
      [
        [1, 2],
        [3, Number.NaN],
        [0, 0],
      ],
      0.1,
    ),
    nan,
    tolerance,
  );
  assertClose(
    'infinity',
    await ask(
      [
        [1, 2],
        [3, Number.POSITIVE_INFINITY],
      ],
      0.1,
    ),
    nan,
    tolerance,
  );
  assertClose('all masked', await ask([[low, low]], 0.1), nan, tolerance);
  for (const cols of [31, 40, 41]) {
    const row = new Array(cols).fill(0);
    const spoilt = await ask([row, row.with(cols - 1, Number.NaN), row], 1);
    assertClose(`NaN among ${cols}`, spoilt, new Array(cols).fill(Number.NaN), tolerance);
  }
});

gpuTest('softmaxColumnMean of no rows is NaN', async (gpu) => {
  const y = tidy(() => softmaxColumnMean(tensor(gpu, new Float32Array(0), [0, 3])));
  assertClose('mean', await y.read(), new Array(3).fill(Number.NaN), tolerance);
  y.dispose();
});

for (const cols of [10, 65]) {
  gpuTest(`SoftmaxColumnSums add up batches of any size, captured or not: ${cols} columns`, async (gpu) => {
    const sizes = [128, 128, 1, 77];
    const random = seeded(cols);
    const batches = sizes.map((n) => uniform([n, cols], random, 3));
    const tensors = batches.map((data, i) => tensor(gpu, data, [sizes[i]!, cols]));
    const expected = reference(Float32Array.from(batches.flatMap((data) => [...data])), cols, 0.1);
    const sums = new SoftmaxColumnSums(gpu, cols, 0.1);
    const into = empty(gpu, [cols]);
    const pass = () => {
      for (const x of tensors) sums.add(x);
      sums.take(into);
    };
    pass();
    const eager = await into.read();
    assertClose('sums', eager, expected, tolerance);
    const step = await capture(gpu, pass);
    for (let k = 0; k < 3; k++) {
      step.run();
      assert.equal(await into.read(), eager);
    }
    for (const x of [step, sums, into, ...tensors]) x.dispose();
  });
}

gpuTest("softmaxColumnMean of a caller's buffer that ends within a vec4", async (gpu) => {
  const [rows, cols] = [3, 31];
  const data = uniform([rows, cols], seeded(1), 2);
  const device = gpu.native as GPUDevice;
  const buffer = device.createBuffer({ size: data.byteLength, usage: 0x80 | 0x8, mappedAtCreation: true });
  new Float32Array(buffer.getMappedRange()).set(data);
  buffer.unmap();
  const y = tidy(() => softmaxColumnMean(fromBuffer(gpu, buffer, [rows, cols])));
  assertClose(
    'mean',
    await y.read(),
    reference(data, cols, 1).map((v) => v / rows),
    tolerance,
  );
  y.dispose();
  buffer.destroy();
});

// On a GPU 64 workgroups of 64 rows, or fewer where a row has several lanes, then the next rows in the same workgroups.
for (const cols of [3, 10]) {
  gpuTest(`SoftmaxColumnSums take 10,000 rows of ${cols} in several rounds`, async (gpu) => {
    const data = uniform([10_000, cols], seeded(cols), 2);
    const x = tensor(gpu, data, [10_000, cols]);
    const sums = new SoftmaxColumnSums(gpu, cols, 0.1);
    const into = empty(gpu, [cols]);
    sums.add(x);
    sums.take(into);
    assertClose('sums', await into.read(), reference(data, cols, 0.1), tolerance);
    for (const held of [x, sums, into]) held.dispose();
  });
}

gpuTest('SoftmaxColumnSums lose no digits over 2,000 batches of equal rows', async (gpu) => {
  const row = [0.3, 0, -0.2];
  const x: Tensor = tensor(gpu, new Array(50).fill(row));
  const sums = new SoftmaxColumnSums(gpu, 3, 1);
  const into = empty(gpu, [3]);
  for (let k = 0; k < 2000; k++) sums.add(x);
  sums.take(into);
  const expected = reference(Float32Array.from(row), 3, 1).map((v) => v * 100_000);
  assertClose('sums', await into.read(), expected, { rtol: 2e-6, atol: 0 });
  for (const held of [x, sums, into]) held.dispose();
});

gpuTest('softmaxColumnMean refuses what does not fit', (gpu) => {
  tidy(() => {
    const x = tensor(gpu, [[1, 2]]);
    for (const temperature of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
      assert.throws(
        () => softmaxColumnMean(x, { temperature }),
        /temperature must be a number from 1e-30 to 1e\+30 but is/,
      );
    assert.throws(() => softmaxColumnMean(tensor(gpu, [1, 2])), /x must be \[n, C\] with C > 0 but is \[2\]/);
    assert.throws(() => new SoftmaxColumnSums(gpu, 2, 0), /temperature must be a number from 1e-30 to 1e\+30 but is 0/);
    const sums = new SoftmaxColumnSums(gpu, 3, 1);
    assert.throws(() => sums.add(x), /x must be \[1,3\] but is \[1,2\]/);
    assert.throws(() => sums.take(tensor(gpu, [1, 2])), /into must be \[3\] but is \[2\]/);
    sums.dispose();
  });
});

run();
