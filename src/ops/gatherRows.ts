import source from '../../shaders/gatherRows.wgsl';
import rowsSource from '../../shaders/rows.wgsl';
import { record } from '../autograd.ts';
import { noOptions } from '../checks/options.ts';
import { defineKernel } from '../gpu/kernel.ts';
import { sizeOf } from '../shape.ts';
import { empty, type Tensor } from '../tensor.ts';
import { expectDtype } from './shared/expect.ts';

const kernel = /* @__PURE__ */ defineKernel('gatherRows', [rowsSource, source], ['forward', 'backward']);

// Columns per invocation of backward, as in the shader.
const TAKEN = 32;

/**
 * Selects rows of x by index; an index may repeat (`torch.index_select` along the first dimension). With x: [C] it looks up the
 * weight of each label. x: f32 [n, ...]; index: u32 of any shape; y: f32 [...shape of index, ...]. An index >= n gives NaN.
 *
 * @throws TypeError if x is a single number
 */
export const gatherRows: (x: Tensor, index: Tensor) => Tensor = (x, index, options?: unknown) => {
  noOptions('gatherRows', options);
  expectDtype('gatherRows', 'x', x, 'f32');
  expectDtype('gatherRows', 'index', index, 'u32');
  const [rows, ...rest] = x.shape;
  if (rows === undefined) throw new TypeError('gatherRows: x is a single number; it must have rows');
  const params = { rows, cols: sizeOf(rest), count: index.size };
  const y = empty(x.gpu, [...index.shape, ...rest], 'f32', 'gatherRows');
  kernel.forward({ x, index, y }, params, Math.ceil(y.size / 64), { bytes: 2 * y.byteLength + index.byteLength });
  return record('gatherRows', [x], y, [], (dy, gradient) => {
    const dx = gradient.into(0);
    kernel.backward({ index, dy, dx }, params, Math.ceil((rows * Math.ceil(params.cols / TAKEN)) / 64));
    return [dx];
  });
};
