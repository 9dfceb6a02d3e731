import broadcasting from '../../shaders/binary.wgsl';
import source from '../../shaders/mul.wgsl';
import rows from '../../shaders/rows.wgsl';
import { defineKernel } from '../gpu/kernel.ts';
import { binary } from './shared/binary.ts';

const kernel = /* @__PURE__ */ defineKernel('mul', [source, broadcasting, rows], ['forward', 'backward']);

/**
 * Multiplies two tensors element by element (`torch.mul`). Takes the same shapes as `add` and throws the same errors.
 */
export const mul = /* @__PURE__ */ binary('mul', kernel, { a: false, b: false });
