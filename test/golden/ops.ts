// Golden files of single ops: a table from the file's name to the call.

import { ClassWeightModule, raiseClassWeight } from '../../src/adaptation/classWeight.ts';
import {
  AdaptiveFeatureNorm,
  alphaPowerLoss,
  complementEntropyLoss,
  MinimumClassConfusionLoss,
} from '../../src/adaptation/losses.ts';
import { backward } from '../../src/autograd.ts';
import { AdaptiveAvgPool2d } from '../../src/nn/index.ts';
import * as ops from '../../src/ops/index.ts';
import type { Tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { type GoldenCase, type GoldenRunner, load } from './format.ts';

type Inputs = { [name: string]: Tensor };

/**
 * Runs an op on the inputs of a case. Inputs whose gradient the file has are leaves, and `grad_output` is the gradient of the op's
 * first result.
 */
const op =
  (call: (inputs: Inputs, params: GoldenCase['params']) => Inputs): GoldenRunner =>
  (gpu, { params, inputs, grads }) =>
    tidy(() => {
      const named = Object.entries(inputs).map(
        ([name, value]) => [name, load(gpu, value, name, name in grads)] as const,
      );
      const { grad_output: dy, ...tensors } = Object.fromEntries(named);
      const outputs = call(tensors, params);
      if (dy) backward(Object.values(outputs)[0]!, dy);
      return { outputs, grads: Object.fromEntries(Object.keys(grads).map((name) => [name, tensors[name]!.grad!])) };
    });

export const opRunners: Record<string, GoldenRunner> = {
  conv2d: op(({ x, weight, bias }, { stride, padding, dilation }) => ({
    y: ops.conv2d(x!, weight!, bias ?? null, { stride, padding, dilation }),
  })),
  pool2d: op(({ x }, { op, kernel: kernelSize, stride, padding }) => ({
    y: (op === 'max' ? ops.maxPool2d : ops.avgPool2d)(x!, { kernelSize, stride, padding }),
  })),
  global_avg_pool: op(({ x }) => ({ y: new AdaptiveAvgPool2d(1).forward(x!) })),
  batchnorm: op(({ x, weight, bias, running_mean, running_var }, { eps, momentum, mode }) => ({
    y: ops.batchNorm(x!, {
      ...{ weight: weight!, bias: bias!, runningMean: running_mean!, runningVar: running_var! },
      ...{ eps, momentum, training: mode === 'train' },
    }),
    running_mean: running_mean!,
    running_var: running_var!,
  })),
  dense: op(({ x, weight, bias }, { op }) => {
    const calls: Record<string, () => Tensor> = {
      linear: () => ops.linear(x!, weight!, bias!),
      relu: () => ops.relu(x!),
      sigmoid: () => ops.sigmoid(x!),
      tanh: () => ops.tanh(x!),
    };
    if (!calls[op]) throw new Error(`golden: dense has no op ${op}; it has ${Object.keys(calls).join(', ')}`);
    return { y: calls[op]() };
  }),
  softmax: op(({ x }, { op, temperature }) => ({
    y: (op === 'log_softmax' ? ops.logSoftmax : ops.softmax)(x!, { temperature }),
  })),
  weighted_cross_entropy: op(({ logits, labels, weight }, { reduction }) => ({
    loss: ops.crossEntropy(logits!, labels!, { reduction, ...(weight && { weight }) }),
  })),
  bce: op(({ p, x, target, weight }, { reduction }) => ({
    loss: ops.binaryCrossEntropy(p ?? ops.sigmoid(x!), target!, { reduction, ...(weight && { weight }) }),
  })),
  affine_sample: op(({ x, theta }, { padding_mode: padding }) => ({ y: ops.affineSample(x!, theta!, { padding }) })),
  class_weight: op(({ logits }, { temperature }) => ({
    class_weight: new ClassWeightModule({ temperature }).forward(logits!),
  })),
  saturating_class_weight: op(({ logits }, { temperature, share, floor }) => {
    const weight = new ClassWeightModule({ temperature, classWeights: 'saturating', share }).forward(logits!);
    return { class_weight: weight, cross_entropy_weight: raiseClassWeight(weight, floor) };
  }),
  entropy: op(({ p }, { reduction, eps }) => ({ y: ops.entropy(p!, { reduction, eps }) })),
  afn: op(({ f }, { delta }) => ({ y: new AdaptiveFeatureNorm({ delta }).forward(f!) })),
  mcc: op(({ logits }, { temperature }) => ({ y: new MinimumClassConfusionLoss({ temperature }).forward(logits!) })),
  alpha_power: op(({ logits }, { alpha }) => ({ y: alphaPowerLoss(logits!, alpha) })),
  complement_entropy: op(({ logits, labels, class_weight }) => ({
    y: complementEntropyLoss(logits!, labels!, class_weight!),
  })),
  class_weight_adversarial: op(({ class_weight, source_labels }) => {
    const { source, target } = ops.domainWeights(class_weight!, source_labels!);
    return { w_s: source, w_t: target };
  }),
};
