import * as assert from 'uvu/assert';
import { backward, zeroGrad } from '../../src/autograd.ts';
import { capture } from '../../src/capture.ts';
import { linear } from '../../src/ops/linear.ts';
import { empty, type Tensor, tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { assertClose, checkOp, gpuTest, run, seeded, uniform } from '../harness.ts';

const tolerance = { rtol: 1e-5, atol: 2e-5 };

/** y = x weight^T + bias, positive part of it on request, x: [m, k], weight: [n, k]. */
function forward(
  x: ArrayLike<number>,
  weight: ArrayLike<number>,
  bias: ArrayLike<number> | null,
  n: number,
  relu: boolean,
): Float64Array {
  const k = weight.length / n;
  const m = x.length / k;
  return Float64Array.from({ length: m * n }, (_, i) => {
    const [r, c] = [Math.floor(i / n), i % n];
    let sum = bias?.[c] ?? 0;
    for (let j = 0; j < k; j++) sum += x[r * k + j]! * weight[c * k + j]!;
    return relu ? Math.max(sum, 0) : sum;
  });
}

checkOp(
  'linear',
  ([x, weight, bias]) => linear(x!, weight!, bias!),
  ([x, weight, bias]) => {
    const n = bias!.shape[0]!;
    return { shape: [...x!.shape.slice(0, -1), n], data: forward(x!.data, weight!.data, bias!.data, n, false) };
  },
  { shapes: [[[3, 2, 5, 20], [36, 20], [36]]] },
);

// A kernel is compiled for each way of loading and storing, which costs a software adapter a second: the cases share them.
// Sizes around the edges of every core's tiles, then a long sum in the product and in each gradient: these are cut into slices.
const CASES: [m: number, k: number, n: number, bias: boolean, relu: boolean][] = [
  [1, 1, 1, true, true],
  [7, 9, 15, true, true],
  [17, 31, 33, true, true],
  [65, 63, 127, true, true],
  [129, 127, 65, true, true],
  [32, 20, 64, true, false],
  [64, 128, 20, false, true],
  [17, 19, 33, false, false],
  [17, 2003, 19, true, true],
  [17, 19, 2003, true, true],
  [2003, 17, 19, true, true],
];
for (const [m, k, n, bias, relu] of CASES) {
  gpuTest(`linear [${m},${k}] -> ${n}${bias ? ', bias' : ''}${relu ? ', relu' : ''}`, async (gpu) => {
    const random = seeded(m + k + n);
    const data = {
      x: uniform([m, k], random),
      weight: uniform([n, k], random),
      bias: uniform([n], random),
      dy: uniform([m, n], random),
    };
    const y = forward(data.x, data.weight, bias ? data.bias : null, n, relu);
    const dz = data.dy.map((v, i) => (relu && y[i]! <= 0 ? 0 : v));
    const [dx, dweight, dbias] = [new Float64Array(m * k), new Float64Array(n * k), new Float64Array(n)];
    for (let r = 0; r < m; r++) {
      for (let c = 0; c < n; c++) {
        const d = dz[r * n + c]!;
        dbias[c]! += d;
        for (let j = 0; j < k; j++) {
          dx[r * k + j]! += d * data.weight[c * k + j]!;
          dweight[c * k + j]! += d * data.x[r * k + j]!;
        }
      }
    }
    const leaves = [
      tensor(gpu, data.x, [m, k]),
      tensor(gpu, data.weight, [n, k]),
      tensor(gpu, data.bias, [n]),
    ] as const;
    for (const leaf of leaves) leaf.requiresGrad = true;
    const out = tidy(() => {
      const made = linear(leaves[0], leaves[1], bias ? leaves[2] : null, { relu });
      backward(made, tensor(gpu, data.dy, [m, n]));
      return made;
    });
    assertClose('y', await out.read(), y, tolerance);
    for (const [i, expected] of [dx, dweight, dbias].entries())
      if (bias || i < 2)
        assertClose(['dx', 'dweight', 'dbias'][i]!, await leaves[i]!.grad!.read(), expected, tolerance);
    zeroGrad(leaves);
    for (const one of [...leaves, out]) one.dispose();
  });
}

gpuTest('linear computes the gradients that are wanted, and no others', async (gpu) => {
  const x = tensor(gpu, [
    [1, 2],
    [3, 4],
  ]);
  const weight = tensor(gpu, [[5, 6]]);
  const bias = tensor(gpu, [-20]);
  const dy = tensor(gpu, [[1], [1]]);
  const ask = async (wanted: string) => {
    const leaves = { x, weight, bias };
    for (const [name, leaf] of Object.entries(leaves)) leaf.requiresGrad = wanted.includes(name);
    const step = await capture(gpu, () => backward(linear(x, weight, bias, { relu: true }), dy));
    step.run();
    const grads = await Promise.all(
      Object.values(leaves).map(async (leaf) => leaf.grad && [...(await leaf.grad.read())]),
    );
    const { dispatches } = step;
    zeroGrad(Object.values(leaves));
    step.dispose();
    return [dispatches, ...grads];
  };
  // y = relu([17, 39] - 20) = [0, 19]: only the second row counts.
  assert.equal(await ask('x weight bias'), [3, [0, 0, 5, 6], [3, 4], [1]]);
  assert.equal(await ask('weight bias'), [2, null, [3, 4], [1]]);
  assert.equal(await ask('weight'), [2, null, [3, 4], null]);
  assert.equal(await ask('bias'), [2, null, null, [1]]);
  assert.equal(await ask('x'), [2, [0, 0, 5, 6], null, null]);
  for (const one of [x, weight, bias, dy]) one.dispose();
});

gpuTest('linear writes the gradients of weight and bias to their places in one buffer', async (gpu) => {
  const flat = tensor(gpu, new Float32Array(128).fill(-1));
  const [x, weight, bias, dy] = [
    tensor(gpu, [[1, 2, 3]]),
    empty(gpu, [2, 3]),
    empty(gpu, [2]),
    tensor(gpu, [[10, 20]]),
  ];
  weight.gradSlot = flat.view([2, 3]);
  bias.gradSlot = flat.view([2], 256);
  for (const one of [weight, bias]) one.requiresGrad = true;
  tidy(() => backward(linear(x, weight, bias), dy));
  const expected = new Float32Array(128).fill(-1);
  expected.set([10, 20, 30, 20, 40, 60], 0);
  expected.set([10, 20], 64);
  assert.equal(await flat.read(), expected);
  for (const one of [weight.gradSlot, bias.gradSlot, flat, x, weight, bias, dy]) one.dispose();
});

gpuTest('linear of a vector is a vector', async (gpu) => {
  const [x, weight, bias] = [
    tensor(gpu, [1, 2]),
    tensor(gpu, [
      [5, 6],
      [-5, 6],
      [0, 0],
    ]),
    tensor(gpu, [-20, 0, 1]),
  ];
  const y = linear(x, weight, bias, { relu: true });
  assert.equal([y.shape, [...(await y.read())]], [[3], [0, 7, 1]]);
  for (const one of [x, weight, bias, y]) one.dispose();
});

gpuTest('linear of no rows is empty and its gradients are zero', async (gpu) => {
  const none = new Float32Array(0);
  const [x, dy] = [tensor(gpu, none, [0, 3]), tensor(gpu, none, [0, 2])];
  const [weight, bias] = [tensor(gpu, new Float32Array(6), [2, 3]), tensor(gpu, new Float32Array(2))];
  for (const one of [weight, bias]) one.requiresGrad = true;
  tidy(() => backward(linear(x, weight, bias), dy));
  assert.equal([await weight.grad!.read(), await bias.grad!.read()], [new Float32Array(6), new Float32Array(2)]);
  zeroGrad([weight, bias]);
  for (const one of [x, dy, weight, bias]) one.dispose();
});

gpuTest('linear of no features is its bias', async (gpu) => {
  const [x, weight, bias] = [
    tensor(gpu, new Float32Array(0), [2, 0]),
    tensor(gpu, new Float32Array(0), [3, 0]),
    tensor(gpu, [-1, 0, 1]),
  ];
  const y = linear(x, weight, bias, { relu: true });
  assert.equal([...(await y.read())], [0, 0, 1, 0, 0, 1]);
  for (const one of [x, weight, bias, y]) one.dispose();
});

gpuTest('linear passes NaN on, through relu too', async (gpu) => {
  const x = tensor(gpu, [
    [1, Number.NaN, 1],
    [-1, -1, -1],
  ]);
  const [weight, bias] = [
    tensor(gpu, [
      [1, 1, 1],
      [-1, 0, 0],
    ]),
    tensor(gpu, [0, Number.NaN]),
  ];
  const ys = [true, false].map((relu) => linear(x, weight, bias, { relu }));
  assert.equal([...(await ys[0]!.read())], [Number.NaN, Number.NaN, 0, Number.NaN]);
  assert.equal([...(await ys[1]!.read())], [Number.NaN, Number.NaN, -3, Number.NaN]);
  for (const one of [x, weight, bias, ...ys]) one.dispose();
});

gpuTest('linear says what does not fit', (gpu) => {
  const make = (
    shape: number[],
    data: Float32Array | Uint32Array = new Float32Array(shape.reduce((a, b) => a * b, 1)),
  ): Tensor => tensor(gpu, data, shape);
  const [x, weight, bias, flat, labels] = [
    make([2, 3]),
    make([4, 3]),
    make([3]),
    make([3]),
    make([2, 3], new Uint32Array(6)),
  ];
  const wrong = make([4, 2]);
  assert.throws(
    () => linear(x, wrong),
    /linear: weight is \[4,2\] but x is \[2,3\]; they must be \[outFeatures, inFeatures\] and \[\.\.\., inFeatures\]/,
  );
  assert.throws(() => linear(x, flat), /linear: weight is \[3\]/);
  assert.throws(() => linear(x, weight, bias), /linear: bias must be \[4\] but is \[3\]/);
  assert.throws(() => linear(labels, weight), /linear: x must be f32 but is u32/);
  for (const one of [x, weight, bias, flat, labels, wrong]) one.dispose();
});

run();
