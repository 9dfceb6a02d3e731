// Reads the content that a caller gives a tensor, and checks every number. A plain conversion to f32 would silently turn null
// into 0, a string into a number and 2^24 + 1 into 2^24.
import { show } from './options.ts';

/** Data for a tensor: a number, nested arrays of numbers, or a typed array. */
export type TensorData = number | readonly TensorData[] | Float32Array | Uint32Array;

// Sizes, outermost first; a single number has none.
type Sizes = readonly number[];
const NUMBER: Sizes = [];

/** @internal Returns the elements of `data` in the tensor's element type, and the shape that `data` itself has. */
export function numbersOf(data: TensorData): { flat: Float32Array | Uint32Array; shape: Sizes } {
  if (data instanceof Float32Array || data instanceof Uint32Array) return { flat: data, shape: [data.length] };
  const numbers: number[] = [];
  const shape = collect(data, numbers, 'data');
  return { flat: toF32(numbers), shape };
}

/** Appends the numbers in nested data to `flat` and returns their shape. `at` is their place in the caller's data. */
function collect(data: unknown, flat: number[], at: string): Sizes {
  if (typeof data === 'number') {
    flat.push(data);
    return NUMBER;
  }
  const typed = ArrayBuffer.isView(data) && !(data instanceof DataView);
  if (!typed && !Array.isArray(data))
    throw new TypeError(`tensor: ${at} must be a number or an array of numbers but is ${show(data)}`);
  const items = data as ArrayLike<unknown>;
  const whole = data instanceof Int32Array || data instanceof Uint32Array;
  let inner: Sizes = NUMBER;
  for (let i = 0; i < items.length; i++) {
    const item = items[i];
    const shape = collect(item, flat, typeof item === 'number' ? '' : `${at}[${i}]`);
    if (i === 0) inner = shape;
    else if (shape.join() !== inner.join()) {
      throw new TypeError(
        `tensor: nested arrays must be regular, but ${at}[0] is [${inner}] and ${at}[${i}] is [${shape}]`,
      );
    }
    if (whole && Math.fround(item as number) !== item)
      throw new RangeError(`tensor: ${at}[${i}] is ${item}, which f32 would round; pass a Float32Array to allow that`);
  }
  return [items.length, ...inner];
}

/** Converts numbers to f32. Throws `RangeError` if one of them is finite but beyond the range of f32. */
function toF32(numbers: readonly number[]): Float32Array {
  const flat = Float32Array.from(numbers);
  const at = flat.findIndex((v, i) => Math.abs(v) === Number.POSITIVE_INFINITY && Number.isFinite(numbers[i]));
  if (at < 0) return flat;
  throw new RangeError(
    `tensor: element ${at} of data is ${numbers[at]}, beyond the largest f32 (3.4e38); scale the data`,
  );
}
