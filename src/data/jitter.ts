// Data augmentation: images change at random each time that training draws them. A jitter is a value that makes a data set of changed
// images from a data set of images. `train` takes it, so a bundle contains its kernel only if the program uses one.
import { checkOptions, show, withDefaults } from '../checks/options.ts';
import { Counter, Scalar } from '../gpu/scalar.ts';
import { checkState, type StateDict, type Stateful, type StatePlace } from '../nn/stateDict.ts';
import { amountChecks, type JitterAmounts, jitterBatch } from '../ops/jitterBatch.ts';
import type { BatchRequest } from '../ops/shared/batch.ts';
import { type Batch, Dataset, ImageDataset } from './dataset.ts';

/** How images change at random each time that training draws them. {@link affineJitter}, {@link colourJitter} and {@link strongJitter} make one. */
export interface Jitter {
  /** All amounts. */
  readonly amounts: Readonly<Required<JitterAmounts>>;
  /**
   * Returns the same images as a data set that changes them in each batch. Its state is the seed and the number of batches. The images
   * stay the caller's to dispose.
   *
   * @param seed a whole number below 2^32
   * @throws TypeError if the data set is not an {@link ImageDataset}
   */
  of(images: Dataset, seed: number): Dataset & Stateful;
}

class JitteredImages extends Dataset implements Stateful {
  readonly shape: readonly number[];
  private readonly seed: Scalar;
  private readonly counter = new Counter(0);

  constructor(
    private readonly images: ImageDataset,
    private readonly amounts: JitterAmounts,
    seed: number,
  ) {
    super(images.gpu, images.count, images.batchSize);
    this.shape = images.shape;
    this.seed = new Scalar(seed);
  }

  batch(request: BatchRequest): Batch {
    const { images, amounts, seed, counter } = this;
    return jitterBatch(images, request, { ...amounts, seed, counter });
  }

  stateDict(): StateDict {
    const { seed, counter } = this;
    return new Map([['stream', { shape: [2], data: Uint32Array.of(seed.value, counter.count) }]]);
  }

  loadStateDict(state: StateDict): void {
    checkState('jitter', new Map<string, StatePlace>([['stream', { shape: [2], kind: 'word' }]]), state);
    const [seed, count] = state.get('stream')!.data as Uint32Array;
    this.seed.value = seed!;
    this.counter.count = count!;
  }
}

const still: Required<JitterAmounts> = {
  ...{ rotation: 0, scale: 0, zoom: 0, aspect: 0, shear: 0, translate: 0, flip: 0, elastic: 0, padding: 'zeros' },
  ...{ blur: 0, gain: 0 },
  ...{ saturation: 0, contrast: 0, brightness: 0, channelShift: 0 },
};
const affine: Required<JitterAmounts> = {
  ...still,
  ...{ rotation: 15, scale: 0.2, shear: 0.15, translate: 0.06, padding: 'border' },
};
const colour: Required<JitterAmounts> = {
  ...affine,
  ...{ saturation: 0.4, contrast: 0.3, brightness: 0.075, channelShift: 0.075 },
};

const strong: Required<JitterAmounts> = {
  ...still,
  ...{ rotation: 14.3, zoom: 0.5, aspect: 0.2, shear: 0.25, translate: 0.05, elastic: 0.04, blur: 1, gain: 0.65 },
};

function jitter(who: string, given: JitterAmounts, defaults: Required<JitterAmounts>): Jitter {
  checkOptions(who, given, amountChecks);
  const amounts = withDefaults(defaults, given);
  return {
    amounts,
    of(images, seed) {
      if (images instanceof ImageDataset) return new JitteredImages(images, amounts, seed);
      throw new TypeError(`${who}: it changes the images of an ImageDataset, but got ${show(images)}`);
    },
  };
}

/**
 * Turns, scales, slants and shifts images at random. Defaults: rotation 15 (degrees), scale 0.2, shear 0.15, translate 0.06, padding
 * 'border', all others 0.
 *
 * @throws RangeError for an amount out of range
 */
export const affineJitter = (amounts: JitterAmounts = {}): Jitter => jitter('affineJitter', amounts, affine);

/**
 * Changes colours at random too. Defaults: those of {@link affineJitter}, and saturation 0.4, contrast 0.3, brightness 0.075,
 * channelShift 0.075.
 *
 * @throws RangeError for an amount out of range
 */
export const colourJitter = (amounts: JitterAmounts = {}): Jitter => jitter('colourJitter', amounts, colour);

/**
 * Changes images strongly, as self-training needs: in size, shape and slant, by an elastic field, blur and gain. Defaults: rotation 14.3,
 * zoom 0.5, aspect 0.2, shear 0.25, translate 0.05, elastic 0.04, blur 1, gain 0.65, padding 'zeros', all others 0. They are
 * made for bright strokes on black.
 *
 * @throws RangeError for an amount out of range
 */
export const strongJitter = (amounts: JitterAmounts = {}): Jitter => jitter('strongJitter', amounts, strong);

const PRESETS = { affine, colour, strong };
const isPreset = (name: string | undefined): name is keyof typeof PRESETS => Object.hasOwn(PRESETS, name ?? '');

/**
 * @internal
 * Makes a jitter from text: `none`, `affine`, `colour` or `strong`, then the amounts that differ, as in `colour,rotation=30,flip=0.5`.
 *
 * @throws RangeError for any other text, or for an amount out of range
 */
export function parseJitter(who: string, text: string): Jitter | undefined {
  const [name, ...rest] = text.split(',').map((part) => part.trim());
  if (name === 'none' && rest.length === 0) return undefined;
  if (!isPreset(name))
    throw new RangeError(
      `${who} must be none, affine, colour or strong, with amounts as in colour,rotation=30,flip=0.5, but is '${text}'`,
    );
  const amounts = rest.map((part) => {
    const [, key, value] = /^(\w+)=(\S+)$/.exec(part) ?? [];
    if (key === undefined) throw new RangeError(`${who}: '${part}' in '${text}' is no amount; write rotation=30`);
    return [key, key === 'padding' ? value : Number(value)] as const;
  });
  return jitter(who, Object.fromEntries(amounts), PRESETS[name]);
}

/** @internal Returns the shortest text of these amounts, which {@link parseJitter} reads. */
export function jitterText(amounts: Required<JitterAmounts> | undefined): string {
  if (!amounts) return 'none';
  const texts = Object.entries(PRESETS).map(([name, preset]) => {
    const others = Object.entries(amounts).filter(([key, amount]) => amount !== Reflect.get(preset, key));
    return [name, ...others.map(([key, amount]) => `${key}=${amount}`)].join();
  });
  return texts.reduce((shortest, text) => (text.length < shortest.length ? text : shortest));
}
