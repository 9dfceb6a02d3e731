import * as assert from 'uvu/assert';
import * as reference from '../../reference/index.ts';
import { backward, zeroGrad } from '../../src/autograd.ts';
import { capture } from '../../src/capture.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { Counter } from '../../src/gpu/scalar.ts';
import { batchNorm } from '../../src/ops/batchNorm.ts';
import { type Shape, sizeOf } from '../../src/shape.ts';
import { empty, type Tensor, tensor, write } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { assertClose, gpuTest, run, seeded, uniform } from '../harness.ts';
import { between, checkArguments, checkOp, checkRefusals, nan, shapesOf } from './check.ts';

const EPS = 1e-5;
const OPTIONS = { training: true, momentum: 0.1, eps: EPS };

/** The channel of element `i`. */
const channelOf = (shape: Shape): ((i: number) => number) => {
  const spatial = sizeOf(shape.slice(2));
  return (i) => Math.floor(i / spatial) % shape[1]!;
};

// Around the lanes of a workgroup (8, 32, 256), one channel and several, one image, and enough values to be split.
const SHAPES = [
  ...['2x3', '8x5', '31x8', '33x9', '128x130', '257x1', '4100x3', '3x2x5', '2x3x1', '1x4x33', '4x3x1x1', '1x2x3x3'],
  ...['9x2x5x7', '65x3x1x2', '5x3x23x31', '40x2x17x16'],
];
const inputsOf = (text: string): string => {
  const c = shapesOf(text)[0]![1]!;
  return `${text} ${c} ${c}`;
};

for (const training of [true, false]) {
  for (const relu of [false, true]) {
    checkOp(
      `batchNorm ${JSON.stringify({ training, relu })}`,
      (x, weight, bias, runningMean, runningVar) =>
        batchNorm(x!, {
          ...{ weight: weight!, bias: bias!, runningMean: runningMean!, runningVar: runningVar! },
          ...{ ...OPTIONS, training, relu },
        }),
      (x, weight, bias, mean, variance) =>
        reference.batchNorm(x!, weight!, bias!, {
          ...{ eps: EPS, relu },
          running: training ? undefined : { mean: mean!, variance: variance! },
        }),
      {
        shapes: SHAPES.map(inputsOf),
        // Two halves around +-1, so that no channel of two values has next to no deviation.
        fill: (shape, random) => uniform(shape, random).map((v, i) => 0.3 * v + (i < sizeOf(shape) / 2 ? 1 : -1)),
        extra: ([, weight], random) => [uniform(weight!, random), between(0.1, 2.1)(weight!, random)],
        atol: 1e-5,
        gradientTolerance: 5e-4,
        // So small that no value crosses 0, where ReLU bends.
        step: 1e-6,
      },
    );
  }
}

/** A layer's tensors: weight 1, bias 0, mean 0, variance 1. */
class Layer {
  readonly weight: Tensor;
  readonly bias: Tensor;
  readonly runningMean: Tensor;
  readonly runningVar: Tensor;
  constructor(gpu: Gpu, c: number) {
    const of = (value: number) => tensor(gpu, new Float32Array(c).fill(value));
    [this.weight, this.bias, this.runningMean, this.runningVar] = [of(1), of(0), of(0), of(1)];
    this.weight.requiresGrad = this.bias.requiresGrad = true;
  }
  dispose(...others: (Tensor | null)[]): void {
    for (const t of [this.weight, this.bias, this.runningMean, this.runningVar, ...others]) t?.dispose();
  }
}

gpuTest('batchNorm moves the running statistics, the variance unbiased', async (gpu) => {
  for (const shape of SHAPES.flatMap(shapesOf)) {
    const data = uniform(shape, seeded(3));
    const x = tensor(gpu, data, shape);
    const layer = new Layer(gpu, shape[1]!);
    const y = tidy(() => batchNorm(x, { ...layer, ...OPTIONS, momentum: 0.25 }));
    const ones = { shape: [shape[1]!], data: new Float64Array(shape[1]!).fill(1) };
    const { mean, variance } = reference.batchNorm({ shape, data }, ones, ones);
    const m = data.length / shape[1]!;
    const [movedMean, movedVar] = [mean.map((v) => 0.25 * v), variance.map((v) => 0.75 + (0.25 * v * m) / (m - 1))];
    assertClose(`mean of ${shape}`, await layer.runningMean.read(), movedMean, { rtol: 1e-5, atol: 1e-6 });
    assertClose(`variance of ${shape}`, await layer.runningVar.read(), movedVar, { rtol: 1e-5, atol: 1e-6 });
    layer.dispose(x, y);
  }
});

