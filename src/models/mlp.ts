import { checkOptions, type OptionChecks, wholeFrom } from '../checks/options.ts';
import { checkGpu, type Gpu } from '../gpu/gpu.ts';
import { Linear, type Module, ReLU, Sequential } from '../nn/index.ts';
import { aRandom } from '../nn/init.ts';
import type { Random } from '../random.ts';
import { type Shape, showShape } from '../shape.ts';
import { aShape, Classifier } from './classifier.ts';
import type { ModelGeometry, ModelSpec } from './model.ts';

export interface MlpOptions {
  /** [d]: the length of a vector. */
  shape: Shape;
  numClasses: number;
  /** Generates the initial weights. */
  random: Random;
  /** Sizes of the layers before the bottleneck; may be empty. Default: [256]. */
  hidden?: readonly number[];
  /** Length of the features. Default: 128. */
  featuresDim?: number;
}

const checks: OptionChecks<MlpOptions> = {
  shape: aShape,
  numClasses: /* @__PURE__ */ wholeFrom(1),
  random: aRandom,
  hidden: {
    wanted: 'an array of whole numbers >= 1',
    holds: (value) => Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n > 0),
  },
  featuresDim: /* @__PURE__ */ wholeFrom(1),
};

const HIDDEN = [256];
const FEATURES = 128;

/**
 * A network for vectors, such as embeddings: linear layers with ReLU, a bottleneck that gives the features, a linear head.
 *
 * x: [n, d]
 */
export class Mlp extends Classifier<Sequential> {
  constructor(gpu: Gpu, options: MlpOptions) {
    checkGpu('Mlp', gpu);
    checkOptions('Mlp', options, checks, ['shape', 'numClasses', 'random']);
    const { shape, numClasses, random, hidden = HIDDEN, featuresDim = FEATURES } = options;
    const geometry = geometryOf(hidden, featuresDim);
    geometry.check(shape);
    const layers: Module[] = [];
    let size = shape[0]!;
    for (const outFeatures of hidden) {
      layers.push(new Linear(gpu, { inFeatures: size, outFeatures, random }), new ReLU());
      size = outFeatures;
    }
    const backbone = new Sequential(...layers);
    super(gpu, { backbone, backboneFeatures: size, featuresDim, numClasses, random, geometry });
  }
}

function geometryOf(hidden: readonly number[], featuresDim: number): ModelGeometry {
  return {
    check(shape): void {
      if (shape.length === 1) return;
      throw new TypeError(
        `Mlp: examples are ${showShape(shape)}; it needs vectors, [features]; for images use smallCnn or a ResNet`,
      );
    },
    largestBuffer: (shape, rows) => 4 * rows * Math.max(shape[0]!, ...hidden, featuresDim),
  };
}

/** Makes an {@link Mlp} with its default layers. */
export const mlp = /* @__PURE__ */ Object.assign((gpu: Gpu, spec: ModelSpec): Mlp => new Mlp(gpu, spec), {
  geometry: /* @__PURE__ */ geometryOf(HIDDEN, FEATURES),
});
