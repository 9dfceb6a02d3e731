import * as reference from '../../reference/index.ts';
import { accuracy } from '../../src/ops/accuracy.ts';
import { tensor } from '../../src/tensor.ts';
import { gpuTest, integers, run, seeded } from '../harness.ts';
import { checkArguments, checkRefusals, expectValues, inf, nan, shapesOf } from './check.ts';

const percent = (logits?: Parameters<typeof accuracy>[0], labels?: typeof logits) => accuracy(logits!, labels!);

for (const [rows, cols] of ['1x1', '63x10', '64x2', '65x31', '1009x3', '5x1000'].flatMap(shapesOf)) {
  gpuTest(`accuracy of [${rows},${cols}] counts the first of equal logits`, async (gpu) => {
    const random = seeded(rows! + cols!);
    const data = Float32Array.from(integers(rows! * cols!, 4, random));
    const labels = integers(rows!, Math.min(cols!, 3), random);
    const expected = reference.accuracy({ shape: [rows!, cols!], data }, { shape: [rows!], data: labels });
    const matrix = Array.from({ length: rows! }, (_, r) => data.subarray(r * cols!, (r + 1) * cols!));
    await expectValues(gpu, percent, { inputs: [matrix, labels], y: expected.data, rtol: 1e-6 });
  });
}

gpuTest('accuracy takes the first NaN for the largest, and a label without a class for a wrong one', async (gpu) => {
  for (const [row, label, expected] of [
    [[1, nan, 3, nan], 1, 100],
    [[1, nan, 3, nan], 3, 0],
    [[1, nan, 3, nan], 2, 0],
    [[0, -0, 0], 0, 100],
    [[-inf, -inf], 0, 100],
    [[1, 2], 2, 0],
  ] as const)
    await expectValues(gpu, percent, { inputs: [[row], Uint32Array.of(label)], y: [expected] });
});

gpuTest('accuracy of no rows is NaN', async (gpu) => {
  const ofNothing = (labels?: Parameters<typeof accuracy>[1]) => {
    const logits = tensor(gpu, new Float32Array(0), [0, 3]);
    return accuracy(logits, labels!);
  };
  await expectValues(gpu, ofNothing, { inputs: [new Uint32Array(0)], y: [nan] });
});

checkArguments('accuracy', accuracy, { logits: 'f32 2x2', labels: 'u32 2' });
checkRefusals('accuracy', (gpu) => {
  const labels = (n: number) => tensor(gpu, new Uint32Array(n));
  return [
    [() => accuracy(tensor(gpu, [1]), labels(1)), /logits must be \[n, C\]/],
    [() => accuracy(tensor(gpu, [[1, 2, 3]]), labels(2)), /labels must be \[1\] but is \[2\]/],
  ];
});

run();
