// Convolution and its two gradients as matrix multiplications. Their operands are windows of images, which the loaders in
// shaders/conv2d*.wgsl read in place. On software adapters convolutions with stride 1 go to shared/directConv2d.ts.
import epilogue from '../../shaders/conv2d.epilogue.wgsl';
import forward from '../../shaders/conv2d.forward.wgsl';
import inputGradEpilogue from '../../shaders/conv2d.inputGrad.epilogue.wgsl';
import inputGrad from '../../shaders/conv2d.inputGrad.wgsl';
import poolEpilogue from '../../shaders/conv2d.pool.epilogue.wgsl';
import weightGrad from '../../shaders/conv2d.weightGrad.wgsl';
import geometry from '../../shaders/conv2d.wgsl';
import weightGradEpilogue from '../../shaders/gemm.weightGrad.epilogue.wgsl';
import window from '../../shaders/maxPool2d.window.wgsl';
import { record } from '../autograd.ts';
import { type Check, checkOptions, flag, type OptionChecks } from '../checks/options.ts';
import { defineGemm } from '../gemm/defineGemm.ts';
import { gemmFamily } from '../gemm/settings.ts';
import { isWhole, WIDEST_TILE } from '../gemm/variants.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { showShape } from '../shape.ts';
import { empty, type Tensor } from '../tensor.ts';
import { halveBackward, maxPool2d } from './maxPool2d.ts';
import { reluBackward } from './relu.ts';
import {
  type Conv2dSizes,
  directConv2d,
  directInputGrad,
  directWeightGrad,
  poolsDirectly,
  suitsDirectConv2d,
} from './shared/directConv2d.ts';
import { expectDtype, expectShape } from './shared/expect.ts';

const output = /* @__PURE__ */ defineGemm('conv2d', [geometry, forward], epilogue);
const pooledOutput = /* @__PURE__ */ defineGemm('conv2d', [geometry, forward, window], poolEpilogue);
const gradOfInput = /* @__PURE__ */ defineGemm('conv2d.inputGrad', [geometry, inputGrad], inputGradEpilogue);
const gradOfWeight = /* @__PURE__ */ defineGemm('conv2d.weightGrad', [geometry, weightGrad], weightGradEpilogue);

/** One number for height and width, or one for each. */
export type Pair = number | readonly [h: number, w: number];

export interface Conv2dOpOptions {
  /** Stride. Default: 1. */
  stride?: Pair;
  /** Rows and columns of zeros on each side of the image. Default: 0. */
  padding?: Pair;
  /** Dilation. Default: 1. */
  dilation?: Pair;
  /** Whether to apply ReLU to the output, in the same dispatch. Default: false. */
  relu?: boolean;
  /**
   * Whether to take the largest value of each 2x2 window of the output, before ReLU: `maxPool2d(y, { kernelSize: 2 })`. If p and q are
   * even (direct convolutions: if 8 divides q), this needs no dispatch of its own, and y is not stored before it. Default: false.
   */
  maxPool?: boolean;
}

/** Accepts a whole number >= `least`, or two of them. @__NO_SIDE_EFFECTS__ */
function pairFrom(least: number): Check {
  return {
    wanted: `a whole number >= ${least}, or [h, w] of two`,
    holds: (value) => {
      const both = typeof value === 'number' ? [value, value] : value;
      return Array.isArray(both) && both.length === 2 && both.every((n) => Number.isSafeInteger(n) && n >= least);
    },
  };
}

const checks: OptionChecks<Conv2dOpOptions> = {
  stride: /* @__PURE__ */ pairFrom(1),
  padding: /* @__PURE__ */ pairFrom(0),
  dilation: /* @__PURE__ */ pairFrom(1),
  relu: flag,
  maxPool: flag,
};

/**
 * Convolves images with kernels and adds the bias (`torch.nn.functional.conv2d` with `groups: 1`), then applies ReLU if asked
 * for. Stride-1 convolutions on CPUs with subgroups are computed directly, all others as matrix multiplications.
 *
 * x: f32 [n, c, h, w]; weight: f32 [o, c, r, s]; bias: f32 [o] or null; y: f32 [n, o, p, q] with
 * p = floor((h + 2 padding - dilation (r - 1) - 1) / stride) + 1, and q likewise.
 *
 * @throws TypeError if the shapes do not match
 * @throws RangeError if the kernel is larger than the padded image
 */
