// Ops of images in double precision: convolution, pooling, batch norm and the batch kernel. Images are [n, c, h, w], outputs
// [n, o, p, q], convolution kernels [o, c, r, s].

import { type Doubles, relu, sizeOf, type Values, zeros } from './ops.ts';

type Pair = number | readonly [h: number, w: number];
const both = (value: Pair): readonly [number, number] => (typeof value === 'number' ? [value, value] : value);

type Sizes4 = [number, number, number, number];

export interface ConvOptions {
  stride?: Pair;
  padding?: Pair;
  dilation?: Pair;
  relu?: boolean;
}

/** The height and width of a convolution's output. x: [n, c, h, w], weight: [o, c, r, s] */
export function convOutput(
  x: readonly number[],
  weight: readonly number[],
  { stride = 1, padding = 0, dilation = 1 }: ConvOptions = {},
): [p: number, q: number] {
  const side = (d: 0 | 1) =>
    Math.floor((x[2 + d]! + 2 * both(padding)[d] - both(dilation)[d] * (weight[2 + d]! - 1) - 1) / both(stride)[d]) + 1;
  return [side(0), side(1)];
}

/**
 * Calls `use(weight, x, y, count, step)` for every row of multiplications of a convolution: one element of the weight, and
 * `count` elements of x, `step` apart, that belong to `count` neighbours of y.
 */
function eachConvRow(
  x: readonly number[],
  weight: readonly number[],
  options: ConvOptions,
  use: (weight: number, x: number, y: number, count: number, step: number) => void,
): void {
  const [n, c, h, w] = x as Sizes4;
  const [o, , r, s] = weight as Sizes4;
  const [p, q] = convOutput(x, weight, options);
  const [strideH, strideW] = both(options.stride ?? 1);
  const [padH, padW] = both(options.padding ?? 0);
  const [dilationH, dilationW] = both(options.dilation ?? 1);
  for (let image = 0; image < n; image++) {
    for (let out = 0; out < o; out++) {
      for (let channel = 0; channel < c; channel++) {
        for (let i = 0; i < r; i++) {
          for (let j = 0; j < s; j++) {
            // Output columns whose pixel, col * strideW + left, lies inside the image.
            const left = j * dilationW - padW;
            const first = Math.max(0, Math.ceil(-left / strideW));
            const count = Math.min(q, Math.floor((w - 1 - left) / strideW) + 1) - first;
            for (let row = 0; row < p; row++) {
              const top = row * strideH - padH + i * dilationH;
              if (top < 0 || top >= h) continue;
              use(
                ((out * c + channel) * r + i) * s + j,
                ((image * c + channel) * h + top) * w + first * strideW + left,
                ((image * o + out) * p + row) * q + first,
                count,
                strideW,
              );
            }
          }
        }
      }
    }
  }
}

/** y[n,o,p,q] = bias[o] + sum over c, r, s of weight[o,c,r,s] x[n, c, p stride - pad + r dilation, q stride - pad + s dilation] */
export function conv2d(x: Values, weight: Values, bias: Values | null, options: ConvOptions = {}): Doubles {
  const o = weight.shape[0]!;
  const [p, q] = convOutput(x.shape, weight.shape, options);
  const y = zeros([x.shape[0]!, o, p, q]);
  if (bias) for (let i = 0; i < y.data.length; i++) y.data[i] = bias.data[Math.floor(i / (p * q)) % o]!;
  eachConvRow(x.shape, weight.shape, options, (atWeight, atX, atY, count, step) => {
    const factor = weight.data[atWeight]!;
    for (let i = 0; i < count; i++) y.data[atY + i]! += factor * x.data[atX + i * step]!;
  });
  return options.relu ? relu(y) : y;
}

