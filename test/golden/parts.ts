// Golden files of learning rates, optimisers and the parts of domain adaptation.

import type { Values } from '../../reference/index.ts';
import { AutomaticUpdateClassWeightModule } from '../../src/adaptation/automaticUpdate.ts';
import { DomainAdversarialLoss } from '../../src/adaptation/domainAdversarialLoss.ts';
import { DomainDiscriminator } from '../../src/adaptation/domainDiscriminator.ts';
import { WarmStartGradientReverseLayer } from '../../src/adaptation/gradientReversal.ts';
import { ImportanceWeightModule } from '../../src/adaptation/importanceWeight.ts';
import { backward, zeroGrad } from '../../src/autograd.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { Linear, type Module, ReLU, Sequential, Sigmoid } from '../../src/nn/index.ts';
import { Parameter } from '../../src/nn/parameter.ts';
import { linear } from '../../src/ops/linear.ts';
import { Adam, AdamW, InverseDecay, type Optimizer, Sgd } from '../../src/optim/index.ts';
import { Random } from '../../src/random.ts';
import { write } from '../../src/tensor.ts';
import { keep, tidy } from '../../src/tidy.ts';
import { scoreTarget } from '../../src/train/scores.ts';
import { agreementsOf, picksOf } from '../../src/train/select.ts';
import { type Actual, type GoldenCase, type GoldenRunner, type GoldenTensor, load } from './format.ts';
import { selfTrainingRunner } from './selfTraining.ts';
import { copyOf, loadState, readGrads, readState } from './state.ts';

/** Learning rates of groups with multipliers, at the iterations that the file names. */
const lrSchedule: GoldenRunner = (gpu, { params, outputs }) => {
  const { lr, gamma, decay, base_lrs: multipliers } = params;
  const groups = (multipliers as number[]).map((lrMultiplier) => ({
    params: [new Parameter(gpu, new Float32Array(1), [1])],
    lrMultiplier,
  }));
  const optimizer = new Sgd(groups, { lr });
  const schedule = new InverseDecay(optimizer, { lr, gamma, decay });
  const rows = (outputs.iteration_and_lrs as number[][]).map(([iteration]) => {
    schedule.iteration = iteration!;
    return [schedule.iteration, ...optimizer.groups.map(({ lrMultiplier }) => lrMultiplier * optimizer.lr.value)];
  });
  optimizer.dispose();
  for (const { params } of groups) params[0]!.dispose();
  return { outputs: { iteration_and_lrs: rows } };
};

/** A parameter under given gradients, after each step, and the optimiser's state after the last. */
const optim: GoldenRunner = async (gpu, { params, inputs }) => {
  const { shape, data } = inputs.param as GoldenTensor;
  const parameter = new Parameter(gpu, Float32Array.from(data, Number), shape);
  const optimizer = make(parameter, params);
  const seen: Actual[] = [];
  for (const grad of inputs.grads as GoldenTensor[]) {
    parameter.grad = load(gpu, grad, 'grad');
    optimizer.step();
    seen.push(await copyOf(parameter));
    optimizer.zeroGrad();
  }
  const kept = [...(await optimizer.stateDict())].filter(([name]) => !/lr$|step$/.test(name));
  const state = Object.fromEntries(kept.map(([name, value]) => [name.replace(/^0\./, ''), value as Values]));
  optimizer.dispose();
  parameter.dispose();
  return { outputs: { param: seen, state } };
};

/** Scores of several runs' probabilities, and the run that agreement and entropy pick. */
const selection: GoldenRunner = async (gpu, { params, inputs }) => {
  const all = await Promise.all(
    (inputs.probabilities as GoldenTensor[]).map(async (golden) => {
      const p = load(gpu, golden, 'p');
      return scoreTarget(p).finally(() => p.dispose());
    }),
  );
  const agreement = agreementsOf(all.map(({ labels }) => labels));
  const scores = all.map((one, i) => ({ ...one, agreement: agreement[i]!, dev: null, sourceAccuracy: null }));
  const column = (name: 'entropy' | 'informationMaximisation' | 'snd' | 'agreement') => ({
    shape: [all.length],
    data: scores.map((one) => one[name]),
  });
  return {
    outputs: {
      entropy: column('entropy'),
      information_maximisation: column('informationMaximisation'),
      snd: column('snd'),
      agreement: column('agreement'),
      pick: picksOf(scores, params)['agreement-entropy']!,
    },
  };
};

function make(
  parameter: Parameter,
  { optimiser, weight_decay: weightDecay, ...rest }: GoldenCase['params'],
): Optimizer {
  const options = { lr: rest.lr, ...rest, ...(weightDecay !== undefined && { weightDecay }) };
  if (optimiser === 'SGD') return new Sgd([parameter], options);
  if (optimiser === 'Adam') return new Adam([parameter], options);
  if (optimiser === 'AdamW') return new AdamW([parameter], options);
  throw new Error(`optim: unknown optimiser ${optimiser}`);
}

/** Coefficients of the gradient reversal and the gradients they give; or those of a layer that counts by itself. */
const grl: GoldenRunner = (gpu, { params, inputs, outputs }) => {
  const { alpha, lo, hi, max_iters: maxIters, auto_step: autoStep } = params;
  const layer = new WarmStartGradientReverseLayer({ alpha, lo, hi, maxIters, autoStep: autoStep === 1 });
  const coeff: number[] = [];
  if (autoStep) {
    tidy(() => {
      const x = load(gpu, { shape: [1], data: [1] }, 'x');
      for (const _ of outputs.coeff as number[]) {
        coeff.push(layer.coefficient.value);
        layer.forward(x);
      }
    });
    return { outputs: { coeff } };
  }
  const grads = tidy(() =>
    (inputs.iter_num as number[]).map((i) => {
      const x = load(gpu, inputs.x, 'x', true);
      layer.iterNum = i;
      coeff.push(layer.coefficient.value);
      backward(layer.forward(x), load(gpu, inputs.grad_output, 'dy'));
      return x.grad!;
    }),
  );
  return { outputs: { coeff }, grads: { x: grads } };
};

