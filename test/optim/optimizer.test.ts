import * as assert from 'uvu/assert';
import { adamStep, parameterOf, type ReferenceParameter, sgdStep } from '../../reference/index.ts';
import { backward } from '../../src/autograd.ts';
import { capture } from '../../src/capture.ts';
import { countCalls } from '../../src/debug/deviceCalls.ts';
import { firstNotFinite } from '../../src/debug/finiteWatch.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { native } from '../../src/io/buffers.ts';
import { Parameter } from '../../src/nn/parameter.ts';
import { relu } from '../../src/ops/relu.ts';
import { Adam, AdamW, type Optimizer, type ParametersOrGroups, Sgd } from '../../src/optim/index.ts';
import { type Tensor, tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { assertClose, gpuTest, run, seeded, uniform } from '../harness.ts';

// Every optimiser in what they share and in what tells them apart, on parameters around the size of a block.

const SIZES = [1, 63, 64, 65, 1009];

interface Kind {
  make: (parameters: ParametersOrGroups) => Optimizer;
  reference: (p: ReferenceParameter, gradient: Float32Array | null) => void;
  lr: number;
}

const kinds: Record<string, Kind> = {
  'sgd without momentum': { make: (p) => new Sgd(p, { lr: 0.1 }), reference: (p, g) => sgdStep(p, g, {}), lr: 0.1 },
  'sgd with dampening': {
    make: (p) => new Sgd(p, { lr: 0.1, momentum: 0.9, dampening: 0.3 }),
    reference: (p, g) => sgdStep(p, g, { momentum: 0.9, dampening: 0.3 }),
    lr: 0.1,
  },
  'sgd with nesterov': {
    make: (p) => new Sgd(p, { lr: 0.1, momentum: 0.9, nesterov: true }),
    reference: (p, g) => sgdStep(p, g, { momentum: 0.9, nesterov: true }),
    lr: 0.1,
  },
  adam: { make: (p) => new Adam(p), reference: (p, g) => adamStep(p, g, {}), lr: 0.001 },
  'adam with other betas': {
    make: (p) => new Adam(p, { lr: 0.01, betas: [0, 0.9999], eps: 1e-6 }),
    reference: (p, g) => adamStep(p, g, { lr: 0.01, betas: [0, 0.9999], eps: 1e-6 }),
    lr: 0.01,
  },
  // A short memory of squares, so that the largest is often not the latest.
  amsgrad: {
    make: (p) => new Adam(p, { betas: [0.9, 0.3], amsgrad: true }),
    reference: (p, g) => adamStep(p, g, { betas: [0.9, 0.3], amsgrad: true }),
    lr: 0.001,
  },
  adamw: {
    make: (p) => new AdamW(p, { lr: 0.01 }),
    reference: (p, g) => adamStep(p, g, { lr: 0.01, decoupled: true }),
    lr: 0.01,
  },
};

const parametersOf = (gpu: Gpu, random: () => number): Parameter[] =>
  SIZES.map((n, i) => new Parameter(gpu, uniform([n], random), [n], `p${i}`));

const setGradient = (p: Parameter, gradient: Float32Array | null): void => {
  p.grad = gradient && tensor(p.gpu, gradient, p.shape, 'gradient');
};

const contents = (parameters: readonly Parameter[]): Promise<Float32Array[]> =>
  Promise.all(parameters.map((p) => p.read()));

const disposeAll = (optimizer: Optimizer, parameters: readonly Parameter[]): void => {
  optimizer.dispose();
  for (const p of parameters) p.dispose();
};

// Which of the parameters have a gradient at a step: the last appears at the third step, the second leaves and returns.
const present = (i: number, step: number): boolean =>
  i === SIZES.length - 1 ? step >= 2 : i === 1 ? step !== 1 && step !== 2 : true;

for (const [name, { make, reference, lr }] of Object.entries(kinds)) {
  gpuTest(`${name}: groups, and gradients that come and go, as in PyTorch`, async (gpu) => {
    const random = seeded(7);
    const parameters = parametersOf(gpu, random);
    const groups = [
      { params: parameters.slice(0, 2), lrMultiplier: 0.1 },
      { params: parameters.slice(2), weightDecay: 0.02 },
    ];
    const optimizer = make(groups);
    const truth = await Promise.all(
      parameters.map(async (p, i) =>
        parameterOf(await p.read(), i < 2 ? 0.1 : 1, optimizer.groups[i < 2 ? 0 : 1]!.weightDecay),
      ),
    );
    for (let step = 0; step < 6; step++) {
      for (const [i, p] of parameters.entries()) {
        const gradient = present(i, step) ? uniform(p.shape, random, 2) : null;
        setGradient(p, gradient);
        reference(truth[i]!, gradient);
      }
      optimizer.step();
      optimizer.zeroGrad();
    }
    for (const [i, value] of (await contents(parameters)).entries())
      assertClose(`${name} p${i}`, value, truth[i]!.value, { rtol: 1e-5, atol: 1e-6 });
    const state = await optimizer.stateDict();
    assert.is(state.get('lr')!.data[0], lr);
    for (const [i, { step, state: expected }] of truth.entries()) {
      assert.is(state.get(`${i}.step`)!.data[0], BigInt(step));
      for (const key of ['momentum_buffer', 'exp_avg', 'exp_avg_sq', 'max_exp_avg_sq']) {
        const actual = state.get(`${i}.${key}`);
        if (actual)
          assertClose(`${name} ${i}.${key}`, actual.data as Float32Array, expected[key]!, { rtol: 1e-5, atol: 1e-6 });
      }
    }
    disposeAll(optimizer, parameters);
  });

  gpuTest(`${name}: captured steps follow lr and equal eager ones bit by bit`, async (gpu) => {
    const results: Float32Array[][] = [];
    for (const captured of [false, true]) {
      const random = seeded(3);
      const parameters = parametersOf(gpu, random);
      const optimizer = make(parameters);
      const dy = parameters.map((p) => tensor(gpu, uniform(p.shape, random)));
      // The last parameter is in no loss: without a gradient it must stay as it is.
      const lossAndUpdate = () =>
        tidy(() => {
          optimizer.zeroGrad();
          for (const [i, p] of parameters.slice(0, -1).entries()) backward(relu(p), dy[i]!);
          optimizer.step();
        });
      lossAndUpdate();
      const step = captured ? await capture(gpu, lossAndUpdate) : null;
      for (let i = 0; i < 4; i++) {
        optimizer.lr.value = lr / (i + 1);
        if (step) step.run();
        else lossAndUpdate();
      }
      const state = await optimizer.stateDict();
      results.push([
        ...(await contents(parameters)),
        ...[...state.values()].map(({ data }) => Float32Array.from(data as Float32Array, Number)),
      ]);
      step?.dispose();
      for (const t of dy) t.dispose();
      disposeAll(optimizer, parameters);
    }
    assert.equal(results[1], results[0]);
  });

  gpuTest(`${name}: training continues from a saved state as if nothing had happened`, async (gpu) => {
    const runs = [];
    for (const interrupted of [false, true]) {
      const random = seeded(5);
      let parameters = parametersOf(gpu, random);
      let optimizer = make(parameters);
      optimizer.lr.value = lr / 3;
      for (let step = 0; step < 5; step++) {
        if (interrupted && step === 3) {
          const [values, state] = [await contents(parameters), await optimizer.stateDict()];
          disposeAll(optimizer, parameters);
          parameters = values.map((value, i) => new Parameter(gpu, value, [SIZES[i]!]));
          optimizer = make(parameters);
          optimizer.loadStateDict(state);
        }
        for (const [i, p] of parameters.entries()) setGradient(p, present(i, step) ? uniform(p.shape, random) : null);
        optimizer.step();
        optimizer.zeroGrad();
      }
      runs.push({ values: await contents(parameters), state: await optimizer.stateDict() });
      disposeAll(optimizer, parameters);
    }
    assert.equal(runs[1], runs[0]);
  });

  gpuTest(`${name}: a NaN in a gradient reaches its parameter and no other`, async (gpu) => {
    const parameters = [
      new Parameter(gpu, new Float32Array([1, 2, 3, 4, 5]), [5]),
      new Parameter(gpu, new Float32Array([1]), [1]),
    ];
    const optimizer = make(parameters);
    for (const gradient of [
      [1, Number.NaN, 1, 1, 1],
      [1, 1, 1, 1, 1],
    ]) {
      setGradient(parameters[0]!, Float32Array.from(gradient));
      setGradient(parameters[1]!, new Float32Array([1]));
      optimizer.step();
      optimizer.zeroGrad();
    }
    const [first, second] = await contents(parameters);
    assert.equal([...first!, ...second!].map(Number.isNaN), [false, true, false, false, false, false]);
    // The next update is that of iteration 12.
    const names = new Map([[parameters[0]!, 'first']]);
    assert.equal(await firstNotFinite(optimizer, 12, names), { iteration: 10, what: 'gradient of first' });
    optimizer.loadStateDict(await optimizer.stateDict());
    assert.is(await firstNotFinite(optimizer, 12, names), undefined);
    setGradient(parameters[0]!, new Float32Array(5));
    optimizer.step();
    optimizer.zeroGrad();
    assert.equal(await firstNotFinite(optimizer, 13, names), { iteration: 12, what: 'first' });
    disposeAll(optimizer, parameters);
  });
}

gpuTest('an update is one dispatch, and all parameters and gradients share two buffers', async (gpu) => {
  const random = seeded(1);
  const parameters = parametersOf(gpu, random);
  const before = await contents(parameters);
  const optimizer = new Sgd(parameters, { lr: 1, momentum: 0.9 });
  assert.equal(await contents(parameters), before, 'moving keeps the values');
  const places = parameters.map(native);
  assert.is(new Set(places.map(({ buffer }) => buffer)).size, 1);
  assert.ok(places.every(({ byteOffset }) => byteOffset % 256 === 0));
  const dy = parameters.map((p) => tensor(gpu, uniform(p.shape, random)));
  tidy(() => {
    for (const [i, p] of parameters.entries()) backward(relu(p), dy[i]!);
  });
  assert.is(new Set(parameters.map((p) => native(p.grad!).buffer)).size, 1);
  assert.ok(native(parameters[0]!.grad!).buffer !== places[0]!.buffer);
  const calls = countCalls(gpu.native, () => {
    optimizer.step();
    gpu.submit();
  });
  assert.is(calls.dispatches, 1);
  for (const t of dy) t.dispose();
  disposeAll(optimizer, parameters);
});

gpuTest('a padded end of a block stays zero', async (gpu) => {
  for (const { make } of Object.values(kinds)) {
    const p = new Parameter(gpu, new Float32Array(3).fill(1), [3]);
    const last = new Parameter(gpu, new Float32Array(64), [64]);
    const optimizer = make([p, last]);
    for (let i = 0; i < 3; i++) {
      setGradient(p, new Float32Array([1, 2, 3]));
      optimizer.step();
    }
    const block = p.view([64]);
    assert.equal([...(await block.read())].slice(3), new Array(61).fill(0));
    block.dispose();
    disposeAll(optimizer, [p, last]);
  }
});

gpuTest('a gradient computed before the optimiser was made counts', async (gpu) => {
  const p = new Parameter(gpu, new Float32Array([1, 2]), [2]);
  setGradient(p, new Float32Array([10, 20]));
  const optimizer = new Sgd([p], { lr: 0.1 });
  optimizer.step();
  assert.equal([...(await p.read())], [0, 0]);
  const small = tensor(gpu, [1]);
  assert.throws(() => {
    p.grad = small;
  }, /grad: parameter\[2\] takes an f32 tensor of its shape/);
  small.dispose();
  disposeAll(optimizer, [p]);
});

gpuTest('a parameter belongs to one optimiser at a time', async (gpu) => {
  const [a, b] = [
    new Parameter(gpu, new Float32Array([1]), [1], 'a'),
    new Parameter(gpu, new Float32Array([2]), [1], 'b'),
  ];
  const first = new Sgd([a, b], { lr: 1 });
  assert.throws(() => new Adam([a]), /Adam: a\[1\] belongs to another optimiser; dispose that one first/);
  first.dispose();
  first.dispose();
  const second = new Adam([b]);
  setGradient(b, new Float32Array([1]));
  second.step();
  assert.ok(Math.abs((await b.item()) - 1.999) < 1e-6);
  assert.is(await a.item(), 1);
  disposeAll(second, [a, b]);
});

gpuTest('a captured step must not lose the parameters it reads', async (gpu) => {
  const p = new Parameter(gpu, new Float32Array([1]), [1], 'weight');
  const step = await capture(gpu, () => void relu(p));
  assert.throws(
    () => new Sgd([p], { lr: 1 }),
    /weight\[1\] must move into the optimiser's buffer, but a captured step or a view holds it; make the optimiser first/,
  );
  step.dispose();
  const error = await capture(gpu, () => void new Sgd([p], { lr: 1 })).then(
    () => '',
    (e: Error) => e.message,
  );
  assert.match(error, /making Sgd cannot be replayed/);
  const optimizer = new Sgd([p], { lr: 1 });
  disposeAll(optimizer, [p]);
});

gpuTest('what is no list of parameters is refused', (gpu) => {
  const p = new Parameter(gpu, new Float32Array([1]), [1], 'p');
  const words = tensor(gpu, new Uint32Array(1), undefined, 'words');
  const computed: Tensor = relu(p);
  assert.throws(() => new Sgd([], { lr: 1 }), /Sgd: got no parameters/);
  assert.throws(() => new Sgd([p, p], { lr: 1 }), /Sgd: p\[1\] was passed twice/);
  assert.throws(() => new Sgd([words], { lr: 1 }), /Sgd: words\[1\] is u32; parameters must be f32/);
  assert.throws(() => new Sgd([computed], { lr: 1 }), /Sgd: relu\[1\] was computed by relu; parameters must be leaves/);
  assert.throws(() => new Sgd([p], { lr: -1 }), /Sgd: lr must be a number >= 0 but is -1/);
  assert.throws(
    () => new Sgd([{ params: [p], lrMultiplier: Number.NaN }], { lr: 1 }),
    /lrMultiplier must be a number >= 0 but is NaN/,
  );
  assert.throws(() => new Sgd([p], { lr: 1, nesterov: true }), /nesterov needs momentum > 0 and dampening 0/);
  assert.throws(
    () => new Adam([p], { betas: [0.9, 1] }),
    /Adam: betas must be two numbers in \[0, 1\) but is \[0.9,1\]/,
  );
  for (const t of [p, words, computed]) t.dispose();
});

gpuTest('a state of other parameters is refused with all that is wrong with it', async (gpu) => {
  const p = new Parameter(gpu, new Float32Array([1, 2]), [2]);
  const optimizer = new Sgd([p], { lr: 1, momentum: 0.9 });
  const state = await optimizer.stateDict();
  state.delete('0.step');
  state.set('1.step', { shape: [], data: BigInt64Array.of(1n) });
  state.set('0.momentum_buffer', { shape: [3], data: new Float32Array(3) });
  assert.throws(
    () => optimizer.loadStateDict(state),
    'loadStateDict: the state does not fit Sgd: missing 0.step; not expected 1.step; misshapen 0.momentum_buffer ([3], expected [2])',
  );
  disposeAll(optimizer, [p]);
});

run();
