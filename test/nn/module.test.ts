import * as assert from 'uvu/assert';
import { backward } from '../../src/autograd.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { Counter } from '../../src/gpu/scalar.ts';
import { BatchNorm1d, Linear, Module, Parameter, Sequential } from '../../src/nn/index.ts';
import { relu } from '../../src/ops/relu.ts';
import { Random } from '../../src/random.ts';
import { type Tensor, tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { gpuTest, run } from '../harness.ts';

class Leaf extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | null;
  readonly mean: Tensor;
  readonly batches: Counter;
  readonly drawn: Counter;

  constructor(gpu: Gpu, size: number, bias = true) {
    super();
    this.weight = new Parameter(gpu, new Float32Array(size).fill(size), [size], 'weight');
    this.bias = bias ? new Parameter(gpu, new Float32Array([0.5]), [1], 'bias') : null;
    this.mean = this.registerBuffer('running_mean', tensor(gpu, [0, 0], [2], 'mean'));
    this.batches = this.registerBuffer('num_batches_tracked', new Counter(0));
    this.drawn = this.registerBuffer('counter', new Counter(0), { persistent: false });
  }

  forward(x: Tensor): Tensor {
    return relu(x);
  }
}

class Tree extends Module<{ y: Tensor }> {
  readonly scale: Parameter;
  readonly left: Leaf;
  readonly right: Leaf;
  readonly again: Leaf;

  constructor(gpu: Gpu) {
    super();
    this.scale = new Parameter(gpu, new Float32Array([2]), [], 'scale');
    this.left = new Leaf(gpu, 3);
    this.right = new Leaf(gpu, 2, false);
    this.again = this.left;
  }

  forward(x: Tensor): { y: Tensor } {
    return { y: this.left.forward(x) };
  }
}

gpuTest(
  'parameters and buffers are named and ordered as in PyTorch; what is shared is a parameter once',
  async (gpu) => {
    const tree = tidy(() => new Tree(gpu));
    assert.equal(
      [...tree.namedParameters()].map(([name]) => name),
      ['scale', 'left.weight', 'left.bias', 'right.weight'],
    );
    assert.equal(
      [...tree.parameters()].map((p) => p.size),
      [1, 3, 1, 2],
    );
    const ofLeaf = (prefix: string, parameters: string[]) =>
      [...parameters, 'running_mean', 'num_batches_tracked'].map((name) => `${prefix}.${name}`);
    const state = await tree.stateDict();
    assert.equal(
      [...state.keys()],
      [
        'scale',
        ...ofLeaf('left', ['weight', 'bias']),
        ...ofLeaf('right', ['weight']),
        ...ofLeaf('again', ['weight', 'bias']),
      ],
    );
    assert.equal(state.get('left.weight'), { shape: [3], data: Float32Array.of(3, 3, 3) });
    assert.equal(state.get('left.num_batches_tracked'), { shape: [], data: BigInt64Array.of(0n) });
    assert.equal(
      [...tree.namedModules()].map(([name]) => name),
      ['', 'left', 'right', 'again'],
    );
    tree.dispose();
    tree.dispose();
    assert.ok(tree.left.mean.isDisposed);
  },
);

gpuTest('a state goes over to another module, counters included', async (gpu) => {
  const [from, to] = [new Leaf(gpu, 4), new Leaf(gpu, 4)];
  from.batches.count = 17;
  from.drawn.count = 5;
  const state = await from.stateDict({ all: true });
  state.set('weight', { shape: [4], data: Float64Array.of(1, 2, 3, 0.1) });
  state.set('running_mean', { shape: [2], data: Float32Array.of(8, 9) });
  to.loadStateDict(state, { all: true });
  assert.equal([...(await to.weight.read())], [1, 2, 3, Math.fround(0.1)]);
  assert.equal([...(await to.mean.read())], [8, 9]);
  assert.is(to.batches.count, 17);
  assert.is(to.drawn.count, 5);
  assert.not((await from.stateDict()).has('counter'));
  from.dispose();
  to.dispose();
});