/** The gradients of x, weight and bias, without ReLU. dy: [n, o, p, q] */
export function conv2dBackward(x: Values, weight: Values, dy: ArrayLike<number>, options: ConvOptions = {}) {
  const o = weight.shape[0]!;
  const [dx, dweight, dbias] = [zeros(x.shape), zeros(weight.shape), zeros([o])];
  const pixels = sizeOf(convOutput(x.shape, weight.shape, options));
  for (let i = 0; i < dy.length; i++) dbias.data[Math.floor(i / pixels) % o]! += dy[i]!;
  eachConvRow(x.shape, weight.shape, options, (atWeight, atX, atY, count, step) => {
    const factor = weight.data[atWeight]!;
    let sum = 0;
    for (let i = 0; i < count; i++) {
      dx.data[atX + i * step]! += factor * dy[atY + i]!;
      sum += x.data[atX + i * step]! * dy[atY + i]!;
    }
    dweight.data[atWeight]! += sum;
  });
  return { dx, dweight, dbias };
}

export interface PoolOptions {
  kernelSize: number;
  stride?: number;
  padding?: number;
  ceilMode?: boolean;
}

/** Windows along one side of an image (PyTorch's pooling_output_shape). */
function windowsOf(
  size: number,
  { kernelSize, stride = kernelSize, padding = 0, ceilMode = false }: PoolOptions,
): number {
  const count = Math.floor((size + 2 * padding - kernelSize + (ceilMode ? stride - 1 : 0)) / stride) + 1;
  // A window that starts in the padding after the image is left out.
  return ceilMode && (count - 1) * stride >= size + padding ? count - 1 : count;
}

interface Window {
  /** Index of the output. */
  i: number;
  /** Indices of its pixels in x. */
  pixels: number[];
  /** Pixels and padding in the window. */
  size: number;
}

/** Calls `use` for every window of a pool and returns the output's shape. */
function eachWindow(x: readonly number[], options: PoolOptions, use: (window: Window) => void): number[] {
  const { kernelSize, stride = kernelSize, padding = 0 } = options;
  const [n, c, h, w] = x as Sizes4;
  const [p, q] = [windowsOf(h, options), windowsOf(w, options)];
  for (let i = 0; i < n * c * p * q; i++) {
    const [plane, row, col] = [Math.floor(i / (p * q)), Math.floor(i / q) % p, i % q];
    const [top, left] = [row * stride - padding, col * stride - padding];
    const [bottom, right] = [Math.min(top + kernelSize, h + padding), Math.min(left + kernelSize, w + padding)];
    const pixels: number[] = [];
    for (let y = Math.max(top, 0); y < Math.min(bottom, h); y++)
      for (let x = Math.max(left, 0); x < Math.min(right, w); x++) pixels.push((plane * h + y) * w + x);
    use({ i, pixels, size: (bottom - top) * (right - left) });
  }
  return [n, c, p, q];
}

/** The largest pixel of every window, and its index in x: the first of ties, or the last NaN, as in PyTorch. */
export function maxPool2d(x: Values, options: PoolOptions & { relu?: boolean }): Doubles & { from: number[] } {
  const data: number[] = [];
  const from: number[] = [];
  const shape = eachWindow(x.shape, options, ({ pixels }) => {
    let best = pixels[0]!;
    for (const at of pixels) if (x.data[at]! > x.data[best]! || Number.isNaN(x.data[at])) best = at;
    data.push(x.data[best]!);
    from.push(best);
  });
  const y = { shape, data: Float64Array.from(data) };
  return { ...(options.relu ? relu(y) : y), from };
}

/** dx[from[i]] += dy[i]; x: the shape of x */
export function maxPool2dBackward(x: readonly number[], from: readonly number[], dy: ArrayLike<number>): Doubles {
  const dx = zeros(x);
  for (let i = 0; i < from.length; i++) dx.data[from[i]!]! += dy[i]!;
  return dx;
}

export interface AvgPoolOptions extends PoolOptions {
  countIncludePad?: boolean;
}

/** The mean of every window, with or without its padding. */
export function avgPool2d(x: Values, options: AvgPoolOptions): Doubles {
  const { countIncludePad = true } = options;
  const data: number[] = [];
  const shape = eachWindow(x.shape, options, ({ pixels, size }) => {
    let sum = 0;
    for (const at of pixels) sum += x.data[at]!;
    data.push(sum / (countIncludePad ? size : pixels.length));
  });
  return { shape, data: Float64Array.from(data) };
}

