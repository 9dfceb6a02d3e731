import * as assert from 'uvu/assert';
import { backward, zeroGrad } from '../../src/autograd.ts';
import { capture } from '../../src/capture.ts';
import { countCalls } from '../../src/debug/deviceCalls.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { Parameter } from '../../src/nn/parameter.ts';
import { relu } from '../../src/ops/relu.ts';
import { clipGradNorm, Sgd } from '../../src/optim/index.ts';
import { type Tensor, tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { assertClose, gpuTest, run, seeded, uniform } from '../harness.ts';

const SIZES = [1, 63, 64, 65, 1009, 40_000];

interface Clipped {
  parameters: Parameter[];
  gradients: Float32Array[];
  dispose(): void;
}

/** Parameters with gradients, of an optimiser or without one. */
function parametersOf(gpu: Gpu, flat: boolean, sizes = SIZES): Clipped {
  const random = seeded(4);
  const parameters = sizes.map((n, i) => new Parameter(gpu, uniform([n], random), [n], `p${i}`));
  const optimizer = flat ? new Sgd(parameters, { lr: 1 }) : null;
  const gradients = sizes.map((n) => uniform([n], random, 3));
  tidy(() => {
    // Through backward, so that they come where an optimiser wants them.
    for (const [i, p] of parameters.entries()) {
      backward(p, tensor(gpu, gradients[i]!));
    }
  });
  const dispose = () => {
    zeroGrad(parameters);
    optimizer?.dispose();
    for (const p of parameters) p.dispose();
  };
  return { parameters, gradients, dispose };
}

const normOf = (gradients: readonly Float32Array[]): number =>
  Math.sqrt(gradients.reduce((sum, g) => sum + g.reduce((a, v) => a + v * v, 0), 0));

async function clip(parameters: Iterable<Tensor>, maxNorm: number): Promise<number> {
  const norm = clipGradNorm(parameters, maxNorm);
  const value = await norm.item();
  norm.dispose();
  return value;
}

const tolerance = { rtol: 1e-5, atol: 1e-7 };

for (const flat of [true, false]) {
  const whose = flat ? "an optimiser's" : 'single';

  gpuTest(`clipGradNorm shortens ${whose} gradients that are too long together, and no others`, async (gpu) => {
    for (const maxNorm of [0, 0.01, 100, 1e6, Number.POSITIVE_INFINITY]) {
      const { parameters, gradients, dispose } = parametersOf(gpu, flat);
      const norm = normOf(gradients);
      const got = await clip(parameters, maxNorm);
      assertClose('norm', [got], [norm], tolerance);
      const factor = Math.min(1, maxNorm / (norm + 1e-6));
      for (const [i, p] of parameters.entries()) {
        const expected = gradients[i]!.map((g) => g * factor);
        assertClose(
          `p${i} at ${maxNorm}`,
          await p.grad!.read(),
          expected,
          factor === 1 ? { rtol: 0, atol: 0 } : tolerance,
        );
      }
      dispose();
    }
  });

  gpuTest(
    `clipGradNorm of some of ${whose} gradients keeps the others as they are, and skips absent ones`,
    async (gpu) => {
      const { parameters, gradients, dispose } = parametersOf(gpu, flat);
      zeroGrad([parameters[3]!]);
      const norm = await clip(
        [1, 2, 3, 4].map((i) => parameters[i]!),
        1,
      );
      assertClose('norm', [norm], [normOf([1, 2, 4].map((i) => gradients[i]!))], tolerance);
      for (const i of [0, 5]) assert.equal(await parameters[i]!.grad!.read(), gradients[i]);
      const clipped = await Promise.all([1, 2, 4].map((i) => parameters[i]!.grad!.read()));
      assertClose('clipped', [normOf(clipped)], [1], tolerance);
      dispose();
    },
  );

  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
    gpuTest(`clipGradNorm with ${bad} among ${whose} gradients is as in PyTorch`, async (gpu) => {
      const { parameters, gradients, dispose } = parametersOf(gpu, flat);
      for (const [i, p] of parameters.entries()) {
        const values = gradients[i]!.map((g, k) => (k % 5 === 1 ? 0 : g));
        if (i === 1) values[7] = bad;
        const spoilt = tensor(gpu, values);
        zeroGrad([p]);
        backward(p, spoilt);
        spoilt.dispose();
      }
      assert.equal(await clip(parameters, 1), bad);
      for (const [i, p] of parameters.entries()) {
        const expected = [...gradients[i]!].map((_, k) => (Number.isNaN(bad) || (i === 1 && k === 7) ? Number.NaN : 0));
        assert.equal([...(await p.grad!.read())].map(Math.abs), expected, `p${i}`);
      }
      // The next gradients are as good as ever: no NaN stays in what lies between them.
      for (const [i, p] of parameters.entries()) {
        const good = tensor(gpu, gradients[i]!);
        zeroGrad([p]);
        backward(p, good);
        good.dispose();
      }
      assertClose('norm', [await clip(parameters, 1)], [normOf(gradients)], tolerance);
      dispose();
    });
  }
}

