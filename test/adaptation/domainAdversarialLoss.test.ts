import * as assert from 'uvu/assert';
import { DomainAdversarialLoss } from '../../src/adaptation/domainAdversarialLoss.ts';
import { DomainDiscriminator } from '../../src/adaptation/domainDiscriminator.ts';
import { WarmStartGradientReverseLayer } from '../../src/adaptation/gradientReversal.ts';
import { backward, zeroGrad } from '../../src/autograd.ts';
import { capture } from '../../src/capture.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { Linear, type Module, Sequential, Sigmoid } from '../../src/nn/index.ts';
import { Random } from '../../src/random.ts';
import { type Tensor, tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { assertClose, gpuTest, run, seeded, uniform } from '../harness.ts';

const namesOf = (module: Module): string[] =>
  [...module.namedParameters(), ...module.namedBuffers()].map(([name]) => name);

gpuTest('DomainDiscriminator has the shapes and names of TLlib in each of its forms', async (gpu) => {
  const make = (options: { batchNorm?: boolean; sigmoid?: boolean }) =>
    new DomainDiscriminator(gpu, { inFeature: 6, hiddenSize: 4, random: new Random(0), ...options });
  const withBatchNorm = make({});
  assert.equal(namesOf(withBatchNorm), [
    '0.weight',
    '0.bias',
    '1.weight',
    '1.bias',
    '3.weight',
    '3.bias',
    '4.weight',
    '4.bias',
    '6.0.weight',
    '6.0.bias',
    '1.running_mean',
    '1.running_var',
    '4.running_mean',
    '4.running_var',
  ]);
  const twoOutputs = make({ sigmoid: false });
  const withDropout = make({ batchNorm: false });
  assert.equal(
    namesOf(twoOutputs).filter((name) => name.startsWith('6')),
    ['6.weight', '6.bias'],
  );
  assert.equal(namesOf(withDropout), ['0.weight', '0.bias', '3.weight', '3.bias', '6.0.weight', '6.0.bias']);
  const again = make({});
  assert.equal(await again.stateDict(), await withBatchNorm.stateDict());
  const x = tensor(gpu, uniform([3, 6], seeded(1)), [3, 6]);
  for (const [discriminator, outputs] of [
    [withBatchNorm, 1],
    [twoOutputs, 2],
    [withDropout, 1],
  ] as const) {
    const d = tidy(() => discriminator.forward(x));
    assert.equal(d.shape, [3, outputs]);
    if (outputs === 1) assert.ok((await d.read()).every((p) => p > 0 && p < 1));
    d.dispose();
  }
  for (const held of [withBatchNorm, twoOutputs, withDropout, again, x]) held.dispose();
});

gpuTest('the reversal warms up from lo: 0 at the start, 0.46 and not 1 at maxIters', async (gpu) => {
  const layer = new WarmStartGradientReverseLayer({ autoStep: true });
  const expected = (i: number) => 2 / (1 + Math.exp(-i / 1000)) - 1;
  assert.is(layer.coefficient.value, 0);
  layer.iterNum = 1000;
  assert.ok(Math.abs(layer.coefficient.value - 0.46211715726) < 1e-10);
  const x = tensor(gpu, [1, 2]);
  x.requiresGrad = true;
  for (let i = 1000; i < 1003; i++) {
    assert.is(layer.iterNum, i);
    const y = tidy(() => {
      const y = layer.forward(x);
      // A forward of another batch counts on; backward reverses by the coefficient of its own forward.
      layer.forward(x);
      layer.iterNum = i + 1;
      backward(y, tensor(gpu, [1, -3]));
      return y;
    });
    assert.equal(await y.read(), await x.read());
    assertClose('dx', await x.grad!.read(), [-expected(i), 3 * expected(i)], { rtol: 1e-6, atol: 0 });
    zeroGrad([x]);
    y.dispose();
  }
  const shifted = new WarmStartGradientReverseLayer({ alpha: 10, lo: 0.1, hi: 0.7, maxIters: 50 });
  assert.ok(Math.abs(shifted.coefficient.value - 0.1) < 1e-12);
  shifted.iterNum = 1e6;
  assert.ok(Math.abs(shifted.coefficient.value - 0.7) < 1e-12);
  shifted.iterNum = 7;
  shifted.forward(x).dispose();
  assert.is(shifted.iterNum, 7, 'it counts by itself only when told to');
  shifted.step();
  assert.is(shifted.iterNum, 8);
  assert.throws(
    () => new WarmStartGradientReverseLayer({ maxIters: 0 }),
    /^WarmStartGradientReverseLayer: maxIters must be a number > 0 but is 0$/,
  );
  x.dispose();
});

/** A discriminator that is one logit: p = sigmoid(x). */
async function identity(gpu: Gpu, outputs = 1): Promise<Sequential> {
  const linear = new Linear(gpu, { inFeatures: 1, outFeatures: outputs, random: new Random(0) });
  const weight = Float32Array.from({ length: outputs }, (_, i) => (i === outputs - 1 ? 1 : 0));
  linear.loadStateDict(
    new Map([
      ['weight', { shape: [outputs, 1], data: weight }],
      ['bias', { shape: [outputs], data: new Float32Array(outputs) }],
    ]),
  );
  return outputs === 1 ? new Sequential(linear, new Sigmoid()) : new Sequential(linear);
}

const SOURCE = [2, -1, 0.5];
const TARGET = [-3, 1, 0.25];
const logistic = (z: number) => Math.log1p(Math.exp(-z));
const column = (gpu: Gpu, values: number[]): Tensor => tensor(gpu, values, [values.length, 1]);

gpuTest('DomainAdversarialLoss: source is 1 and target 0, with one output and with two', async (gpu) => {
  const weights = { source: [1, 0, 0.5], target: [0.5, 0.5, 0.5] };
  const ofSource = SOURCE.map((z, i) => weights.source[i]! * logistic(z));
  const ofTarget = TARGET.map((z, i) => weights.target[i]! * logistic(-z));
  const mean = [...ofSource, ...ofTarget].reduce((a, l) => a + l, 0) / 6;
  for (const outputs of [1, 2]) {
    const discriminator = await identity(gpu, outputs);
    const adversarial = new DomainAdversarialLoss(discriminator, { sigmoid: outputs === 1 });
    const each = new DomainAdversarialLoss(discriminator, { sigmoid: outputs === 1, reduction: 'none' });
    const [fS, fT] = [column(gpu, SOURCE), column(gpu, TARGET)];
    const held = tidy(() => {
      const given = { source: tensor(gpu, weights.source), target: tensor(gpu, weights.target) };
      const loss = adversarial.forward(fS, fT, given);
      return [loss, adversarial.domainDiscriminatorAccuracy!, each.forward(fS, fT, given)];
    });
    const [loss, percent, losses] = held;
    assertClose('loss', await loss!.read(), [mean], { rtol: 1e-6, atol: 0 });
    assertClose('accuracy', await percent!.read(), [50], { rtol: 1e-6, atol: 0 });
    const pairs = ofSource.map((l, i) => 0.5 * (l + ofTarget[i]!));
    assert.equal(losses!.shape, outputs === 1 ? [3, 1] : [6]);
    assertClose('each', await losses!.read(), outputs === 1 ? pairs : [...ofSource, ...ofTarget], {
      rtol: 1e-6,
      atol: 1e-7,
    });
    for (const x of [...held, fS, fT, adversarial, each, discriminator]) x.dispose();
  }
});

gpuTest(
  'DomainAdversarialLoss teaches the discriminator and deceives it: features get the reversed gradient',
  async (gpu) => {
    const discriminator = await identity(gpu);
    const gradientReversal = new WarmStartGradientReverseLayer();
    const adversarial = new DomainAdversarialLoss(discriminator, { gradientReversal });
    const [fS, fT] = [column(gpu, SOURCE), column(gpu, TARGET)];
    for (const f of [fS, fT]) f.requiresGrad = true;
    const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));
    for (const iteration of [0, 1000]) {
      gradientReversal.iterNum = iteration;
      tidy(() => backward(adversarial.forward(fS, fT)));
      const coefficient = iteration === 0 ? 0 : 0.46211715726;
      const dS = SOURCE.map((z) => (-coefficient * (sigmoid(z) - 1)) / 6);
      const dT = TARGET.map((z) => (-coefficient * sigmoid(z)) / 6);
      assertClose('source', await fS.grad!.read(), dS, { rtol: 1e-5, atol: 1e-8 });
      assertClose('target', await fT.grad!.read(), dT, { rtol: 1e-5, atol: 1e-8 });
      const bias = [...discriminator.parameters()][1]!;
      const slope = [...SOURCE.map((z) => sigmoid(z) - 1), ...TARGET.map(sigmoid)].reduce((a, g) => a + g, 0) / 6;
      assertClose('bias', await bias.grad!.read(), [slope], { rtol: 1e-5, atol: 1e-7 });
      zeroGrad([fS, fT, ...discriminator.parameters()]);
    }
    for (const x of [fS, fT, adversarial, discriminator]) x.dispose();
  },
);

