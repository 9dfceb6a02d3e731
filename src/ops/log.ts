import source from '../../shaders/log.wgsl';
import shared from '../../shaders/unary.wgsl';
import { defineKernel } from '../gpu/kernel.ts';
import { unary } from './shared/unary.ts';

const kernel = /* @__PURE__ */ defineKernel('log', [source, shared], ['forward', 'backward']);

/**
 * Computes the natural logarithm of each element (`torch.log`). x, y: f32 of any shape. log 0 is -infinity; below 0 it is NaN.
 */
export const log = /* @__PURE__ */ unary('log', kernel, 'x');
