import broadcasting from '../../shaders/binary.wgsl';
import rows from '../../shaders/rows.wgsl';
import source from '../../shaders/sub.wgsl';
import { binary } from '../binary.ts';
import { defineKernel } from '../gpu/kernel.ts';
import type { Tensor } from '../tensor.ts';

const kernel = /* @__PURE__ */ defineKernel('sub', [source, broadcasting, rows], ['forward', 'backward']);

/**
 * a - b (`torch.sub`). f32 of any shapes that broadcast as in PyTorch: counted from the last dimension, sizes are
 * equal, or one of them is 1 or absent.
 *
 * @throws TypeError where the shapes do not broadcast, RangeError where repeated dimensions alternate more than four times
 */
export const sub = (a: Tensor, b: Tensor): Tensor => binary('sub', kernel, a, b, { a: true, b: false });