export function conv2d(x: Tensor, weight: Tensor, bias: Tensor | null = null, options: Conv2dOpOptions = {}): Tensor {
  checkOptions('conv2d', options, checks);
  const { stride = 1, padding = 0, dilation = 1, relu = false, maxPool = false } = options;
  const sizes = sizesOf(x, weight, bias, pair(stride), pair(padding), pair(dilation));
  const direct = suitsDirectConv2d(x.gpu, sizes);
  const POOLED = Number(maxPool && (direct ? poolsDirectly(sizes) : poolsInEpilogue(x.gpu, sizes)));
  if (maxPool && !POOLED)
    return maxPool2d(conv2d(x, weight, bias, { stride, padding, dilation }), { kernelSize: 2, relu });
  const { images, c, w, o, p, q, r: R, s: S, strideH, strideW, padH, padW } = sizes;
  const params = { ...sizes, hasBias: bias ? 1 : 0, relu: relu ? 1 : 0 };
  const taps = c * R * S;
  const pixels = images * p * q;
  const PADDED = Number(padH + padW > 0);
  const strides = { STRIDE_H: strideH, STRIDE_W: strideW };

  const y = empty(x.gpu, POOLED ? [images, o, p / 2, q / 2] : [images, o, p, q], 'f32', 'conv2d');
  // A direct convolution writes the places of four maxima into a word.
  const index = POOLED ? empty(x.gpu, direct ? [y.size / 4] : y.shape, 'u32', 'conv2d index') : undefined;
  if (direct) directConv2d({ x, weight, bias, y, index }, sizes, relu);
  else {
    const shape = { RUN: POOLED ? 2 : runOf(q), PADDED, ALIGNED: Number(taps % 4 === 0), ...shapeOfK(taps) };
    (index ? pooledOutput : output)(
      { bindings: { x, weight, weight4: weight }, constants: { R, S, STRIDE_W: strideW, POOLED, ...shape } },
      { bindings: { bias: bias ?? weight, y, ...(index && { index }) } },
      { ...params, m: o, n: pixels, k: taps },
    );
  }
  const inputs = bias ? [x, weight, bias] : [x, weight];
  return record('conv2d', inputs, y, index ? [index] : relu ? [y] : [], (gradient, { needs, into }) => {
    let dy = relu && !index ? reluBackward(y, gradient) : gradient;
    if (direct && index) {
      dy = empty(x.gpu, [images, o, p, q]);
      halveBackward(gradient, index, dy);
    }
    const dx = needs(0) ? into(0) : null;
    if (dx && direct) directInputGrad({ dy, weight, dx }, sizes);
    else if (dx) {
      const { n, k } = inputGradSizes(sizes);
      const RUN = runOf(Math.ceil(w / strideW));
      const shape = { RUN, WHOLE_O: Number(o % 4 === 0), ONE_TAP: Number(isWhole(o)), LARGE: isLarge(k) };
      gradOfInput(
        { bindings: { weight, dy, index: index ?? dy }, constants: { R, S, ...strides, POOLED, ...shape } },
        { bindings: { dx }, constants: strides },
        { ...params, m: c, n, k },
      );
    }
    if (!needs(1) && !(bias && needs(2))) return bias ? [dx, null, null] : [dx, null];
    const dweight = needs(1) ? into(1) : empty(x.gpu, weight.shape);
    const dbias = bias && needs(2) ? into(2) : empty(x.gpu, [o]);
    if (direct && q % 4 === 0) directWeightGrad({ x, dy, dweight, dbias }, sizes);
    else {
      const RUN = POOLED || (p % 2 === 0 && q % 4 === 2) ? 2 : q % 4 === 0 ? 4 : 1;
      const blocks = { perP: inverse(RUN === 2 ? p / 2 : p), perQ: inverse(q / RUN) };
      const reach = { REACH_H: Math.ceil(padH / strideH), REACH_W: Math.ceil(padW / strideW) };
      const shape = { RUN, WIDE: Number(q >= 3), ...reach, ...shapeOfK(pixels) };
      gradOfWeight(
        { bindings: { x, dy, dy4: dy, index: index ?? dy }, constants: { ...strides, POOLED, ...shape } },
        { bindings: { dweight, dbias } },
        { ...params, ...blocks, m: o, n: taps + 1, k: pixels },
      );
    }
    const gradients = [dx, needs(1) ? dweight : null];
    return bias ? [...gradients, needs(2) ? dbias : null] : gradients;
  });
}

