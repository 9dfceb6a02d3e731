import { batchnorm } from './batchnorm.ts';
import { bce } from './bce.ts';
import { classWeight } from './classWeight.ts';
import { classWeightAdversarial } from './classWeightAdversarial.ts';
import { classWeightAutoUpdate } from './classWeightAutoUpdate.ts';
import { conv2dOp } from './conv2d.ts';
import { dense } from './dense.ts';
import { domainAdversarialLoss } from './domainAdversarialLoss.ts';
import type { GoldenRunner } from './format.ts';
import { grl } from './grl.ts';
import { lrSchedule } from './lrSchedule.ts';
import { optim } from './optim.ts';
import { padaTraining } from './padaTraining.ts';
import { pool2d } from './pool2d.ts';
import { softmaxes } from './softmax.ts';
import { weightedCrossEntropy } from './weightedCrossEntropy.ts';

/** Who computes the cases of each golden file. */
export const runners: Record<string, GoldenRunner> = {
  batchnorm,
  conv2d: conv2dOp,
  dense,
  lr_schedule: lrSchedule,
  optim,
  pool2d,
  weighted_cross_entropy: weightedCrossEntropy,
  class_weight_adversarial: classWeightAdversarial,
  class_weight: classWeight,
  grl,
  class_weight_auto_update: classWeightAutoUpdate,
  domain_adversarial_loss: domainAdversarialLoss,
  pada_training: padaTraining,
  softmax: softmaxes,
  bce,
};
