import source from '../../shaders/maxPool2d.wgsl';
import { record } from '../autograd.ts';
import { checkOptions, flag, type OptionChecks, wholeFrom } from '../checks/options.ts';
import { defineKernel } from '../gpu/kernel.ts';
import { showShape } from '../shape.ts';
import { empty, type Tensor } from '../tensor.ts';
import { expectDtype } from './shared/expect.ts';

const kernel = /* @__PURE__ */ defineKernel('maxPool2d', source, [
  'forward',
  'backward',
  'backwardApart',
  'halve',
  'halveBackward',
]);

export interface Pool2dOptions {
  /** Height and width of the window. */
  kernelSize: number;
  /** Pixels from one window to the next. Default: kernelSize. */
  stride?: number;
  /** Rows and columns on each side of the image that windows may reach into, up to half of kernelSize. Default: 0. */
  padding?: number;
  /** Whether a window may reach beyond the padding, so that no pixel is left out. It starts on the image or before it. Default: false. */
  ceilMode?: boolean;
}

/** @internal The checks of both pools, and those of one. @__NO_SIDE_EFFECTS__ */
export function poolChecks<More>(more: OptionChecks<More>): OptionChecks<Pool2dOptions & More> {
  const sizes = { kernelSize: wholeFrom(1), stride: wholeFrom(1), padding: wholeFrom(0), ceilMode: flag };
  return { ...sizes, ...more } as unknown as OptionChecks<Pool2dOptions & More>;
}

const checks = /* @__PURE__ */ poolChecks<{ relu?: boolean }>({ relu: flag });

/**
 * Takes the largest value of each window, or with `relu` its positive part (`torch.nn.functional.max_pool2d`). Padding is
 * never the largest; the first of equals gets the gradient; a NaN is larger than all.
 * x: f32 [n, c, h, w] -> [n, c, p, q], p = floor((h + 2 padding - kernelSize) / stride) + 1; with `ceilMode` ceil for floor
 */
export function maxPool2d(x: Tensor, options: Pool2dOptions & { relu?: boolean }): Tensor {
  checkOptions('maxPool2d', options, checks, ['kernelSize']);
  const { shape, ...sizes } = poolSizes('maxPool2d', x, options);
  const { relu = false } = options;
  const { gpu } = x;
  const { h, w, kernelSize, stride } = sizes;
  const halves = kernelSize === 2 && stride === 2 && sizes.padding === 0 && h % 2 === 0 && w % 8 === 0;
  const constants = { LOOP: poolLoop(x) };
  const y = empty(gpu, shape, 'f32', 'maxPool2d');
  const units = halves ? y.size / 4 : y.size;
  const params = { ...sizes, size: units, relu: Number(relu), rest: halves ? 64 % (w / 8) : 0 };
  const groups = (size: number) => Math.ceil(size / 64 / constants.LOOP);
  const index = empty(gpu, [units], 'u32', 'maxPool2d index');
  if (halves) kernel.halve({ x4: x, y4: y, index }, params, groups(units), { constants });
  else kernel.forward({ x, y, index }, params, groups(units), { constants });
  return record('maxPool2d', [x], y, [index], (dy, gradient) => {
    const dx = gradient.into(0);
    const bindings = { dy, dx, indices: index };
    if (halves) kernel.halveBackward({ dy4: dy, dx4: dx, indices: index }, params, groups(units), { constants });
    else if (stride >= kernelSize) kernel.backwardApart(bindings, params, groups(units), { constants });
    else kernel.backward(bindings, { ...params, size: x.size }, groups(x.size), { constants });
    return [dx];
  });
}

/** @internal The sizes that pooling works with; `shape` is that of its output. */
export function poolSizes(
  who: string,
  x: Tensor,
  { kernelSize, stride = kernelSize, padding = 0, ceilMode = false }: Pool2dOptions,
) {
  expectDtype(who, 'x', x, 'f32');
  const [n, c, h, w] = x.shape as [number, number, number, number];
  if (x.shape.length !== 4) throw new TypeError(`${who}: x must be [n,c,h,w] but is ${showShape(x.shape)}`);
  if (2 * padding > kernelSize) {
    throw new RangeError(
      `${who}: padding ${padding} is more than half of kernelSize ${kernelSize}; some windows would hold no pixel`,
    );
  }
  const [p, q] = [h, w].map((size) => {
    const count = (ceilMode ? Math.ceil : Math.floor)((size + 2 * padding - kernelSize) / stride) + 1;
    // As in PyTorch no window starts in the padding after the image.
    return ceilMode && (count - 1) * stride >= size + padding ? count - 1 : count;
  }) as [number, number];
  if (!(p > 0 && q > 0)) {
    throw new RangeError(
      `${who}: a window of ${kernelSize} does not fit into x ${showShape(x.shape)} with padding ${padding}; take a smaller one`,
    );
  }
  return { shape: [n, c, p, q], h, w, p, q, kernelSize, stride, padding };
}

/** @internal How many windows an invocation takes in turn: starting one costs a software adapter more than a window. */
export const poolLoop = ({ gpu }: Tensor): number => (gpu.kind === 'gpu' ? 1 : 16);
