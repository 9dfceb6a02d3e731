import source from '../../shaders/abs.wgsl';
import shared from '../../shaders/unary.wgsl';
import { defineKernel } from '../gpu/kernel.ts';
import { unary } from './shared/unary.ts';

const kernel = /* @__PURE__ */ defineKernel('abs', [source, shared], ['forward', 'backward']);

/** Computes the absolute value of each element (`torch.abs`). x, y: f32 of any shape. The gradient at 0 is 0. */
export const abs = /* @__PURE__ */ unary('abs', kernel, 'x');
