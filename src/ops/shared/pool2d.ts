// Shared by avgPool2d and maxPool2d: their options, and the sizes that follow from them.
import { flag, type OptionChecks, wholeFrom } from '../../checks/options.ts';
import { showShape } from '../../shape.ts';
import type { Tensor } from '../../tensor.ts';
import { expectDtype } from './expect.ts';

export interface Pool2dOptions {
  /** Height and width of the window. */
  kernelSize: number;
  /** Pixels from one window to the next. Default: kernelSize. */
  stride?: number;
  /** Rows and columns on each side of the image that a window may cover, at most half of kernelSize. Default: 0. */
  padding?: number;
  /** Rounds the number of windows up, so that no pixel is left out. Every window still starts on the image or before it. Default: false. */
  ceilMode?: boolean;
}

/** @internal Checks of both pools' options, with those that only one of them has. @__NO_SIDE_EFFECTS__ */
export function poolChecks<More>(more: OptionChecks<More>): OptionChecks<Pool2dOptions & More> {
  const shared = { kernelSize: wholeFrom(1), stride: wholeFrom(1), padding: wholeFrom(0), ceilMode: flag };
  return { ...shared, ...more } as unknown as OptionChecks<Pool2dOptions & More>;
}

/** @internal Returns the shape of the output and the kernels' sizes. Throws if the windows do not fit x, f32 [n, c, h, w]. */
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
    // As in PyTorch, no window starts in the padding after the image.
    return ceilMode && (count - 1) * stride >= size + padding ? count - 1 : count;
  }) as [number, number];
  if (!(p > 0 && q > 0)) {
    throw new RangeError(
      `${who}: a window of ${kernelSize} does not fit into x ${showShape(x.shape)} with padding ${padding}; take a smaller one`,
    );
  }
  return { shape: [n, c, p, q], h, w, p, q, kernelSize, stride, padding };
}

/** @internal Outputs per invocation. Starting an invocation costs a CPU more than a window does. */
export const poolLoop = ({ gpu }: Tensor): number => (gpu.kind === 'gpu' ? 1 : 16);
