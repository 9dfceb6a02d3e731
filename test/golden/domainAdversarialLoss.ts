import { DomainAdversarialLoss } from '../../src/adaptation/domainAdversarialLoss.ts';
import { DomainDiscriminator } from '../../src/adaptation/domainDiscriminator.ts';
import { WarmStartGradientReverseLayer } from '../../src/adaptation/gradientReversal.ts';
import { backward, zeroGrad } from '../../src/autograd.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { Linear, type Module, Sequential, Sigmoid } from '../../src/nn/index.ts';
import { Random } from '../../src/random.ts';
import { keep, tidy } from '../../src/tidy.ts';
import { type GoldenCase, type GoldenRunner, load } from './format.ts';
import { loadState, readGrads, readState } from './modules.ts';

/** DomainAdversarialLoss with a linear discriminator, and with TLlib's in its batch-norm and dropout forms. */
export const domainAdversarialLoss: GoldenRunner = async (gpu, golden) => {
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
  const after = await readState(gpu, discriminator, Object.keys(outputs.state_after as object));
  const grads = { f_s: fS.grad!, f_t: fT.grad!, discriminator: await readGrads(gpu, discriminator) };
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
