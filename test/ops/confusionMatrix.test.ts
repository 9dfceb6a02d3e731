import * as assert from 'uvu/assert';
import { confusionMatrix } from '../../src/ops/confusionMatrix.ts';
import { tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { gpuTest, run, seeded, uniform } from '../harness.ts';

for (const rows of [1, 63, 64, 65, 1009]) {
  gpuTest(`confusionMatrix of ${rows} rows, twice`, async (gpu) => {
    const classes = 7;
    const random = seeded(rows);
    const logits = uniform([rows, classes], random);
    const labels = Uint32Array.from({ length: rows }, () => Math.floor(classes * random()));
    const expected = new Array(classes * classes).fill(0);
    for (let r = 0; r < rows; r++) {
      const row = [...logits.subarray(r * classes, (r + 1) * classes)];
      expected[labels[r]! * classes + row.indexOf(Math.max(...row))] += 2;
    }
    const counts = tensor(gpu, new Uint32Array(classes * classes), [classes, classes]);
    tidy(() => {
      const [x, y] = [tensor(gpu, logits, [rows, classes]), tensor(gpu, labels)];
      confusionMatrix(x, y, counts);
      confusionMatrix(x, y, counts);
    });
    assert.equal([...(await counts.readU32())], expected);
    counts.dispose();
  });
}

gpuTest(
  'confusionMatrix: ties go to the first, logits that are NaN and labels without a class do not count',
  async (gpu) => {
    const counts = tensor(gpu, new Uint32Array(9), [3, 3]);
    const logits = [
      [1, 1, 0],
      [5, Number.NaN, Number.NaN],
      [Number.NaN, 9, 9],
      [0, 0, 1],
    ];
    tidy(() => confusionMatrix(tensor(gpu, logits), tensor(gpu, Uint32Array.of(0, 1, 2, 3)), counts));
    assert.equal([...(await counts.readU32())], [1, 0, 0, 0, 0, 0, 0, 0, 0]);
    counts.dispose();
  },
);

gpuTest('confusionMatrix refuses what does not fit', (gpu) => {
  tidy(() => {
    const counts = tensor(gpu, new Uint32Array(4), [2, 2]);
    const labels = tensor(gpu, Uint32Array.of(0));
    assert.throws(
      () => confusionMatrix(tensor(gpu, [1, 2]), labels, counts),
      /logits must be \[n, C\] with C > 0 but is \[2\]/,
    );
    assert.throws(
      () => confusionMatrix(tensor(gpu, [[1, 2, 3]]), labels, counts),
      /into must be \[3,3\] but is \[2,2\]/,
    );
    assert.throws(
      () => confusionMatrix(tensor(gpu, [[1, 2]]), tensor(gpu, Uint32Array.of(0, 1)), counts),
      /labels must be \[1\] but is \[2\]/,
    );
  });
});

run();
