import { AutomaticUpdateClassWeightModule } from '../../src/adaptation/automaticUpdate.ts';
import { collectClassificationResults } from '../../src/adaptation/collect.ts';
import { DomainAdversarialLoss } from '../../src/adaptation/domainAdversarialLoss.ts';
import { DomainDiscriminator } from '../../src/adaptation/domainDiscriminator.ts';
import { WarmStartGradientReverseLayer } from '../../src/adaptation/gradientReversal.ts';
import { backward } from '../../src/autograd.ts';
import { SmallCnn } from '../../src/models/smallCnn.ts';
import { add } from '../../src/ops/add.ts';
import { concat } from '../../src/ops/concat.ts';
import { crossEntropy } from '../../src/ops/crossEntropy.ts';
import { scale } from '../../src/ops/scale.ts';
import { sliceRows } from '../../src/ops/sliceRows.ts';
import { InverseDecay } from '../../src/optim/schedule.ts';
import { Sgd } from '../../src/optim/sgd.ts';
import { Random } from '../../src/random.ts';
import { keep, tidy } from '../../src/tidy.ts';
import { type Actual, type GoldenRunner, type GoldenTensor, load } from './format.ts';
import { copyOf, loadState, readGrads, readState } from './state.ts';

/** Five steps of source-only, DANN and PADA as TLlib's example does them, with a smaller network. */
export const padaTraining: GoldenRunner = async (gpu, { params, inputs, outputs }) => {
  const { batch: n, num_classes: numClasses, trade_off: tradeOff, method } = params;
  const random = new Random(0);
  const model = new SmallCnn(gpu, {
    numClasses,
    random,
    imageSize: 12,
    convolutions: [
      { outChannels: 4, kernelSize: 3, padding: 1 },
      { outChannels: 6, kernelSize: 3, padding: 0 },
    ],
    featuresDim: 8,
  });
  const discriminator = new DomainDiscriminator(gpu, { inFeature: 8, hiddenSize: 8, random });
  loadState(model, inputs.initial.classifier);
  loadState(discriminator, inputs.initial.discriminator);
  const { alpha, lo, hi, max_iters: maxIters } = params.grl;
  const adversarial = new DomainAdversarialLoss(discriminator, {
    gradientReversal: new WarmStartGradientReverseLayer({ alpha, lo, hi, maxIters, autoStep: true }),
  });
  const { backbone, bottleneck, head, discriminator: ofDiscriminator } = params.lr_multipliers;
  const groups = [
    { params: model.backbone.parameters(), lrMultiplier: backbone },
    { params: model.bottleneck.parameters(), lrMultiplier: bottleneck },
    { params: model.head.parameters(), lrMultiplier: head },
    { params: discriminator.parameters(), lrMultiplier: ofDiscriminator },
  ];
  const optimizer = new Sgd(groups, {
    lr: params.lr,
    momentum: params.momentum,
    nesterov: params.nesterov === 1,
    weightDecay: params.weight_decay,
  });
  const schedule = new InverseDecay(optimizer, { lr: params.lr, gamma: params.lr_gamma, decay: params.lr_decay });

  const xS = (inputs.x_s as GoldenTensor[]).map((x) => load(gpu, x, 'xS'));
  const yS = (inputs.y_s as GoldenTensor[]).map((y) => load(gpu, y, 'labels'));
  const xT = (inputs.x_t as GoldenTensor[]).map((x) => load(gpu, x, 'xT'));
  // The loader of the class weights: the target batches of the first steps.
  const targets = xT.slice(0, (outputs.final_target_logits as GoldenTensor).shape[0]! / n);
  const weights = new AutomaticUpdateClassWeightModule(gpu, {
    updateSteps: params.update_steps,
    dataLoader: targets,
    classifier: model,
    numClasses,
    temperature: params.temperature,
  });
  // The class weights follow the classifier under every method; only PADA uses them.
  const weighted = method === 'pada';

  const steps: Actual[] = [];
  const grads: Record<string, Actual> = {};
  for (let t = 0; t < params.steps; t++) {
    const used = await copyOf(weights.classWeight);
    const parts = tidy(() => {
      optimizer.zeroGrad();
      const { logits, features } = model.forward(concat([xS[t]!, xT[t]!]));
      const weight = weighted ? weights.getClassWeightForCrossEntropyLoss() : undefined;
      const classLoss = crossEntropy(sliceRows(logits, 0, n), yS[t]!, weight && { weight });
      const transferLoss = adversarial.forwardBatch(
        features,
        n,
        weighted ? weights.getClassWeightForAdversarialLoss(yS[t]!) : undefined,
      );
      const loss = add(classLoss, scale(transferLoss, tradeOff));
      const accuracy = keep(adversarial.domainDiscriminatorAccuracy!);
      backward(loss);
      return { cls_loss: classLoss, transfer_loss: transferLoss, loss, domain_acc: accuracy };
    });
    await weights.step();
    if (t < 2)
      grads[`step${t + 1}`] = {
        classifier: await readGrads(model),
        discriminator: await readGrads(discriminator),
      };
    const lrs = [backbone, bottleneck, head, ofDiscriminator].map((multiplier) => multiplier * optimizer.lr.value);
    optimizer.step();
    schedule.step();
    steps.push({ ...parts, lrs, class_weight_used: used, class_weight_after: await copyOf(weights.classWeight) });
  }
  const final = outputs.final as { classifier: object; discriminator: object };
  const result = {
    steps,
    final: {
      classifier: await readState(model, final.classifier),
      discriminator: await readState(discriminator, final.discriminator),
    },
    final_target_logits: await collectClassificationResults(targets, model),
  };
  for (const x of [weights, adversarial, optimizer, discriminator, model, ...xS, ...yS, ...xT]) x.dispose();
  return { outputs: result, grads };
};
