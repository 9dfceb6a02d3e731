import * as assert from 'uvu/assert';
import { adamStep, parameterOf } from '../../reference/index.ts';
import { backward } from '../../src/autograd.ts';
import { Parameter } from '../../src/nn/parameter.ts';
import type { HostTensor } from '../../src/nn/stateDict.ts';
import { matmul } from '../../src/ops/matmul.ts';
import { mul } from '../../src/ops/mul.ts';
import { Adam, type Optimizer, Sgd } from '../../src/optim/index.ts';
import { tensor, write } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { assertClose, gpuTest, run } from '../harness.ts';

// Optimisers at the edges: many steps and few, states restored between steps, NaN, a parameter used twice.

const floats = (numbers: number[]): HostTensor => ({ shape: [numbers.length], data: Float32Array.from(numbers) });
const count = (n: number): HostTensor => ({ shape: [], data: BigInt64Array.of(BigInt(n)) });
const number = (n: number): HostTensor => ({ shape: [], data: Float64Array.of(n) });

function step(optimizer: Optimizer, p: Parameter, gradient: readonly number[]): void {
  p.grad = tensor(p.gpu, Float32Array.from(gradient), p.shape, 'gradient');
  optimizer.step();
  optimizer.zeroGrad();
}

// 1 - beta^t loses digits where beta^t is near 1, and its series where it is not.
for (const [beta1, beta2, steps] of [
  [0.9, 0.99999, [1, 2, 50, 1000]],
  [0.9, 0.999, [1, 10, 100, 499, 501, 700, 1000, 2000, 4000, 20_000]],
  [0.5, 0.5, [1, 2, 3, 20]],
] as const) {
  for (const t of steps) {
    gpuTest(`Adam with betas ${beta1} and ${beta2} corrects the bias of step ${t} to the last digits`, async (gpu) => {
      const [m, v, gradient] = [0.25, 0.5, 0.75];
      const p = new Parameter(gpu, new Float32Array(1), [1]);
      const optimizer = new Adam([p], { lr: 1, betas: [beta1, beta2] });
      const state = { lr: number(1), '0.step': count(t - 1), '0.exp_avg': floats([m]), '0.exp_avg_sq': floats([v]) };
      optimizer.loadStateDict(new Map(Object.entries(state)));
      step(optimizer, p, [gradient]);
      const truth = parameterOf(new Float32Array(1));
      truth.step = t - 1;
      truth.state = { exp_avg: Float64Array.of(m), exp_avg_sq: Float64Array.of(v) };
      adamStep(truth, Float32Array.of(gradient), { lr: 1, betas: [beta1, beta2] });
      // The parameter was 0: all its digits are the update's.
      assertClose('parameter', await p.read(), truth.value, { rtol: 3e-6, atol: 0 });
      optimizer.dispose();
      p.dispose();
    });
  }
}

gpuTest('a NaN stays in the largest mean square of AMSGrad, and in that of no other element', async (gpu) => {
  const p = new Parameter(gpu, new Float32Array(5), [5]);
  const optimizer = new Adam([p], { amsgrad: true });
  for (const gradient of [
    [2, 2, Number.NaN, 2, 2],
    [1, 1, 1, 1, 1],
  ]) {
    step(optimizer, p, gradient);
    const largest = (await optimizer.stateDict()).get('0.max_exp_avg_sq')!.data as Float32Array;
    assert.equal(Array.from(largest, Number.isNaN), [false, false, true, false, false]);
  }
  optimizer.dispose();
  p.dispose();
});

const makers: Record<string, (p: Parameter) => Optimizer> = {
  Adam: (p) => new Adam([p], { lr: 0.1 }),
  AMSGrad: (p) => new Adam([p], { lr: 0.1, amsgrad: true }),
  'Sgd with momentum': (p) => new Sgd([p], { lr: 0.1, momentum: 0.9, dampening: 0.5 }),
};
const START = [1, -2, 3];
const GRADIENTS = [
  [1, 2, 3],
  [0.5, -1, 2],
  [-1, 1, 0.25],
];

/** Values after each of some further steps. */
async function goOn(optimizer: Optimizer, p: Parameter, steps: number): Promise<number[][]> {
  const values: number[][] = [];
  for (let i = 0; i < steps; i++) {
    step(optimizer, p, GRADIENTS[i % GRADIENTS.length]!);
    values.push([...(await p.read())]);
  }
  return values;
}

for (const [name, make] of Object.entries(makers)) {
  // Each update reads one half of the step counts and writes the other.
  gpuTest(`${name}: a state restores the step counts however many steps either side has done`, async (gpu) => {
    for (const saved of [0, 1, 2]) {
      const p = new Parameter(gpu, Float32Array.from(START), [3]);
      const optimizer = make(p);
      await goOn(optimizer, p, saved);
      const [values, state] = [await p.read(), await optimizer.stateDict()];
      assert.is(state.get('0.step')!.data[0], BigInt(saved));
      const expected = await goOn(optimizer, p, 3);
      for (const done of [0, 1, 2, 3]) {
        const q = new Parameter(gpu, values, [3]);
        const other = make(q);
        for (let i = 0; i < done; i++) step(other, q, [0, 0, 0]);
        other.loadStateDict(state);
        assert.equal(await other.stateDict(), state, `${done} steps before, state`);
        write(q, values);
        assert.equal(await goOn(other, q, 3), expected, `${done} steps before`);
        other.dispose();
        q.dispose();
      }
      optimizer.dispose();
      p.dispose();
    }
  });
}

gpuTest("an op of one optimiser's parameter twice gets the sum of both gradients", async (gpu) => {
  const p = new Parameter(gpu, Float32Array.of(1, 2, 3, 4), [2, 2], 'p');
  const optimizer = new Sgd([p], { lr: 1 });
  const upstream = tensor(gpu, [1, 10, 100, 1000], [2, 2]);
  for (const [op, gradient] of [
    [mul, [2, 40, 600, 8000]],
    // upstream p^T + p^T upstream
    [matmul, [21 + 301, 43 + 3010, 2100 + 402, 4300 + 4020]],
  ] as const) {
    optimizer.zeroGrad();
    tidy(() => backward(op(p, p), upstream));
    assert.equal([...(await p.grad!.read())], gradient, op.name);
  }
  upstream.dispose();
  optimizer.dispose();
  p.dispose();
});

run();
