import source from '../../shaders/exp.wgsl';
import shared from '../../shaders/unary.wgsl';
import { defineKernel } from '../gpu/kernel.ts';
import { unary } from './shared/unary.ts';

const kernel = /* @__PURE__ */ defineKernel('exp', [source, shared], ['forward', 'backward']);

/** e to the power of x, element by element (`torch.exp`); infinity beyond 88.72. x: f32 of any shape. */
export const exp = /* @__PURE__ */ unary('exp', kernel, 'y');