gpuTest('batchNorm keeps its digits far from zero, and gives exactly 0 for a constant channel', async (gpu) => {
  const random = seeded(5);
  for (const shape of shapesOf('64x4 21x4x40x40')) {
    const channel = channelOf(shape);
    const centres = [1e4, 0.1, -3e6, 1e-4];
    const spread = [0.02, 0, 1, 1e-9];
    const data = uniform(shape, random).map((v, i) => centres[channel(i)]! + v * spread[channel(i)]!);
    const x = tensor(gpu, data, shape);
    const layer = new Layer(gpu, 4);
    const y = tidy(() => batchNorm(x, { ...layer, ...OPTIONS }));
    const [one, zero] = [1, 0].map((value) => ({ shape: [4], data: new Array(4).fill(value) }));
    const actual = await y.read();
    assertClose(`${shape}`, actual, reference.batchNorm({ shape, data }, one!, zero!).data, { rtol: 1e-4, atol: 1e-5 });
    assert.ok(actual.every((v, i) => channel(i) !== 1 || v === 0));
    layer.dispose(x, y);
  }
});

// The rounding of a sum of a million values is larger than this variance, which would be below zero on a CPU.
gpuTest('batchNorm has no variance below zero, however much rounding loses', async (gpu) => {
  const size = 1_000_000;
  const x = tensor(gpu, new Float32Array(size).fill(0.1, 1), [1, 1, size]);
  const layer = new Layer(gpu, 1);
  const y = tidy(() => batchNorm(x, { ...layer, training: true, momentum: 1, eps: 1e-9 }));
  assertClose('variance', await layer.runningVar.read(), [0.01 / size], { atol: 1.1e-8 });
  assert.ok((await layer.runningVar.item()) >= 0);
  assert.ok((await y.read()).every(Number.isFinite));
  layer.dispose(x, y);
});

gpuTest('batchNorm spreads a NaN over its channel and no further, backward too', async (gpu) => {
  for (const shape of shapesOf('6x3 40x3x17x16')) {
    const channel = channelOf(shape);
    const at = sizeOf(shape) - sizeOf(shape.slice(2)) - 1;
    for (const where of ['x', 'dy']) {
      const inputs = [1, 2].map((seed) => uniform(shape, seeded(seed)));
      inputs[where === 'x' ? 0 : 1]![at] = nan;
      const [x, dy] = inputs.map((data) => tensor(gpu, data, shape)) as [Tensor, Tensor];
      x.requiresGrad = true;
      const layer = new Layer(gpu, 3);
      const y = tidy(() => {
        const out = batchNorm(x, { ...layer, ...OPTIONS });
        backward(out, dy);
        return out;
      });
      const { runningMean, runningVar, weight, bias } = layer;
      const ofX = where === 'x';
      const check = (data: Float32Array, spoilt: boolean, of = channel) =>
        assert.ok(
          data.every((v, i) => Number.isNaN(v) === (spoilt && of(i) === channel(at))),
          `${where} ${shape}`,
        );
      check(await y.read(), ofX);
      for (const t of [runningMean, runningVar]) check(await t.read(), ofX, (i) => i);
      check(await x.grad!.read(), true);
      check(await weight.grad!.read(), true, (i) => i);
      check(await bias.grad!.read(), !ofX, (i) => i);
      layer.dispose(x, dy, y);
    }
  }
});

gpuTest('batchNorm with ReLU keeps NaN, and its gradient passes where y is NaN', async (gpu) => {
  const x = tensor(gpu, [1, nan, 3, -1, 2, -5], [3, 2]);
  x.requiresGrad = true;
  const layer = new Layer(gpu, 2);
  const y = tidy(() => {
    const out = batchNorm(x, { ...layer, ...OPTIONS, training: false, eps: 0, relu: true });
    backward(out, tensor(gpu, new Float32Array(6).fill(1), [3, 2]));
    return out;
  });
  assert.equal([...(await y.read())], [1, nan, 3, 0, 2, 0]);
  assert.equal([...(await x.grad!.read())], [1, 1, 1, 0, 1, 0]);
  assert.equal([...(await layer.bias.grad!.read())], [3, 1]);
  layer.dispose(x, y);
});

gpuTest(
  'batchNorm uses a counter once per forward, however many dispatches, and reads it at every replay',
  async (gpu) => {
    for (const shape of shapesOf('5x2 40x2x17x16')) {
      const momentum = new (class extends Counter {
        override advance(): void {
          this.value /= 2;
        }
      })(1);
      const data = uniform(shape, seeded(1));
      const x = tensor(gpu, data, shape);
      const layer = new Layer(gpu, 2);
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
      assert.is(momentum.value, 0.125, 'evaluation does not count');
      const ones = { shape: [2], data: [1, 1] };
      const { mean } = reference.batchNorm({ shape, data }, ones, ones);
      assertClose('mean', await layer.runningMean.read(), mean, { rtol: 1e-5, atol: 1e-6 });
      layer.dispose(x);
      step.dispose();
    }
  },
);

