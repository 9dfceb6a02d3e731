import * as assert from 'uvu/assert';
import { createGpu } from '../../src/gemm/createGpu.ts';
import { Counter } from '../../src/gpu/scalar.ts';
import * as ops from '../../src/ops/index.ts';
import { empty, type Tensor, tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { gpuTest, run } from '../harness.ts';

// What every op refuses: an argument that is no tensor, a tensor of the other element type or of another Gpu, an options
// object with an unknown name, and something else in its place.

type Op = (...args: never[]) => unknown;
const matrix = (): number[][] => [
  [0.1, 0.2],
  [0.3, 0.4],
];
const f32 = matrix();
const u32 = Uint32Array.of(0, 1);
const image = { data: new Float32Array(16), shape: [1, 1, 4, 4] };
const channels = [0.5, 0.5];
const norm = { weight: channels, bias: channels, runningMean: channels, runningVar: channels };

type Data = number[] | number[][] | Uint32Array | { data: Float32Array; shape: number[] };
interface Case {
  op: Op;
  /** Its tensors, by name. */
  tensors: Record<string, Data>;
  /** Required options; null if it has none. */
  options: Record<string, unknown> | null;
  /** Takes tensors of either element type. */
  anyType?: boolean;
  /** Arguments after the tensors. */
  more?: unknown[];
}

const CASES: Record<string, Case> = {
  accuracy: { op: ops.accuracy, tensors: { logits: f32, labels: u32 }, options: null },
  add: { op: ops.add, tensors: { a: f32, b: f32 }, options: null },
  argmax: { op: ops.argmax, tensors: { x: f32 }, options: {} },
  avgPool2d: { op: ops.avgPool2d, tensors: { x: image }, options: { kernelSize: 2 } },
  batchNorm: { op: ops.batchNorm, tensors: { x: f32 }, options: { ...norm, training: true, momentum: 0.1, eps: 1e-5 } },
  binaryCrossEntropy: { op: ops.binaryCrossEntropy, tensors: { p: f32, target: f32 }, options: {} },
  columnMean: { op: ops.columnMean, tensors: { x: f32 }, options: null },
  confusionMatrix: {
    op: ops.confusionMatrix,
    tensors: { logits: f32, labels: u32, into: { data: new Float32Array(4), shape: [2, 2] } },
    options: null,
  },
  conv2d: { op: ops.conv2d, tensors: { x: image, weight: image, bias: [1] }, options: {} },
  crossEntropy: { op: ops.crossEntropy, tensors: { logits: f32, labels: u32 }, options: {} },
  domainLoss: { op: ops.domainLoss, tensors: { p: [[0.1], [0.2]] }, options: { sources: 1 } },
  domainWeights: { op: ops.domainWeights, tensors: { classWeight: [1, 1], labels: u32 }, options: null },
  dropout: {
    op: ops.dropout,
    tensors: { x: f32 },
    options: { p: 0.5, training: true, seed: 0, counter: new Counter(0) },
  },
  exp: { op: ops.exp, tensors: { x: f32 }, options: null },
  flatten: { op: ops.flatten, tensors: { x: f32 }, options: null, anyType: true },
  gatherRows: { op: ops.gatherRows, tensors: { x: f32, index: u32 }, options: null },
  gradientReversal: { op: ops.gradientReversal, tensors: { x: f32 }, options: null, more: [1] },
  linear: { op: ops.linear, tensors: { x: f32, weight: f32, bias: [1, 1] }, options: {} },
  log: { op: ops.log, tensors: { x: f32 }, options: null },
  logSoftmax: { op: ops.logSoftmax, tensors: { x: f32 }, options: {} },
  matmul: { op: ops.matmul, tensors: { a: f32, b: f32 }, options: {} },
  max: { op: ops.max, tensors: { x: f32 }, options: {} },
  maxPool2d: { op: ops.maxPool2d, tensors: { x: image }, options: { kernelSize: 2 } },
  mean: { op: ops.mean, tensors: { x: f32 }, options: {} },
  mul: { op: ops.mul, tensors: { a: f32, b: f32 }, options: null },
  relu: { op: ops.relu, tensors: { x: f32 }, options: null },
  reshape: { op: ops.reshape, tensors: { x: f32 }, options: null, more: [[4]], anyType: true },
  scale: { op: ops.scale, tensors: { x: f32 }, options: null, more: [2] },
  sigmoid: { op: ops.sigmoid, tensors: { x: f32 }, options: null },
  sliceRows: { op: ops.sliceRows, tensors: { x: f32 }, options: null, more: [0, 1], anyType: true },
  softmax: { op: ops.softmax, tensors: { x: f32 }, options: {} },
  softmaxColumnMean: { op: ops.softmaxColumnMean, tensors: { x: f32 }, options: {} },
  sub: { op: ops.sub, tensors: { a: f32, b: f32 }, options: null },
  sum: { op: ops.sum, tensors: { x: f32 }, options: {} },
  tanh: { op: ops.tanh, tensors: { x: f32 }, options: null },
};
// Their own tests have these: what they take is not a list of tensors.
const OTHERS = ['concat', 'imageBatch', 'SoftmaxColumnSums'];

gpuTest('every op is among the cases', () => {
  assert.equal(
    Object.keys(CASES).sort(),
    Object.keys(ops)
      .filter((name) => !OTHERS.includes(name))
      .sort(),
  );
});

for (const [name, { op, tensors, options, anyType = false, more = [] }] of Object.entries(CASES)) {
  gpuTest(`${name} refuses what is no tensor, of another type or on another Gpu, and unknown options`, async (gpu) => {
    const other = await createGpu();
    const make = (data: Data, on = gpu): Tensor =>
      Array.isArray(data) || data instanceof Uint32Array ? tensor(on, data) : tensor(on, data.data, data.shape);
    tidy(() => {
      const given = Object.fromEntries(Object.entries(tensors).map(([key, data]) => [key, make(data)]));
      if (name === 'confusionMatrix') given.into = tensor(gpu, new Uint32Array(4), [2, 2]);
      const made = Object.fromEntries(
        Object.entries(options ?? {}).map(([key, value]) => [key, value === channels ? make(channels) : value]),
      );
      const call = (args: Record<string, unknown>, last: unknown = made) =>
        (op as (...args: unknown[]) => unknown)(...Object.values(args), ...more, ...(options ? [last] : []));
      call(given);
      for (const [key, x] of Object.entries(given)) {
        for (const wrong of [2, 'x', [1, 2], {}, new Float32Array(4), ...(key === 'bias' ? [] : [undefined, null])]) {
          const message = new RegExp(`^${name}: ${key} must be a tensor but is `);
          assert.throws(
            () => call({ ...given, [key]: wrong }),
            (error: Error) => error instanceof TypeError && message.test(error.message),
            `${key} of ${String(wrong)}`,
          );
        }
        const otherType = x.dtype === 'f32' ? 'u32' : 'f32';
        const swapped = () => call({ ...given, [key]: empty(gpu, x.shape, otherType) });
        if (anyType) swapped();
        else assert.throws(swapped, new RegExp(`^${name}: ${key} must be ${x.dtype} but is ${otherType}$`));
        if (Object.keys(given).length === 1) continue;
        const elsewhere = empty(other, x.shape, x.dtype);
        assert.throws(
          () => call({ ...given, [key]: elsewhere }),
          /is on a different Gpu than \w+; all tensors must be on the same one/,
        );
      }
      if (!options) return;
      assert.throws(
        () => call(given, { ...made, foo: 1 }),
        new RegExp(`^${name}: unknown option foo; its options are`),
      );
      for (const wrong of [0.1, true, 'x', [1], null, make(f32), new Map()].slice(0, 6))
        assert.throws(() => call(given, wrong), new RegExp(`^${name}: expected an options object `), String(wrong));
    });
    other.dispose();
  });
}

gpuTest('ops of each element refuse options, but not the numbers that map and reduce add', async (gpu) => {
  const parts = [tensor(gpu, [1, 2]), tensor(gpu, [3, 4])];
  const [sum, ...squashed] = tidy(() => [parts.reduce(ops.add), ...parts.map(ops.tanh)]);
  assert.equal([...(await sum!.read())], [4, 6]);
  assert.is(squashed.length, 2);
  for (const t of [...parts, sum!, ...squashed]) t.dispose();
  tidy(() => {
    const x = tensor(gpu, [1, 2]);
    const call = (op: unknown, ...args: unknown[]) => (op as (...args: unknown[]) => unknown)(...args);
    assert.throws(() => call(ops.add, x, x, { alpha: 2 }), /^add: unknown option alpha; it has no options$/);
    assert.throws(() => call(ops.mul, x, x, x), /^mul: expected no further argument but got a Tensor$/);
    assert.throws(() => call(ops.log, x, { base: 2 }), /^log: unknown option base; it has no options$/);
    assert.throws(() => call(ops.relu, x, true), /^relu: expected no further argument but got true/);
    assert.throws(() => call(ops.columnMean, x, { dim: 1 }), /^columnMean: unknown option dim; it has no options$/);
    assert.throws(() => call(ops.accuracy, x, x, { topk: 5 }), /^accuracy: unknown option topk; it has no options$/);
  });
});

run();
