import * as assert from 'uvu/assert';
import { backward } from '../../src/autograd.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { Counter } from '../../src/gpu/scalar.ts';
import { Linear } from '../../src/nn/linear.ts';
import { Module } from '../../src/nn/module.ts';
import { Parameter } from '../../src/nn/parameter.ts';
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
    /Parameter: weight\[2,2\] wants 4 elements but data has 3/,
  );
});

gpuTest('what is no state is named: a promise of one, the whole of a file', (gpu) => {
  const layer = new Linear(gpu, { inFeatures: 1, outFeatures: 1, random: new Random(0) });
  const state = layer.stateDict();
  for (const wrong of [state, { tensors: new Map() }])
    assert.throws(
      () => layer.loadStateDict(wrong as never),
      /loadStateDict: Linear wants a Map, as `await stateDict\(\)` and/,
    );
  assert.throws(
    () => new Linear(gpu, { inFeatures: 1, outFeatures: 1, random: 1 as never }),
    /weight: random is missing; pass random: new Random\(seed\)/,
  );
  layer.dispose();
  return state.then(() => {});
});

run();
