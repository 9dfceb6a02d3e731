// The golden file of self-training: the recipe's losses for given logits.
import { pseudoLabels } from '../../src/adaptation/pseudoLabels.ts';
import { backward, noGrad } from '../../src/autograd.ts';
import { FeatureDataset } from '../../src/data/dataset.ts';
import { Module } from '../../src/nn/index.ts';
import { add } from '../../src/ops/add.ts';
import { Random } from '../../src/random.ts';
import type { Tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { selfTraining } from '../../src/train/methods/selfTraining.ts';
import { type GoldenRunner, type GoldenTensor, load } from './format.ts';

/** A network whose logits are its input. */
class Identity extends Module<{ logits: Tensor; features: Tensor }> {
  forward(x: Tensor): { logits: Tensor; features: Tensor } {
    return { logits: x, features: x };
  }
}

const RAMP = 2;

export const selfTrainingRunner: GoldenRunner = (gpu, { params, inputs }) => {
  const { threshold, floor, ramp } = params;
  const [, numClasses] = (inputs.source_logits as GoldenTensor).shape as [number, number];
  const target = new FeatureDataset(gpu, { features: new Float32Array(numClasses), count: 1, dim: numClasses }, 1);
  const recipe = selfTraining({ threshold, floor, pseudoFrom: 0, ramp: RAMP, pseudoLabelWeights: 'equal' }).begin({
    ...{ gpu, model: new Identity(), featuresDim: numClasses, numClasses, source: target, target },
    ...{ batchSize: 1, iterations: 1, random: new Random(0), eager: true },
  });
  const weight = { shape: [numClasses], data: Float32Array.from(inputs.class_weight.data) };
  recipe.classWeights!.loadStateDict(
    new Map<string, typeof weight | { shape: number[]; data: BigInt64Array<ArrayBuffer> }>([
      ['weight', weight],
      ['steps', { shape: [], data: BigInt64Array.of(0n) }],
    ]),
  );
  recipe.advance!(ramp * RAMP - 1);
  const result = tidy(() => {
    const source = load(gpu, inputs.source_logits, 'source', true);
    const strong = load(gpu, inputs.strong_logits, 'strong', true);
    const weak = load(gpu, inputs.weak_logits, 'weak');
    const classWeight = load(gpu, inputs.class_weight, 'classWeight');
    const { labels, mask } = pseudoLabels(weak, { classWeight, threshold });
    const { loss, classLoss, transferLoss } = recipe.losses({
      source: { x: source, labels: load(gpu, inputs.labels, 'labels') },
      target: { x: strong, labels: null },
      plainTarget: weak,
    });
    backward(loss);
    const sum = noGrad(() => [loss].flat().reduce((a, b) => add(a, b)));
    return {
      outputs: { pseudo_labels: labels, mask, source_loss: classLoss, target_loss: transferLoss!, loss: sum },
      grads: { source_logits: source.grad!, strong_logits: strong.grad! },
    };
  });
  for (const held of [target, recipe.classWeights!]) held.dispose();
  return result;
};
