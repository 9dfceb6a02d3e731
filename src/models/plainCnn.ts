import { checkOptions, type OptionChecks, wholeFrom } from '../checks/options.ts';
import { checkGpu, type Gpu } from '../gpu/gpu.ts';
import { Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential } from '../nn/index.ts';
import { aRandom } from '../nn/init.ts';
import type { Random } from '../random.ts';

interface PlainCnnOptions {
  /** Default: 10. */
  numClasses?: number;
  /** Source of the initial weights. */
  random: Random;
}

const checks: OptionChecks<PlainCnnOptions> = { numClasses: /* @__PURE__ */ wholeFrom(1), random: aRandom };

/**
 * The network that frameworks are compared by, for images [n, 1, 28, 28]: 5x5 convolutions to 32 and 64 channels, each with
 * a ReLU and a max-pool of 2, then 1024 -> 128 with a ReLU, and 128 -> numClasses.
 */
export class PlainCnn extends Sequential {
  constructor(gpu: Gpu, options: PlainCnnOptions) {
    checkGpu('PlainCnn', gpu);
    checkOptions('PlainCnn', options, checks, ['random']);
    const { numClasses = 10, random } = options;
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
