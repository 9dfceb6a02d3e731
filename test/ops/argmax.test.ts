import * as assert from 'uvu/assert';
import * as reference from '../../reference/index.ts';
import { argmax } from '../../src/ops/argmax.ts';
import { empty, tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { gpuTest, integers, run, seeded } from '../harness.ts';
import { checkArguments, checkRefusals, checkValues, inf, nan, rows, shapesOf } from './check.ts';

// Few values, so most rows have several largest: whichever lane or chunk has the first, it must win.
for (const shape of ['1x1', '64x10', '65x31', '3x257', '2x70001', '3x4x5'].flatMap(shapesOf)) {
  gpuTest(`argmax of [${shape}] finds the first of the largest, along every dimension`, async (gpu) => {
    const data = Float32Array.from(
      integers(
        shape.reduce((a, b) => a * b),
        5,
        seeded(shape.at(-1)!),
      ),
    );
    const x = tensor(gpu, data, shape);
    for (const dim of [...shape.keys(), -1]) {
      for (const keepdim of [false, true]) {
        const y = argmax(x, { dim, keepdim });
        const expected = reference.argmax({ shape, data }, { dim, keepdim });
        assert.equal([y.shape, [...(await y.readU32())]], [expected.shape, [...expected.data]]);
        y.dispose();
      }
    }
    x.dispose();
  });
}

checkValues('argmax takes NaN for the largest, the first of them', (x) => argmax(x!), {
  inputs: [rows([1, nan, 3, nan], [-inf, -inf, -inf, -inf], [-inf, -inf, 0, 1e30])],
  y: [1, 0, 3],
});
const late = new Float32Array(10_000);
late.set([nan, nan], 9000);
late[17] = 5;
checkValues('argmax finds a NaN in a late chunk', (x) => argmax(x!), { inputs: [late], y: [9000] });
checkValues('argmax of a single number is 0', (x) => argmax(x!), { inputs: [5], y: [0] });

checkArguments('argmax', argmax, { x: 'f32 2x2' }, { options: {} });
checkRefusals('argmax', (gpu) => [
  [() => argmax(empty(gpu, [3, 0])), /argmax: x is \[3,0\], which has no elements/],
  [() => argmax(tensor(gpu, 1), { dim: 1 }), /argmax: dim is 1, but x is \[\]/],
]);

gpuTest('argmax along the last dimension is the default', async (gpu) => {
  const y = tidy(() => argmax(tensor(gpu, rows([1, 5, 2], [9, 0, 3]))));
  assert.equal([y.shape, [...(await y.readU32())]], [[2], [1, 0]]);
  y.dispose();
});

run();