gpuTest(
  'DomainAdversarialLoss in a captured step follows its coefficient, bit for bit as the eager one',
  async (gpu) => {
    const random = new Random(5);
    for (const sigmoid of [true, false]) {
      const discriminator = new DomainDiscriminator(gpu, { inFeature: 7, hiddenSize: 5, sigmoid, random });
      const gradientReversal = new WarmStartGradientReverseLayer({ maxIters: 10 });
      const adversarial = new DomainAdversarialLoss(discriminator, { sigmoid, gradientReversal });
      const f = tensor(gpu, uniform([12, 7], seeded(2)), [12, 7]);
      f.requiresGrad = true;
      const once = () => {
        const loss = adversarial.forwardBatch(f, 8);
        backward(loss);
        const result = { loss, percent: adversarial.domainDiscriminatorAccuracy!, df: f.grad! };
        zeroGrad(discriminator.parameters());
        f.grad = null;
        return result;
      };
      const eager: Float32Array[][] = [];
      for (const iteration of [1, 5]) {
        gradientReversal.iterNum = iteration;
        const { loss, percent, df } = tidy(once);
        eager.push([await loss.read(), await percent.read(), await df.read()]);
        for (const x of [loss, percent, df]) x.dispose();
      }
      assert.not.equal(eager[0]![2], eager[1]![2]);
      const step = await capture(gpu, once);
      for (const [k, iteration] of [1, 5].entries()) {
        gradientReversal.iterNum = iteration;
        step.run();
        const { loss, percent, df } = step.result;
        assert.equal([await loss.read(), await percent.read(), await df.read()], eager[k]);
      }
      for (const x of [...Object.values(step.result), step, f, adversarial, discriminator]) x.dispose();
    }
  },
);

