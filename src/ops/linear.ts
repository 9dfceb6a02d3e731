import weightGradEpilogue from '../../shaders/gemm.weightGrad.epilogue.wgsl';
import epilogue from '../../shaders/linear.epilogue.wgsl';
import gradientEpilogue from '../../shaders/matmul.epilogue.wgsl';
import operands from '../../shaders/matmul.wgsl';
import { record } from '../autograd.ts';
import { checkOptions, flag, type OptionChecks } from '../checks/options.ts';
import { defineGemm } from '../gemm/defineGemm.ts';
import { isWhole } from '../gemm/variants.ts';
import { showShape, sizeOf } from '../shape.ts';
import { empty, type Tensor } from '../tensor.ts';
import { expectDtype, expectShape } from './shared/expect.ts';

const forward = /* @__PURE__ */ defineGemm('linear', operands, epilogue);
const gradientOf = /* @__PURE__ */ defineGemm('linear.gradient', operands, gradientEpilogue);
const weightGrad = /* @__PURE__ */ defineGemm('linear.weightGrad', operands, weightGradEpilogue);

export interface LinearOpOptions {
  /** Whether to apply ReLU to the output: `relu(linear(...))` in one dispatch. Default: false. */
  relu?: boolean;
}

const checks: OptionChecks<LinearOpOptions> = { relu: flag };

/**
 * Computes y = x weight^T + bias (`torch.nn.functional.linear`).
 * x: f32 [..., inFeatures]; weight: f32 [outFeatures, inFeatures]; bias: f32 [outFeatures] or null; y: f32 [..., outFeatures].
 *
 * @throws TypeError if the shapes do not match
 */
export function linear(x: Tensor, weight: Tensor, bias: Tensor | null = null, options: LinearOpOptions = {}): Tensor {
  checkOptions('linear', options, checks);
  const { relu = false } = options;
  expectDtype('linear', 'x', x, 'f32');
  expectDtype('linear', 'weight', weight, 'f32');
  const { gpu } = x;
  const rows = sizeOf(x.shape.slice(0, -1));
  const features = x.shape.at(-1);
  const [outs, ins] = weight.shape as [number, number];
  if (weight.shape.length !== 2 || features !== ins) {
    throw new TypeError(
      `linear: weight is ${showShape(weight.shape)} but x is ${showShape(x.shape)}; they must be [outFeatures, inFeatures] and [..., inFeatures]`,
    );
  }
  if (bias !== null) expectShape('linear', 'bias', bias, [outs]);
  const aligned = (count: number) => Number(count % 4 === 0);

  const y = empty(gpu, [...x.shape.slice(0, -1), outs], 'f32', 'linear');
  forward(
    {
      bindings: { a: x, b: weight, mask: x },
      constants: { TRANSPOSE_B: 1, ALIGNED_A: aligned(ins), ALIGNED_B: aligned(ins), WHOLE_K: Number(isWhole(ins)) },
    },
    {
      bindings: { bias: bias ?? x, y },
      constants: { BIAS: Number(bias !== null), RELU: Number(relu), WHOLE: aligned(outs) },
    },
    { m: rows, n: outs, k: ins },
  );

  return record('linear', bias ? [x, weight, bias] : [x, weight], y, relu ? [y] : [], (dy, gradient) => {
    const needs = (i: number) => i < (bias ? 3 : 2) && gradient.needs(i);
    // The operand a is dz: dy where y > 0, or all of dy without ReLU.
    const operandsOf = (b: Tensor, constants: Record<string, number>) => ({
      bindings: { a: dy, b, mask: relu ? y : dy },
      constants: { MASKED: Number(relu), ALIGNED_A: aligned(outs), ALIGNED_B: aligned(ins), ...constants },
    });
    const outputOf = (into: Tensor, ADD = 0) => ({ bindings: { y: into }, constants: { WHOLE: aligned(ins), ADD } });

    // y = x weight^T + bias: dx = dz weight, dweight = dz^T x, dbias = dz^T 1
    const sum = needs(0) ? gradient.sum(0) : null;
    const dx = needs(0) ? (sum ?? gradient.into(0)) : null;
    if (dx) {
      const operands = operandsOf(weight, { WHOLE_K: Number(isWhole(outs)) });
      gradientOf(operands, outputOf(dx, Number(sum !== null)), { m: rows, n: ins, k: outs });
    }
    const dbias = needs(2) ? gradient.into(2) : null;
    const dweight = needs(1) ? gradient.into(1) : dbias && empty(gpu, weight.shape, 'f32', 'dweight');
    if (dbias) {
      weightGrad(
        operandsOf(x, { TRANSPOSE_A: 1, ONES: 1, WHOLE_K: Number(isWhole(rows)) }),
        { bindings: { dweight: dweight!, dbias } },
        { m: outs, n: ins + 1, k: rows },
      );
    } else if (dweight) {
      gradientOf(operandsOf(x, { TRANSPOSE_A: 1, WHOLE_K: Number(isWhole(rows)) }), outputOf(dweight), {
        m: outs,
        n: ins,
        k: rows,
      });
    }
    const gradients = [dx, needs(1) ? dweight : null];
    return bias ? [...gradients, dbias] : gradients;
  });
}
