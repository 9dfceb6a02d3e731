// Five iterations of source only, DANN and PADA on a smaller network, as TLlib's example does them: the golden file holds every
// loss, learning rate, class weight, gradient and final parameter.

import { AutomaticUpdateClassWeightModule } from '../../src/adaptation/automaticUpdate.ts';
import { collectClassificationResults } from '../../src/adaptation/collect.ts';
import { backward, noGrad } from '../../src/autograd.ts';
import { SmallCnn } from '../../src/models/smallCnn.ts';
import { add } from '../../src/ops/add.ts';
import { InverseDecay, Sgd } from '../../src/optim/index.ts';
import { Random } from '../../src/random.ts';
import { tidy } from '../../src/tidy.ts';
import { dann } from '../../src/train/methods/dann.ts';
import { pada } from '../../src/train/methods/pada.ts';
import { type Actual, type GoldenRunner, type GoldenTensor, load } from './format.ts';
import { copyOf, loadState, readGrads, readState } from './state.ts';

const FEATURES = 8;

export const padaTraining: GoldenRunner = async (gpu, { params, inputs, outputs }) => {
  const { num_classes: numClasses, update_steps: updateSteps, temperature } = params;
  const random = new Random(0);
  const model = new SmallCnn(gpu, {
    ...{ numClasses, random, shape: [1, 12, 12], featuresDim: FEATURES },
    convolutions: [
      { outChannels: 4, kernelSize: 3, padding: 1 },
      { outChannels: 6, kernelSize: 3, padding: 0 },
    ],
  });
  const all = (batches: GoldenTensor[], name: string) => batches.map((batch) => load(gpu, batch, name));
  const [sources, labels, targets] = [all(inputs.x_s, 'x'), all(inputs.y_s, 'labels'), all(inputs.x_t, 'x')];
  // The class weights are computed from the target batches of the first iterations.
  const dataLoader = targets.slice(0, (outputs.final_target_logits as GoldenTensor).shape[0]! / params.batch);

  const reversal = { reversalAlpha: params.grl.alpha, reversalIterations: params.grl.max_iters };
  const options = { tradeOff: params.trade_off, ...reversal };
  // Source only in this file is DANN with a trade-off of 0: its batch statistics include the target.
  const method =
    params.method === 'pada' ? pada({ ...options, temperature, classWeightUpdateSteps: updateSteps }) : dann(options);
  const setup = {
    gpu,
    model,
    featuresDim: FEATURES,
    numClasses,
    random,
    eager: false,
    batchSize: params.batch,
    iterations: 1,
  };
  // Class weights take any iterable of batches, as TLlib's do; the trainer gives a data set.
  const recipe = method.begin({ ...setup, source: dataLoader as never, target: dataLoader as never });
  const discriminator = recipe.networks!.discriminator!;
  // The file has class weights for every method, though only PADA uses them.
  const weights =
    (recipe.classWeights as AutomaticUpdateClassWeightModule | undefined) ??
    new AutomaticUpdateClassWeightModule(gpu, { updateSteps, temperature, dataLoader, classifier: model, numClasses });
  loadState(model, inputs.initial.classifier);
  loadState(discriminator, inputs.initial.discriminator);

  const multipliers: number[] = ['backbone', 'bottleneck', 'head', 'discriminator'].map(
    (part) => params.lr_multipliers[part],
  );
  const groups = [model.backbone, model.bottleneck, model.head, discriminator].map((part, i) => ({
    params: part.parameters(),
    lrMultiplier: multipliers[i]!,
  }));
  const { lr, momentum, weight_decay: weightDecay } = params;
  const optimizer = new Sgd(groups, { lr, momentum, nesterov: params.nesterov === 1, weightDecay });
  const schedule = new InverseDecay(optimizer, { lr, gamma: params.lr_gamma, decay: params.lr_decay });

  const steps: Actual[] = [];
  const grads: Record<string, Actual> = {};
  for (let t = 0; t < params.steps; t++) {
    const used = await copyOf(weights.classWeight);
    recipe.advance!(t);
    const losses = tidy(() => {
      optimizer.zeroGrad();
      const losses = recipe.losses({
        source: { x: sources[t]!, labels: labels[t]! },
        target: { x: targets[t]!, labels: null },
        plainTarget: targets[t]!,
      });
      backward(losses.loss);
      return { ...losses, loss: noGrad(() => [losses.loss].flat().reduce((a, b) => add(a, b))) };
    });
    losses.classAccuracy.dispose();
    await weights.step();
    if (t < 2)
      grads[`step${t + 1}`] = { classifier: await readGrads(model), discriminator: await readGrads(discriminator) };
    const lrs = multipliers.map((multiplier) => multiplier * optimizer.lr.value);
    optimizer.step();
    schedule.step();
    steps.push({
      cls_loss: losses.classLoss,
      transfer_loss: losses.transferLoss!,
      loss: losses.loss,
      domain_acc: losses.domainAccuracy!,
      lrs,
      class_weight_used: used,
      class_weight_after: await copyOf(weights.classWeight),
    });
  }
  const final = outputs.final as { classifier: object; discriminator: object };
  const result = {
    steps,
    final: {
      classifier: await readState(model, final.classifier),
      discriminator: await readState(discriminator, final.discriminator),
    },
    final_target_logits: await collectClassificationResults(dataLoader, model),
  };
  recipe.dispose?.();
  for (const x of [weights, optimizer, discriminator, model, ...sources, ...labels, ...targets]) x.dispose();
  return { outputs: result, grads };
};
