import { AutomaticUpdateClassWeightModule, type AutomaticUpdateOptions } from '../../src/adaptation/automaticUpdate.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { BatchNorm1d, Dropout, Flatten, Linear, type Module, ReLU, Sequential } from '../../src/nn/index.ts';
import { Random } from '../../src/random.ts';
import { type Tensor, tensor } from '../../src/tensor.ts';
import { seeded, uniform } from '../harness.ts';

// A small classifier, its batches and its class weights.

export const CLASSES = 5;
export const FEATURES = 6;

/** A classifier with modes and random numbers, its batch norm frozen. */
export function network(gpu: Gpu, inFeatures = FEATURES): Sequential {
  const random = new Random(3);
  const frozen = new BatchNorm1d(gpu, { numFeatures: 8 });
  const net = new Sequential(
    new Flatten(),
    new Linear(gpu, { inFeatures, outFeatures: 8, random }),
    frozen,
    new ReLU(),
    new Dropout({ p: 0.5, seed: 1 }),
    new Linear(gpu, { inFeatures: 8, outFeatures: CLASSES, random }),
  );
  frozen.eval();
  return net;
}

export const batchesOf = (gpu: Gpu, sizes: readonly number[]): Tensor[] =>
  sizes.map((n, i) => tensor(gpu, uniform([n, FEATURES], seeded(i), 2), [n, FEATURES], 'batch'));

export const weightsOf = (
  gpu: Gpu,
  options: Partial<AutomaticUpdateOptions> & Pick<AutomaticUpdateOptions, 'classifier'>,
) => new AutomaticUpdateClassWeightModule(gpu, { updateSteps: 1, numClasses: CLASSES, dataLoader: [], ...options });

export const modesOf = (net: Module) => [...net.namedModules()].map(([, { training }]) => training);
