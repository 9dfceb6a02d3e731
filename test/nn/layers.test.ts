import * as assert from 'uvu/assert';
import { backward, zeroGrad } from '../../src/autograd.ts';
import { capture } from '../../src/capture.ts';
import { countCalls } from '../../src/debug/deviceCalls.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import {
  AdaptiveAvgPool2d,
  AvgPool2d,
  BatchNorm1d,
  BatchNorm2d,
  Conv2d,
  Dropout,
  Flatten,
  freezeBatchNorm,
  Linear,
  MaxPool2d,
  type Module,
  ReLU,
  Sequential,
  Sigmoid,
} from '../../src/nn/index.ts';
import { Random } from '../../src/random.ts';
import { type Tensor, tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { assertClose, gpuTest, run, seeded, uniform } from '../harness.ts';

const images = (gpu: Gpu, shape: number[], seed = 1): Tensor => tensor(gpu, uniform(shape, seeded(seed)), shape, 'x');

gpuTest('layers begin as in PyTorch: uniform within 1/sqrt(fanIn), the same bits from the same seed', async (gpu) => {
  const make = (seed: number): Module[] => {
    const random = new Random(seed);
    return [
      new Linear(gpu, { inFeatures: 100, outFeatures: 64, random }),
      new Conv2d(gpu, { inChannels: 4, outChannels: 50, kernelSize: 5, random }),
      new Linear(gpu, { inFeatures: 3, outFeatures: 2, bias: false, random }),
    ];
  };
  const [first, again, other] = [make(5), make(5), make(6)];
  const states = await Promise.all(first.map((layer) => layer.stateDict()));
  assert.equal(await Promise.all(again.map((layer) => layer.stateDict())), states);
  assert.not.equal(await other[0]!.stateDict(), states[0]);
  for (const [i, bound] of [0.1, 0.1].entries()) {
    for (const { data } of states[i]!.values())
      assert.ok((data as Float32Array).every((w) => Math.abs(w) <= Math.fround(bound)));
    const weights = [...(states[i]!.get('weight')!.data as Float32Array)];
    const n = weights.length;
    assert.ok(
      Math.abs(weights.reduce((a, w) => a + w, 0) / n) < (4 * bound) / Math.sqrt(3 * n),
      'the mean is 0 within four standard errors',
    );
    const variance = weights.reduce((a, w) => a + w * w, 0) / n;
    assert.ok(Math.abs(variance / (bound ** 2 / 3) - 1) < 0.1, 'the variance is that of a uniform distribution');
  }
  assert.equal(states[0]!.get('weight')!.shape, [64, 100]);
  assert.equal(states[1]!.get('weight')!.shape, [50, 4, 5, 5]);
  assert.equal([...states[2]!.keys()], ['weight']);
  for (const layer of [...first, ...again, ...other]) layer.dispose();
});

const network = (gpu: Gpu): Sequential => {
  const random = new Random(2);
  return new Sequential(
    new Conv2d(gpu, { inChannels: 2, outChannels: 3, kernelSize: 3, padding: 1, random }),
    new BatchNorm2d(gpu, { numFeatures: 3 }),
    new ReLU(),
    new MaxPool2d({ kernelSize: 2 }),
    new Conv2d(gpu, { inChannels: 3, outChannels: 4, kernelSize: 2, random }),
    new ReLU(),
    new Flatten(),
    new Sequential(new Linear(gpu, { inFeatures: 36, outFeatures: 7, random }), new ReLU()),
    new Linear(gpu, { inFeatures: 7, outFeatures: 5, random }),
    new Sigmoid(),
  );
};

gpuTest('a sequence gives what its layers give one by one, with fewer dispatches', async (gpu) => {
  const model = network(gpu);
  const plain = network(gpu);
  const x = images(gpu, [6, 2, 8, 8]);
  const dy = images(gpu, [6, 5], 3);
  const walk = (layers: readonly Module[], input: Tensor): Tensor =>
    layers.reduce((y, layer) => (layer instanceof Sequential ? walk(layer.layers, y) : layer.forward(y)), input);
  const dispatches: number[] = [];
  const outputs: Float32Array[] = [];
  for (const [module, forward] of [
    [model, () => model.forward(x)],
    [plain, () => walk(plain.layers, x)],
  ] as const) {
    let y: Tensor | undefined;
    const calls = countCalls(gpu.native, () => {
      y = tidy(() => {
        const out = forward();
        backward(out, dy);
        return out;
      });
      gpu.submit();
    });
    dispatches.push(calls.dispatches);
    outputs.push(await y!.read());
    for (const p of module.parameters()) outputs.push(await p.grad!.read());
    y!.dispose();
  }
  const half = outputs.length / 2;
  for (let i = 0; i < half; i++)
    assertClose(`tensor ${i}`, outputs[i]!, outputs[half + i]!, { rtol: 1e-6, atol: 1e-7 });
  assert.ok(dispatches[0]! <= dispatches[1]! - 3, `${dispatches[0]} dispatches, one by one ${dispatches[1]}`);
  assert.equal(
    [...model.namedParameters()].map(([name]) => name),
    [
      ...[
        '0.weight',
        '0.bias',
        '1.weight',
        '1.bias',
        '4.weight',
        '4.bias',
        '7.0.weight',
        '7.0.bias',
        '8.weight',
        '8.bias',
      ],
    ],
  );
  for (const t of [model, plain, x, dy]) t.dispose();
});

gpuTest('batch norm counts its batches, eager and captured, and not in eval mode', async (gpu) => {
  const layer = new BatchNorm1d(gpu, { numFeatures: 3 });
  const x = images(gpu, [8, 3]);
  const forward = () => tidy(() => void layer.forward(x));
  const counted = async () => Number((await layer.stateDict()).get('num_batches_tracked')!.data[0]);
  forward();
  const step = await capture(gpu, forward);
  assert.is(await counted(), 1, 'a capture runs nothing');
  for (let i = 0; i < 3; i++) step.run();
  assert.is(await counted(), 4);
  const before = await layer.runningMean.read();
  layer.eval();
  forward();
  assert.is(await counted(), 4);
  assert.equal(await layer.runningMean.read(), before);
  const values = await x.read();
  const mean = [0, 1, 2].map((c) => values.filter((_, i) => i % 3 === c).reduce((a, v) => a + v, 0) / 8);
  assertClose(
    'running mean',
    before,
    mean.map((m) => m * (1 - 0.9 ** 4)),
    { rtol: 1e-5, atol: 1e-6 },
  );
  for (const t of [step, layer, x]) t.dispose();
});

gpuTest('batch norm without momentum averages all batches alike and continues from a loaded count', async (gpu) => {
  const batches = [1, 2, 3, 4].map((seed) => images(gpu, [5, 2, 3, 3], seed));
  let layer = new BatchNorm2d(gpu, { numFeatures: 2, momentum: null });
  const means: number[][] = [];
  for (const [i, x] of batches.entries()) {
    tidy(() => void layer.forward(x));
    const values = await x.read();
    means.push([0, 1].map((c) => values.filter((_, k) => Math.floor(k / 9) % 2 === c).reduce((a, v) => a + v, 0) / 45));
    const expected = [0, 1].map((c) => means.reduce((a, mean) => a + mean[c]!, 0) / means.length);
    assertClose(`after ${i + 1}`, await layer.runningMean.read(), expected, { rtol: 1e-5, atol: 1e-6 });
    const state = await layer.stateDict();
    layer.dispose();
    layer = new BatchNorm2d(gpu, { numFeatures: 2, momentum: null });
    layer.loadStateDict(state);
  }
  for (const t of [layer, ...batches]) t.dispose();
});

gpuTest('a frozen batch norm stays frozen in a network that trains, and through evalMode', async (gpu) => {
  const frozen = new BatchNorm1d(gpu, { numFeatures: 3 });
  const model = new Sequential(frozen, new BatchNorm1d(gpu, { numFeatures: 3 }));
  const x = images(gpu, [8, 3]);
  frozen.eval();
  const counts = async () => {
    const state = await model.stateDict();
    return [0, 1].map((i) => Number(state.get(`${i}.num_batches_tracked`)!.data[0]));
  };
  const iteration = () => tidy(() => backward(model.forward(x), x));
  iteration();
  const step = await capture(gpu, iteration);
  step.run();
  const restore = model.evalMode();
  tidy(() => void model.forward(x));
  restore();
  assert.not(frozen.training);
  iteration();
  assert.equal(await counts(), [0, 3]);
  assert.equal([...(await frozen.runningMean.read()), ...(await frozen.runningVar.read())], [0, 0, 0, 1, 1, 1]);
  // Its own parameters train on, from the statistics that stay: xhat is x / sqrt(1 + eps).
  assert.ok((await frozen.weight.grad!.read()).every((g) => g !== 0));
  for (const t of [step, model, x]) t.dispose();
});

gpuTest('freezeBatchNorm keeps the statistics while a network trains, also after train()', async (gpu) => {
  const model = new Sequential(new BatchNorm1d(gpu, { numFeatures: 3 }), new BatchNorm1d(gpu, { numFeatures: 3 }));
  const x = images(gpu, [8, 3]);
  freezeBatchNorm(model);
  model.train();
  const step = await capture(gpu, () => {
    zeroGrad(model.parameters());
    backward(model.forward(x), x);
  });
  step.run();
  const state = await model.stateDict();
  for (const i of [0, 1]) {
    assert.equal([...state.get(`${i}.running_mean`)!.data, ...state.get(`${i}.running_var`)!.data], [0, 0, 0, 1, 1, 1]);
    assert.is(state.get(`${i}.num_batches_tracked`)!.data[0], 0n);
  }
  // The gradient of x / sqrt(1 + eps) twice, as in eval mode: neither mean nor deviation of the batch is taken out of it.
  const bias = model.layers[0] as BatchNorm1d;
  const columns = [0, 1, 2].map((c) =>
    uniform([8, 3], seeded(1)).reduce((sum, v, i) => (i % 3 === c ? sum + v : sum), 0),
  );
  assertClose('dbias', await bias.bias.grad!.read(), columns, { rtol: 1e-4, atol: 1e-5 });
  freezeBatchNorm(model, false);
  assert.throws(() => step.run(), /frozen of BatchNorm1d is another one than at the capture/);
  tidy(() => void model.forward(x));
  assert.is((await model.stateDict()).get('0.num_batches_tracked')!.data[0], 1n);
  assert.throws(() => freezeBatchNorm([model] as never), /freezeBatchNorm: module must be a Module/);
  for (const t of [step, model, x]) t.dispose();
});

gpuTest('a global average pool takes the mean of each channel, and says what it cannot do', async (gpu) => {
  const x = tensor(gpu, [1, 2, 3, 6, -1, 1, 1, 3], [1, 2, 2, 2]);
  const pool = new AdaptiveAvgPool2d(1);
  const y = tidy(() => pool.forward(x));
  assert.equal(
    [y.shape, [...(await y.read())]],
    [
      [1, 2, 1, 1],
      [3, 1],
    ],
  );
  assert.throws(
    () => tidy(() => void pool.forward(x.view([2, 4]))),
    /AdaptiveAvgPool2d: x must be \[n, c, h, w\] but is \[2,4\]/,
  );
  assert.throws(
    () => new AdaptiveAvgPool2d(7 as never),
    /AdaptiveAvgPool2d: outputSize must be 1 \(use AvgPool2d\) but is 7/,
  );
  for (const t of [x, y]) t.dispose();
});

gpuTest("a rectifier before a max-pool is the pool's; a mean of windows is a layer too", async (gpu) => {
  const x = images(gpu, [2, 3, 6, 8]);
  const layers = [
    new ReLU(),
    new MaxPool2d({ kernelSize: 2 }),
    new AvgPool2d({ kernelSize: 3, stride: 1, padding: 1 }),
  ];
  x.requiresGrad = true;
  const dy = images(gpu, [2, 3, 3, 4], 2);
  const results: number[][] = [];
  for (const forward of [
    () => new Sequential(...layers).forward(x),
    () => layers.reduce((y, layer) => layer.forward(y), x),
  ]) {
    let y: Tensor | undefined;
    const { dispatches } = countCalls(gpu.native, () => {
      y = tidy(() => {
        const out = forward();
        backward(out, dy);
        return out;
      });
      gpu.submit();
    });
    results.push([dispatches, ...(await y!.read()), ...(await x.grad!.read())]);
    for (const t of [y!, x.grad!]) t.dispose();
    x.grad = null;
  }
  assert.equal([results[0]![0], results[1]![0]], [4, 6]);
  assert.equal(results[0]!.slice(1), results[1]!.slice(1));
  for (const t of [x, dy]) t.dispose();
});

gpuTest(
  'dropout draws other elements each time, is the identity in eval mode, and its stream can be resumed',
  async (gpu) => {
    const layer = new Dropout({ p: 0.4, seed: 9 });
    const x = tensor(gpu, new Float32Array(1000).fill(3));
    const forward = () => tidy(() => layer.forward(x));
    const values = async (y: Tensor) => {
      const data = await y.read();
      y.dispose();
      return [...data];
    };
    const state = await layer.stateDict({ all: true });
    const [first, second] = [await values(forward()), await values(forward())];
    assert.not.equal(first, second);
    const kept = first.filter((v) => v !== 0);
    assert.ok(kept.every((v) => Math.abs(v - 5) < 1e-5));
    assert.ok(Math.abs(kept.length / 1000 - 0.6) < 0.06);
    layer.loadStateDict(state, { all: true });
    const step = await capture(gpu, forward);
    for (const expected of [first, second]) {
      step.run();
      assert.equal([...(await step.result.read())], expected, 'captured runs draw what eager ones draw');
    }
    layer.eval();
    assert.equal(new Set(await values(forward())), new Set([3]));
    assert.throws(() => new Dropout({ p: 1.5 }), /^Dropout: p must be a number from 0 to 1 but is 1.5$/);
    for (const t of [step.result, step, x]) t.dispose();
  },
);

/** Share of the elements that two layers both keep or both drop. */
async function alike(a: Dropout, b: Dropout, x: Tensor): Promise<number> {
  const [u, v] = tidy(() => [a.forward(x), b.forward(x)]) as [Tensor, Tensor];
  const [kept, other] = [await u.read(), await v.read()];
  for (const y of [u, v]) y.dispose();
  return kept.filter((value, i) => value > 0 === other[i]! > 0).length / kept.length;
}

gpuTest('layers share a random stream only if they are given the same seed', async (gpu) => {
  const x = tensor(gpu, new Float32Array(16384).fill(1));
  // Eight standard errors of 16384 throws of a coin: 0.5 / sqrt(16384) each.
  const independent = (share: number) => Math.abs(share - 0.5) < 8 * (0.5 / 128);
  const layers = [
    new Dropout(),
    new Dropout({}),
    new Dropout({ p: 0.5 }),
    new Dropout({ p: 0.5, seed: 0 }),
    new Dropout({ seed: 1 }),
  ];
  for (const [i, a] of layers.entries()) {
    for (const b of layers.slice(i + 1)) assert.ok(independent(await alike(a, b, x)));
  }
  assert.is(await alike(new Dropout({ seed: 7 }), new Dropout({ seed: 7 }), x), 1);
  const twice = new Dropout();
  assert.ok(independent(await alike(twice, twice, x)), 'two draws of one layer');
  x.dispose();
});

gpuTest('default seeds follow the order of construction, far from the small seeds that people choose', async () => {
  const seeds: number[] = [];
  for (let i = 0; i < 100; i++) seeds.push(Number((await new Dropout().stateDict({ all: true })).get('seed')!.data[0]));
  assert.is(new Set(seeds).size, 100);
  assert.ok(seeds.every((seed) => seed > 1e6));
  const steps = seeds.slice(1).map((seed, i) => (seed - seeds[i]! + 2 ** 32) % 2 ** 32);
  assert.is(new Set(steps).size, 1, 'a rule, not the clock');
});

gpuTest(
  'a layer that loads a state continues its stream, in captured steps too, whatever seed it was made with',
  async (gpu) => {
    const x = tensor(gpu, new Float32Array(1000).fill(1));
    const [first, resumed] = [new Dropout(), new Dropout()];
    const values = async (layer: Dropout) => {
      const y = tidy(() => layer.forward(x));
      const data = await y.read();
      y.dispose();
      return data;
    };
    await values(first);
    const state = await first.stateDict({ all: true });
    assert.equal([...state.keys()], ['seed', 'counter']);
    assert.equal([...(await first.stateDict()).keys()], [], 'PyTorch knows neither');
    const expected = [await values(first), await values(first)];
    const step = await capture(gpu, () => resumed.forward(x));
    resumed.loadStateDict(state, { all: true });
    assert.equal(await values(resumed), expected[0]);
    resumed.loadStateDict(state, { all: true });
    for (const each of expected) {
      step.run();
      assert.equal(await step.result.read(), each);
    }
    // A state of before seeds were saved.
    state.delete('seed');
    resumed.loadStateDict(state, { all: true });
    assert.equal(await values(resumed), expected[0]);
    for (const held of [step, x]) held.dispose();
  },
);

gpuTest('inputs of other dimensions than a batch norm normalises are refused', (gpu) => {
  const [one, two] = [new BatchNorm1d(gpu, { numFeatures: 2 }), new BatchNorm2d(gpu, { numFeatures: 2 })];
  const [row, image] = [images(gpu, [4, 2]), images(gpu, [4, 2, 3, 3])];
  assert.throws(() => one.forward(image), /BatchNorm1d: x must be 2-dimensional or 3-dimensional but is \[4,2,3,3\]/);
  assert.throws(() => two.forward(row), /BatchNorm2d: x must be 4-dimensional but is \[4,2\]/);
  for (const t of [one, two, row, image]) t.dispose();
});

run();
