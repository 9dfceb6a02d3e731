// Data augmentation in double precision: images sampled at an affine map, and changed at random. Images are [n, c, h, w].
import { type Doubles, pcg3d, type Values, zeros } from './ops.ts';

type Padding = 'zeros' | 'border';

/**
 * Samples images at an affine map of their grid, as PyTorch's grid_sample(x, affine_grid(theta)) without aligned corners. `bend` is
 * added to the map: [n, 2, h, w].
 */
export function affineSample(x: Values, theta: Values, padding: Padding = 'zeros', bend?: Values): Doubles {
  const [, channels, height, width] = x.shape as [number, number, number, number];
  const y = zeros(x.shape);
  const inside = (v: number, size: number) => (padding === 'border' ? Math.min(Math.max(v, 0), size - 1) : v);
  for (let i = 0; i < y.data.length; i++) {
    const plane = Math.floor(i / (width * height));
    const u = (2 * (i % width) + 1) / width - 1;
    const v = (2 * (Math.floor(i / width) % height) + 1) / height - 1;
    const [a, b, c, d, e, f] = Array.from({ length: 6 }, (_, k) => theta.data[6 * Math.floor(plane / channels) + k]!);
    const at = Math.floor(plane / channels) * 2 * width * height + (i % (width * height));
    const [du, dv] = bend ? [bend.data[at]!, bend.data[at + width * height]!] : [0, 0];
    const column = inside(((a! * u + b! * v + c! + du + 1) * width - 1) / 2, width);
    const row = inside(((d! * u + e! * v + f! + dv + 1) * height - 1) / 2, height);
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

/** Enlarges planes [n, gridHeight, gridWidth] to [n, height, width] by cubic convolution, as PyTorch's bicubic with aligned corners. */
export function bicubic(grid: Values, height: number, width: number): Doubles {
  const [n, rows, columns] = grid.shape as [number, number, number];
  const kernel = (t: number) => {
    const d = Math.abs(t);
    if (d <= 1) return 1.25 * d ** 3 - 2.25 * d ** 2 + 1;
    return d < 2 ? -0.75 * (d ** 3 - 5 * d ** 2 + 8 * d - 4) : 0;
  };
  const clamped = (i: number, size: number) => Math.min(Math.max(i, 0), size - 1);
  const y = zeros([n, height, width]);
  for (let i = 0; i < y.data.length; i++) {
    const plane = Math.floor(i / (height * width));
    const row = ((Math.floor(i / width) % height) * (rows - 1)) / Math.max(height - 1, 1);
    const column = ((i % width) * (columns - 1)) / Math.max(width - 1, 1);
    for (let q = Math.floor(row) - 1; q <= Math.floor(row) + 2; q++)
      for (let p = Math.floor(column) - 1; p <= Math.floor(column) + 2; p++)
        y.data[i]! +=
          kernel(row - q) *
          kernel(column - p) *
          grid.data[(plane * rows + clamped(q, rows)) * columns + clamped(p, columns)]!;
  }
  return y;
}

/** The mean over 3 x 3 pixels of planes [..., height, width], their border repeated. */
export function mean3x3({ shape, data }: Values): Doubles {
  const [height, width] = shape.slice(-2) as [number, number];
  const y = zeros(shape);
  const clamped = (i: number, size: number) => Math.min(Math.max(i, 0), size - 1);
  for (let i = 0; i < y.data.length; i++) {
    const [plane, row, column] = [Math.floor(i / (height * width)), Math.floor(i / width) % height, i % width];
    for (let q = -1; q <= 1; q++)
      for (let p = -1; p <= 1; p++)
        y.data[i]! += data[(plane * height + clamped(row + q, height)) * width + clamped(column + p, width)]! / 9;
  }
  return y;
}

export interface JitterOptions {
  rotation?: number;
  scale?: number;
  zoom?: number;
  aspect?: number;
  shear?: number;
  translate?: number;
  flip?: number;
  elastic?: number;
  padding?: Padding;
  blur?: number;
  gain?: number;
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
  const { rotation = 0, scale = 0, zoom = 0, aspect = 0, shear = 0, translate = 0, flip = 0, padding } = options;
  const { elastic = 0, blur = 0, gain = 0, seed, draw } = options;
  const { saturation = 0, contrast = 0, brightness = 0, channelShift = 0 } = options;
  const { mean = [0.5, 0.5, 0.5], std = [0.5, 0.5, 0.5] } = options;
  const plane = height * width;
  const size = channels * plane;
  const n = chosen.length;
  const random = (image: number, k: number) => (2 * (pcg3d(67 * image + k, draw, seed) >>> 8)) / 2 ** 24 - 1;
  const x = zeros([n, channels, height, width]);
  const theta = zeros([n, 2, 3]);
  for (let b = 0; b < n; b++) {
    x.data.set(
      Array.from(images.subarray(chosen[b]! * size, (chosen[b]! + 1) * size), (byte) => byte / 255),
      b * size,
    );
    const a = (random(b, 0) * rotation * Math.PI) / 180;
    const [zoomed, shaped] = [(1 + zoom) ** random(b, 13), (1 + aspect) ** random(b, 14)];
    const [sx, sy] = [(1 + scale * random(b, 1)) * zoomed * shaped, ((1 + scale * random(b, 2)) * zoomed) / shaped];
    const m = random(b, 6) < 2 * flip - 1 ? -1 : 1;
    const [across, down] = [(height / width) * (shear * random(b, 3) - Math.sin(a)), (width / height) * Math.sin(a)];
    const rows = [
      [(m * Math.cos(a)) / sx, across / sy, 2 * translate * random(b, 4)],
      [(m * down) / sx, Math.cos(a) / sy, 2 * translate * random(b, 5)],
    ];
    theta.data.set(rows.flat(), 6 * b);
  }
  // In halves of the image, as theta.
  const field = Float64Array.from(
    { length: 50 * n },
    (_, i) => 2 * elastic * random(Math.floor(i / 50), 17 + (i % 50)),
  );
  const bend = bicubic({ shape: [2 * n, 5, 5], data: field }, height, width);
  const y = affineSample(x, theta, padding, { shape: [n, 2, height, width], data: bend.data });
  const blurred = mean3x3(y);
  for (let i = 0; i < y.data.length; i++) {
    const b = Math.floor(i / size);
    y.data[i]! += ((blur * (1 + random(b, 15))) / 2) * (blurred.data[i]! - y.data[i]!);
    y.data[i]! *= (1 + gain) ** random(b, 16);
  }
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

/** Grey images whose one bright object has a standard size and place, before they are rounded to bytes. [n, h, w] bytes -> [n, 1, h, w] */
export function canonicalGeometry(images: Uint8Array, height: number, width: number): Doubles {
  const plane = height * width;
  const n = images.length / plane;
  const theta = zeros([n, 2, 3]);
  for (let b = 0; b < n; b++) {
    const image = images.subarray(b * plane, (b + 1) * plane);
    const inside = [...image.keys()].filter((p) => image[p]! > 255 / 4);
    const side = (places: number[]) => Math.max(...places) - Math.min(...places) + 1;
    const extent = Math.max(side(inside.map((p) => p % width)), side(inside.map((p) => Math.floor(p / width))));
    const s = inside.length > 0 ? extent / ((Math.min(height, width) * 20) / 28) : 1;
    const mass = image.reduce((a, v) => a + v, 0);
    const mean = (place: (p: number) => number, size: number) =>
      mass > 0 ? image.reduce((a, v, p) => a + v * place(p), 0) / mass : (size - 1) / 2;
    const [cx, cy] = [mean((p) => p % width, width), mean((p) => Math.floor(p / width), height)];
    theta.data.set([s, 0, (2 * cx + 1) / width - 1, 0, s, (2 * cy + 1) / height - 1], 6 * b);
  }
  return affineSample({ shape: [n, 1, height, width], data: images }, theta);
}
