// Data sets in host memory, as readers and programs give them: images or feature vectors, with optional labels and names.
import {
  above,
  anyNumber,
  anything,
  type Check,
  checkOptions,
  isObject,
  type OptionChecks,
  show,
  wholeFrom,
} from '../checks/options.ts';
import { showShape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

/** Labels of any integer type. */
export type HostLabels =
  | Uint8Array
  | Uint8ClampedArray
  | Uint16Array
  | Uint32Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | BigUint64Array;

interface HostExamples {
  count: number;
  /** One per example: whole numbers from 0. */
  labels?: HostLabels | undefined;
  /** The name of each class, at the place of its number. */
  classNames?: readonly string[] | undefined;
  /** The name of each example, such as its file's. */
  names?: readonly string[] | undefined;
}

/** How the object in each grey image is moved and scaled, once, when the images are put on the GPU. */
export interface Geometry {
  readonly name: string;
  /** @internal Returns images of the same size. images: u32, four bytes per word, of `count` images of height x width. */
  apply(images: Tensor, size: { count: number; height: number; width: number }): Tensor;
}

/** Images in host memory: one byte per element, [count, channels, height, width] row by row. Grey or RGB. */
export interface HostImages extends HostExamples {
  images: Uint8Array | Uint8ClampedArray;
  /** 1 (grey) or 3 (red, green, blue). Default: 1. */
  channels?: number | undefined;
  height: number;
  width: number;
  /** For each channel, what is subtracted from pixels in [0, 1] when a batch is made. Default: 0.5. */
  mean?: readonly number[] | undefined;
  /** For each channel, what divides them afterwards. Default: 0.5. */
  std?: readonly number[] | undefined;
  /** Such as {@link canonicalGeometry}; only for grey images. Default: the images are used as they are. */
  geometry?: Geometry | undefined;
}

/** Feature vectors in host memory, such as embeddings: f32 [count, dim]. */
export interface HostFeatures extends HostExamples {
  features: Float32Array;
  dim: number;
}

/** A data set in host memory. */
export type HostData = HostImages | HostFeatures;

const size = wholeFrom(1);
const list: Check = { wanted: 'an array of strings', holds: (value) => Array.isArray(value) };
const numbers = ({ wanted, holds }: Check): Check => ({
  wanted: `an array, in which each is ${wanted},`,
  holds: (value) => Array.isArray(value) && value.length > 0 && value.every(holds),
});
/** @internal */
export const finiteNumbers: Check = /* @__PURE__ */ numbers(anyNumber);
/** @internal */
export const positiveNumbers: Check = /* @__PURE__ */ numbers(/* @__PURE__ */ above(0));
// Without spreads, which bundlers keep even if nothing uses them.
const ofImages: OptionChecks<HostImages> = {
  images: { wanted: 'a Uint8Array or Uint8ClampedArray, a byte from 0 to 255 per pixel,', holds: isBytes },
  channels: { wanted: 'one of 1 (grey), 3 (RGB)', holds: (value) => value === 1 || value === 3 },
  height: size,
  width: size,
  mean: finiteNumbers,
  std: positiveNumbers,
  geometry: { wanted: 'a geometry, such as canonicalGeometry', holds: isObject },
  count: size,
  labels: anything,
  classNames: list,
  names: list,
};

const ofFeatures: OptionChecks<HostFeatures> = {
  features: { wanted: 'a Float32Array', holds: (value) => value instanceof Float32Array },
  dim: size,
  count: size,
  labels: anything,
  classNames: list,
  names: list,
};

const kindOf = (value: unknown): string | undefined => (value as Partial<Uint8Array> | null)?.[Symbol.toStringTag];

function isBytes(value: unknown): value is Uint8Array | Uint8ClampedArray {
  return /^Uint8(Clamped)?Array$/.test(kindOf(value) ?? '');
}

/** @internal Whether the data holds feature vectors. */
export const isFeatures = (host: HostData): host is HostFeatures => isObject(host) && 'features' in host;

/** @internal What the examples are, for messages. */
export const nounOf = (host: HostData): string => (isFeatures(host) ? 'vectors' : 'images');

/** The shape of one example: [channels, height, width] of images, [dim] of feature vectors. */
export function exampleShape(host: HostData): readonly number[] {
  if (isFeatures(host)) return [host.dim];
  const { channels = 1, height, width } = host;
  return [channels, height, width];
}

/** @internal A shape in words, such as `28x28`, `3x32x32` or `512 numbers`. */
export function showExample(shape: readonly number[]): string {
  const [first, ...rest] = shape;
  if (rest.length === 0) return `${first} numbers`;
  return (first === 1 ? rest : shape).join('x');
}

/**
 * @internal
 * Throws unless `host` is what {@link HostImages} or {@link HostFeatures} describes.
 *
 * @param labelled whether labels are required; if not, they are not checked
 */
export function checkData(who: string, host: HostData, labelled: boolean): void {
  if (isFeatures(host)) checkOptions<HostFeatures>(who, host, ofFeatures, ['features', 'count', 'dim']);
  else checkOptions<HostImages>(who, host, ofImages, ['images', 'count', 'height', 'width']);
  const { count, labels, names } = host;
  const values = isFeatures(host) ? host.features : host.images;
  const shape = exampleShape(host);
  const wanted = shape.reduce((a, b) => a * b, count);
  if (values.length !== wanted) {
    const unit = isFeatures(host) ? 'numbers' : 'bytes';
    const each = isFeatures(host) ? '' : `, one per pixel${shape[0] === 1 ? ' (grey)' : ' and channel'}`;
    throw new TypeError(
      `${who}: ${count} ${nounOf(host)} of ${showExample(shape)} take ${wanted} ${unit}${each}, but there are ${values.length}`,
    );
  }
  if (!isFeatures(host) && host.geometry && shape[0] !== 1)
    throw new TypeError(
      `${who}: geometry ${host.geometry.name} moves the object of grey images, but the images have ${shape[0]} channels; leave it out`,
    );
  if (names && names.length !== count)
    throw new TypeError(`${who}: ${count} ${nounOf(host)} but ${names.length} names; pass one name per example`);
  if (labelled) checkLabels(who, labels, host);
}

const INTEGERS = /^((Int|Uint)(8|16|32)(Clamped)?|Big(Int|Uint)64)Array$/;

function checkLabels(who: string, labels: unknown, host: HostData): void {
  const { count, classNames } = host;
  const noun = nounOf(host);
  const { length } = (labels ?? []) as ArrayLike<unknown>;
  if (length !== count)
    throw new TypeError(
      `${who}: ${count} ${noun} but ${labels ? length : 'no'} labels; pass one label per ${noun.slice(0, -1)}`,
    );
  const values = Array.from(labels as ArrayLike<unknown>, Number);
  const wrong = values.findIndex((label) => !(Number.isInteger(label) && label >= 0 && label < 2 ** 32));
  if (wrong >= 0)
    throw new RangeError(
      `${who}: labels are whole numbers from 0 to 2^32 - 1, but ${noun.slice(0, -1)} ${wrong} has ${values[wrong]}`,
    );
  if (!INTEGERS.test(kindOf(labels) ?? ''))
    throw new TypeError(
      `${who}: labels must be an array of integers, such as a Uint8Array, but are ${show(labels)}; pass Uint32Array.from(labels, Number)`,
    );
  const nameless = classNames ? values.findIndex((label) => label >= classNames.length) : -1;
  if (nameless >= 0)
    throw new RangeError(
      `${who}: ${noun.slice(0, -1)} ${nameless} has label ${values[nameless]}, but there are ${classNames!.length} class names`,
    );
}

/** @internal Returns the labels as they are on the GPU. They were checked before. */
export const labelsOf = ({ labels }: HostData): Uint32Array<ArrayBuffer> =>
  Uint32Array.from(labels as ArrayLike<unknown>, Number);

/** @internal Returns the largest of some labels; -1 if there are none. */
export const largestOf = (labels: Uint32Array): number => labels.reduce((a, label) => Math.max(a, label), -1);

/** @internal Throws `TypeError` for examples of another shape than the source's. */
export function checkSameShape(source: readonly number[], shape: readonly number[], label: string): void {
  if (showShape(source) === showShape(shape)) return;
  const noun = source.length === 1 || shape.length === 1 ? 'examples' : 'images';
  throw new TypeError(
    `training: source ${noun} are ${showExample(source)} but those of the ${label} are ${showExample(shape)}; ${noun === 'images' ? 'resize them' : 'they must have the same shape'}`,
  );
}
