import { record } from '../../autograd.ts';
import { noOptions } from '../../checks/options.ts';
import type { Kernel, LaunchOptions } from '../../gpu/kernel.ts';
import { empty, type Tensor } from '../../tensor.ts';
import { expectDtype } from './expect.ts';
import { splitElements } from './split.ts';

/**
 * @internal
 * Makes an elementwise op from a kernel that is joined with `unary.wgsl`. Backward needs the op's slope, which is a function of
 * `slopeOf`: the input x or the output y. That tensor is kept for backward.
 */
export function unary(name: string, kernel: Kernel<'forward' | 'backward'>, slopeOf: 'x' | 'y'): (x: Tensor) => Tensor {
  return (x: Tensor, options?: unknown) => {
    noOptions(name, options);
    return mapEach(name, x, { kernel, slopeOf });
  };
}

/** @internal Runs such an op; `own` holds the values of the overrides in its own file. */
export function mapEach(
  name: string,
  x: Tensor,
  {
    kernel,
    slopeOf,
    own,
  }: { kernel: Kernel<'forward' | 'backward'>; slopeOf: 'x' | 'y'; own?: LaunchOptions['constants'] },
): Tensor {
  expectDtype(name, 'x', x, 'f32');
  const params = { size: x.size };
  const { groups, constants: split } = splitElements(x.gpu, x.size);
  const constants = { ...split, ...own };
  const y = empty(x.gpu, x.shape, 'f32', name);
  kernel.forward({ x, y }, params, groups, { constants });
  const kept = slopeOf === 'x' ? x : y;
  return record(name, [x], y, [kept], (dy, gradient) => {
    const dx = gradient.into(0);
    kernel.backward({ kept, dy, dx }, params, groups, { constants });
    return [dx];
  });
}
