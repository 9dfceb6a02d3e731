import source from '../../shaders/tanh.wgsl';
import shared from '../../shaders/unary.wgsl';
import { defineKernel } from '../gpu/kernel.ts';
import { unary } from './shared/unary.ts';

const kernel = /* @__PURE__ */ defineKernel('tanh', [source, shared], ['forward', 'backward']);

/** Computes the hyperbolic tangent of each element (`torch.tanh`). x, y: f32 of any shape. */
export const tanh = /* @__PURE__ */ unary('tanh', kernel, 'y');
