import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as reference from '../reference/index.ts';
import { readGolden } from './files.ts';
import type { GoldenCase, GoldenFile, GoldenTensor } from './golden/format.ts';
import { run } from './harness.ts';

// The double-precision loops against PyTorch and TLlib: kernels are compared with the loops, so the loops are compared with
// figures from outside. Golden files give inputs and results to nine digits.

const TOLERANCE = { rtol: 1e-6, atol: 1e-7 };

const valuesOf = ({ shape, data }: GoldenTensor): reference.Values => ({ shape, data: data.map(Number) });

type Named = Record<string, reference.Values>;

/** Computes the outputs and gradients of a case by their names in the file. */
type Computed = { outputs: Named; grads?: Named };
const ofLogits = ({ loss, dlogits }: Record<'loss' | 'dlogits', reference.Values>): Computed => ({
  outputs: { y: loss },
  grads: { logits: dlogits },
});
const COMPUTED: Record<string, (params: GoldenCase['params'], inputs: Named) => Computed> = {
  entropy: ({ reduction, eps }, { p, grad_output }) => {
    const y = reference.entropy(p!, { eps });
    const each = { shape: y.shape, data: y.data.map(() => 1 / y.data.length) };
    return {
      outputs: { y: reduction === 'none' ? y : reference.mean(y) },
      grads: { p: reference.entropyBackward(p!, reduction === 'none' ? grad_output! : each, { eps }) },
    };
  },
  afn: ({ delta }, { f }) => ({
    outputs: { y: reference.adaptiveFeatureNorm(delta) },
    grads: { f: reference.adaptiveFeatureNormBackward(f!, delta) },
  }),
  mcc: ({ temperature }, { logits }) => ofLogits(reference.minimumClassConfusion(logits!, { temperature })),
  alpha_power: ({ alpha }, { logits }) => ofLogits(reference.alphaPower(logits!, alpha)),
  complement_entropy: (_, { logits, labels, class_weight }) =>
    ofLogits(reference.complementEntropy(logits!, labels!, class_weight!)),
  saturating_class_weight: ({ temperature, share, floor }, { logits }) => {
    const class_weight = reference.saturatingClassWeight(logits!, { temperature, share });
    const raised = { shape: class_weight.shape, data: class_weight.data.map((w) => floor + (1 - floor) * w) };
    return { outputs: { class_weight, cross_entropy_weight: raised } };
  },
  conv2d: ({ stride, padding, dilation }, { x, weight, bias, grad_output: dy }) => {
    const options = { stride, padding, dilation };
    const { dx, dweight, dbias } = reference.conv2dBackward(x!, weight!, dy!.data, options);
    return {
      outputs: { y: reference.conv2d(x!, weight!, bias ?? null, options) },
      grads: { x: dx, weight: dweight, ...(bias && { bias: dbias }) },
    };
  },
  pool2d: ({ op, kernel: kernelSize, stride, padding }, { x, grad_output: dy }) => {
    const options = { kernelSize, stride, padding };
    if (op === 'avg')
      return {
        outputs: { y: reference.avgPool2d(x!, options) },
        grads: { x: reference.avgPool2dBackward(x!.shape, dy!.data, options) },
      };
    const y = reference.maxPool2d(x!, options);
    return { outputs: { y }, grads: { x: reference.maxPool2dBackward(x!.shape, y.from, dy!.data) } };
  },
  batchnorm: ({ eps, momentum, mode }, { x, weight, bias, running_mean, running_var, grad_output: dy }): Computed => {
    if (mode === 'eval') {
      const running = { mean: running_mean!, variance: running_var! };
      return { outputs: { y: reference.batchNorm(x!, weight!, bias!, { eps, running }) } };
    }
    const y = reference.batchNorm(x!, weight!, bias!, { eps });
    const count = x!.data.length / weight!.data.length;
    const moved = (old: reference.Values, now: Float64Array, factor = 1): reference.Values => ({
      shape: old.shape,
      data: now.map((v, i) => (1 - momentum) * old.data[i]! + momentum * factor * v),
    });
    const { dx, dweight, dbias } = reference.batchNormBackward(y, weight!, dy!.data);
    return {
      outputs: {
        y,
        running_mean: moved(running_mean!, y.mean),
        running_var: moved(running_var!, y.variance, count / (count - 1)),
      },
      grads: { x: dx, weight: dweight, bias: dbias },
    };
  },
  dense: ({ op }, { x, weight, bias, grad_output: dy }): Computed => {
    if (op === 'linear') {
      const { dx, dweight, dbias } = reference.linearBackward(x!, weight!, dy!);
      return { outputs: { y: reference.linear(x!, weight!, bias!) }, grads: { x: dx, weight: dweight, bias: dbias } };
    }
    const { f, slope } = reference.unary[op as 'relu'];
    const each = (g: (v: number, i: number) => number) => ({
      shape: x!.shape,
      data: Float64Array.from(x!.data, g),
    });
    return { outputs: { y: each((v) => f(v)) }, grads: { x: each((v, i) => dy!.data[i]! * slope(v)) } };
  },
  softmax: ({ op, temperature }, { x, grad_output: dy }) => {
    const log = op === 'log_softmax';
    const outputs = { y: (log ? reference.logSoftmax : reference.softmax)(x!, { temperature }) };
    if (temperature !== 1) return { outputs };
    const dx = log ? reference.logSoftmaxBackward(x!, dy!) : reference.softmaxBackward(outputs.y, dy!);
    return { outputs, grads: { x: dx } };
  },
  weighted_cross_entropy: ({ reduction }, { logits, labels, weight }) => ({
    outputs: { loss: reference.crossEntropy(logits!, labels!, { reduction, weight }) },
    ...(reduction === 'mean' && { grads: { logits: reference.crossEntropyBackward(logits!, labels!, weight) } }),
  }),
  bce: ({ reduction }, { p, x, target, weight }) => ({
    outputs: { loss: reference.binaryCrossEntropy(p ?? reference.sigmoid(x!), target!, { reduction, weight }) },
    ...(p && reduction === 'mean' && { grads: { p: reference.binaryCrossEntropyBackward(p, target!, weight) } }),
  }),
  affine_sample: ({ padding_mode: padding }, { x, theta }) => ({
    outputs: { y: reference.affineSample(x!, theta!, padding) },
  }),
  class_weight: ({ temperature }, { logits }) => ({
    outputs: { class_weight: reference.classWeight(logits!, { temperature }) },
  }),
  class_weight_adversarial: (_, inputs) => {
    const { source, target } = reference.domainWeights(inputs.class_weight!, inputs.source_labels!);
    return { outputs: { w_s: source, w_t: target } };
  },
};

