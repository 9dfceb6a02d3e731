import * as assert from 'uvu/assert';
import { backward, zeroGrad } from '../../src/autograd.ts';
import { capture } from '../../src/capture.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { Counter } from '../../src/gpu/scalar.ts';
import { batchNorm } from '../../src/ops/batchNorm.ts';
import { type Shape, sizeOf } from '../../src/shape.ts';
import { type Tensor, tensor, write } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { assertClose, checkOp, gpuTest, type Reference, run, seeded, uniform } from '../harness.ts';

const EPS = 1e-5;

interface Statistics {
  mean: Float64Array;
  variance: Float64Array;
}

/** The channel of element `i`. */
const channelOf = (shape: Shape): ((i: number) => number) => {
  const spatial = sizeOf(shape.slice(2));
  return (i) => Math.floor(i / spatial) % shape[1]!;
};

function statisticsOf({ shape, data }: Reference): Statistics {
  const channel = channelOf(shape);
  const c = shape[1]!;
  const m = data.length / c;
  const mean = new Float64Array(c);
  const variance = new Float64Array(c);
  data.forEach((v, i) => {
    mean[channel(i)]! += v / m;
  });
  data.forEach((v, i) => {
    variance[channel(i)]! += (v - mean[channel(i)]!) ** 2 / m;
  });
  return { mean, variance };
}

function reference([x, weight, bias]: Reference[], { mean, variance }: Statistics, relu: boolean): Reference {
  const channel = channelOf(x!.shape);
  const data = x!.data.map((v, i) => {
    const c = channel(i);
    const y = ((v - mean[c]!) / Math.sqrt(variance[c]! + EPS)) * weight!.data[c]! + bias!.data[c]!;
    return relu ? Math.max(y, 0) : y;
  });
  return { shape: x!.shape, data };
}

// Around the lanes of a workgroup (8, 32, 256), one channel and several, one image, and enough values to be cut in slices.
const SHAPES = [
  [2, 3],
  [8, 5],
  [31, 8],
  [33, 9],
  [128, 130],
  [257, 1],
  [4100, 3],
  [3, 2, 5],
  [2, 3, 1],
  [1, 4, 33],
  [4, 3, 1, 1],
  [1, 2, 3, 3],
  [9, 2, 5, 7],
  [65, 3, 1, 2],
  [5, 3, 23, 31],
  [40, 2, 17, 16],
];

for (const training of [true, false]) {
  for (const relu of [false, true]) {
    checkOp(
      `batchNorm ${training ? 'train' : 'eval'}${relu ? ' relu' : ''}`,
      ([x, weight, bias], [runningMean, runningVar]) =>
        batchNorm(x!, {
          ...{ weight: weight!, bias: bias!, runningMean: runningMean!, runningVar: runningVar! },
          ...{ training, momentum: 0.1, eps: EPS, relu },
        }),
      (inputs, [mean, variance]) =>
        reference(
          inputs,
          training
            ? statisticsOf(inputs[0]!)
            : { mean: Float64Array.from(mean!), variance: Float64Array.from(variance!) },
          relu,
        ),
      {
        shapes: SHAPES.map((shape) => [shape, [shape[1]!], [shape[1]!]]),
        // An even spread, so that no channel of two values has next to no deviation.
        fill: (shape, random) => uniform(shape, random).map((v, i) => 0.3 * v + (i < sizeOf(shape) / 2 ? 1 : -1)),
        extra: ([, weight], random) => [uniform(weight!, random), uniform(weight!, random).map((v) => 1.1 + v)],
        atol: 1e-5,
        gradientTolerance: 5e-4,
        // So small that no value is rectified on one side of the difference alone.
        step: 1e-6,
      },
    );
  }
}

interface Layer {
  weight: Tensor;
  bias: Tensor;
  runningMean: Tensor;
  runningVar: Tensor;
}

const layerOf = (gpu: Gpu, c: number): Layer => {
  const of = (value: number, label: string) => tensor(gpu, new Float32Array(c).fill(value), [c], label);
  const layer = {
    ...{ weight: of(1, 'weight'), bias: of(0, 'bias') },
    ...{ runningMean: of(0, 'mean'), runningVar: of(1, 'variance') },
  };
  layer.weight.requiresGrad = true;
  layer.bias.requiresGrad = true;
  return layer;
};

