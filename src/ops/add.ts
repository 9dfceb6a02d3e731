import source from '../../shaders/add.wgsl';
import broadcasting from '../../shaders/binary.wgsl';
import rows from '../../shaders/rows.wgsl';
import { defineKernel } from '../gpu/kernel.ts';
import { binary } from './shared/binary.ts';

const kernel = /* @__PURE__ */ defineKernel('add', [source, broadcasting, rows], ['forward', 'backward']);

/**
 * Adds two tensors element by element (`torch.add`). a, b: f32 of any two shapes that broadcast as in PyTorch. Counted from the
 * last dimension, sizes are equal, or one of them is 1 or absent. y: f32 of the common shape.
 *
 * @throws TypeError if the shapes do not broadcast
 * @throws RangeError if repeated and other dimensions alternate more than four times
 */
export const add = /* @__PURE__ */ binary('add', kernel, { a: true, b: true });
