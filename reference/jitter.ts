// Data augmentation in double precision: images sampled at an affine map, and changed at random. Images are [n, c, h, w].
import { type Doubles, pcg3d, type Values, zeros } from './ops.ts';

type Padding = 'zeros' | 'border';

/** Samples images at an affine map of their grid, as PyTorch's grid_sample(x, affine_grid(theta)) without aligned corners. */
export function affineSample(x: Values, theta: Values, padding: Padding = 'zeros'): Doubles {
  const [, channels, height, width] = x.shape as [number, number, number, number];
  const y = zeros(x.shape);
  const inside = (v: number, size: number) => (padding === 'border' ? Math.min(Math.max(v, 0), size - 1) : v);
  for (let i = 0; i < y.data.length; i++) {
    const plane = Math.floor(i / (width * height));
    const u = (2 * (i % width) + 1) / width - 1;
    const v = (2 * (Math.floor(i / width) % height) + 1) / height - 1;
    const [a, b, c, d, e, f] = Array.from({ length: 6 }, (_, k) => theta.data[6 * Math.floor(plane / channels) + k]!);
    const column = inside(((a! * u + b! * v + c! + 1) * width - 1) / 2, width);
    const row = inside(((d! * u + e! * v + f! + 1) * height - 1) / 2, height);
    const [left, top] = [Math.floor(column), Math.floor(row)];
    for (const [p, across] of [
      [left, left + 1 - column],
      [left + 1, column - left],
    ] as const)
      for (const [q, down] of [
        [top, top + 1 - row],
        [top + 1, row - top],
      ] as const)
        if (p >= 0 && p < width && q >= 0 && q < height)
          y.data[i]! += across * down * x.data[(plane * height + q) * width + p]!;
  }
  return y;
}

export interface JitterOptions {
  rotation?: number;
  scale?: number;
  shear?: number;
  translate?: number;
  flip?: number;
  padding?: Padding;
  saturation?: number;
  contrast?: number;
  brightness?: number;
  channelShift?: number;
  seed: number;
  draw: number;
  mean?: readonly number[];
  std?: readonly number[];
}

/** The batch that jitterBatch makes. images: bytes of `shape` [c, h, w] each, chosen: indices of images -> [n, c, h, w] */
export function jitterBatch(
  images: Uint8Array,
  [channels, height, width]: readonly [number, number, number],
  chosen: ArrayLike<number>,
  options: JitterOptions,
): Doubles {
  const { rotation = 0, scale = 0, shear = 0, translate = 0, flip = 0, padding, seed, draw } = options;
  const { saturation = 0, contrast = 0, brightness = 0, channelShift = 0 } = options;
  const { mean = [0.5, 0.5, 0.5], std = [0.5, 0.5, 0.5] } = options;
  const plane = height * width;
  const size = channels * plane;
  const n = chosen.length;
  const random = (image: number, k: number) => (2 * (pcg3d(16 * image + k, draw, seed) >>> 8)) / 2 ** 24 - 1;
  const x = zeros([n, channels, height, width]);
  const theta = zeros([n, 2, 3]);
  for (let b = 0; b < n; b++) {
    x.data.set(
      Array.from(images.subarray(chosen[b]! * size, (chosen[b]! + 1) * size), (byte) => byte / 255),
      b * size,
    );
    const a = (random(b, 0) * rotation * Math.PI) / 180;
    const [sx, sy] = [1 + scale * random(b, 1), 1 + scale * random(b, 2)];
    const m = random(b, 6) < 2 * flip - 1 ? -1 : 1;
    const [across, down] = [(height / width) * (shear * random(b, 3) - Math.sin(a)), (width / height) * Math.sin(a)];
    const rows = [
      [(m * Math.cos(a)) / sx, across / sy, 2 * translate * random(b, 4)],
      [(m * down) / sx, Math.cos(a) / sy, 2 * translate * random(b, 5)],
    ];
    theta.data.set(rows.flat(), 6 * b);
  }
  const y = affineSample(x, theta, padding);
  for (let b = 0; b < n; b++)
    for (let p = 0; p < plane; p++) {
      const at = (c: number) => (b * channels + c) * plane + p;
      const [red, green, blue] = [0, 1, 2].map((c) => y.data[at(c)]!);
      const grey = channels === 3 ? 0.299 * red! + 0.587 * green! + 0.114 * blue! : y.data[at(0)]!;
      for (let c = 0; c < channels; c++) {
        let v = grey + (1 + saturation * random(b, 7)) * (y.data[at(c)]! - grey);
        v = 0.5 + (1 + contrast * random(b, 8)) * (v - 0.5);
        v += brightness * random(b, 9) + channelShift * random(b, 10 + c);
        y.data[at(c)] = (Math.min(Math.max(v, 0), 1) - mean[c]!) / std[c]!;
      }
    }
  return y;
}
