import * as assert from 'uvu/assert';
import * as reference from '../../reference/index.ts';
import { backward } from '../../src/autograd.ts';
import { accuracy } from '../../src/ops/accuracy.ts';
import { type CrossEntropyOptions, crossEntropy, labelledLoss } from '../../src/ops/crossEntropy.ts';
import { slice } from '../../src/ops/slice.ts';
import { empty, type Tensor, tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { assertClose, assertSameBits, gpuTest, integers, run, seeded, uniform } from '../harness.ts';
import { between, checkArguments, checkOp, checkRefusals, checkValues, expectValues, inf, nan, rows } from './check.ts';

const REDUCTIONS = ['mean', 'sum', 'none'] as const;
const WEIGHTS = ['plain', 'class', 'sample', 'both'] as const;

/** One way to call the op, on the GPU and in double precision. */
function check(
  title: string,
  weights: (typeof WEIGHTS)[number],
  options: Omit<CrossEntropyOptions, 'weight' | 'sampleWeight'>,
  labelsOf: (rows: number, cols: number, random: () => number) => Uint32Array,
  shapes: string[],
): void {
  const given = <T>(weight: T, sampleWeight: T) => ({
    ...(/class|both/.test(weights) && { weight }),
    ...(/sample|both/.test(weights) && { sampleWeight }),
  });
  checkOp(
    `crossEntropy ${title}`,
    (x, labels, weight, sample) => crossEntropy(x!, labels!, { ...options, ...given(weight!, sample!) }),
    (x, labels, weight, sample) => {
      // Labels are u32, so the label -100 is 2^32 - 100.
      const data = Array.from(labels!.data, (label) => (label === 2 ** 32 - 100 ? -100 : label));
      return reference.crossEntropy(x!, { shape: labels!.shape, data }, { ...options, ...given(weight!, sample!) });
    },
    {
      shapes,
      fill: between(-4, 4),
      extra: ([shape], random) => {
        const [rows, cols] = shape as [number, number];
        return [labelsOf(rows, cols, random), between(0.1, 1.1)([cols], random), between(0.1, 1.1)([rows], random)];
      },
    },
  );
}

// One block of 64 rows, several, and several workgroups; narrow, the sizes of lanes, and wide.
const SHAPES = ['1x1', '1x10', '63x10', '64x2', '65x31', '257x10', '1009x7', '20011x3', '3x1000', '130x129'];
for (const reduction of REDUCTIONS) {
  for (const weights of WEIGHTS) check(`${reduction}, weights: ${weights},`, weights, { reduction }, integers, SHAPES);
  // Ignored rows, smoothed targets, and both: alone, and with weights of classes and of rows.
  for (const options of [
    { ignoreIndex: 1 },
    { labelSmoothing: 0.1 },
    { ignoreIndex: 0, labelSmoothing: 1 },
    { ignoreIndex: -100, labelSmoothing: 0.3 },
  ]) {
    for (const weights of ['plain', 'class', 'both'] as const) {
      const title = `${reduction}, weights: ${weights}, ${JSON.stringify(options)}`;
      const ignored = options.ignoreIndex ?? 0;
      const labelsOf = (rows: number, cols: number, random: () => number) =>
        integers(rows, cols, random).map((label, r) => (r === 0 ? 2 : r % 3 === 1 ? ignored : label));
      check(title, weights, { reduction, ...options }, labelsOf, ['2x3', '65x31', '1009x7', '70x129']);
    }
  }
}

// A class that no label of the batch has.
check('mean, no label of class 2,', 'class', {}, (rows, cols, random) => integers(rows, cols - 1, random), ['64x3']);

const close = { rtol: 1e-6, atol: 1e-6 };
const given =
  (options: CrossEntropyOptions, weight?: number[]) =>
  (logits?: Tensor, labels?: Tensor): Tensor =>
    crossEntropy(logits!, labels!, { ...options, ...(weight && { weight: tensor(logits!.gpu, weight) }) });
const labels = (...values: number[]): Uint32Array => Uint32Array.from(values);
const none = { reduction: 'none' } as const;
const sum = { reduction: 'sum' } as const;

checkValues('crossEntropy keeps its digits at logits of 1e4', given(none), {
  inputs: [rows([10000, 9999, -10000], [-10000, 10000, 10000]), labels(1, 0)],
  y: [1.3132616875, 20000.693147],
  gradients: [[0.7310585786, -0.7310585786, 0, -1, 0.5, 0.5]],
  ...close,
});
checkValues('crossEntropy gives NaN for a row of NaN or infinity, and for a label without a class', given(none), {
  inputs: [rows([1, nan, 2], [0, 0, 0], [0, 0, 0], [inf, 0, 0]), labels(0, 1, 3, 1)],
  y: [nan, Math.log(3), nan, nan],
  gradients: [[nan, nan, nan, 1 / 3, -2 / 3, 1 / 3, ...new Array(6).fill(nan)]],
  ...close,
});
checkValues('crossEntropy of a row of NaN makes the mean NaN, but not the gradients of other rows', given({}), {
  inputs: [rows([1, nan], [0, 0]), labels(0, 1)],
  y: [nan],
  gradients: [[nan, nan, 0.25, -0.25]],
  ...close,
});
const one = [[[1, 2]], labels(0)];
checkValues('crossEntropy of labels that weigh 0 has the mean NaN, as in PyTorch', given({}, [0, 1]), {
  inputs: one,
  y: [nan],
  gradients: [[nan, nan]],
});
checkValues('crossEntropy of labels that weigh 0 has the sum 0', given(sum, [0, 1]), { inputs: one, y: [0] });
checkValues('crossEntropy passes a weight of NaN on', given(sum, [nan, 1]), { inputs: one, y: [nan] });

gpuTest('crossEntropy with weightless: 0 gives 0 for labels that all weigh 0, and else the same bits', async (gpu) => {
  const random = seeded(11);
  for (const rows of [1, 4, 65, 1009]) {
    const data = uniform([rows, 3], random, 5);
    const labels = integers(rows, 2, random).map((label) => label + 1);
    const computed = async (weight: number[], first: number, weightless?: 0) => {
      const x = tensor(gpu, data.with(0, first), [rows, 3]);
      x.requiresGrad = true;
      const loss = tidy(() => {
        const options = { weight: tensor(gpu, weight), ...(weightless === 0 && { weightless }) };
        const y = crossEntropy(x, tensor(gpu, labels), options);
        backward(y);
        return y;
      });
      const result = [await loss.item(), ...(await x.grad!.read())];
      for (const t of [x, loss]) t.dispose();
      return result;
    };
    // The second weight is less than WGSL can divide by.
    for (const weight of [0, 1e-44]) {
      const result = await computed([1, 0, weight], data[0]!, 0);
      assertClose(`${rows} rows`, result, new Array(1 + 3 * rows).fill(0), { atol: 1e-36 });
    }
    assert.equal(await computed([1, 0.5, 0.25], 2, 0), await computed([1, 0.5, 0.25], 2));
    const wrong = await computed([1, 0, 0], nan, 0);
    assert.ok(wrong.slice(0, 4).every(Number.isNaN), 'a logit of NaN stays visible');
  }
});

const two = rows([1, 2], [3, 5]);
const [a, b] = [Math.log(1 + Math.exp(1)), Math.log(1 + Math.exp(-2))];
checkValues('crossEntropy takes the mean over the rows that are not ignored', given({ ignoreIndex: 0 }), {
  inputs: [two, labels(0, 1)],
  y: [b],
  gradients: [[0, 0, 0.11920292, -0.11920292]],
  ...close,
});
// Labels without a class may be ignored too.
for (const labelSmoothing of [0, 0.5]) {
  const options = { ignoreIndex: 7, labelSmoothing };
  const title = `crossEntropy smoothed by ${labelSmoothing} gives ignored rows`;
  checkValues(`${title} the mean NaN and the gradient 0`, given(options, [1, nan]), {
    inputs: [two, labels(7, 7)],
    y: [nan],
    gradients: [[0, 0, 0, 0]],
  });
  checkValues(`${title} the sum 0`, given({ ...options, ...sum }), { inputs: [two, labels(7, 7)], y: [0] });
  checkValues(`${title} a loss of 0, but logits of NaN a gradient of NaN`, given({ ...options, ...none }), {
    inputs: [[[nan, 1], ...two], labels(7, 8, 7)],
    y: [0, nan, 0],
    gradients: [[nan, nan, nan, nan, 0, 0]],
  });
}
checkValues('crossEntropy without ignoreIndex gives NaN for the label 2^32 - 1', given(none), {
  inputs: [two, labels(2 ** 32 - 1, 1)],
  y: [nan, b],
  ...close,
});

// torch.nn.functional.cross_entropy(torch.tensor([[1., 2.], [3., 5.]]), torch.tensor([0, 1]), label_smoothing=0.1)
const smooth = { labelSmoothing: 0.1 };
checkValues('crossEntropy smooths towards all classes', given(smooth), {
  inputs: [two, labels(0, 1)],
  y: [(0.95 * a + 0.05 * (a - 1) + 0.95 * b + 0.05 * (b + 2)) / 2],
  ...close,
});
checkValues('crossEntropy smooths by the weights of the classes', given(smooth, [3, 1]), {
  inputs: [two, labels(0, 1)],
  y: [(0.9 * (3 * a + b) + 0.05 * (3 * a + (a - 1) + 3 * (b + 2) + b)) / 4],
  ...close,
});
checkValues('crossEntropy passes a weight of NaN on when it smooths', given({ ...smooth, ...sum }, [nan, 1]), {
  inputs: [two, labels(0, 1)],
  y: [nan],
  gradients: [new Array(4).fill(nan)],
});

gpuTest('crossEntropy smoothed by 1 still gives NaN for a label without a class', async (gpu) => {
  const op = given({ ...none, labelSmoothing: 1 });
  await expectValues(gpu, op, { inputs: [[[1, 2]], labels(2)], y: [nan], gradients: [[nan, nan]] });
});

gpuTest('crossEntropy of 100,000 rows keeps its digits', async (gpu) => {
  const random = seeded(7);
  const logits = { shape: [100_000, 4], data: uniform([100_000, 4], random, 3) };
  const data = integers(100_000, 4, random);
  const loss = tidy(() => crossEntropy(tensor(gpu, logits.data, logits.shape), tensor(gpu, data)));
  const expected = reference.crossEntropy(logits, { shape: [data.length], data }).data;
  assertClose('loss', await loss.read(), expected, { rtol: 2e-6 });
  loss.dispose();
});

gpuTest('crossEntropy of no rows is NaN as a mean and 0 as a sum', async (gpu) => {
  const ofNothing = (reduction: (typeof REDUCTIONS)[number]): Tensor =>
    tidy(() => crossEntropy(empty(gpu, [0, 3]), empty(gpu, [0], 'u32'), { reduction }));
  const [mean, sum, each] = REDUCTIONS.map(ofNothing) as [Tensor, Tensor, Tensor];
  assert.equal([await mean.item(), await sum.item(), each.shape], [nan, 0, [0]]);
  for (const x of [mean, sum, each]) x.dispose();
});

gpuTest(
  'crossEntropy computes the same bits for a loss that backward begins with as for a given gradient of 1',
  async (gpu) => {
    const [x, classes] = [uniform([65, 31], seeded(8)), integers(65, 31, seeded(9))];
    const weight = tensor(gpu, between(0.1, 1.1)([31], seeded(10)));
    for (const options of [{}, { weight }, { weight, labelSmoothing: 0.1, ignoreIndex: 3 }]) {
      const gradientOf = async (given?: Tensor): Promise<Float32Array> => {
        const logits = tensor(gpu, x, [65, 31]);
        logits.requiresGrad = true;
        tidy(() => backward(crossEntropy(logits, tensor(gpu, classes), options), given));
        const read = await logits.grad!.read();
        logits.dispose();
        return read;
      };
      const one = tensor(gpu, 1);
      assertSameBits('dlogits', await gradientOf(), await gradientOf(one));
      one.dispose();
    }
    weight.dispose();
  },
);

// One workgroup with the gradient in forward, one without, and several; all rows, and the first of more.
for (const [all, rows, cols] of [
  [1, 1, 3],
  [128, 64, 10],
  [65, 65, 31],
  [700, 350, 12],
  [1200, 1009, 7],
] as const)
  gpuTest(`labelledLoss of ${rows} of ${all} rows gives the bits of crossEntropy and accuracy`, async (gpu) => {
    const random = seeded(rows + cols);
    // Ties, a row whose largest is NaN at its label, and a label without a class.
    const data = uniform([all, cols], random, 3).map((v) => Math.round(v));
    data[0] = rows % 2 === 1 ? nan : 1;
    const classes = integers(rows, cols, random).with(0, 0);
    if (rows > 64) classes[1] = cols;
    const labels = tensor(gpu, classes);
    const weight = tensor(gpu, between(0.1, 1.1)([cols], random));
    const results: Float32Array[][] = [];
    for (const fused of [true, false]) {
      const logits = tensor(gpu, data, [all, cols]);
      logits.requiresGrad = true;
      const { classLoss, classAccuracy } = tidy(() => {
        const options = { weight, ignoreIndex: cols };
        const first = slice(logits, 0, rows);
        const both = fused
          ? labelledLoss(logits, labels, options)
          : { classLoss: crossEntropy(first, labels, options), classAccuracy: accuracy(first, labels) };
        backward(both.classLoss);
        return both;
      });
      results.push([await classLoss.read(), await classAccuracy.read(), await logits.grad!.read()]);
      for (const held of [logits, classLoss, classAccuracy]) held.dispose();
    }
    const [fused, plain] = results as [Float32Array[], Float32Array[]];
    for (const [i, name] of ['loss', 'accuracy', 'dlogits'].entries()) assertSameBits(name, fused[i]!, plain[i]!);
    const [x, y] = [
      { shape: [rows, cols], data: data.subarray(0, rows * cols) },
      { shape: [rows], data: classes },
    ];
    assertClose('accuracy', fused[1]!, reference.accuracy(x, y).data, { rtol: 1e-6 });
    for (const held of [labels, weight]) held.dispose();
  });

checkArguments('crossEntropy', crossEntropy, { logits: 'f32 2x2', labels: 'u32 2' }, { options: {} });
checkRefusals('crossEntropy', (gpu) => {
  const logits = tensor(gpu, [[1, 2, 3]]);
  const labels = tensor(gpu, Uint32Array.of(0));
  const options: [unknown, RegExp][] = [
    [{ reduction: 'avg' }, /reduction must be one of 'mean', 'sum', 'none' but is 'avg'/],
    [{ weight: tensor(gpu, [1]) }, /weight must be \[3\] but is \[1\]/],
    [{ weight: labels }, /weight must be f32 but is u32/],
    [{ weight: [1, 1, 1] }, /weight must be a tensor but is .*an array/],
    [{ sampleWeight: tensor(gpu, [1, 1]) }, /sampleWeight must be \[1\] but is \[2\]/],
    [{ ignore_index: 0 }, /unknown option ignore_index; did you mean ignoreIndex\?/],
    [{ label_smoothing: 0.1 }, /unknown option label_smoothing; did you mean labelSmoothing\?/],
    [{ labelSmoothing: 1.5 }, /labelSmoothing must be a number from 0 to 1 but is 1.5/],
    [{ ignoreIndex: 0.5 }, /ignoreIndex must be a whole number from -2147483648 to 4294967295 but is 0.5/],
    [tensor(gpu, [1, 1, 1]), /expected an options object \{ weight, sampleWeight, reduction \} but got a Tensor/],
  ];
  return [
    [() => crossEntropy(tensor(gpu, [1, 2]), labels), /crossEntropy: logits must be \[n, C\].*is \[2\]/],
    [() => crossEntropy(logits, empty(gpu, [2], 'u32')), /labels must be \[1\] but is \[2\]/],
    [() => labelledLoss(logits, empty(gpu, [2], 'u32')), /labels must be \[1\] but is \[2\]/],
    ...options.map(([wrong, message]) => [() => crossEntropy(logits, labels, wrong as never), message] as const),
  ];
});

run();
