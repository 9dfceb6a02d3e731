import * as assert from 'uvu/assert';
import { native } from '../../src/io/buffers.ts';
import { reshape } from '../../src/ops/reshape.ts';
import { empty, tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { checkOp, gpuTest, run } from '../harness.ts';

for (const [from, to, full] of [
  [[6], [2, 3], [2, 3]],
  [
    [2, 3, 5],
    [-1, 5],
    [6, 5],
  ],
  [
    [2, 3],
    [3, -1, 1],
    [3, 2, 1],
  ],
  [[1], [], []],
  [[], [-1], [1]],
] as const) {
  checkOp(
    `reshape to [${to}]`,
    ([x]) => reshape(x!, to),
    ([x]) => ({ shape: full, data: x!.data }),
    { shapes: [[from]] },
  );
}

gpuTest('reshape shares memory with its input, of any type', async (gpu) => {
  const x = tensor(gpu, Uint32Array.of(1, 2, 3, 4), [2, 2]);
  const y = reshape(x, [4]);
  assert.is(native(y).buffer, native(x).buffer);
  assert.equal([...(await y.readU32())], [1, 2, 3, 4]);
  x.dispose();
  y.dispose();
});

gpuTest('reshape refuses shapes that the elements do not fill', (gpu) => {
  tidy(() => {
    const x = empty(gpu, [2, 3]);
    assert.equal(reshape(empty(gpu, [0, 3]), [3, 0]).shape, [3, 0]);
    assert.throws(
      () => reshape(x, [4, -1]),
      /reshape: x is \[2,3\] with 6 elements, which do not fill \[4,-1\]; make the sizes' product equal/,
    );
    assert.throws(
      () => reshape(x, 6 as never),
      /reshape: shape must be an array of sizes, such as \[2, -1\], but is 6/,
    );
    for (const shape of [[5], [-1, -1], [-2, -3], [1.5, 4], [0, -1]])
      assert.throws(() => reshape(x, shape), /do not fill/);
  });
});

run();
