import source from '../../shaders/sqrt.wgsl';
import shared from '../../shaders/unary.wgsl';
import { defineKernel } from '../gpu/kernel.ts';
import { unary } from './shared/unary.ts';

const kernel = /* @__PURE__ */ defineKernel('sqrt', [source, shared], ['forward', 'backward']);

/** Computes the square root of each element (`torch.sqrt`). x, y: f32 of any shape. Below 0 it is NaN; the gradient at 0 is infinite. */
export const sqrt = /* @__PURE__ */ unary('sqrt', kernel, 'y');