gpuTest('a state of another network is refused with every fault, and changes nothing', async (gpu) => {
  const leaf = new Leaf(gpu, 4);
  const state = await leaf.stateDict();
  state.delete('bias');
  state.set('fc.weight', { shape: [1], data: new Float32Array(1) });
  state.set('weight', { shape: [2, 2], data: Float32Array.of(9, 9, 9, 9) });
  state.set('running_mean', { shape: [2], data: Uint32Array.of(9, 9) });
  state.set('num_batches_tracked', { shape: [], data: BigInt64Array.of(-1n) });
  assert.throws(
    () => leaf.loadStateDict(state),
    'loadStateDict: the state does not fit Leaf: missing bias; not expected fc.weight; misshapen weight ([2,2], expected [4]), ' +
      'running_mean (Uint32Array, expected floats), num_batches_tracked (-1, expected a count below 2^32)',
  );
  assert.equal([...(await leaf.weight.read())], [4, 4, 4, 4]);
  state.set('num_batches_tracked', { shape: [], data: Float32Array.of(1) });
  assert.throws(() => leaf.loadStateDict(state), /num_batches_tracked \(Float32Array, expected a count\)/);
  leaf.dispose();
});

gpuTest('without strict, names may be missing on either side, but shapes must fit', async (gpu) => {
  const leaf = new Leaf(gpu, 2);
  leaf.loadStateDict(
    new Map([
      ['weight', { shape: [2], data: Float32Array.of(6, 7) }],
      ['head', { shape: [1], data: Float32Array.of(1) }],
    ]),
    { strict: false },
  );
  assert.equal([...(await leaf.weight.read())], [6, 7]);
  assert.is(await leaf.bias!.item(), 0.5);
  assert.throws(
    () => leaf.loadStateDict(new Map([['bias', { shape: [2], data: new Float32Array(2) }]]), { strict: false }),
    /misshapen bias/,
  );
  // Such as all names behind `module.`: nothing would be loaded.
  assert.throws(
    () => leaf.loadStateDict(new Map([['module.bias', { shape: [1], data: Float32Array.of(9) }]]), { strict: false }),
    /missing weight, bias, .*; not expected module\.bias/,
  );
  const double = (value: number) => new Map([['bias', { shape: [1], data: Float64Array.of(value) }]]);
  assert.throws(
    () => leaf.loadStateDict(double(1e39), { strict: false }),
    /misshapen bias \(1e\+39, beyond the largest f32\)/,
  );
  assert.is(await leaf.bias!.item(), 0.5);
  leaf.loadStateDict(double(Number.NEGATIVE_INFINITY), { strict: false });
  assert.is(await leaf.bias!.item(), Number.NEGATIVE_INFINITY);
  leaf.dispose();
});

gpuTest('loadStateDict returns the names that were missing and unexpected', async (gpu) => {
  const leaf = new Leaf(gpu, 2);
  const tree = new Tree(gpu);
  const state = await tree.stateDict();
  assert.equal(tree.loadStateDict(state), { missingKeys: [], unexpectedKeys: [] });
  state.delete('left.bias');
  state.delete('right.running_mean');
  state.set('head.weight', { shape: [1], data: Float32Array.of(1) });
  assert.equal(tree.loadStateDict(state, { strict: false }), {
    missingKeys: ['left.bias', 'right.running_mean'],
    unexpectedKeys: ['head.weight'],
  });
  assert.throws(() => tree.loadStateDict(state), /missing left\.bias, right\.running_mean; not expected head\.weight/);
  const weight = { shape: [2], data: Float32Array.of(6, 7) };
  assert.equal(leaf.loadStateDict(new Map([['weight', weight]]), { strict: false }).missingKeys, [
    ...['bias', 'running_mean', 'num_batches_tracked'],
  ]);
  for (const wrong of [false, { Strict: false }, { strict: 0 }])
    assert.throws(() => leaf.loadStateDict(new Map(), wrong as never), /^loadStateDict: /);
  await leaf.stateDict({ ALL: true } as never).then(
    () => assert.unreachable(),
    (error: Error) => assert.match(error.message, /^stateDict: unknown option ALL; did you mean all\?$/),
  );
  for (const held of [leaf, tree]) held.dispose();
});

