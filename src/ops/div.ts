import broadcasting from '../../shaders/binary.wgsl';
import source from '../../shaders/div.wgsl';
import rows from '../../shaders/rows.wgsl';
import { defineKernel } from '../gpu/kernel.ts';
import { binary } from './shared/binary.ts';

const kernel = /* @__PURE__ */ defineKernel('div', [source, broadcasting, rows], ['forward', 'backward']);

/**
 * Divides two tensors element by element (`torch.div`). Takes the same shapes as `add` and throws the same errors. To divide by a number,
 * use `scale`.
 */
export const div = /* @__PURE__ */ binary('div', kernel, { a: false, b: false });