gpuTest('two outputs are wanted where two are asked for', async (gpu) => {
  const discriminator = await identity(gpu);
  const f = column(gpu, [...SOURCE, ...TARGET]);
  const adversarial = new DomainAdversarialLoss(discriminator, { sigmoid: false });
  assert.throws(
    () => tidy(() => adversarial.forwardBatch(f, 3)),
    /DomainAdversarialLoss: the output of the discriminator must be \[6,2\] but is \[6,1\]/,
  );
  for (const held of [f, adversarial, discriminator]) held.dispose();
});

gpuTest('a reversal that counts by itself counts the runs of a captured step as it does forwards', async (gpu) => {
  const discriminator = await identity(gpu);
  const f = tensor(gpu, [...SOURCE, ...TARGET], [6, 1]);
  f.requiresGrad = true;
  const series = async (captured: boolean): Promise<number[][]> => {
    const adversarial = new DomainAdversarialLoss(discriminator);
    const { gradientReversal } = adversarial;
    const once = () => {
      zeroGrad([...discriminator.parameters(), f]);
      backward(adversarial.forwardBatch(f, 3));
      return f.grad!;
    };
    const step = captured ? await capture(gpu, once) : undefined;
    const gradients: number[][] = [];
    for (let i = 0; i < 4; i++) {
      assert.is(gradientReversal.iterNum, i);
      step?.run();
      gradients.push([...(await (step ? step.result : tidy(once)).read())]);
    }
    // What is set by hand is where it counts on from.
    gradientReversal.iterNum = 500;
    step?.run();
    gradients.push([...(await (step ? step.result : tidy(once)).read())]);
    assert.is(gradientReversal.iterNum, 501);
    step?.dispose();
    zeroGrad([...discriminator.parameters(), f]);
    adversarial.dispose();
    return gradients;
  };
  const eager = await series(false);
  assert.equal(await series(true), eager);
  assert.ok(
    eager.slice(1).every((df, i) => Math.abs(df[0]!) > Math.abs(eager[i]![0]!)),
    'it rises',
  );
  for (const held of [f, discriminator]) held.dispose();
});

run();
