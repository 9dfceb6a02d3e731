import lines from '../../../shaders/conv2d.lines.wgsl';
import linesGradStore from '../../../shaders/conv2d.linesGrad.store.wgsl';
import linesGrad from '../../../shaders/conv2d.linesGrad.wgsl';
import geometry from '../../../shaders/conv2d.wgsl';
import partial from '../../../shaders/gemm.partial.wgsl';
import reduce from '../../../shaders/gemm.reduce.wgsl';
import { gemmFamily } from '../../gemm/settings.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import { defineKernel } from '../../gpu/kernel.ts';
import { empty, type Tensor } from '../../tensor.ts';

// Convolution with stride 1 as software adapters with subgroups do it fastest: line by line, not as a matrix product.

const convolution = /* @__PURE__ */ defineKernel('conv2d.lines', lines, ['product']);
const gradient = /* @__PURE__ */ defineKernel('conv2d.linesGrad', [geometry, linesGrad, linesGradStore], ['product']);
const slice = /* @__PURE__ */ defineKernel('conv2d.linesGrad', [geometry, linesGrad, partial], ['product']);
const sum = /* @__PURE__ */ defineKernel('conv2d.linesGrad', [geometry, linesGradStore, reduce], ['reduce']);

/** Sizes of a convolution, as `shaders/conv2d.wgsl` names them. */
export type Conv2dSizes = Readonly<
  Record<
    'images' | 'c' | 'h' | 'w' | 'o' | 'p' | 'q' | 'r' | 's' | `${'stride' | 'pad' | 'dilation'}${'H' | 'W'}`,
    number
  >
>;

/** @internal Whether the kernels here can compute it, on an adapter that they suit. */
export function suitsLines(gpu: Gpu, { s, strideH, strideW, dilationH, dilationW }: Conv2dSizes): boolean {
  const plain = strideH * strideW * dilationH * dilationW === 1 && s >= 2 && s <= 7;
  return plain && gpu.kind === 'cpu' && gpu.subgroupSize >= 8 && gemmFamily(gpu) === 'subgroup';
}

/** @internal Records y = x * weight + bias, if asked for only its positive part. */
export function convolveLines(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  y: Tensor,
  sizes: Conv2dSizes,
  relu: boolean,
) {
  const { c, r, s, padH, padW } = sizes;
  const taps = { rowStep: c * r * s, channelStep: r * s, firstTap: 0, tapStep: 1 };
  const flags = { biased: bias ? 1 : 0, rectified: relu ? 1 : 0 };
  convolve(x, weight, bias ?? weight, y, padH, padW, { ...taps, ...flags });
}

/** @internal Records the gradient of x. */
export function inputGradOfLines(dy: Tensor, weight: Tensor, dx: Tensor, { c, r, s, padH, padW }: Conv2dSizes) {
  const taps = { rowStep: r * s, channelStep: c * r * s, firstTap: r * s - 1, tapStep: -1 };
  convolve(dy, weight, weight, dx, r - 1 - padH, s - 1 - padW, { ...taps, biased: 0, rectified: 0 });
}

function convolve(
  x: Tensor,
  weight: Tensor,
  bias: Tensor,
  y: Tensor,
  top: number,
  left: number,
  rest: Readonly<Record<string, number>>,
): void {
  const [images, channels, inH, inW] = x.shape as [number, number, number, number];
  const [, m, outH, outW] = y.shape as [number, number, number, number];
  const [, , r, S] = weight.shape as [number, number, number, number];
  const quads = Math.ceil(outW / 4);
  const zeros = Math.max(0, left);
  const within = Math.max(0, Math.min(inW, 4 * quads + S - 1 - zeros));
  // A long piece shares the weights among many pixels, but a CPU's cache of instructions holds 16 rows of 40 taps and not
  // much more. Where a piece is a whole line, it is known beforehand which of its numbers are the padding's.
  const whole = zeros > 0 && quads <= 3 && within * S <= 40;
  const QUADS = whole ? quads : S <= 5 && (quads % 2 === 0 || quads > 6) ? 2 : 1;
  const ZEROS = whole ? zeros : 0;
  const LOADS = whole ? within : 4 * QUADS + S - 1;
  const PADDED = top > 0 || left > 0 ? 1 : 0;
  const pieces = images * outH * Math.ceil(quads / QUADS);
  convolution.product(
    { x, weight, bias, y },
    {
      ...{ m, images, channels, inH, inW, outH, outW, r },
      ...{ top, left: left - ZEROS, ...rest },
    },
    Math.ceil(m / 16) * Math.ceil(pieces / 8),
    { constants: { S, QUADS, LOADS, ZEROS, PADDED }, flops: 2 * y.size * channels * r * S },
  );
}

/** @internal Records the gradients of weight and bias, of outputs whose width is a multiple of 4. */
export function weightGradOfLines(x: Tensor, dy: Tensor, dweight: Tensor, dbias: Tensor, sizes: Conv2dSizes): void {
  const { images, c, o, p, q, r, s, padH, padW } = sizes;
  const lines = c * r + 1;
  const tiles = Math.ceil(o / 16) * Math.ceil(lines / 8);
  // Few tiles of many images leave cores idle; what is summed in which order follows from the sizes alone.
  const depth = Math.max(1, Math.ceil(images / Math.max(1, Math.ceil(16 / tiles))));
  const slices = Math.ceil(images / depth);
  const params = { ...sizes, m: o, n: 8 * lines, k: images * p * q, depth, biased: 0, rectified: 0 };
  const options = {
    constants: { S: s, PADDED: padH + padW > 0 ? 1 : 0 },
    flops: 2 * o * (c * r * s + 1) * images * p * q,
  };
  if (slices <= 1) {
    gradient.product({ x, dy, dweight, dbias }, params, tiles, options);
    return;
  }
  const sums = empty(x.gpu, [slices * o, 8 * lines], 'f32', 'partial');
  slice.product({ x, dy, partial: sums }, params, [tiles, 1, slices], options);
  sum.reduce({ partial: sums, dweight, dbias }, params, Math.ceil((o * 2 * lines) / 64));
  sums.dispose();
}
