import * as assert from 'uvu/assert';
import * as reference from '../../reference/index.ts';
import { softmax } from '../../src/ops/softmax.ts';
import { empty, tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { gpuTest, run } from '../harness.ts';
import { between, checkArguments, checkOp, checkRefusals, checkValues, inf, nan, rows } from './check.ts';

// Rows and columns around the 64 invocations of a workgroup, and the powers of two that lanes come in.
const shapes = ['1', '10', '3x4x5', '1x1', '63x2', '64x10', '65x31', '257x7', '5x63', '3x64', '2x65', '2x1009'];
for (const temperature of [1, 0.1, 4]) {
  checkOp('softmax', softmax, reference.softmax, {
    options: { temperature },
    shapes,
    fill: between(-2 * temperature, 2 * temperature),
    step: 1e-4 * temperature,
  });
}
checkOp('softmax of logits of +-20', softmax, reference.softmax, {
  options: { temperature: 0.1 },
  shapes: ['64x10'],
  fill: between(-20, 20),
  step: 1e-5,
  gradientTolerance: 1e-3,
});

// Along other dimensions than the last: few and many lanes, and neighbours 2 to 257 elements apart.
for (const [dim, shapes] of [
  [0, ['1x1', '2x3', '65x31', '257x2', '1009x7']],
  [1, ['3x4x5', '2x300x3', '2x10x8x8']],
  [2, ['2x3x5x257']],
  [-2, ['64x10']],
  [-3, ['3x4x5']],
] as const) {
  checkOp('softmax', softmax, reference.softmax, { options: { dim, temperature: 0.5 }, shapes, step: 1e-5 });
}

const third = 1 / 3;
checkValues(
  'softmax of logits of 1e4 at T = 0.01, equal rows and -infinity',
  (x) => softmax(x!, { temperature: 0.01 }),
  {
    inputs: [rows([1e4, -1e4, 0], [-1e4, -1e4, -1e4], [3e38, -3e38, 3e38], [-inf, 0, -inf])],
    y: [1, 0, 0, third, third, third, 0.5, 0, 0.5, 0, 1, 0],
    gradients: [new Array(12).fill(0)],
    rtol: 1e-6,
    atol: 1e-4,
  },
);
checkValues('softmax makes a row NaN that holds NaN or infinity, or only -infinity', (x) => softmax(x!), {
  inputs: [rows([0, nan, 0], [inf, 0, 0], [-inf, -inf, -inf], [0, 0, 0])],
  y: [...new Array(9).fill(nan), third, third, third],
  gradients: [[...new Array(9).fill(nan), 0, 0, 0]],
  atol: 1e-6,
});
checkValues('softmax along the first dimension keeps NaN in its column', (x) => softmax(x!, { dim: 0 }), {
  inputs: [rows([1, nan, 0], [1, 0, inf])],
  y: [0.5, nan, nan, 0.5, nan, nan],
});
checkValues('softmax of a single number is 1', (x) => softmax(x!), { inputs: [5], y: [1] });
checkValues('softmax at the lowest temperature gives all to the largest', (x) => softmax(x!, { temperature: 1e-30 }), {
  inputs: [[1, 0]],
  y: [1, 0],
});
checkValues(
  'softmax at the highest temperature still tells the largest f32 apart',
  (x) => softmax(x!, { temperature: 1e30 }),
  {
    inputs: [[3e38, -3e38]],
    y: [1, 0],
  },
);

gpuTest('softmax works beyond 65,535 workgroups, and on nothing', async (gpu) => {
  const rows = 64 * 65535 + 100;
  const y = tidy(() => softmax(tensor(gpu, new Float32Array(rows), [rows, 1])));
  assert.ok((await y.read()).every((v) => v === 1));
  y.dispose();
  tidy(() => {
    for (const shape of [[0, 3], [3, 0], [0]]) assert.equal(softmax(empty(gpu, shape)).shape, shape);
  });
});

checkArguments('softmax', softmax, { x: 'f32 2x2' }, { options: {} });
checkRefusals('softmax', (gpu) => {
  const x = tensor(gpu, [1, 2]);
  return [
    // 1 / 1e-40 does not fit f32.
    ...[0, -1, 1e-40, 1e-46, 1e39, nan, inf].map(
      (temperature) =>
        [
          () => softmax(x, { temperature }),
          /softmax: temperature must be a number from 1e-30 to 1e\+30 but is/,
        ] as const,
    ),
    [() => softmax(x, { dim: 1 }), /softmax: dim is 1, but x is \[2\]; .* from -1 to 0/],
    [() => softmax(x, { axis: 0 } as never), /softmax: unknown option axis; did you mean dim\?/],
    [() => softmax(x, 0 as never), /softmax: expected an options object .*\{ dim: 0 \}/],
  ];
});

run();
