import * as assert from 'uvu/assert';
import type { HostFeatures } from '../../src/data/host.ts';
import { Mlp, mlp } from '../../src/models/mlp.ts';
import { defaultModelName, MODELS } from '../../src/models/named.ts';
import { MODEL_NAMES } from '../../src/models/names.ts';
import { smallCnn } from '../../src/models/smallCnn.ts';
import { Random } from '../../src/random.ts';
import { tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { train } from '../../src/train/loop.ts';
import { pada } from '../../src/train/methods/pada.ts';
import { assertClose, gpuTest, run, seeded, uniform } from '../harness.ts';

/** Points in the square: those of equal signs are of class 0, the others of class 1. The third class is far away. */
function corners(count: number, seed: number, classes = 3): HostFeatures {
  const random = seeded(seed);
  const labels = Uint32Array.from({ length: count }, (_, i) => i % classes);
  const features = new Float32Array(2 * count);
  for (const [i, label] of labels.entries()) {
    const x = random() < 0.5 ? -1 : 1;
    const y = label === 1 ? -x : x;
    features.set(
      [x, y].map((v) => v + 0.3 * (2 * random() - 1) + (label === 2 ? 8 : 0)),
      2 * i,
    );
  }
  return { features, labels, count, dim: 2 };
}

gpuTest('an mlp learns classes that no line separates, and adapts', async (gpu) => {
  const [source, target] = [corners(120, 1), corners(80, 2, 2)];
  const { result, trainer } = await train({
    ...{ gpu, source, target, targetTest: corners(40, 3, 2), method: pada({ classWeightUpdateSteps: 20 }) },
    ...{ model: mlp, batchSize: 20, iterations: 60 },
  });
  assert.ok(result.targetAccuracy! > 95, `${result.targetAccuracy} %`);
  const model: Mlp = trainer.model;
  const state = await model.stateDict();
  assert.equal(
    [...state].filter(([, { shape }]) => shape.length === 2).map(([name, { shape }]) => `${name} [${shape}]`),
    ['backbone.0.weight [256,2]', 'bottleneck.0.weight [128,256]', 'head.weight [3,128]'],
  );
  trainer.dispose();

  const wide = new Mlp(gpu, { shape: [7], numClasses: 2, hidden: [], featuresDim: 300, random: new Random(1) });
  assert.equal([...wide.parameters()].map(({ shape }) => shape).slice(0, 1), [[300, 7]]);
  assert.is(wide.geometry!.largestBuffer([7], 3), 4 * 3 * 300);
  assert.is(mlp.geometry.largestBuffer([1000], 2), 4 * 2 * 1000);
  wide.dispose();

  // smallCnn is the default, and names the model to take.
  const error = await train({ gpu, source, target, method: pada(), batchSize: 20 }).catch((e) => e);
  assert.is(
    error.message,
    'SmallCnn: examples are [2]; it needs images, [channels, height, width]; use mlp for vectors',
  );
});

gpuTest('an mlp computes linear layers with ReLU, a batch norm and a head', async (gpu) => {
  const model = new Mlp(gpu, { shape: [4], numClasses: 3, hidden: [6], featuresDim: 5, random: new Random(3) }).eval();
  const input = uniform([1, 4], seeded(7), 2);
  const x = tensor(gpu, input, [1, 4]);
  const { logits, features } = tidy(() => model.forward(x));
  const state = await model.stateDict();
  const linear = (name: string, v: number[]): number[] => {
    const [weight, bias] = ['weight', 'bias'].map((part) => state.get(`${name}.${part}`)!.data as Float32Array);
    return [...bias!].map((b, o) => v.reduce((sum, value, i) => sum + value * weight![o * v.length + i]!, b));
  };
  const rectified = (v: number[]) => v.map((value) => Math.max(value, 0));
  const hidden = rectified(linear('backbone.0', [...input]));
  assert.ok(hidden.includes(0));
  // Fresh running statistics: mean 0, variance 1.
  const expected = rectified(linear('bottleneck.0', hidden).map((v) => v / Math.sqrt(1 + 1e-5)));
  assertClose('features', await features.read(), expected, { rtol: 1e-5, atol: 1e-6 });
  assertClose('logits', await logits.read(), linear('head', expected), { rtol: 1e-5, atol: 1e-6 });
  for (const t of [x, logits, features, model]) t.dispose();
});

gpuTest('models have names, and examples have a default model', () => {
  assert.equal(Object.keys(MODELS), [...MODEL_NAMES]);
  assert.is(MODELS[defaultModelName([512])], mlp);
  assert.is(MODELS[defaultModelName([3, 64, 64])], smallCnn);
});

run();