/** Class weights that follow a linear classifier which drifts: W + t dW before step t. */
const classWeightAutoUpdate: GoldenRunner = async (gpu, { params, inputs }) => {
  const { update_steps: updateSteps, num_classes: numClasses, temperature, steps } = params;
  const weight = load(gpu, inputs.W, 'W');
  const bias = load(gpu, inputs.b, 'b');
  const batches = (inputs.batches as GoldenTensor[]).map((batch) => load(gpu, batch, 'batch'));
  const weights = new AutomaticUpdateClassWeightModule(gpu, {
    updateSteps,
    numClasses,
    temperature,
    dataLoader: batches,
    classifier: (x) => linear(x, weight, bias),
  });
  const data = [...(await weights.classWeight.read())];
  for (let t = 1; t <= steps; t++) {
    write(
      weight,
      Float32Array.from(inputs.W.data, (w: number, i: number) => w + t * inputs.dW.data[i]),
    );
    await weights.step();
    data.push(...(await weights.classWeight.read()));
  }
  for (const x of [weights, weight, bias, ...batches]) x.dispose();
  return { outputs: { class_weight: { shape: [steps + 1, numClasses], data } } };
};

/** DomainAdversarialLoss with a linear discriminator, and with TLlib's in its batch-norm and dropout forms. */
const domainAdversarialLoss: GoldenRunner = async (gpu, golden) => {
  const { params, inputs, outputs } = golden;
  const discriminator = makeDiscriminator(gpu, params);
  loadState(discriminator, inputs.discriminator);
  const gradientReversal = new WarmStartGradientReverseLayer({
    alpha: params.alpha,
    lo: params.lo,
    hi: params.hi,
    maxIters: params.max_iters,
  });
  gradientReversal.iterNum = params.iter_num;
  const adversarial = new DomainAdversarialLoss(discriminator, {
    reduction: params.reduction,
    sigmoid: params.sigmoid === 1,
    gradientReversal,
  });

  const [fS, fT] = [load(gpu, inputs.f_s, 'fS', true), load(gpu, inputs.f_t, 'fT', true)];
  const { loss, accuracy } = tidy(() => {
    const weights = params.weighted
      ? { source: load(gpu, inputs.w_s, 'wS'), target: load(gpu, inputs.w_t, 'wT') }
      : undefined;
    const loss = adversarial.forward(fS, fT, weights);
    backward(loss, load(gpu, inputs.grad_output, 'dloss'));
    return { loss, accuracy: keep(adversarial.domainDiscriminatorAccuracy!) };
  });
  const after = await readState(discriminator, outputs.state_after as object);
  const grads = { f_s: fS.grad!, f_t: fT.grad!, discriminator: await readGrads(discriminator) };
  zeroGrad(discriminator.parameters());
  // A tensor takes its gradient with it.
  fS.grad = fT.grad = null;
  for (const x of [adversarial, discriminator, fS, fT]) x.dispose();
  return { outputs: { loss, accuracy, state_after: after }, grads };
};

function makeDiscriminator(
  gpu: Gpu,
  { kind, in_feature: inFeature, hidden: hiddenSize, sigmoid }: GoldenCase['params'],
): Module {
  const random = new Random(0);
  if (kind === 'linear_sigmoid')
    return new Sequential(new Linear(gpu, { inFeatures: inFeature, outFeatures: 1, random }), new Sigmoid());
  const batchNorm = kind.includes('bn');
  const made = new DomainDiscriminator(gpu, { inFeature, hiddenSize, batchNorm, sigmoid: sigmoid === 1, random });
  return kind.endsWith('eval') ? made.eval() : made;
}

/** Importance weights of IWAN from a discriminator with one hidden layer. */
const iwan: GoldenRunner = async (gpu, { params, inputs }) => {
  const random = new Random(0);
  const { '0.weight': hidden, '2.weight': last } = inputs.discriminator;
  const linear = ({ shape: [outFeatures, inFeatures] }: GoldenTensor) =>
    new Linear(gpu, { inFeatures: inFeatures!, outFeatures: outFeatures!, random });
  const discriminator = new Sequential(linear(hidden), new ReLU(), linear(last), new Sigmoid());
  loadState(discriminator, inputs.discriminator);
  const module = new ImportanceWeightModule(discriminator, { partialClassesIndex: params.partial_classes_index });
  const [f, labels] = [load(gpu, inputs.f, 'f'), load(gpu, inputs.labels, 'labels')];
  const weight = tidy(() => module.getImportanceWeight(f));
  const { partial, nonPartial } = await module.getPartialClassesWeight(weight, labels);
  for (const held of [discriminator, f, labels]) held.dispose();
  return { outputs: { weight, partial, non_partial: nonPartial } };
};

export const partRunners: Record<string, GoldenRunner> = {
  lr_schedule: lrSchedule,
  optim,
  grl,
  class_weight_auto_update: classWeightAutoUpdate,
  domain_adversarial_loss: domainAdversarialLoss,
  selection,
  iwan,
  self_training: selfTrainingRunner,
};
