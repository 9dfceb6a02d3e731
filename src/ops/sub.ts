import broadcasting from '../../shaders/binary.wgsl';
import rows from '../../shaders/rows.wgsl';
import source from '../../shaders/sub.wgsl';
import { defineKernel } from '../gpu/kernel.ts';
import { binary } from './shared/binary.ts';

const kernel = /* @__PURE__ */ defineKernel('sub', [source, broadcasting, rows], ['forward', 'backward']);

/**
 * Subtracts b from a, element by element (`torch.sub`). Takes the same shapes as `add` and throws the same errors.
 */
export const sub = /* @__PURE__ */ binary('sub', kernel, { a: true, b: false });
