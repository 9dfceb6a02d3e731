import { ClassWeightModule } from '../../src/adaptation/classWeight.ts';
import { tidy } from '../../src/tidy.ts';
import { type GoldenRunner, load } from './format.ts';

/** Class weights of one matrix of logits. */
export const classWeight: GoldenRunner = (gpu, { params, inputs }) =>
  tidy(() => {
    const weights = new ClassWeightModule({ temperature: params.temperature });
    return { outputs: { class_weight: weights.forward(load(gpu, inputs.logits, 'logits')) } };
  });