/** dx[pixel] += dy[i] / size; x: the shape of x */
export function avgPool2dBackward(x: readonly number[], dy: ArrayLike<number>, options: AvgPoolOptions): Doubles {
  const dx = zeros(x);
  const { countIncludePad = true } = options;
  eachWindow(x, options, ({ i, pixels, size }) => {
    for (const at of pixels) dx.data[at]! += dy[i]! / (countIncludePad ? size : pixels.length);
  });
  return dx;
}

export interface BatchNormOptions {
  eps?: number;
  /** Statistics to normalise by, [c] each: evaluation mode. The batch's own by default. */
  running?: { mean: Values; variance: Values } | undefined;
  relu?: boolean;
}

/** y, and what its gradient and the running statistics need. */
export interface Normalised extends Doubles {
  mean: Float64Array;
  /** Biased: divided by the number of elements per channel. */
  variance: Float64Array;
  /** (x - mean) / sqrt(variance + eps) */
  normal: Float64Array;
  /** 1 / sqrt(variance + eps), [c] */
  deviation: Float64Array;
}

/** The channel of element i of an array [n, c, ...]. */
const channelOf = (shape: readonly number[]): ((i: number) => number) => {
  const pixels = sizeOf(shape.slice(2));
  return (i) => Math.floor(i / pixels) % shape[1]!;
};

/** y = (x - mean) / sqrt(variance + eps) weight + bias, per channel. x: [n, c, ...], weight, bias: [c] */
export function batchNorm(x: Values, weight: Values, bias: Values, options: BatchNormOptions = {}): Normalised {
  const { eps = 1e-5, running } = options;
  const channel = channelOf(x.shape);
  const c = x.shape[1]!;
  const perChannel = x.data.length / c;
  const mean = Float64Array.from(running?.mean.data ?? new Float64Array(c));
  const variance = Float64Array.from(running?.variance.data ?? new Float64Array(c));
  if (!running) {
    for (let i = 0; i < x.data.length; i++) mean[channel(i)]! += x.data[i]! / perChannel;
    for (let i = 0; i < x.data.length; i++) variance[channel(i)]! += (x.data[i]! - mean[channel(i)]!) ** 2 / perChannel;
  }
  const deviation = variance.map((v) => 1 / Math.sqrt(v + eps));
  const normal = Float64Array.from(x.data, (v, i) => (v - mean[channel(i)]!) * deviation[channel(i)]!);
  const y = { shape: [...x.shape], data: normal.map((v, i) => v * weight.data[channel(i)]! + bias.data[channel(i)]!) };
  return { ...(options.relu ? relu(y) : y), mean, variance, normal, deviation };
}

/** The gradients in training mode: dx = weight deviation (dy - mean of dy - normal * mean of dy normal), per channel. */
export function batchNormBackward({ shape, normal, deviation }: Normalised, weight: Values, dy: ArrayLike<number>) {
  const channel = channelOf(shape);
  const perChannel = normal.length / shape[1]!;
  const [dweight, dbias] = [zeros(weight.shape), zeros(weight.shape)];
  for (let i = 0; i < normal.length; i++) {
    dbias.data[channel(i)]! += dy[i]!;
    dweight.data[channel(i)]! += dy[i]! * normal[i]!;
  }
  const dx = {
    shape,
    data: normal.map((v, i) => {
      const k = channel(i);
      return weight.data[k]! * deviation[k]! * (dy[i]! - (dbias.data[k]! + v * dweight.data[k]!) / perChannel);
    }),
  };
  return { dx, dweight, dbias };
}

/** Images of a batch: bytes to x / 127.5 - 1. images: `pixels` bytes each, chosen: indices of images -> [n, pixels] */
export function imageBatch(images: Uint8Array, pixels: number, chosen: ArrayLike<number>): Doubles {
  const x = zeros([chosen.length, pixels]);
  for (let i = 0; i < x.data.length; i++)
    x.data[i] = images[chosen[Math.floor(i / pixels)]! * pixels + (i % pixels)]! / 127.5 - 1;
  return x;
}
