import * as assert from 'uvu/assert';
import { native } from '../../src/io/buffers.ts';
import { gradientReversal } from '../../src/ops/gradientReversal.ts';
import { tensor } from '../../src/tensor.ts';
import { gpuTest, run } from '../harness.ts';
import { checkArguments, checkScalar, checkValues, nan } from './check.ts';

for (const size of [1, 63, 64, 65, 1009]) {
  const x = Array.from({ length: size }, (_, i) => i - 7);
  checkValues(
    `gradientReversal of ${size} is the identity, its gradient -coefficient dy`,
    (x) => gradientReversal(x!, 0.5),
    {
      inputs: [x],
      y: x,
      dy: x.map((v) => v / 4),
      gradients: [x.map((v) => v / -8)],
    },
  );
}
checkValues('gradientReversal passes NaN on, even by 0', (x) => gradientReversal(x!, 0), {
  inputs: [[nan, 2]],
  y: [nan, 2],
  dy: [nan, 1],
  gradients: [[nan, 0]],
});

gpuTest('gradientReversal shares memory with its input', async (gpu) => {
  const x = tensor(gpu, [3, 1]);
  const y = gradientReversal(x, 1);
  assert.is(native(y).buffer, native(x).buffer);
  x.dispose();
  assert.equal([...(await y.read())], [3, 1]);
  y.dispose();
});

checkScalar('gradientReversal', gradientReversal, (value) => ({ y: 1, dx: -value }));

checkArguments('gradientReversal', gradientReversal, { x: 'f32 2x2' }, { more: [1] });

run();
