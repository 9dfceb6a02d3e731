// Direct convolution: convolutions with stride 1 on software adapters with subgroups. It is faster there than a matrix
// multiplication, because a lane loads a piece of an image row once for all taps of a kernel row.
import direct from '../../../shaders/conv2d.direct.wgsl';
import weightGradEpilogue from '../../../shaders/conv2d.directWeightGrad.epilogue.wgsl';
import weightGrad from '../../../shaders/conv2d.directWeightGrad.wgsl';
import geometry from '../../../shaders/conv2d.wgsl';
import reduce from '../../../shaders/gemm.reduce.wgsl';
import splitEpilogue from '../../../shaders/gemm.splitK.epilogue.wgsl';
import window from '../../../shaders/maxPool2d.window.wgsl';
import { gemmFamily } from '../../gemm/settings.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import { defineKernel } from '../../gpu/kernel.ts';
import { empty, type Tensor } from '../../tensor.ts';

const convolution = /* @__PURE__ */ defineKernel('conv2d.direct', [window, direct], ['forward', 'whole', 'pooled']);
const whole = /* @__PURE__ */ defineKernel('conv2d.direct', [geometry, weightGrad, weightGradEpilogue], ['weightGrad']);
const split = /* @__PURE__ */ defineKernel('conv2d.direct', [geometry, weightGrad, splitEpilogue], ['weightGrad']);
const sum = /* @__PURE__ */ defineKernel('conv2d.direct', [geometry, weightGradEpilogue, reduce], ['reduce']);

/** Sizes of a convolution, named as in `shaders/conv2d.wgsl`. */
export type Conv2dSizes = Readonly<
  Record<
    | 'images'
    | ('c' | 'h' | 'w' | 'o' | 'p' | 'q' | 'r' | 's')
    | `${'stride' | 'pad' | 'dilation'}${'H' | 'W'}`
    | `per${'P' | 'Q' | 'Four' | 'O'}`,
    number
  >
>;

/** @internal Whether direct convolution suits the device and can compute these sizes. It competes with the subgroup GEMM kernel. */
export function suitsDirectConv2d(gpu: Gpu, { s, strideH, strideW, dilationH, dilationW }: Conv2dSizes): boolean {
  const simple = strideH * strideW * dilationH * dilationW === 1 && s >= 2 && s <= 7;
  return simple && gpu.kind === 'cpu' && gemmFamily(gpu) === 'subgroup';
}

/** @internal Whether the largest of each window of 2 x 2 of the output can be taken in the same dispatch. */
export const poolsDirectly = ({ p, q, s }: Conv2dSizes): boolean => p % 2 === 0 && q % 8 === 0 && s <= 5;

interface Tensors {
  x: Tensor;
  weight: Tensor;
  y: Tensor;
  /** The places of the pool's maxima, if the convolution pools. */
  index?: Tensor | undefined;
}

/** @internal Records y = x * weight + bias, then the max pool if there is an `index`, then ReLU if asked for. */
export function directConv2d(
  { x, weight, bias, y, index }: Tensors & { bias: Tensor | null },
  sizes: Conv2dSizes,
  relu: boolean,
): void {
  const { c, p, q, r, s, padH, padW } = sizes;
  const taps = { rowStep: c * r * s, channelStep: r * s, firstTap: 0, tapStep: 1 };
  const flags = { hasBias: bias ? 1 : 0, relu: relu ? 1 : 0 };
  convolve({ x, weight, bias: bias ?? weight, y, index }, [p, q], [padH, padW], { ...taps, ...flags });
}

/** @internal Records the gradient of x: dy convolved with the kernel, turned by 180 degrees. */
export function directInputGrad(
  { dy, weight, dx }: { dy: Tensor; weight: Tensor; dx: Tensor },
  { c, h, w, r, s, padH, padW }: Conv2dSizes,
): void {
  const taps = { rowStep: r * s, channelStep: c * r * s, firstTap: r * s - 1, tapStep: -1 };
  const padding = [r - 1 - padH, s - 1 - padW] as const;
  convolve({ x: dy, weight, bias: weight, y: dx }, [h, w], padding, { ...taps, hasBias: 0, relu: 0 });
}

