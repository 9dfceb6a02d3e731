import { atLeast, checkOptions, flag, type OptionChecks, wholeFrom } from '../checks/options.ts';
import { checkGpu, type Gpu } from '../gpu/gpu.ts';
import { BatchNorm1d, Conv2d, Flatten, Linear, MaxPool2d, Module, ReLU, Sequential } from '../nn/index.ts';
import { aRandom } from '../nn/init.ts';
import type { ParameterGroup } from '../optim/index.ts';
import type { Random } from '../random.ts';
import type { Tensor } from '../tensor.ts';
import type { ExampleShape, ModelGeometry, ModelSpec, Prediction } from './model.ts';

/** One convolution of a {@link SmallCnn}. A ReLU and a 2x2 max-pool follow it. */
export interface ConvolutionOptions {
  outChannels: number;
  kernelSize: number;
  /** Default: 0. */
  padding?: number;
}

export interface SmallCnnOptions {
  numClasses: number;
  /** Generates the initial weights. */
  random: Random;
  /** Height and width of the images. Default: 28. */
  imageSize?: number;
  /** Channels of the images. Default: 1. */
  inChannels?: number;
  /** Default: 5x5 to 16 channels, then 5x5 to 32. */
  convolutions?: readonly ConvolutionOptions[];
  /** Length of the features. Default: 128. */
  featuresDim?: number;
}

const checks: OptionChecks<SmallCnnOptions> = {
  numClasses: /* @__PURE__ */ wholeFrom(1),
  random: aRandom,
  imageSize: /* @__PURE__ */ wholeFrom(1),
  inChannels: /* @__PURE__ */ wholeFrom(1),
  convolutions: { wanted: 'an array of convolutions', holds: Array.isArray },
  featuresDim: /* @__PURE__ */ wholeFrom(1),
};
const convolutionChecks: OptionChecks<ConvolutionOptions> = {
  outChannels: /* @__PURE__ */ wholeFrom(1),
  kernelSize: /* @__PURE__ */ wholeFrom(1),
  padding: /* @__PURE__ */ wholeFrom(0),
};
const groupChecks: OptionChecks<{ baseLr?: number; finetune?: boolean }> = {
  baseLr: /* @__PURE__ */ atLeast(0),
  finetune: flag,
};

/**
 * A small network for square images: convolutions, a bottleneck that gives the features, a linear head. Parameters have the
 * names of TLlib's `ImageClassifier`: `backbone.*`, `bottleneck.*`, `head.*`.
 *
 * x: [n, inChannels, imageSize, imageSize]
 */
export class SmallCnn extends Module<Prediction> {
  readonly backbone: Sequential;
  readonly bottleneck: Sequential;
  readonly head: Linear;
  /** Length of the features. */
  readonly featuresDim: number;
  readonly #convolutions: readonly ConvolutionOptions[];

  constructor(gpu: Gpu, options: SmallCnnOptions) {
    super();
    checkGpu('SmallCnn', gpu);
    checkOptions('SmallCnn', options, checks, ['numClasses', 'random']);
    const {
      numClasses,
      random,
      imageSize = 28,
      inChannels = 1,
      convolutions = CONVOLUTIONS,
      featuresDim = 128,
    } = options;
    for (const [i, convolution] of convolutions.entries())
      checkOptions(`SmallCnn: convolutions[${i}]`, convolution, convolutionChecks, ['outChannels', 'kernelSize']);
    geometryOf(convolutions).check({ inChannels, height: imageSize, width: imageSize });
    this.#convolutions = convolutions;
    const layers: Module[] = [];
    let channels = inChannels;
    let size = imageSize;
    for (const { outChannels, kernelSize, padding = 0 } of convolutions) {
      layers.push(
        new Conv2d(gpu, { inChannels: channels, outChannels, kernelSize, padding, random }),
        new ReLU(),
        new MaxPool2d({ kernelSize: 2 }),
      );
      channels = outChannels;
      size = Math.floor(convolved(size, { kernelSize, padding }) / 2);
    }
    this.featuresDim = featuresDim;
    this.backbone = new Sequential(...layers, new Flatten());
    this.bottleneck = new Sequential(
      new Linear(gpu, { inFeatures: channels * size * size, outFeatures: featuresDim, random }),
      new BatchNorm1d(gpu, { numFeatures: featuresDim }),
      new ReLU(),
    );
    this.head = new Linear(gpu, { inFeatures: featuresDim, outFeatures: numClasses, random });
  }

  /** The images that this network accepts, and the memory that they need. */
  get geometry(): ModelGeometry {
    return geometryOf(this.#convolutions);
  }

  forward(x: Tensor): Prediction {
    const features = this.bottleneck.forward(this.backbone.forward(x));
    return { logits: this.head.forward(features), features };
  }

  /**
   * Returns the parameter groups of TLlib's `get_parameters`. `baseLr` multiplies every learning rate; default: 1. `finetune`
   * divides the backbone's learning rate by 10, for a backbone that was trained before; default: true.
   */
  getParameters(options: { baseLr?: number; finetune?: boolean } = {}): ParameterGroup[] {
    checkOptions('getParameters', options, groupChecks);
    const { baseLr = 1, finetune = true } = options;
    return [
      { params: this.backbone.parameters(), lrMultiplier: finetune ? 0.1 * baseLr : baseLr },
      { params: this.bottleneck.parameters(), lrMultiplier: baseLr },
      { params: this.head.parameters(), lrMultiplier: baseLr },
    ];
  }
}

const CONVOLUTIONS: readonly ConvolutionOptions[] = [
  { outChannels: 16, kernelSize: 5 },
  { outChannels: 32, kernelSize: 5 },
];

/** Height and width of a convolution's output, before the pool. */
const convolved = (size: number, { kernelSize, padding = 0 }: Omit<ConvolutionOptions, 'outChannels'>): number =>
  size + 2 * padding - kernelSize + 1;

function geometryOf(convolutions: readonly ConvolutionOptions[]): ModelGeometry {
  // The last pool must leave one pixel.
  const smallest = convolutions.reduceRight(
    (size, { kernelSize, padding = 0 }) => 2 * size + kernelSize - 1 - 2 * padding,
    1,
  );
  return {
    check({ height, width }: ExampleShape): void {
      if (height === width && height >= smallest) return;
      throw new TypeError(
        `SmallCnn: images are ${height}x${width}; it needs square images of at least ${smallest}x${smallest}`,
      );
    },
    largestBuffer({ inChannels, height }: ExampleShape, rows: number): number {
      let size = height;
      let most = inChannels * size ** 2;
      for (const convolution of convolutions) {
        size = convolved(size, convolution);
        most = Math.max(most, convolution.outChannels * size ** 2);
        size = Math.floor(size / 2);
      }
      return 4 * rows * most;
    },
  };
}

/**
 * Makes a {@link SmallCnn} with its default layers: the default model of `train`. `smallCnn.geometry` tells which images it
 * accepts, before there is a Gpu.
 */
export const smallCnn = /* @__PURE__ */ Object.assign(
  (gpu: Gpu, { numClasses, inChannels, height, random }: ModelSpec): SmallCnn =>
    new SmallCnn(gpu, { numClasses, inChannels, imageSize: height, random }),
  { geometry: /* @__PURE__ */ geometryOf(CONVOLUTIONS) },
);