/** Whether the epilogue of a GEMM kernel can take the max pool. Only those for GPUs do. `index` has 15 bits per dimension. */
function poolsInEpilogue(gpu: Gpu, { h, w, p, q, padH, padW }: Conv2dSizes): boolean {
  const family = gemmFamily(gpu);
  const hasPlaces = p % 2 === 0 && q % 2 === 0 && Math.max(h + 2 * padH, w + 2 * padW) < 2 ** 15;
  return family !== 'subgroup' && family !== 'plain' && hasPlaces;
}

// Whether no round reaches beyond k, and whether k is too large for the fast `quotient` of conv2d.wgsl.
const shapeOfK = (k: number) => ({ WHOLE_K: Number(isWhole(k)), LARGE: isLarge(k) });
/** RUN of conv2d.wgsl for rows of this length. */
const runOf = (length: number) => (length % 4 === 0 ? 4 : length % 2 === 0 ? 2 : 1);
const isLarge = (k: number) => Number(k >= 2 ** 21);

/** 1 / size for `quotient` in conv2d.wgsl, which explains the factor. */
const inverse = (size: number) => (1 + 2 ** -22) / Math.max(size, 1);

// The columns are sorted into strideH strideW phases (see conv2d.inputGrad.wgsl), and no tile has columns of two. `k` is the most
// steps that a phase uses.
function inputGradSizes({ images, h, w, o, r, s, strideH, strideW, dilationH, dilationW }: Conv2dSizes) {
  const phases = strideH * strideW;
  const perPhase = images * Math.ceil(h / strideH) * Math.ceil(w / strideW);
  const taps = Math.ceil((r * gcd(strideH, dilationH)) / strideH) * Math.ceil((s * gcd(strideW, dilationW)) / strideW);
  return {
    n: phases === 1 ? perPhase : phases * WIDEST_TILE * Math.ceil(perPhase / WIDEST_TILE),
    k: taps * 4 * Math.ceil(o / 4),
  };
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

type Both = readonly [h: number, w: number];

const pair = (value: Pair): Both => (typeof value === 'number' ? [value, value] : value);

function sizesOf(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  stride: Both,
  padding: Both,
  dilation: Both,
): Conv2dSizes {
  const [images, c, h, w] = fourSizes('x', '[n, c, h, w]', x);
  const [o, channels, r, s] = fourSizes('weight', '[o, c, r, s]', weight);
  if (c !== channels) {
    throw new TypeError(
      `conv2d: weight ${showShape(weight.shape)} has ${channels} input channels but x ${showShape(x.shape)} has ${c}; they must be equal`,
    );
  }
  if (bias !== null) expectShape('conv2d', 'bias', bias, [o]);
  const [p, q] = [h, w].map((size, i) => {
    const window = dilation[i]! * (weight.shape[2 + i]! - 1) + 1;
    return Math.floor((size + 2 * padding[i]! - window) / stride[i]!) + 1;
  }) as [number, number];
  if (!(r > 0 && s > 0 && p > 0 && q > 0)) {
    throw new RangeError(
      `conv2d: the kernel ${showShape(weight.shape)} with dilation ${showShape(dilation)} is larger than x ${showShape(x.shape)} with padding ${showShape(padding)}; use a smaller kernel or more padding`,
    );
  }
  const [[strideH, strideW], [padH, padW], [dilationH, dilationW]] = [stride, padding, dilation];
  const steps = 4 * Math.ceil(o / 4);
  const inverses = { perP: inverse(p), perQ: inverse(q), perFour: inverse((p * q) / 4), perO: inverse(steps) };
  return { images, c, h, w, o, p, q, r, s, strideH, strideW, padH, padW, dilationH, dilationW, ...inverses };
}

function fourSizes(name: string, wanted: string, x: Tensor): [number, number, number, number] {
  expectDtype('conv2d', name, x, 'f32');
  if (x.shape.length === 4) return x.shape as readonly number[] as [number, number, number, number];
  throw new TypeError(`conv2d: ${name} must be ${wanted} but is ${showShape(x.shape)}`);
}
