import source from '../../shaders/exp.wgsl';
import shared from '../../shaders/unary.wgsl';
import { defineKernel } from '../gpu/kernel.ts';
import { unary } from './shared/unary.ts';

const kernel = /* @__PURE__ */ defineKernel('exp', [source, shared], ['forward', 'backward']);

/** Computes e to the power of x, element by element (`torch.exp`). x, y: f32 of any shape. Infinite for x > 88.72. */
export const exp = /* @__PURE__ */ unary('exp', kernel, 'y');