const disposeAll = (...tensors: (Tensor | null)[]): void => {
  for (const t of tensors) t?.dispose();
};

const OPTIONS = { training: true, momentum: 0.1, eps: EPS };

gpuTest('batchNorm moves the running statistics, the variance unbiased', async (gpu) => {
  for (const shape of SHAPES) {
    const c = shape[1]!;
    const values = uniform(shape, seeded(3));
    const x = tensor(gpu, values, shape);
    const layer = layerOf(gpu, c);
    const y = tidy(() => batchNorm(x, { ...layer, ...OPTIONS, momentum: 0.25 }));
    const { mean, variance } = statisticsOf({ shape, data: Float64Array.from(values) });
    const m = values.length / c;
    const tolerance = { rtol: 1e-5, atol: 1e-6 };
    assertClose(
      `mean ${shape}`,
      await layer.runningMean.read(),
      mean.map((v) => 0.25 * v),
      tolerance,
    );
    assertClose(
      `variance ${shape}`,
      await layer.runningVar.read(),
      variance.map((v) => 0.75 + (0.25 * v * m) / (m - 1)),
      tolerance,
    );
    disposeAll(x, y, ...Object.values(layer));
  }
});

gpuTest('batchNorm keeps its digits far from zero, and gives 0 for a constant channel', async (gpu) => {
  const random = seeded(5);
  for (const shape of [
    [64, 4],
    [21, 4, 40, 40],
  ]) {
    const channel = channelOf(shape);
    const centres = [1e4, 0.1, -3e6, 1e-4];
    const spread = [0.02, 0, 1, 1e-9];
    const values = uniform(shape, random).map((v, i) => centres[channel(i)]! + v * spread[channel(i)]!);
    const x = tensor(gpu, values, shape);
    const layer = layerOf(gpu, 4);
    const y = tidy(() => batchNorm(x, { ...layer, ...OPTIONS }));
    const inputs = [values, [1, 1, 1, 1], [0, 0, 0, 0]].map((data, i) => ({
      shape: i === 0 ? shape : [4],
      data: Float64Array.from(data),
    }));
    const expected = reference(inputs, statisticsOf(inputs[0]!), false).data;
    const actual = await y.read();
    assertClose(`${shape}`, actual, expected, { rtol: 1e-4, atol: 1e-5 });
    assert.ok(
      actual.every((v, i) => channel(i) !== 1 || v === 0),
      'the constant channel is 0 exactly',
    );
    disposeAll(x, y, ...Object.values(layer));
  }
});

// A million values in one sum: its rounding is larger than the variance, which would come out below zero on a CPU.
gpuTest('batchNorm has no variance below zero, however much rounding loses', async (gpu) => {
  const size = 1_000_000;
  const x = tensor(gpu, new Float32Array(size).fill(0.1, 1), [1, 1, size]);
  const layer = layerOf(gpu, 1);
  const y = tidy(() => batchNorm(x, { ...layer, training: true, momentum: 1, eps: 1e-9 }));
  assertClose('variance', await layer.runningVar.read(), [0.01 / size], { rtol: 0, atol: 1.1e-8 });
  assert.ok((await layer.runningVar.item()) >= 0);
  assert.ok((await y.read()).every(Number.isFinite));
  disposeAll(x, y, ...Object.values(layer));
});

