// Data augmentation: images change at random each time that training draws them. A jitter is a value that `train` and Sampler take, so
// a bundle contains its kernel only if the program uses one.
import { checkOptions, withDefaults } from '../checks/options.ts';
import type { Counter, Scalar } from '../gpu/scalar.ts';
import type { PackedImages } from '../ops/imageBatch.ts';
import { amountChecks, type JitterAmounts, jitterBatch } from '../ops/jitterBatch.ts';
import type { BatchRequest } from '../ops/shared/batch.ts';
import type { Batch } from './dataset.ts';

/** How images change at random each time that training draws them. {@link affineJitter} and {@link colourJitter} make one. */
export interface Jitter {
  /** All amounts. */
  readonly amounts: Readonly<Required<JitterAmounts>>;
  /** Makes the batch that is asked for. The seed and the number of the draw determine how its images change. */
  batch(data: PackedImages, request: BatchRequest, stream: { seed: number | Scalar; counter: Counter }): Batch;
}

const still: Required<JitterAmounts> = {
  ...{ rotation: 0, scale: 0, shear: 0, translate: 0, flip: 0, padding: 'zeros' },
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

function jitter(who: string, given: JitterAmounts, defaults: Required<JitterAmounts>): Jitter {
  checkOptions(who, given, amountChecks);
  const amounts = withDefaults(defaults, given);
  return { amounts, batch: (data, request, stream) => jitterBatch(data, request, { ...amounts, ...stream }) };
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

const PRESETS = { affine, colour };

/**
 * @internal
 * Makes a jitter from text: `none`, `affine` or `colour`, then the amounts that differ, as in `colour,rotation=30,flip=0.5`.
 *
 * @throws RangeError for any other text, or for an amount out of range
 */
export function parseJitter(who: string, text: string): Jitter | undefined {
  const [name, ...rest] = text.split(',').map((part) => part.trim());
  if (name === 'none' && rest.length === 0) return undefined;
  if (name !== 'affine' && name !== 'colour')
    throw new RangeError(
      `${who} must be none, affine or colour, with amounts as in colour,rotation=30,flip=0.5, but is '${text}'`,
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
  const { saturation, contrast, brightness, channelShift } = amounts;
  const name = saturation + contrast + brightness + channelShift > 0 ? 'colour' : 'affine';
  const others = Object.entries(amounts).filter(([key, amount]) => amount !== Reflect.get(PRESETS[name], key));
  return [name, ...others.map(([key, amount]) => `${key}=${amount}`)].join();
}
