import * as reference from '../../reference/index.ts';
import { backward } from '../../src/autograd.ts';
import { affineSample } from '../../src/ops/affineSample.ts';
import { sum } from '../../src/ops/sum.ts';
import { sizeOf } from '../../src/shape.ts';
import { empty, tensor } from '../../src/tensor.ts';
import { assertClose, gpuTest, run, seeded, uniform } from '../harness.ts';
import { checkArguments, checkRefusals, checkValues, nan } from './check.ts';

// Maps that turn, slant, shrink and shift, beyond the image in places. The golden cases compare with PyTorch.
for (const padding of ['zeros', 'border'] as const)
  gpuTest(`affineSample with ${padding} gives the reference's numbers`, async (gpu) => {
    for (const shape of [
      [1, 1, 1, 1],
      [2, 1, 7, 9],
      [3, 3, 5, 4],
    ]) {
      const random = seeded(sizeOf(shape));
      const values = { shape, data: uniform(shape, random) };
      const maps = { shape: [shape[0]!, 2, 3], data: uniform([6 * shape[0]!], random) };
      const [x, theta] = [values, maps].map(({ shape, data }) => tensor(gpu, data, shape));
      const y = affineSample(x!, theta!, { padding });
      assertClose(`y of ${shape}`, await y.read(), reference.affineSample(values, maps, padding).data, { atol: 5e-6 });
      for (const t of [x!, theta!, y]) t.dispose();
    }
  });

const map = (shift: number) => [
  [1, 0, shift],
  [0, 1, 0],
];
// A pixel of weight 0 counts too, as in PyTorch.
checkValues('affineSample passes NaN in images and maps on', (x, theta) => affineSample(x!, theta!), {
  inputs: [
    [[[[1, 2, 3, nan]]], [[[1, 2, 3, 4]]]],
    [map(0), map(nan)],
  ],
  y: [1, 2, nan, nan, nan, nan, nan, nan],
});

checkArguments('affineSample', affineSample, { x: 'f32 2x1x2x2', theta: 'f32 2x2x3' }, { options: {} });
checkRefusals('affineSample', (gpu) => {
  const theta = empty(gpu, [2, 2, 3]);
  const x = tensor(gpu, new Float32Array(8), [2, 1, 2, 2]);
  x.requiresGrad = true;
  return [
    [() => affineSample(empty(gpu, [2, 4]), theta), /x must be \[n, c, h, w\] but is \[2,4\]/],
    [() => affineSample(empty(gpu, [1, 1, 2, 2]), theta), /theta must be \[1,2,3\] but is \[2,2,3\]/],
    [() => affineSample(x, theta, { padding: 'reflection' as never }), /padding must be one of 'zeros', 'border'/],
    [() => backward(sum(affineSample(x, theta))), /affineSample: it has no gradient/],
  ];
});

run();
