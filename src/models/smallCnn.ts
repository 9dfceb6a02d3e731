// The default network for images: convolutions of 5x5, ReLU and max-pools, then TLlib's bottleneck and head. It grows with the size of the
// images.
import { checkOptions, type OptionChecks, wholeFrom } from '../checks/options.ts';
import { checkGpu, type Gpu } from '../gpu/gpu.ts';
import { Conv2d, Flatten, MaxPool2d, type Module, ReLU, Sequential } from '../nn/index.ts';
import { aRandom } from '../nn/init.ts';
import type { Random } from '../random.ts';
import { type Shape, sizeOf } from '../shape.ts';
import { aShape, Classifier, expectImages } from './classifier.ts';
import type { ModelGeometry, ModelSpec } from './model.ts';

/** One convolution of a {@link SmallCnn}. A ReLU and a 2x2 max-pool follow it. */
export interface ConvolutionOptions {
  outChannels: number;
  kernelSize: number;
  /** Default: 0. */
  padding?: number;
}

export interface SmallCnnOptions {
  /** [channels, height, width] of the images. Default: [1, 28, 28]. */
  shape?: Shape;
  numClasses: number;
  /** Generates the initial weights. */
  random: Random;
  /** Default: as many as {@link SmallCnn} says. */
  convolutions?: readonly ConvolutionOptions[];
  /** Length of the features. Default: 128. */
  featuresDim?: number;
}

const checks: OptionChecks<SmallCnnOptions> = {
  shape: aShape,
  numClasses: /* @__PURE__ */ wholeFrom(1),
  random: aRandom,
  convolutions: { wanted: 'an array of convolutions', holds: Array.isArray },
  featuresDim: /* @__PURE__ */ wholeFrom(1),
};
const convolutionChecks: OptionChecks<ConvolutionOptions> = {
  outChannels: /* @__PURE__ */ wholeFrom(1),
  kernelSize: /* @__PURE__ */ wholeFrom(1),
  padding: /* @__PURE__ */ wholeFrom(0),
};

/**
 * A small network for images: convolutions, a bottleneck that gives the features, a linear head.
 *
 * It has two 5x5 convolutions, to 16 and to 32 channels, each before a 2x2 max-pool. Larger images get further ones, to 64, 128 and
 * 128 channels, until at most 8x8 pixels are left: three for 64x64, four for 128x128, five for 224x224. Images with a side below 16
 * are padded with zeros, so the smallest are 4x4.
 *
 * x: [n, channels, height, width]
 */
export class SmallCnn extends Classifier<Sequential> {
  constructor(gpu: Gpu, options: SmallCnnOptions) {
    checkGpu('SmallCnn', gpu);
    checkOptions('SmallCnn', options, checks, ['numClasses', 'random']);
    const { shape = [1, 28, 28], numClasses, random, convolutions, featuresDim = 128 } = options;
    for (const [i, convolution] of (convolutions ?? []).entries())
      checkOptions(`SmallCnn: convolutions[${i}]`, convolution, convolutionChecks, ['outChannels', 'kernelSize']);
    const geometry = geometryOf(convolutions);
    geometry.check(shape);
    const layers: Module[] = [];
    let maps = shape;
    for (const { outChannels, kernelSize, padding = 0 } of convolutions ?? convolutionsFor(shape)) {
      layers.push(
        new Conv2d(gpu, { inChannels: maps[0]!, outChannels, kernelSize, padding, random }),
        new ReLU(),
        new MaxPool2d({ kernelSize: 2 }),
      );
      maps = pooled(convolved(maps, { outChannels, kernelSize, padding }));
    }
    const backbone = new Sequential(...layers, new Flatten());
    super(gpu, { backbone, backboneFeatures: sizeOf(maps), featuresDim, numClasses, random, geometry });
  }
}

/** Returns [channels, height, width] after a convolution, and after a pool. */
const convolved = ([, ...sides]: Shape, { outChannels, kernelSize, padding = 0 }: ConvolutionOptions): Shape => [
  outChannels,
  ...sides.map((side) => side + 2 * padding - kernelSize + 1),
];
const pooled = ([channels, ...sides]: Shape): Shape => [channels!, ...sides.map((side) => Math.floor(side / 2))];

/** Returns the convolutions that the docstring of {@link SmallCnn} describes. */
function convolutionsFor(shape: Shape): ConvolutionOptions[] {
  const padding = Math.min(shape[1]!, shape[2]!) < 16 ? 2 : 0;
  const convolutions: ConvolutionOptions[] = [];
  for (let maps = shape; ; maps = pooled(convolved(maps, convolutions.at(-1)!))) {
    const [, height, width] = maps as [number, number, number];
    // A further convolution with its pool must leave one pixel.
    const isEnough = Math.max(height, width) <= 8 || Math.min(height, width) + 2 * padding < 6;
    if (convolutions.length >= 2 && isEnough) return convolutions;
    convolutions.push({ outChannels: Math.min(128, 16 * 2 ** convolutions.length), kernelSize: 5, padding });
  }
}

/** @param given the convolutions; undefined chooses them for each shape */
function geometryOf(given?: readonly ConvolutionOptions[]): ModelGeometry {
  return {
    check(shape: Shape): void {
      expectImages('SmallCnn', shape);
      const convolutions = given ?? convolutionsFor(shape);
      // The last pool must leave one pixel.
      const smallest = convolutions.reduceRight(
        (side, { kernelSize, padding = 0 }) => 2 * side + kernelSize - 1 - 2 * padding,
        1,
      );
      const [, height, width] = shape as [number, number, number];
      if (Math.min(height, width) >= smallest) return;
      throw new TypeError(`SmallCnn: images are ${height}x${width}; it needs at least ${smallest}x${smallest}`);
    },
    largestBuffer(shape: Shape, rows: number): number {
      let most = sizeOf(shape);
      let maps = shape;
      for (const convolution of given ?? convolutionsFor(shape)) {
        maps = convolved(maps, convolution);
        most = Math.max(most, sizeOf(maps));
        maps = pooled(maps);
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
  (gpu: Gpu, spec: ModelSpec): SmallCnn => new SmallCnn(gpu, spec),
  { geometry: /* @__PURE__ */ geometryOf() },
);
