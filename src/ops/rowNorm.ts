import source from '../../shaders/rowNorm.wgsl';
import rowsSource from '../../shaders/rows.wgsl';
import { record } from '../autograd.ts';
import { noOptions } from '../checks/options.ts';
import { defineKernel } from '../gpu/kernel.ts';
import { empty, type Tensor } from '../tensor.ts';
import { expectMatrix } from './shared/expect.ts';
import { splitRows } from './shared/split.ts';

const kernel = /* @__PURE__ */ defineKernel('rowNorm', [rowsSource, source], ['forward', 'backward']);

/**
 * Computes the Euclidean norm of each row (`torch.norm(x, p=2, dim=1)`). x: f32 [n, C]. Returns f32 [n]. As in PyTorch, the
 * gradient of a row of zeros is 0.
 */
export const rowNorm: (x: Tensor) => Tensor = (x, options?: unknown) => {
  noOptions('rowNorm', options);
  const [rows, cols] = expectMatrix('rowNorm', 'x', x);
  const { constants, rowsAtOnce } = splitRows(x.gpu, cols);
  const y = empty(x.gpu, [rows], 'f32', 'rowNorm');
  kernel.forward({ x, y }, { rows, cols }, Math.ceil(rows / rowsAtOnce), { constants });
  return record('rowNorm', [x], y, [x, y], (dy, gradient) => {
    const dx = gradient.into(0);
    kernel.backward({ x, yIn: y, dy, dx }, { rows, cols }, Math.ceil(x.size / 64));
    return [dx];
  });
};
