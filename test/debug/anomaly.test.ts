import * as assert from 'uvu/assert';
import { backward, noGrad, record, zeroGrad } from '../../src/autograd.ts';
import { capture } from '../../src/capture.ts';
import { type Anomaly, AnomalyError, detectAnomaly } from '../../src/debug/anomaly.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { Linear } from '../../src/nn/linear.ts';
import { add } from '../../src/ops/add.ts';
import { crossEntropy } from '../../src/ops/crossEntropy.ts';
import { exp } from '../../src/ops/exp.ts';
import { log } from '../../src/ops/log.ts';
import { mul } from '../../src/ops/mul.ts';
import { relu } from '../../src/ops/relu.ts';
import { reshape } from '../../src/ops/reshape.ts';
import { scale } from '../../src/ops/scale.ts';
import { sum } from '../../src/ops/sum.ts';
import { Random } from '../../src/random.ts';
import { empty, type Tensor, tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { gpuTest, run, seeded, uniform } from '../harness.ts';

/** Returns the anomaly found while `body` runs on leaves of these values. */
async function found(
  gpu: Gpu,
  values: readonly (readonly number[] | Float32Array)[],
  body: (...leaves: Tensor[]) => Tensor,
): Promise<AnomalyError> {
  const leaves = values.map((data, i) => tensor(gpu, Float32Array.from(data), undefined, 'xyz'[i]));
  for (const leaf of leaves) leaf.requiresGrad = true;
  try {
    await detectAnomaly(gpu, () => tidy(() => backward(sum(body(...leaves)))));
  } catch (error) {
    return error as AnomalyError;
  } finally {
    zeroGrad(leaves);
    for (const leaf of leaves) leaf.dispose();
  }
  throw new Error('nothing was found');
}

const HUGE = 3e38;

const cases: [name: string, values: number[][], body: (...xs: Tensor[]) => Tensor, expected: Anomaly][] = [
  [
    'the logarithm of a negative number',
    [[1, 2, -3, -4]],
    (x) => exp(log(scale(reshape(x, [2, 2]), 2))),
    {
      op: 'log',
      call: 'log(scale[2,2])',
      pass: 'forward',
      tensor: 'output',
      shape: [2, 2],
      at: [1, 0],
      nan: 2,
      infinite: 0,
    },
  ],
  [
    'an exponential that overflows',
    [[0.5, 44.5, 1]],
    (x) => relu(exp(scale(x, 2))),
    { op: 'exp', call: 'exp(scale[3])', pass: 'forward', tensor: 'output', shape: [3], at: [1], nan: 0, infinite: 1 },
  ],
  [
    'a product of numbers that are finite each',
    [
      [1, HUGE],
      [1, 2],
    ],
    (x, y) => mul(x, y),
    { op: 'mul', call: 'mul(x[2], y[2])', pass: 'forward', tensor: 'output', shape: [2], at: [1], nan: 0, infinite: 1 },
  ],
  [
    'only in backward: the slope of a logarithm',
    [[1, 1e-30, 2]],
    (x) => scale(log(x), 1e20),
    {
      op: 'log',
      call: 'log(x[3])',
      pass: 'backward',
      tensor: 'gradient of input 0',
      shape: [3],
      at: [1],
      nan: 0,
      infinite: 1,
    },
  ],
  [
    'only in backward: of two like ops the one that overflows',
    [[1e-30], [1]],
    (x, y) => mul(scale(scale(x, 1e30), 1e30), y),
    {
      op: 'scale',
      call: 'scale(x[1])',
      pass: 'backward',
      tensor: 'gradient of input 0',
      shape: [1],
      at: [0],
      nan: 0,
      infinite: 1,
    },
  ],
  [
    'only in backward: the second input',
    [[1e20], [1e-20]],
    (x, y) => scale(mul(x, y), 1e30),
    {
      op: 'mul',
      call: 'mul(x[1], y[1])',
      pass: 'backward',
      tensor: 'gradient of input 1',
      shape: [1],
      at: [0],
      nan: 0,
      infinite: 1,
    },
  ],
  [
    'gradients of two uses, finite each, whose sum is not',
    [[1e-30, 1]],
    (x) => {
      const used = scale(x, 1e-3);
      return add(scale(used, HUGE), scale(used, HUGE));
    },
    {
      op: 'scale',
      call: 'scale(x[2])',
      pass: 'backward',
      tensor: 'gradient of output',
      shape: [2],
      at: [0],
      nan: 0,
      infinite: 2,
    },
  ],
  [
    'a leaf that was bad before',
    [
      [1, 2],
      [Number.NaN, Number.NEGATIVE_INFINITY],
    ],
    (x, y) => relu(add(exp(x), y)),
    {
      op: 'add',
      call: 'add(exp[2], y[2])',
      pass: 'forward',
      tensor: 'input 1',
      shape: [2],
      at: [0],
      nan: 1,
      infinite: 1,
    },
  ],
];

for (const [name, values, body, expected] of cases) {
  gpuTest(`found: ${name}`, async (gpu) => {
    const error = await found(gpu, values, body);
    assert.instance(error, AnomalyError);
    assert.equal(error.anomaly, expected);
    const { op, call, pass, tensor: what } = expected;
    assert.ok(error.message.startsWith(`${call}, ${pass}: its ${what} [`), error.message);
    assert.match(String((error.cause as Error).stack), `Error: ${op} was called here`);
  });
}

gpuTest('0 / 0: a loss in which no label weighs anything', async (gpu) => {
  const labels = tensor(gpu, Uint32Array.of(1, 1));
  const weight = tensor(gpu, [1, 0]);
  const { anomaly } = await found(gpu, [[1, 2, 3, 4]], (x) => crossEntropy(reshape(x, [2, 2]), labels, { weight }));
  assert.equal(
    [anomaly.op, anomaly.pass, anomaly.shape, anomaly.at, anomaly.nan],
    ['crossEntropy', 'forward', [], [], 1],
  );
  for (const one of [labels, weight]) one.dispose();
});

gpuTest('a message says what, how much and where', async (gpu) => {
  const { message } = await found(gpu, [[-1, 0, 1, -2]], (x) => log(reshape(x, [2, 2])));
  assert.is(message, 'log(x[2,2]), forward: its output [2,2] has 2 NaN and 1 infinite, the first at [0,0]');
});

gpuTest('the last element of more than 65,535 workgroups', async (gpu) => {
  const values = new Float32Array(65_536 * 64 + 1).fill(1);
  values[values.length - 1] = -1;
  const { anomaly } = await found(gpu, [values], (x) => log(x));
  assert.equal([anomaly.at, anomaly.nan], [[values.length - 1], 1]);
});

gpuTest('a network that becomes NaN in the middle: messages use the names of parameters', async (gpu) => {
  const random = new Random(1);
  const [first, second] = [
    new Linear(gpu, { inFeatures: 5, outFeatures: 7, random }),
    new Linear(gpu, { inFeatures: 7, outFeatures: 3, random }),
  ];
  const names = new Map<Tensor, string>();
  for (const [at, layer] of [first, second].entries())
    for (const [name, parameter] of layer.namedParameters()) names.set(parameter, `${at}.${name}`);
  const x = tensor(gpu, uniform([4, 5], seeded(1)), [4, 5]);
  const pass = (steep: number) => tidy(() => backward(sum(second.forward(exp(scale(relu(first.forward(x)), steep))))));
  const anomalyOf = (steep: number) =>
    detectAnomaly(gpu, () => pass(steep), names).then(
      () => undefined,
      (error: AnomalyError) => error.anomaly,
    );
  assert.is(await anomalyOf(1), undefined);
  const { op, pass: direction, tensor: what } = (await anomalyOf(1e5))!;
  assert.equal([op, direction, what], ['exp', 'forward', 'output']);
  gpu.queue.write(second.weight.storage.buffer, second.weight.byteOffset, Float32Array.of(Number.NaN));
  const bad = (await anomalyOf(1))!;
  assert.equal([bad.tensor, bad.at], ['input 1', [0, 0]]);
  assert.is(bad.call, 'linear(exp[4,7], 1.weight[3,7], 1.bias[3])');
  zeroGrad([...first.parameters(), ...second.parameters()]);
  for (const one of [first, second, x]) one.dispose();
});

gpuTest('custom ops, and ops without a graph, are checked too', async (gpu) => {
  const x = tensor(gpu, [1, 2]);
  x.requiresGrad = true;
  const twice = (a: Tensor) => record('twice', [a], scale(a, 2), [], (dy) => [scale(dy, Number.POSITIVE_INFINITY)]);
  const error = await detectAnomaly(gpu, () => tidy(() => backward(sum(twice(x))))).catch((e) => e);
  // Its backward is made of another op.
  assert.equal([error.anomaly.op, error.anomaly.pass, error.anomaly.shape], ['scale', 'forward', [2]]);
  const without = await detectAnomaly(gpu, () => tidy(() => noGrad(() => void log(scale(x, -1))))).catch((e) => e);
  assert.equal([without.anomaly.op, without.anomaly.nan], ['log', 2]);
  zeroGrad([x]);
  x.dispose();
});

gpuTest(
  'where all is finite, or nothing is computed, the result comes back, and the bits are the same',
  async (gpu) => {
    const x = tensor(gpu, uniform([3, 5], seeded(2)), [3, 5]);
    const none = empty(gpu, [0, 5]);
    const work = () => tidy(() => exp(scale(x, 2)));
    const plain = work();
    const looked = await detectAnomaly(gpu, work);
    assert.equal(await looked.read(), await plain.read());
    assert.is(await detectAnomaly(gpu, async () => 'done'), 'done');
    (await detectAnomaly(gpu, () => relu(none))).dispose();
    for (const one of [x, none, plain, looked]) one.dispose();
  },
);

gpuTest('several awaited calls in one: the first anomaly counts', async (gpu) => {
  const x = tensor(gpu, [-1]);
  const error = await detectAnomaly(gpu, async () => {
    for (const op of [relu, exp, log, exp]) {
      const y = op(x);
      await y.read();
      y.dispose();
    }
    throw new Error('the loss is NaN');
  }).catch((e) => e);
  assert.equal([error.anomaly.op, error.anomaly.nan], ['log', 1]);
  x.dispose();
});

gpuTest('errors of the function come through, and the next detectAnomaly can start', async (gpu) => {
  const x = tensor(gpu, [1]);
  const own = await detectAnomaly(gpu, () => {
    throw new Error('mine');
  }).catch((e) => e);
  assert.is(own.message, 'mine');
  const nested = await detectAnomaly(gpu, () => detectAnomaly(gpu, () => 1)).catch((e) => e);
  assert.match(nested.message, /one is already running/);
  const captured = await detectAnomaly(gpu, () => capture(gpu, () => relu(x))).catch((e) => e);
  assert.match(captured.message, /detectAnomaly cannot be replayed/);
  assert.is(await detectAnomaly(gpu, () => 2), 2);
  x.dispose();
});

run();