for (const [name, compute] of Object.entries(COMPUTED)) {
  const file = await readGolden<GoldenFile>(name);
  test(`the reference computes ${file.cases.length} cases of ${name} as PyTorch does`, () => {
    for (const { name: title, params, inputs, outputs, grads: expected } of file.cases) {
      const given = Object.fromEntries(Object.entries(inputs).map(([key, value]) => [key, valuesOf(value)]));
      const { outputs: computed, grads = {} } = compute(params, given);
      const upstream = (given.grad_output?.shape.length === 0 && given.grad_output.data[0]) || 1;
      for (const [key, value] of Object.entries(computed)) check(`${title} ${key}`, value, outputs[key]);
      for (const [key, value] of Object.entries(grads)) {
        const scaled = { shape: value.shape, data: Array.from(value.data, (g) => g * upstream) };
        check(`${title} gradient of ${key}`, scaled, expected[key]);
      }
    }
  });
}

function check(what: string, actual: reference.Values, expected: unknown): void {
  const { shape, data } = valuesOf(expected as GoldenTensor);
  assert.equal([...actual.shape], shape, what);
  const wrong = reference.mismatch(actual.data, data, TOLERANCE);
  if (wrong) throw new Error(`${what}: ${wrong}`);
}

test('the comparator finds a difference anywhere, NaN and infinity included', () => {
  const absolute = (atol: number) => ({ rtol: 0, atol });
  const { mismatch, compare } = reference;
  assert.is(mismatch([1, 2, 3], [1, 2, 3.00001], absolute(2e-5)), null);
  assert.match(
    mismatch([1, 2, 3], [1, 2.1, 3], absolute(0.01))!,
    /^element 1 is 2, expected 2.1 \(10.0 of tolerance\)$/,
  );
  assert.is(mismatch([90, 9], [100, 10], { rtol: 0.1, atol: 0 }), null);
  assert.match(mismatch([89, 9], [100, 10], { rtol: 0.1, atol: 0 })!, /^element 0 is 89/);
  const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
  assert.match(mismatch([1, nan], [1, 2], absolute(1))!, /^element 1 is NaN/);
  assert.match(mismatch([1, 2], [1, nan], absolute(1))!, /^element 1 is 2, expected NaN/);
  assert.match(mismatch([1, inf], [1, -inf], absolute(1))!, /^element 1 is Infinity/);
  assert.match(mismatch([inf], [1], { rtol: 1, atol: 1 })!, /Infinity/);
  assert.is(mismatch([nan, inf, -0], [nan, inf, 0], absolute(0)), null);
  assert.match(
    mismatch([0, 0, 0], [0, 1, 2], absolute(0.5))!,
    /element 2 is 0, expected 2.*; 2 of 3 elements are wrong/,
  );
  assert.is(mismatch([1], [1, 2], absolute(1)), '1 elements, expected 2');
  assert.equal(compare([0, 0, 0], [0, 1, 2], absolute(0.5)), { worst: 4, at: 2, first: 1, wrong: 2 });
  assert.equal(reference.relativeToLargest([1, -4, inf, nan], 0.5), { rtol: 0, atol: 2 });
});

