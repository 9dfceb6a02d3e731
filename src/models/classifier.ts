import { atLeast, type Check, checkOptions, flag, type OptionChecks } from '../checks/options.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { BatchNorm1d, Linear, Module, ReLU, Sequential } from '../nn/index.ts';
import type { ParameterGroup } from '../optim/index.ts';
import type { Random } from '../random.ts';
import { type Shape, showShape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import type { Model, ModelGeometry, Prediction } from './model.ts';

/** The parts of a {@link Classifier}. */
export interface ClassifierOptions<Backbone extends Module = Module> {
  /** Turns examples into [n, backboneFeatures]. */
  backbone: Backbone;
  backboneFeatures: number;
  /** Length of the features. */
  featuresDim: number;
  numClasses: number;
  /** Generates the initial weights of bottleneck and head. */
  random: Random;
  geometry?: ModelGeometry;
}

/** @internal An option that is the shape of one example. */
export const aShape: Check = {
  wanted: 'the shape of one example, such as [3, 64, 64]',
  holds: (shape) => Array.isArray(shape) && shape.length > 0 && shape.every((n) => Number.isSafeInteger(n) && n > 0),
};

/** @internal Throws `TypeError` unless this is a shape of images. */
export function expectImages(who: string, shape: Shape): void {
  if (shape.length !== 3)
    throw new TypeError(
      `${who}: examples are ${showShape(shape)}; it needs images, [channels, height, width]; use mlp for vectors`,
    );
}

const groupChecks: OptionChecks<{ baseLr?: number; finetune?: boolean }> = {
  baseLr: /* @__PURE__ */ atLeast(0),
  finetune: flag,
};

/**
 * A network in three parts: a backbone, a bottleneck that gives the features, a linear head (TLlib's `ImageClassifier`).
 * Parameters have TLlib's names: `backbone.*`, `bottleneck.*`, `head.*`. All models of this library have this form.
 */
export class Classifier<Backbone extends Module = Module> extends Module<Prediction> implements Model {
  readonly backbone: Backbone;
  readonly bottleneck: Sequential;
  readonly head: Linear;
  /** Length of the features. */
  readonly featuresDim: number;
  /** The examples that this network accepts, and the memory that they need. */
  readonly geometry: ModelGeometry | undefined;
  /** Whether the backbone was trained before. `loadWeights` sets it. Default: false. */
  pretrained = false;

  constructor(gpu: Gpu, options: ClassifierOptions<Backbone>) {
    super();
    const { backbone, backboneFeatures, featuresDim, numClasses, random, geometry } = options;
    this.backbone = backbone;
    this.bottleneck = new Sequential(
      new Linear(gpu, { inFeatures: backboneFeatures, outFeatures: featuresDim, random }),
      new BatchNorm1d(gpu, { numFeatures: featuresDim }),
      new ReLU(),
    );
    this.head = new Linear(gpu, { inFeatures: featuresDim, outFeatures: numClasses, random });
    this.featuresDim = featuresDim;
    this.geometry = geometry;
  }

  forward(x: Tensor): Prediction {
    const features = this.bottleneck.forward(this.backbone.forward(x));
    return { logits: this.head.forward(features), features };
  }

  /**
   * Returns the parameter groups of TLlib's `get_parameters`. `baseLr` multiplies every learning rate; default: 1. `finetune`
   * divides the backbone's learning rate by 10, for a backbone that was trained before; default: {@link pretrained}.
   */
  getParameters(options: { baseLr?: number; finetune?: boolean } = {}): ParameterGroup[] {
    checkOptions('getParameters', options, groupChecks);
    const { baseLr = 1, finetune = this.pretrained } = options;
    return [
      { params: this.backbone.parameters(), lrMultiplier: finetune ? 0.1 * baseLr : baseLr },
      { params: this.bottleneck.parameters(), lrMultiplier: baseLr },
      { params: this.head.parameters(), lrMultiplier: baseLr },
    ];
  }
}
