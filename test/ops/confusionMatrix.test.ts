import * as assert from 'uvu/assert';
import * as reference from '../../reference/index.ts';
import { confusionMatrix } from '../../src/ops/confusionMatrix.ts';
import { empty, tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { gpuTest, integers, run, seeded, uniform } from '../harness.ts';
import { checkArguments, checkRefusals, nan, rows } from './check.ts';

for (const rows of [1, 63, 64, 65, 1009]) {
  gpuTest(`confusionMatrix adds the counts of ${rows} rows, twice`, async (gpu) => {
    const classes = 7;
    const random = seeded(rows);
    const logits = { shape: [rows, classes], data: uniform([rows, classes], random) };
    const labels = { shape: [rows], data: integers(rows, classes, random) };
    const counts = tensor(gpu, new Uint32Array(classes * classes), [classes, classes]);
    tidy(() => {
      const [x, y] = [tensor(gpu, logits.data, logits.shape), tensor(gpu, labels.data)];
      confusionMatrix(x, y, counts);
      confusionMatrix(x, y, counts);
    });
    const expected = reference.confusionMatrix(logits, labels).data;
    assert.equal(
      [...(await counts.readU32())],
      Array.from(expected, (n) => 2 * n),
    );
    counts.dispose();
  });
}

gpuTest(
  'confusionMatrix gives ties to the first class, and leaves out rows of NaN and labels without a class',
  async (gpu) => {
    const counts = tensor(gpu, new Uint32Array(9), [3, 3]);
    const logits = rows([1, 1, 0], [5, nan, nan], [nan, 9, 9], [0, 0, 1]);
    tidy(() => confusionMatrix(tensor(gpu, logits), tensor(gpu, Uint32Array.of(0, 1, 2, 3)), counts));
    assert.equal([...(await counts.readU32())], [1, 0, 0, 0, 0, 0, 0, 0, 0]);
    counts.dispose();
  },
);

checkArguments('confusionMatrix', confusionMatrix, { logits: 'f32 2x2', labels: 'u32 2', into: 'u32 2x2' });
checkRefusals('confusionMatrix', (gpu) => {
  const count = (shape: number[], rows: number) => () =>
    confusionMatrix(empty(gpu, shape), empty(gpu, [rows], 'u32'), empty(gpu, [2, 2], 'u32'));
  return [
    [count([2], 1), /logits must be \[n, C\] with C > 0 but is \[2\]/],
    [count([1, 3], 1), /into must be \[3,3\] but is \[2,2\]/],
    [count([1, 2], 2), /labels must be \[1\] but is \[2\]/],
  ];
});

run();
