import epilogue from '../../shaders/matmul.epilogue.wgsl';
import operands from '../../shaders/matmul.wgsl';
import { record } from '../autograd.ts';
import { checkOptions, flag, type OptionChecks } from '../checks/options.ts';
import { defineGemm } from '../gemm/defineGemm.ts';
import { isWhole } from '../gemm/variants.ts';
import { showShape } from '../shape.ts';
import { empty, type Tensor } from '../tensor.ts';
import { expectDtype } from './shared/expect.ts';

const gemm = /* @__PURE__ */ defineGemm('matmul', operands, epilogue);

export interface MatmulOptions {
  /** Whether `a` is given as its transpose, [k, m]. Default: false. */
  transposeA?: boolean;
  /** Whether `b` is given as its transpose, [n, k]. Default: false. */
  transposeB?: boolean;
}

const checks: OptionChecks<MatmulOptions> = { transposeA: flag, transposeB: flag };

/**
 * Multiplies two matrices (`torch.mm`). With the options it multiplies `a.T` or `b.T`, without copying them.
 * a: f32 [m, k]; b: f32 [k, n]; y: f32 [m, n].
 *
 * @throws TypeError unless both are matrices of f32 and their inner dimensions are equal
 */
export function matmul(a: Tensor, b: Tensor, options: MatmulOptions = {}): Tensor {
  checkOptions('matmul', options, checks);
  const { transposeA = false, transposeB = false } = options;
  for (const [name, x] of [
    ['a', a],
    ['b', b],
  ] as const) {
    expectDtype('matmul', name, x, 'f32');
    if (x.shape.length !== 2)
      throw new TypeError(`matmul: ${name} must be a matrix but is ${showShape(x.shape)}; reshape it`);
  }
  const [k, inner] = [a.shape[transposeA ? 0 : 1]!, b.shape[transposeB ? 1 : 0]!];
  if (k !== inner) {
    const show = (x: Tensor, transposed: boolean) => `${showShape(x.shape)}${transposed ? ' transposed' : ''}`;
    throw new TypeError(
      `matmul: a has ${k} columns (${show(a, transposeA)}) but b has ${inner} rows (${show(b, transposeB)}); they must be equal`,
    );
  }
  const y = empty(a.gpu, [a.shape[transposeA ? 1 : 0]!, b.shape[transposeB ? 0 : 1]!], 'f32', 'matmul');
  multiply(a, transposeA, b, transposeB, y);
  return record('matmul', [a, b], y, [], (dy, gradient) => {
    const da = gradient.needs(0) ? gradient.into(0) : null;
    const db = gradient.needs(1) ? gradient.into(1) : null;
    // y = op(a) op(b): d op(a) = dy op(b)^T and d op(b) = op(a)^T dy. If a or b is transposed, so is its gradient.
    if (da && transposeA) multiply(b, transposeB, dy, true, da);
    else if (da) multiply(dy, false, b, !transposeB, da);
    if (db && transposeB) multiply(dy, true, a, transposeA, db);
    else if (db) multiply(a, !transposeA, dy, false, db);
    return [da, db];
  });
}

function multiply(a: Tensor, transposeA: boolean, b: Tensor, transposeB: boolean, y: Tensor): void {
  const [m, n] = y.shape as [number, number];
  const k = a.shape[transposeA ? 0 : 1]!;
  gemm(
    {
      bindings: { a, b, mask: a },
      constants: {
        TRANSPOSE_A: Number(transposeA),
        TRANSPOSE_B: Number(transposeB),
        ALIGNED_A: Number(a.shape[1]! % 4 === 0),
        ALIGNED_B: Number(b.shape[1]! % 4 === 0),
        WHOLE_K: Number(isWhole(k)),
      },
    },
    { bindings: { y }, constants: { WHOLE: Number(n % 4 === 0) } },
    { m, n, k },
  );
}