gpuTest('a state of PyTorch before 0.4.1, without num_batches_tracked, loads and leaves the count', async (gpu) => {
  const net = new Sequential(new BatchNorm1d(gpu, { numFeatures: 1, momentum: null }));
  const [layer] = net.layers as [BatchNorm1d];
  const state = await net.stateDict();
  state.delete('0.num_batches_tracked');
  state.set('0.running_mean', { shape: [1], data: Float32Array.of(4) });
  for (const strict of [true, false])
    assert.equal(net.loadStateDict(state, { strict }), { missingKeys: [], unexpectedKeys: [] });
  assert.is(await layer.runningMean.item(), 4);
  const count = async () => (await net.stateDict()).get('0.num_batches_tracked')!.data[0];
  assert.is(await count(), 0n);
  const x = tensor(gpu, [[1], [3]]);
  tidy(() => void net.forward(x));
  assert.is(await layer.runningMean.item(), 2, 'the mean of one batch');
  net.loadStateDict(state);
  assert.is(await count(), 1n);
  state.delete('0.running_var');
  assert.throws(() => net.loadStateDict(state), /missing 0\.running_var$/);
  for (const held of [net, x]) held.dispose();
});

gpuTest('entries that are no tensors, or too short for their shape, are named, and nothing changes', async (gpu) => {
  const leaf = new Leaf(gpu, 2);
  for (const [entry, message] of [
    [Float32Array.of(1, 2), /misshapen bias \(expected \{ shape, data \}\)/],
    [{ shape: [1], data: [1] }, /misshapen bias \(expected \{ shape, data \}\)/],
    [{ shape: [1], data: Float32Array.of(1, 2) }, /misshapen bias \(\[1\] with 2 elements\)/],
  ] as const) {
    const state = await leaf.stateDict();
    state.set('weight', { shape: [2], data: Float32Array.of(8, 9) });
    state.set('bias', entry as never);
    assert.throws(() => leaf.loadStateDict(state), message);
  }
  assert.equal([...(await leaf.weight.read())], [2, 2]);
  leaf.dispose();
});

gpuTest('a state is that of the moment it was asked for', async (gpu) => {
  const leaf = new Leaf(gpu, 2);
  const asked = leaf.stateDict();
  leaf.loadStateDict(new Map([['weight', { shape: [2], data: Float32Array.of(6, 7) }]]), { strict: false });
  leaf.batches.count = 3;
  const state = await asked;
  assert.equal(state.get('weight')!.data, Float32Array.of(2, 2));
  assert.equal(state.get('num_batches_tracked')!.data, BigInt64Array.of(0n));
  leaf.dispose();
});

gpuTest('evalMode gives every module its own mode back', async (gpu) => {
  const tree = new Tree(gpu);
  tree.right.eval();
  const restore = tree.evalMode();
  assert.equal(
    [...tree.namedModules()].map(([, m]) => m.training),
    [false, false, false, false],
  );
  await gpu.idle();
  restore();
  assert.equal(
    [...tree.namedModules()].map(([, m]) => m.training),
    [true, true, false, true],
  );
  tree.eval();
  tree.evalMode()();
  assert.not(tree.left.training);
  assert.is(tree.train(), tree);
  assert.ok(tree.right.training);
  tree.dispose();
});

gpuTest('dispose frees gradients too', (gpu) => {
  const leaf = new Leaf(gpu, 3);
  const dy = tensor(gpu, [1, 1, 1]);
  tidy(() => backward(leaf.forward(leaf.weight), dy));
  const { grad } = leaf.weight;
  assert.ok(grad);
  leaf.dispose();
  assert.ok(grad.isDisposed);
  dy.dispose();
});

gpuTest('a parameter must have as many elements as its shape', (gpu) => {
  assert.throws(
    () => new Parameter(gpu, new Float32Array(3), [2, 2], 'weight'),
    /Parameter: weight\[2,2\] needs 4 elements but data has 3/,
  );
});

gpuTest('what is no state is named: a promise of one, the whole of a file', (gpu) => {
  const layer = new Linear(gpu, { inFeatures: 1, outFeatures: 1, random: new Random(0) });
  const state = layer.stateDict();
  for (const wrong of [state, { tensors: new Map() }])
    assert.throws(
      () => layer.loadStateDict(wrong as never),
      /loadStateDict: Linear needs a Map, as `await stateDict\(\)` and/,
    );
  assert.throws(
    () => new Linear(gpu, { inFeatures: 1, outFeatures: 1, random: 1 as never }),
    /^Linear: random must be a Random, such as new Random\(seed\), but is 1$/,
  );
  layer.dispose();
  return state.then(() => {});
});

run();
