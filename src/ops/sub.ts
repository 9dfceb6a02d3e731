import broadcasting from '../../shaders/binary.wgsl';
import rows from '../../shaders/rows.wgsl';
import source from '../../shaders/sub.wgsl';
import { defineKernel } from '../gpu/kernel.ts';
import { binary } from './shared/binary.ts';

const kernel = /* @__PURE__ */ defineKernel('sub', [source, broadcasting, rows], ['forward', 'backward']);

/**
 * a - b (`torch.sub`). f32 of any shapes that broadcast as in PyTorch: counted from the last dimension, sizes are
 * equal, or one of them is 1 or absent.
 *
 * @throws TypeError if the shapes do not broadcast, RangeError if repeated dimensions alternate more than four times
 */
export const sub = /* @__PURE__ */ binary('sub', kernel, { a: true, b: false });