test('the reference trains source only, DANN and PADA as TLlib does', async () => {
  const { cases } = await readGolden<GoldenFile>('pada_training');
  for (const { name, params, inputs, outputs, grads } of cases) {
    const multipliers = params.lr_multipliers as Record<string, number>;
    const targets = (inputs.x_t as GoldenTensor[]).map(valuesOf);
    const loader = targets.slice(0, (outputs.final_target_logits as GoldenTensor).shape[0]! / params.batch);
    const training = new reference.PadaTraining(
      Object.fromEntries(parts(inputs.initial).map(([key, value]) => [key, valuesOf(value)])),
      loader,
      {
        method: params.method,
        numClasses: params.num_classes,
        tradeOff: params.trade_off,
        temperature: params.temperature,
        updateSteps: params.update_steps,
        lr: params.lr,
        lrGamma: params.lr_gamma,
        lrDecay: params.lr_decay,
        momentum: params.momentum,
        nesterov: params.nesterov === 1,
        weightDecay: params.weight_decay,
        reversal: { ...params.grl, maxIters: params.grl.max_iters },
        lrMultiplier: (key) => multipliers[key.replace(/^model\./, '').split('.')[0]!]!,
        paddings: [1, 0],
      },
    );
    for (const [t, step] of (outputs.steps as unknown as Record<string, GoldenTensor>[]).entries()) {
      const { classLoss, transferLoss, classWeightUsed, classWeightAfter, gradients } = training.step({
        source: valuesOf(inputs.x_s[t]),
        labels: valuesOf(inputs.y_s[t]),
        target: targets[t]!,
      });
      const what = `${name} step ${t + 1}`;
      check(`${what} class loss`, reference.scalar(classLoss), step.cls_loss);
      check(`${what} transfer loss`, reference.scalar(transferLoss), step.transfer_loss);
      check(`${what} class weight`, classWeightUsed, step.class_weight_used);
      check(`${what} class weight after`, classWeightAfter, step.class_weight_after);
      const expected = (grads as Record<string, Record<string, Record<string, GoldenTensor>>>)[`step${t + 1}`];
      if (!expected) continue;
      for (const [key, gradient] of parts(expected)) check(`${what} gradient of ${key}`, gradients[key]!, gradient);
    }
    const final = outputs.final as unknown as Record<string, Record<string, GoldenTensor>>;
    for (const [key, value] of parts(final)) check(`${name} final ${key}`, training.state[key]!, value);
    check(`${name} final logits`, training.targetLogits(), outputs.final_target_logits);
  }
});

/** The tensors of both networks by the names of the reference's state. */
const parts = ({ classifier, discriminator }: Record<string, Record<string, GoldenTensor>>) => [
  ...Object.entries(classifier!).map(([key, value]) => [`model.${key}`, value] as const),
  ...Object.entries(discriminator!).map(([key, value]) => [`discriminator.${key}`, value] as const),
];

test('selection without labels', async () => {
  const { cases } = await readGolden<GoldenFile>('selection');
  for (const { name, params, inputs, outputs } of cases) {
    const runs = (inputs.probabilities as GoldenTensor[]).map(valuesOf);
    const entropy = runs.map(reference.meanEntropy);
    const agreement = reference.agreements(runs);
    for (const [key, data] of Object.entries({
      entropy,
      agreement,
      information_maximisation: runs.map(reference.informationMaximisation),
      snd: runs.map((p) => reference.snd(p)),
    }))
      check(`${name} ${key}`, { shape: [runs.length], data }, outputs[key] as GoldenTensor);
    assert.is(reference.pickRun(agreement, entropy, params.margin), outputs.pick);
  }
});

test('bicubic keeps the points of the grid, and weighs the four around a midpoint as PyTorch does', () => {
  const grid = { shape: [1, 5, 5], data: Float64Array.from({ length: 25 }, (_, i) => (i * i) % 7) };
  const large = reference.bicubic(grid, 9, 9).data;
  for (let i = 0; i < 25; i++) assert.is(large[18 * Math.floor(i / 5) + 2 * (i % 5)], grid.data[i]);
  const [a, b, c, d] = grid.data;
  assert.ok(Math.abs(large[3]! - (0.59375 * (b! + c!) - 0.09375 * (a! + d!))) < 1e-12);
});

run();