gpuTest('batchNorm spreads a NaN over its channel and no further, backward too', async (gpu) => {
  for (const shape of [
    [6, 3],
    [40, 3, 17, 16],
  ]) {
    const channel = channelOf(shape);
    const at = sizeOf(shape) - sizeOf(shape.slice(2)) - 1;
    for (const where of ['x', 'dy']) {
      const inputs = [1, 2].map((seed) => uniform(shape, seeded(seed)));
      inputs[where === 'x' ? 0 : 1]![at] = Number.NaN;
      const [x, dy] = inputs.map((data) => tensor(gpu, data, shape)) as [Tensor, Tensor];
      x.requiresGrad = true;
      const layer = layerOf(gpu, 3);
      const y = tidy(() => {
        const out = batchNorm(x, { ...layer, ...OPTIONS });
        backward(out, dy);
        return out;
      });
      const { runningMean, runningVar, weight, bias } = layer;
      const ofX = where === 'x';
      const all = (data: Float32Array, nan: boolean, of = channel) =>
        assert.ok(
          data.every((v, i) => Number.isNaN(v) === (nan && of(i) === channel(at))),
          `${where} ${shape}`,
        );
      all(await y.read(), ofX);
      for (const t of [runningMean, runningVar]) all(await t.read(), ofX, (i) => i);
      all(await x.grad!.read(), true);
      all(await weight.grad!.read(), true, (i) => i);
      all(await bias.grad!.read(), !ofX, (i) => i);
      disposeAll(x, dy, y, x.grad, weight.grad, bias.grad, ...Object.values(layer));
    }
  }
});

gpuTest('batchNorm rectifies no NaN away, and its gradient passes where y is NaN', async (gpu) => {
  const x = tensor(gpu, [1, Number.NaN, 3, -1, 2, -5], [3, 2]);
  const dy = tensor(gpu, [1, 1, 1, 1, 1, 1], [3, 2]);
  x.requiresGrad = true;
  const layer = layerOf(gpu, 2);
  const y = tidy(() => {
    const out = batchNorm(x, { ...layer, ...OPTIONS, training: false, eps: 0, relu: true });
    backward(out, dy);
    return out;
  });
  assert.equal([...(await y.read())], [1, Number.NaN, 3, 0, 2, 0]);
  assert.equal([...(await x.grad!.read())], [1, 1, 1, 0, 1, 0]);
  assert.equal([...(await layer.bias.grad!.read())], [3, 1]);
  disposeAll(x, dy, y, x.grad, layer.weight.grad, layer.bias.grad, ...Object.values(layer));
});

gpuTest(
  'batchNorm uses a counter once a forward, whatever the dispatches, and reads it at every replay',
  async (gpu) => {
    for (const shape of [
      [5, 2],
      [40, 2, 17, 16],
    ]) {
      const momentum = new (class extends Counter {
        override advance(): void {
          this.value /= 2;
        }
      })(1);
      const values = uniform(shape, seeded(1));
      const x = tensor(gpu, values, shape);
      const layer = layerOf(gpu, 2);
      x.requiresGrad = true;
      const step = await capture(gpu, () => {
        zeroGrad([x, layer.weight, layer.bias]);
        backward(batchNorm(x, { ...layer, ...OPTIONS, momentum }), x);
      });
      assert.is(momentum.value, 1);
      step.run();
      step.run();
      assert.is(momentum.value, 0.25);
      tidy(() => void batchNorm(x, { ...layer, ...OPTIONS, momentum }));
      tidy(() => void batchNorm(x, { ...layer, ...OPTIONS, momentum, training: false }));
      assert.is(momentum.value, 0.125, 'not in eval mode');
      const { mean } = statisticsOf({ shape, data: Float64Array.from(values) });
      assertClose('mean', await layer.runningMean.read(), mean, { rtol: 1e-5, atol: 1e-6 });
      disposeAll(x, x.grad, layer.weight.grad, layer.bias.grad, ...Object.values(layer));
      step.dispose();
    }
  },
);

gpuTest('batchNorm computes the gradients that are wanted', async (gpu) => {
  const x = tensor(gpu, uniform([8, 3], seeded(1)), [8, 3]);
  const layer = layerOf(gpu, 3);
  layer.weight.requiresGrad = false;
  tidy(() => backward(batchNorm(x, { ...layer, ...OPTIONS }), x));
  assert.is(x.grad, null);
  assert.is(layer.weight.grad, null);
  const sums = new Float64Array(3);
  (await x.read()).forEach((v, i) => {
    sums[i % 3]! += v;
  });
  assertClose('dbias', await layer.bias.grad!.read(), sums, { rtol: 1e-5, atol: 1e-6 });
  disposeAll(x, layer.bias.grad, ...Object.values(layer));
});

