import * as assert from 'uvu/assert';
import { backward, zeroGrad } from '../../src/autograd.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { type CrossEntropyOptions, crossEntropy } from '../../src/ops/crossEntropy.ts';
import { type Tensor, tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { assertClose, checkOp, gpuTest, type Reference, run, seeded, uniform } from '../harness.ts';

type Reduction = 'mean' | 'sum' | 'none';

interface Weights {
  weight?: ArrayLike<number> | undefined;
  sampleWeight?: ArrayLike<number> | undefined;
  ignoreIndex?: number;
  labelSmoothing?: number;
}

/** The loss in double precision, as PyTorch's cross_entropy_loss_label_smoothing computes it; weights are one by default. */
function reference(
  { shape, data }: Reference,
  labels: ArrayLike<number>,
  reduction: Reduction,
  { weight, sampleWeight, ignoreIndex, labelSmoothing = 0 }: Weights = {},
): Reference {
  const [rows, cols] = shape as [number, number];
  const each = new Float64Array(rows);
  let divisor = 0;
  for (let r = 0; r < rows; r++) {
    const label = labels[r]!;
    if (label === ignoreIndex) continue;
    const row = data.subarray(r * cols, (r + 1) * cols);
    const m = Math.max(...row);
    const logSum = Math.log(row.reduce((s, v) => s + Math.exp(v - m), 0)) + m;
    const w = weight?.[label] ?? 1;
    const smooth = row.reduce((s, v, c) => s + (weight?.[c] ?? 1) * (logSum - v), 0);
    const l = (1 - labelSmoothing) * w * (logSum - row[label]!) + (labelSmoothing / cols) * smooth;
    each[r] = (sampleWeight?.[r] ?? 1) * l;
    divisor += sampleWeight ? 1 : w;
  }
  if (reduction === 'none') return { shape: [rows], data: each };
  const sum = each.reduce((a, l) => a + l, 0);
  return { shape: [], data: Float64Array.of(reduction === 'mean' ? sum / divisor : sum) };
}

// One block of 64 rows, several, and several workgroups; narrow, the sizes of lanes, and wide.
const SHAPES = [
  [1, 1],
  [1, 10],
  [63, 10],
  [64, 2],
  [65, 31],
  [257, 10],
  [1009, 7],
  [20011, 3],
  [3, 1000],
  [130, 129],
];

for (const reduction of ['mean', 'sum', 'none'] as const) {
  for (const weights of ['plain', 'class', 'sample', 'both']) {
    const withClass = weights === 'class' || weights === 'both';
    const withSample = weights === 'sample' || weights === 'both';
    checkOp(
      `crossEntropy ${reduction} ${weights}`,
      ([x], [labels, w, sample]) =>
        crossEntropy(x!, labels!, {
          reduction,
          ...(withClass && { weight: w! }),
          ...(withSample && { sampleWeight: sample! }),
        }),
      ([x], [labels, w, sample]) =>
        reference(x!, labels!, reduction, {
          weight: withClass ? w : undefined,
          sampleWeight: withSample ? sample : undefined,
        }),
      {
        shapes: SHAPES.map((shape) => [shape]),
        fill: (shape, random) => uniform(shape, random, 4),
        extra: ([shape], random) => [
          Uint32Array.from({ length: shape![0]! }, () => Math.floor(random() * shape![1]!)),
          Float32Array.from({ length: shape![1]! }, () => 0.1 + random()),
          Float32Array.from({ length: shape![0]! }, () => 0.1 + random()),
        ],
      },
    );
  }
}

// Ignored rows, smoothed targets, and both: alone, and with weights of classes and of rows.
for (const reduction of ['mean', 'sum', 'none'] as const) {
  for (const [ignoreIndex, labelSmoothing] of [
    [1, undefined],
    [undefined, 0.1],
    [0, 1],
    [-100, 0.3],
  ]) {
    for (const weights of ['plain', 'class', 'both']) {
      const withClass = weights !== 'plain';
      const withSample = weights === 'both';
      const options = {
        ...(ignoreIndex !== undefined && { ignoreIndex }),
        ...(labelSmoothing !== undefined && { labelSmoothing }),
      };
      checkOp(
        `crossEntropy ${reduction} ${weights} ignoring ${ignoreIndex}, smoothed by ${labelSmoothing}`,
        ([x], [labels, w, sample]) =>
          crossEntropy(x!, labels!, {
            reduction,
            ...options,
            ...(withClass && { weight: w! }),
            ...(withSample && { sampleWeight: sample! }),
          }),
        ([x], [labels, w, sample]) =>
          reference(
            x!,
            Array.from(labels!, (label) => (label === 2 ** 32 - 100 ? -100 : label)),
            reduction,
            {
              ...options,
              weight: withClass ? w : undefined,
              sampleWeight: withSample ? sample : undefined,
            },
          ),
        {
          shapes: [[[2, 3]], [[65, 31]], [[1009, 7]], [[70, 129]]],
          fill: (shape, random) => uniform(shape, random, 4),
          extra: ([shape], random) => [
            Uint32Array.from({ length: shape![0]! }, (_, r) =>
              r === 0 ? 2 : r % 3 === 1 ? (ignoreIndex ?? 0) : Math.floor(random() * shape![1]!),
            ),
            Float32Array.from({ length: shape![1]! }, () => 0.1 + random()),
            Float32Array.from({ length: shape![0]! }, () => 0.1 + random()),
          ],
        },
      );
    }
  }
}

/** Loss and gradient of a few rows. */
async function ask(
  gpu: Gpu,
  rows: number[][],
  labels: number[],
  reduction: Reduction,
  weight?: number[],
  options: CrossEntropyOptions = {},
): Promise<{ loss: number[]; grad: number[] }> {
  const x = tensor(gpu, rows);
  x.requiresGrad = true;
  const loss = tidy(() => {
    const y = crossEntropy(x, tensor(gpu, Uint32Array.from(labels)), {
      reduction,
      ...options,
      ...(weight && { weight: tensor(gpu, weight) }),
    });
    backward(y, tensor(gpu, new Float32Array(y.size).fill(1), y.shape));
    return y;
  });
  const result = { loss: [...(await loss.read())], grad: [...(await x.grad!.read())] };
  zeroGrad([x]);
  x.dispose();
  loss.dispose();
  return result;
}

const NAN = Number.NaN;
const exact = { rtol: 1e-6, atol: 1e-6 };

gpuTest('crossEntropy keeps its digits at logits of 1e4', async (gpu) => {
  const { loss, grad } = await ask(
    gpu,
    [
      [10000, 9999, -10000],
      [-10000, 10000, 10000],
    ],
    [1, 0],
    'none',
  );
  assertClose('loss', loss, [1.3132616875, 20000.693147], exact);
  assertClose('grad', grad, [0.7310585786, -0.7310585786, 0, -1, 0.5, 0.5], exact);
});

gpuTest('crossEntropy gives NaN where PyTorch does, and where a label has no class', async (gpu) => {
  const spoilt = await ask(
    gpu,
    [
      [1, NAN, 2],
      [0, 0, 0],
      [0, 0, 0],
      [Number.POSITIVE_INFINITY, 0, 0],
    ],
    [0, 1, 3, 1],
    'none',
  );
  assertClose('loss', spoilt.loss, [NAN, Math.log(3), NAN, NAN], exact);
  assertClose('grad', spoilt.grad, [NAN, NAN, NAN, 1 / 3, -2 / 3, 1 / 3, NAN, NAN, NAN, NAN, NAN, NAN], exact);
  const spread = await ask(
    gpu,
    [
      [1, NAN],
      [0, 0],
    ],
    [0, 1],
    'mean',
  );
  assertClose('mean', spread.loss, [NAN], exact);
  assertClose('grad of mean', spread.grad, [NAN, NAN, 0.25, -0.25], exact);
  const weightless = await ask(gpu, [[1, 2]], [0], 'mean', [0, 1]);
  assertClose('no weight', [...weightless.loss, ...weightless.grad], [NAN, NAN, NAN], exact);
  assertClose('no weight, sum', (await ask(gpu, [[1, 2]], [0], 'sum', [0, 1])).loss, [0], exact);
  assertClose('weight NaN', (await ask(gpu, [[1, 2]], [0], 'sum', [NAN, 1])).loss, [NAN], exact);
});

gpuTest(
  'crossEntropy with weightless: 0 gives 0 for labels that all weigh 0, and the same bits for others',
  async (gpu) => {
    const random = seeded(11);
    for (const rows of [1, 4, 65, 1009]) {
      const data = uniform([rows, 3], random, 5);
      const labels = Uint32Array.from({ length: rows }, () => 1 + Math.floor(2 * random()));
      const computed = async (weight: number[], first: number, weightless?: 0) => {
        const x = tensor(gpu, data.with(0, first), [rows, 3]);
        x.requiresGrad = true;
        const loss = tidy(() => {
          const y = crossEntropy(x, tensor(gpu, labels), {
            weight: tensor(gpu, weight),
            ...(weightless === 0 && { weightless }),
          });
          backward(y);
          return y;
        });
        const result = { loss: [...(await loss.read())], grad: [...(await x.grad!.read())] };
        zeroGrad([x]);
        x.dispose();
        loss.dispose();
        return result;
      };
      const nothing = { loss: [0], grad: [...data].fill(0) };
      // The second weighs less than WGSL can divide by.
      for (const weight of [
        [1, 0, 0],
        [1, 0, 1e-44],
      ]) {
        const { loss, grad } = await computed(weight, data[0]!, 0);
        assertClose(`${rows} rows, weights ${weight}`, [...loss, ...grad], [...nothing.loss, ...nothing.grad], {
          rtol: 0,
          atol: 1e-36,
        });
      }
      assert.equal(await computed([1, 0.5, 0.25], 2, 0), await computed([1, 0.5, 0.25], 2));
      const spoilt = await computed([1, 0, 0], NAN, 0);
      assert.ok(spoilt.loss.every(Number.isNaN), 'a logit that is NaN stays visible');
      assert.ok(spoilt.grad.slice(0, 3).every(Number.isNaN));
    }
  },
);

gpuTest('crossEntropy of ignored rows: 0, whatever is in them, and NaN as the mean of nothing', async (gpu) => {
  const rows = [
    [1, 2],
    [3, 5],
  ];
  const one = await ask(gpu, rows, [0, 1], 'mean', undefined, { ignoreIndex: 0 });
  assertClose('only the second row', one.loss, [Math.log(1 + Math.exp(-2))], exact);
  assertClose('its gradient', one.grad, [0, 0, 0.11920292, -0.11920292], exact);
  // Labels beyond the classes may be ignored; the same number is no label of other rows.
  for (const labelSmoothing of [0, 0.5]) {
    const options = { ignoreIndex: 7, labelSmoothing };
    const none = await ask(gpu, rows, [7, 7], 'mean', [1, NAN], options);
    assertClose('mean of nothing', none.loss, [NAN], exact);
    assertClose('gradient of nothing', none.grad, [0, 0, 0, 0], exact);
    assertClose('sum of nothing', (await ask(gpu, rows, [7, 7], 'sum', undefined, options)).loss, [0], exact);
    const each = await ask(gpu, [[NAN, 1], ...rows], [7, 8, 7], 'none', undefined, options);
    assertClose('each', each.loss, [0, NAN, 0], exact);
    // As in PyTorch a NaN gets a gradient of NaN even in an ignored row.
    assertClose('gradients', each.grad, [NAN, NAN, NAN, NAN, 0, 0], exact);
  }
  const highest = await ask(gpu, rows, [2 ** 32 - 1, 1], 'none');
  assertClose('without ignoreIndex', highest.loss, [NAN, one.loss[0]!], exact);
});

gpuTest('crossEntropy smooths towards all classes, by their weights', async (gpu) => {
  // torch.nn.functional.cross_entropy(torch.tensor([[1., 2.], [3., 5.]]), torch.tensor([0, 1]), label_smoothing=0.1)
  const rows = [
    [1, 2],
    [3, 5],
  ];
  const [a, b] = [Math.log(1 + Math.exp(1)), Math.log(1 + Math.exp(-2))];
  const smoothed = await ask(gpu, rows, [0, 1], 'mean', undefined, { labelSmoothing: 0.1 });
  assertClose('mean', smoothed.loss, [(0.95 * a + 0.05 * (a - 1) + 0.95 * b + 0.05 * (b + 2)) / 2], exact);
  const weighted = await ask(gpu, rows, [0, 1], 'mean', [3, 1], { labelSmoothing: 0.1 });
  const sum = 0.9 * (3 * a + b) + 0.05 * (3 * a + (a - 1) + 3 * (b + 2) + b);
  assertClose('weighted mean', weighted.loss, [sum / 4], exact);
  const spoilt = await ask(gpu, rows, [0, 1], 'sum', [NAN, 1], { labelSmoothing: 0.1 });
  assertClose('a weight of NaN', [...spoilt.loss, ...spoilt.grad], [NAN, NAN, NAN, NAN, NAN], exact);
  const beyond = await ask(gpu, rows, [2, 1], 'none', undefined, { labelSmoothing: 1 });
  assertClose('a label beyond the classes', beyond.grad.slice(0, 2), [NAN, NAN], exact);
});

gpuTest('crossEntropy gives one loss whatever the workgroups: 100,000 rows', async (gpu) => {
  const rows = 100_000;
  const random = seeded(7);
  const data = uniform([rows, 4], random, 3);
  const labels = Uint32Array.from({ length: rows }, () => Math.floor(random() * 4));
  const loss = tidy(() => crossEntropy(tensor(gpu, data, [rows, 4]), tensor(gpu, labels)));
  const expected = reference({ shape: [rows, 4], data: Float64Array.from(data) }, labels, 'mean');
  assertClose('loss', await loss.read(), expected.data, { rtol: 2e-6, atol: 0 });
  loss.dispose();
});

gpuTest('crossEntropy of no rows', async (gpu) => {
  const none = (reduction: Reduction): Tensor =>
    tidy(() => crossEntropy(tensor(gpu, new Float32Array(0), [0, 3]), tensor(gpu, new Uint32Array(0)), { reduction }));
  const [mean, sum, each] = [none('mean'), none('sum'), none('none')];
  assert.ok(Number.isNaN(await mean.item()));
  assert.is(await sum.item(), 0);
  assert.equal(each.shape, [0]);
  for (const x of [mean, sum, each]) x.dispose();
});

gpuTest('crossEntropy refuses what does not fit', (gpu) => {
  tidy(() => {
    const logits = tensor(gpu, [[1, 2, 3]]);
    const labels = tensor(gpu, Uint32Array.of(0));
    assert.throws(() => crossEntropy(tensor(gpu, [1, 2]), labels), /crossEntropy: logits must be \[n, C\].*is \[2\]/);
    assert.throws(() => crossEntropy(logits, tensor(gpu, [0])), /labels must be u32 but is f32/);
    assert.throws(() => crossEntropy(logits, tensor(gpu, Uint32Array.of(0, 1))), /labels must be \[1\] but is \[2\]/);
    assert.throws(
      () => crossEntropy(logits, labels, { reduction: 'avg' as 'sum' }),
      /reduction must be one of 'mean', 'sum', 'none' but is 'avg'/,
    );
    assert.throws(
      () => crossEntropy(logits, labels, { weight: tensor(gpu, [1]) }),
      /weight must be \[3\] but is \[1\]/,
    );
    for (const [options, message] of [
      [{ weight: labels }, /weight must be f32 but is u32/],
      [{ weight: [1, 1, 1] }, /weight must be a tensor but is .*an array/],
      [{ ignore_index: 0 }, /unknown option ignore_index; did you mean ignoreIndex\?/],
      [{ label_smoothing: 0.1 }, /unknown option label_smoothing; did you mean labelSmoothing\?/],
      [{ labelSmoothing: 1.5 }, /labelSmoothing must be a number from 0 to 1 but is 1.5/],
      [{ ignoreIndex: 0.5 }, /ignoreIndex must be a whole number from -2147483648 to 4294967295 but is 0.5/],
      [tensor(gpu, [1, 1, 1]), /expected an options object \{ weight, sampleWeight, reduction \} but got a Tensor/],
    ] as const)
      assert.throws(() => crossEntropy(logits, labels, options as never), message);
    const sampleWeight = tensor(gpu, [1, 1]);
    assert.throws(() => crossEntropy(logits, labels, { sampleWeight }), /sampleWeight must be \[1\] but is \[2\]/);
  });
});

run();
