import source from '../../shaders/log.wgsl';
import shared from '../../shaders/unary.wgsl';
import { defineKernel } from '../gpu/kernel.ts';
import { unary } from './shared/unary.ts';

const kernel = /* @__PURE__ */ defineKernel('log', [source, shared], ['forward', 'backward']);

/** Natural logarithm, element by element (`torch.log`); -infinity of 0, NaN of less. x: f32 of any shape. */
export const log = /* @__PURE__ */ unary('log', kernel, 'x');