gpuTest('batchNorm of no images at all is empty in eval mode', async (gpu) => {
  const x = tensor(gpu, new Float32Array(0), [0, 3, 4, 4]);
  const layer = layerOf(gpu, 3);
  x.requiresGrad = true;
  const y = tidy(() => {
    const out = batchNorm(x, { ...layer, ...OPTIONS, training: false });
    backward(out, x);
    return out;
  });
  assert.equal(y.shape, [0, 3, 4, 4]);
  assert.equal([...(await layer.weight.grad!.read()), ...(await layer.bias.grad!.read())], [0, 0, 0, 0, 0, 0]);
  disposeAll(x, y, x.grad, layer.weight.grad, layer.bias.grad, ...Object.values(layer));
});

gpuTest('batchNorm gives NaN in eval mode for a running variance below -eps, whatever weight and bias', async (gpu) => {
  const variances = [-1, -1e-6, Number.NaN, 1];
  for (const weight of [1, 0]) {
    const layer = layerOf(gpu, 4);
    write(layer.runningVar, Float32Array.from(variances));
    write(layer.weight, new Float32Array(4).fill(weight));
    const x = tensor(gpu, [0, 0.5, 1, 2], [1, 4]);
    x.requiresGrad = true;
    const relu = weight === 1;
    const y = tidy(() => {
      const out = batchNorm(x, { ...layer, ...OPTIONS, training: false, relu });
      backward(out, tensor(gpu, [1, 1, 1, 1], [1, 4]));
      return out;
    });
    const wrong = (values: ArrayLike<number>) => Array.from(values, Number.isNaN);
    assert.equal(wrong(await y.read()), [true, false, true, false], `y with weight ${weight}`);
    assert.equal(wrong(await x.grad!.read()), [true, false, true, false], `dx with weight ${weight}`);
    disposeAll(x, y, x.grad, layer.weight.grad, layer.bias.grad, ...Object.values(layer));
  }
});

gpuTest('batchNorm refuses what does not fit', (gpu) => {
  tidy(() => {
    const layer = layerOf(gpu, 3);
    const norm = (shape: Shape, training = true, other: Partial<Layer> = {}) =>
      batchNorm(tensor(gpu, new Float32Array(sizeOf(shape)), shape), { ...layer, ...other, ...OPTIONS, training });
    const tooFew =
      /batchNorm: Expected more than 1 value per channel when training, but x is \[1,3\]; use a larger batch, or eval\(\)/;
    assert.throws(() => norm([1, 3]), tooFew);
    assert.throws(() => norm([1, 3, 1, 1]), /Expected more than 1 value per channel/);
    assert.throws(() => norm([0, 3]), /Expected more than 1 value per channel/);
    norm([1, 3], false);
    assert.throws(() => norm([3]), /x must be \[n,c\], \[n,c,length\] or \[n,c,h,w\] but is \[3\]/);
    assert.throws(() => norm([2, 4]), /batchNorm: weight must be \[4\] but is \[3\]/);
    assert.throws(
      () => norm([2, 3], true, { runningVar: tensor(gpu, [1, 1]) }),
      /batchNorm: runningVar must be \[3\] but is \[2\]/,
    );
    const x = tensor(gpu, new Float32Array(6), [2, 3]);
    for (const [options, message] of [
      [{ eps: -1e-5 }, /batchNorm: eps must be a number >= 0 but is -0.00001/],
      [{ momentum: 9 }, /batchNorm: momentum must be a number from 0 to 1, or a Scalar but is 9/],
      [{ momentum: null }, /momentum must be a number from 0 to 1, or a Scalar but is null/],
      [{ training: 'yes' }, /training must be true or false but is 'yes'/],
      [{ running_var: x }, /unknown option running_var; did you mean runningVar\?/],
      [{ momentum: undefined, eps: undefined }, /batchNorm: momentum and eps are missing from the options/],
      [{ weight: null }, /weight must be a tensor but is null/],
    ] as const)
      assert.throws(() => batchNorm(x, { ...layer, ...OPTIONS, ...options } as never), message);
    const labels = tensor(gpu, new Uint32Array(6), [2, 3]);
    assert.throws(() => batchNorm(labels, { ...layer, ...OPTIONS }), /x must be f32 but is u32/);
  });
});

run();
