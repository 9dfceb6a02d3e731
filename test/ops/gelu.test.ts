import * as reference from '../../reference/index.ts';
import { gelu } from '../../src/ops/gelu.ts';
import { empty } from '../../src/tensor.ts';
import { run } from '../harness.ts';
import { between, checkArguments, checkOp, checkRefusals, checkValues, ELEMENTS, inf, nan } from './check.ts';

for (const approximate of ['none', 'tanh'] as const)
  checkOp('gelu', gelu, reference.gelu, {
    shapes: ELEMENTS,
    fill: between(-5, 5),
    rtol: 3e-6,
    atol: 1e-7,
    options: { approximate },
  });

const known = [-3, -1, -0.5, 0.5, 1, 3];
checkValues('gelu is x times the tabulated normal distribution', (x) => gelu(x!), {
  inputs: [known],
  y: [0.001349898, 0.1586552539, 0.3085375387, 0.6914624613, 0.8413447461, 0.998650102].map((p, i) => p * known[i]!),
  rtol: 1e-6,
});
checkValues('gelu with tanh is 0.5 x (1 + tanh(...))', (x) => gelu(x!, { approximate: 'tanh' }), {
  inputs: [known],
  y: known.map((x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))),
  rtol: 2e-6,
});

const around = [0, 1e-30, 1e-4, 0.1, 0.7, 0.7518, 1, 2, 4, 6, 9, 12].flatMap((v) => [v, -v]).map(Math.fround);
for (const [approximate, { f, slope }, rtol] of [
  ['none', reference.unary.gelu, 1e-5],
  ['tanh', reference.unary.geluTanh, 2e-5],
] as const) {
  const op = (x?: Parameters<typeof gelu>[0]) => gelu(x!, { approximate });
  const seen = around.filter((v) => v > -9 || approximate === 'none');
  checkValues(`gelu (${approximate}) keeps its digits near 0 and far below it`, op, {
    inputs: [seen],
    y: seen.map(f),
    rtol,
    atol: 1e-37,
  });
  checkValues(`gelu (${approximate}) has its slope as gradient`, op, {
    inputs: [around],
    gradients: [around.map(slope)],
    rtol: 2e-6,
    atol: 3e-7,
  });
  checkValues(`gelu (${approximate}) saturates without NaN, and passes NaN on`, op, {
    inputs: [[nan, 20, -20, 1e30, -1e30, inf, -inf, 0]],
    y: [nan, 20, 0, Math.fround(1e30), 0, inf, 0, 0],
    dy: [1, 1, 1, 1, 1, 1, 1, nan],
    gradients: [[nan, 1, 0, 1, 0, 1, 0, nan]],
  });
}
checkArguments('gelu', gelu, { x: 'f32 2x2' }, { options: {} });
checkRefusals('gelu', (gpu) => [
  [
    () => gelu(empty(gpu, [1]), { approximate: true as never }),
    /gelu: approximate must be one of 'none', 'tanh' but is true/,
  ],
]);

run();
