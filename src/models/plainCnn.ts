import type { Gpu } from '../gpu/gpu.ts';
import { Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential } from '../nn/index.ts';
import type { Random } from '../random.ts';

/**
 * The network that frameworks are compared by, of images [n, 1, 28, 28]: 5x5 convolutions to 32 and 64 channels, each with
 * a rectifier and a max-pool of 2, then 1024 -> 128 with a rectifier, and 128 -> numClasses.
 */
export class PlainCnn extends Sequential {
  constructor(gpu: Gpu, { numClasses = 10, random }: { numClasses?: number; random: Random }) {
    super(
      new Conv2d(gpu, { inChannels: 1, outChannels: 32, kernelSize: 5, random }),
      new ReLU(),
      new MaxPool2d({ kernelSize: 2 }),
      new Conv2d(gpu, { inChannels: 32, outChannels: 64, kernelSize: 5, random }),
      new ReLU(),
      new MaxPool2d({ kernelSize: 2 }),
      new Flatten(),
      new Linear(gpu, { inFeatures: 1024, outFeatures: 128, random }),
      new ReLU(),
      new Linear(gpu, { inFeatures: 128, outFeatures: numClasses, random }),
    );
  }
}
