import broadcasting from '../../shaders/binary.wgsl';
import source from '../../shaders/mul.wgsl';
import rows from '../../shaders/rows.wgsl';
import { defineKernel } from '../gpu/kernel.ts';
import { binary } from './shared/binary.ts';

const kernel = /* @__PURE__ */ defineKernel('mul', [source, broadcasting, rows], ['forward', 'backward']);

/**
 * a * b, element by element (`torch.mul`). f32 of any shapes that broadcast as in PyTorch: counted from the last dimension, sizes are
 * equal, or one of them is 1 or absent.
 *
 * @throws TypeError if the shapes do not broadcast, RangeError if repeated dimensions alternate more than four times
 */
export const mul = /* @__PURE__ */ binary('mul', kernel, { a: false, b: false });
