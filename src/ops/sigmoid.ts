import source from '../../shaders/sigmoid.wgsl';
import shared from '../../shaders/unary.wgsl';
import { defineKernel } from '../gpu/kernel.ts';
import { unary } from './shared/unary.ts';

const kernel = /* @__PURE__ */ defineKernel('sigmoid', [source, shared], ['forward', 'backward']);

/** Computes 1 / (1 + exp(-x)) for each element (`torch.sigmoid`). x, y: f32 of any shape. */
export const sigmoid = /* @__PURE__ */ unary('sigmoid', kernel, 'y');