gpuTest('clipGradNorm takes two dispatches of an optimiser, captured the same bits as eager', async (gpu) => {
  const results: number[][] = [];
  for (const captured of [false, true]) {
    const random = seeded(9);
    const parameters = SIZES.map((n) => new Parameter(gpu, uniform([n], random), [n]));
    const optimizer = new Sgd(parameters, { lr: 0.1, momentum: 0.9 });
    const dy = parameters.map((p) => tensor(gpu, uniform(p.shape, random)));
    const iteration = () => {
      optimizer.zeroGrad();
      for (const [i, p] of parameters.entries()) tidy(() => backward(relu(p), dy[i]!));
      const norm = clipGradNorm(parameters, 0.5);
      optimizer.step();
      return norm;
    };
    const step = captured ? await capture(gpu, iteration) : null;
    const norms: number[] = [];
    for (let i = 0; i < 4; i++) {
      step?.run();
      const norm = step?.result ?? iteration();
      norms.push(await norm.item());
      if (!step) norm.dispose();
    }
    assert.is(new Set(norms).size, 4, 'the norm is of every run');
    const { dispatches } = countCalls(gpu.native, () => {
      clipGradNorm(parameters, 1).dispose();
      gpu.submit();
    });
    assert.is(dispatches, 2);
    results.push([...norms, ...(await Promise.all(parameters.map((p) => p.read()))).flatMap((p) => [...p])]);
    step?.result.dispose();
    step?.dispose();
    optimizer.dispose();
    for (const t of [...dy, ...parameters]) t.dispose();
  }
  assert.equal(results[1], results[0]);
});

// PyTorch divides by norm + 1e-6: a norm that is just maxNorm is shortened a little.
gpuTest('clipGradNorm adds 1e-6 to the norm before it compares and before it divides', async (gpu) => {
  const p = new Parameter(gpu, new Float32Array(2), [2]);
  p.grad = tensor(gpu, Float32Array.of(3e-6, 4e-6));
  assertClose('norm', [await clip([p], 5e-6)], [5e-6], tolerance);
  assertClose('gradient', await p.grad.read(), [2.5e-6, (4e-6 * 5) / 6], { rtol: 1e-5, atol: 0 });
  p.grad.dispose();
  p.dispose();
});

gpuTest('clipGradNorm leaves the end of a block as it is, even where the norm is NaN', async (gpu) => {
  const p = new Parameter(gpu, new Float32Array(3), [3]);
  const optimizer = new Sgd([p], { lr: 1 });
  tidy(() => backward(p, tensor(gpu, Float32Array.of(1, Number.NaN, 2))));
  assert.ok(Number.isNaN(await clip([p], 1)));
  const block = p.grad!.view([64]);
  assert.equal([...(await block.read())].slice(3), new Array(61).fill(0));
  block.dispose();
  zeroGrad([p]);
  optimizer.dispose();
  p.dispose();
});

gpuTest('clipGradNorm without gradients is 0; without parameters, or a length, it is an error', async (gpu) => {
  const p = new Parameter(gpu, new Float32Array(3), [3]);
  const none = new Parameter(gpu, new Float32Array(0), [0]);
  none.grad = tensor(gpu, new Float32Array(0));
  assert.is(await clip([p, none], 1), 0);
  assert.throws(() => clipGradNorm([], 1), /clipGradNorm: got no parameters; pass module.parameters\(\)/);
  assert.throws(() => clipGradNorm([p], -1), /clipGradNorm: maxNorm must be a number >= 0 but is -1/);
  assert.throws(() => clipGradNorm([p], Number.NaN), /maxNorm must be a number >= 0 but is NaN/);
  for (const t of [none.grad, none, p]) t.dispose();
});

run();