function convolve(
  { x, weight, bias, y, index }: Tensors & { bias: Tensor },
  [outH, outW]: readonly [number, number],
  [top, left]: readonly [number, number],
  rest: Readonly<Record<string, number>>,
): void {
  const [images, channels, inH, inW] = x.shape as [number, number, number, number];
  const m = y.shape[1]!;
  const [, , r, S] = weight.shape as [number, number, number, number];
  const quads = Math.ceil(outW / 4);
  const zeros = Math.max(0, left);
  const inside = Math.max(0, Math.min(inW, 4 * quads + S - 1 - zeros));
  // A longer piece uses the same taps for more pixels. But a CPU's instruction cache holds little more than 16 rows of 40 taps. If
  // a piece is a whole row of the image, the number of zeros of the padding is known at compile time.
  const isRow = zeros > 0 && quads <= 3 && inside * S <= 40;
  const QUADS = isRow ? quads : S <= 5 && (quads % 2 === 0 || quads > 6) ? 2 : 1;
  const ZEROS = isRow ? zeros : 0;
  const LOADS = isRow ? inside : 4 * QUADS + S - 1;
  const PADDED = top > 0 || left > 0 ? 1 : 0;
  const ALIGNED = Number(inW % 4 === 0 && (left - ZEROS) % 4 === 0);
  const pieces = images * outH * Math.ceil(quads / QUADS);
  const params = { m, images, channels, inH, inW, outH, outW, r, top, left: left - ZEROS, ...rest };
  const groups = Math.ceil(m / 16) * Math.ceil(pieces / 8);
  const constants = { S, QUADS, LOADS, ZEROS, PADDED, ALIGNED, POOLED: Number(!!index) };
  const options = { constants, flops: 2 * images * m * outH * outW * channels * r * S };
  const inputs = { x, x4: x, weight, bias };
  if (index) convolution.pooled({ ...inputs, y4: y, index }, params, groups, options);
  else if (outW % 4 === 0) convolution.whole({ ...inputs, y4: y }, params, groups, options);
  else convolution.forward({ ...inputs, y }, params, groups, options);
}

/** @internal Records the gradients of weight and bias. The width of the output must be a multiple of 4. */
export function directWeightGrad(
  { x, dy, dweight, dbias }: { x: Tensor; dy: Tensor; dweight: Tensor; dbias: Tensor },
  sizes: Conv2dSizes,
): void {
  const { images, c, o, p, q, r, s, padH, padW } = sizes;
  const kernelRows = c * r + 1;
  // 32 rows share the loads of x. If the last tile had 16 rows or fewer, smaller tiles waste less.
  const ROWS = Math.ceil(o / 16) % 2 === 0 ? 32 : 16;
  const tiles = Math.ceil(o / ROWS) * Math.ceil(kernelRows / 8);
  // Few tiles with many images leave cores idle, so the images are split. The order of the sum depends only on the sizes.
  const perPart = Math.max(1, Math.ceil(images / Math.max(1, Math.ceil(16 / tiles))));
  const parts = Math.ceil(images / perPart);
  const params = { ...sizes, m: o, n: 8 * kernelRows, k: images * p * q, kPerPart: perPart, hasBias: 0, relu: 0 };
  const options = {
    constants: { ROWS, S: s, PADDED: padH + padW > 0 ? 1 : 0 },
    flops: 2 * o * (c * r * s + 1) * images * p * q,
  };
  if (parts <= 1) {
    whole.weightGrad({ x, dy, dweight, dbias }, params, tiles, options);
    return;
  }
  // partial: [parts, o, kernelRows, 8]
  const partial = empty(x.gpu, [parts * o, 8 * kernelRows], 'f32', 'partial');
  split.weightGrad({ x, dy, partial }, params, [tiles, 1, parts], options);
  sum.reduce({ partial, dweight, dbias }, params, Math.ceil((o * 2 * kernelRows) / 64));
  partial.dispose();
}
