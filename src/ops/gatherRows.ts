import source from '../../shaders/gatherRows.wgsl';
import { record } from '../autograd.ts';
import { noOptions } from '../checks/options.ts';
import { defineKernel } from '../gpu/kernel.ts';
import { sizeOf } from '../shape.ts';
import { empty, type Tensor } from '../tensor.ts';
import { expectDtype, expectTensor } from './shared/expect.ts';

const kernel = /* @__PURE__ */ defineKernel('gatherRows', source, ['forward', 'backward']);

// Invocations of backward, each of which reads the whole index: enough to fill the device, and no more.
const INVOCATIONS = { cpu: 512, gpu: 32_768 };

// The bits of a quiet NaN.
const QUIET_NAN = 0x7fc00000;

/**
 * Selects rows of x by index; an index may repeat (`torch.index_select` along the first dimension). With x: [C] it looks up the
 * weight of each label. x: f32 or u32 [n, ...]; index: u32 of any shape; y: x's type, [...shape of index, ...]. An index
 * >= n gives NaN, or 2^32 - 1 for u32.
 *
 * @throws TypeError if x is a single number
 */
export const gatherRows: (x: Tensor, index: Tensor) => Tensor = (x, index, options?: unknown) => {
  noOptions('gatherRows', options);
  expectTensor('gatherRows', 'x', x);
  expectDtype('gatherRows', 'index', index, 'u32');
  const [rows, ...rest] = x.shape;
  if (rows === undefined) throw new TypeError('gatherRows: x is a single number; it must have rows');
  const cols = sizeOf(rest);
  const each = Math.max(1, Math.ceil((rows * cols) / INVOCATIONS[x.gpu.kind]));
  const params = { rows, cols, count: index.size, missing: x.dtype === 'u32' ? -1 : QUIET_NAN, each };
  const y = empty(x.gpu, [...index.shape, ...rest], x.dtype, 'gatherRows');
  kernel.forward({ x, index, y }, params, Math.ceil(y.size / 64), { bytes: 2 * y.byteLength + index.byteLength });
  return record('gatherRows', [x], y, [], (dy, gradient) => {
    const dx = gradient.into(0);
    const bytes = 2 * dx.byteLength + 2 * dy.byteLength + index.byteLength;
    kernel.backward({ index, dy, dx }, params, Math.ceil((Math.ceil(rows / each) * cols) / 64), { bytes });
    return [dx];
  });
};
