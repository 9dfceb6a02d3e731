import { GpuError } from '../gpu/errors.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { HALF_KERNELS, MATRIX_KERNEL, matrixFamilies, SUBGROUP_MATRICES } from './requestedKernels.ts';
import { findFault, HALF, SINGLE } from './selfTest.ts';
import { gemmFamily, gemmSettings } from './settings.ts';
import type { GemmFamily, RequestedFamily } from './variants.ts';

export { SUBGROUP_MATRICES } from './requestedKernels.ts';

/** How precisely float32 matrices are multiplied: PyTorch's names, as far as WGSL has the types for them. */
export type Float32MatmulPrecision = 'highest' | 'medium';

/**
 * Sets how precisely `matmul`, `linear` and `conv2d` multiply on a Gpu, their gradients included, as PyTorch's
 * `torch.set_float32_matmul_precision`. Tensors and sums stay f32. Captured steps keep the precision of their capture.
 *
 * - `highest` (default): operands are used as they are.
 * - `medium`: operands are rounded to f16, which has 11 significant bits, like TF32. Magnitudes above 65,504 become infinite, and
 *   magnitudes below 6e-5 lose bits or become 0; scale the loss if gradients are that small. With
 *   `createGpu({ features: [SUBGROUP_MATRICES] })` the device's subgroup matrices (tensor cores) multiply, if they take f16 with
 *   f32 sums and all subgroups have the same size.
 *
 * Before it switches, it multiplies matrices with known results. A GEMM kernel that fails gives way to the next.
 *
 * @returns the family of GEMM kernels in use from now on
 * @throws RangeError if there is no such precision
 * @throws GpuError `LIMIT` if the device has no `shader-f16`, `KERNEL` if its half-precision results are wrong
 */
export async function setFloat32MatmulPrecision(
  gpu: Gpu,
  precision: Float32MatmulPrecision,
): Promise<GemmFamily | RequestedFamily> {
  const refuse = (code: 'LIMIT' | 'KERNEL', problem: string): never => {
    throw new GpuError(code, `setFloat32MatmulPrecision: ${problem}; use 'highest'`);
  };
  const settings = gemmSettings.of(gpu);
  if (precision === 'highest') {
    settings.half = undefined;
    return gemmFamily(gpu);
  }
  if (precision !== 'medium')
    throw new RangeError(
      `setFloat32MatmulPrecision: the precision must be 'highest' or 'medium' but is ${JSON.stringify(precision)}`,
    );
  if (settings.half) return settings.half.family;
  if (!gpu.features.has('shader-f16')) refuse('LIMIT', "'medium' needs shader-f16, which this device does not have");
  const matrices = matrixFamilies(gpu);
  const faults: string[] = [];
  for (const kernel of HALF_KERNELS.filter(({ family }) => family === 'half' || matrices.has(family))) {
    const fault = await findFault(gpu, kernel, HALF);
    if (!fault) {
      settings.half = kernel;
      return kernel.family;
    }
    faults.push(`${kernel.family}: ${fault}`);
  }
  return refuse('KERNEL', `this device multiplies incorrectly in half precision (${faults.join('; ')})`);
}

/**
 * Makes `matmul`, `linear` and `conv2d` multiply by the device's subgroup matrices of f32 on a Gpu from now on, their gradients
 * included. Operands are used as they are, and sums are f32. Apple's GPUs have such matrices, of 8 x 8.
 *
 * Untested: padagrad has not run on a GPU of Apple's yet. So matrices with known results are multiplied first.
 *
 * ```ts
 * const gpu = await createGpu({ features: [SUBGROUP_MATRICES] });
 * await useSubgroupMatrices(gpu);
 * ```
 *
 * @returns the family of GEMM kernels in single precision from now on
 * @throws GpuError `LIMIT` if the device has no such matrices, `KERNEL` if its results are wrong; then nothing changes
 */
export async function useSubgroupMatrices(gpu: Gpu): Promise<RequestedFamily> {
  const { family } = MATRIX_KERNEL;
  if (!matrixFamilies(gpu).has(family))
    throw new GpuError(
      'LIMIT',
      gpu.features.has(SUBGROUP_MATRICES)
        ? "useSubgroupMatrices: this device's subgroup matrices are not f32 of 8 x 8; leave out the call"
        : 'useSubgroupMatrices: this Gpu has no subgroup matrices; open it with createGpu({ features: [SUBGROUP_MATRICES] }), or leave out the call',
    );
  const fault = await findFault(gpu, MATRIX_KERNEL, SINGLE);
  if (fault)
    throw new GpuError(
      'KERNEL',
      `useSubgroupMatrices: this device multiplies incorrectly by subgroup matrices (${fault}); leave out the call`,
    );
  gemmSettings.of(gpu).matrix = MATRIX_KERNEL;
  return family;
}