gpuTest('batchNorm computes only the gradients that are wanted', async (gpu) => {
  const data = uniform([8, 3], seeded(1));
  const x = tensor(gpu, data, [8, 3]);
  const layer = new Layer(gpu, 3);
  layer.weight.requiresGrad = false;
  tidy(() => backward(batchNorm(x, { ...layer, ...OPTIONS }), x));
  assert.equal([x.grad, layer.weight.grad], [null, null]);
  const sums = reference.sum({ shape: [8, 3], data }, { dim: 0 }).data;
  assertClose('dbias', await layer.bias.grad!.read(), sums, { rtol: 1e-5, atol: 1e-6 });
  layer.dispose(x);
});

gpuTest('batchNorm of no images is empty in evaluation', async (gpu) => {
  const x = empty(gpu, [0, 3, 4, 4]);
  const layer = new Layer(gpu, 3);
  x.requiresGrad = true;
  const y = tidy(() => {
    const out = batchNorm(x, { ...layer, ...OPTIONS, training: false });
    backward(out, x);
    return out;
  });
  assert.equal(y.shape, [0, 3, 4, 4]);
  assert.equal([...(await layer.weight.grad!.read()), ...(await layer.bias.grad!.read())], [0, 0, 0, 0, 0, 0]);
  layer.dispose(x, y);
});

gpuTest(
  'batchNorm gives NaN in evaluation for a running variance below -eps, whatever weight and bias',
  async (gpu) => {
    for (const weight of [1, 0]) {
      const layer = new Layer(gpu, 4);
      write(layer.runningVar, Float32Array.of(-1, -1e-6, nan, 1));
      write(layer.weight, new Float32Array(4).fill(weight));
      const x = tensor(gpu, [0, 0.5, 1, 2], [1, 4]);
      x.requiresGrad = true;
      const y = tidy(() => {
        const out = batchNorm(x, { ...layer, ...OPTIONS, training: false, relu: weight === 1 });
        backward(out, tensor(gpu, [1, 1, 1, 1], [1, 4]));
        return out;
      });
      for (const t of [y, x.grad!])
        assert.equal(Array.from(await t.read(), Number.isNaN), [true, false, true, false], `weight ${weight}`);
      layer.dispose(x, y);
    }
  },
);

checkArguments(
  'batchNorm',
  batchNorm,
  { x: 'f32 2x2' },
  { options: { weight: 'f32 2', bias: 'f32 2', runningMean: 'f32 2', runningVar: 'f32 2', ...OPTIONS } },
);
checkRefusals('batchNorm', (gpu) => {
  const of = (c: number) => empty(gpu, [c]);
  const layer = { weight: of(3), bias: of(3), runningMean: of(3), runningVar: of(3), ...OPTIONS };
  const norm = (shape: Shape) => () => batchNorm(empty(gpu, shape), layer);
  const using = (options: object) => () => batchNorm(empty(gpu, [2, 3]), { ...layer, ...options } as never);
  batchNorm(empty(gpu, [1, 3]), { ...layer, training: false });
  return [
    [
      norm([1, 3]),
      /batchNorm: Expected more than 1 value per channel when training, but x is \[1,3\]; use a larger batch, or eval\(\)/,
    ],
    [norm([1, 3, 1, 1]), /Expected more than 1 value per channel/],
    [norm([0, 3]), /Expected more than 1 value per channel/],
    [norm([3]), /x must be \[n,c\], \[n,c,length\] or \[n,c,h,w\] but is \[3\]/],
    [norm([2, 4]), /batchNorm: weight must be \[4\] but is \[3\]/],
    [using({ runningVar: of(2) }), /batchNorm: runningVar must be \[3\] but is \[2\]/],
    [using({ eps: -1e-5 }), /batchNorm: eps must be a number >= 0 but is -0.00001/],
    [using({ momentum: 9 }), /batchNorm: momentum must be a number from 0 to 1, or a Scalar but is 9/],
    [using({ momentum: null }), /momentum must be a number from 0 to 1, or a Scalar but is null/],
    [using({ training: 'yes' }), /training must be true or false but is 'yes'/],
    [using({ running_var: of(3) }), /unknown option running_var; did you mean runningVar\?/],
    [using({ momentum: undefined, eps: undefined }), /batchNorm: momentum and eps are missing from the options/],
    [using({ weight: null }), /weight must be a tensor but is null/],
  ];
});

run();
