import half from '../../shaders/gemm.half.wgsl';
import size8x8x8 from '../../shaders/gemm.matrix.8x8x8.wgsl';
import size8x16x16 from '../../shaders/gemm.matrix.8x16x16.wgsl';
import size16x16x16 from '../../shaders/gemm.matrix.16x16x16.wgsl';
import matrix from '../../shaders/gemm.matrix.wgsl';
import workgroup from '../../shaders/gemm.workgroup.wgsl';
import { GpuError } from '../gpu/errors.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { addCore } from './defineGemm.ts';
import { matrixSizes } from './matrixSizes.ts';
import { faultOfProducts } from './selfTest.ts';
import { type GemmFamily, gemmFamily, gemmSettings, type HalfFamily } from './settings.ts';

export { SUBGROUP_MATRICES } from './matrixSizes.ts';

/** How exactly float32 matrices are multiplied: by PyTorch's names, as far as WGSL has the types for them. */
export type Float32MatmulPrecision = 'highest' | 'medium';

// Rows x columns x depths, the largest first.
const SIZES = { '16x16x16': size16x16x16, '8x16x16': size8x16x16, '8x8x8': size8x8x8 };

/**
 * Sets how exactly `matmul`, `linear` and `conv2d` multiply on this Gpu, their gradients included: as PyTorch's
 * `torch.set_float32_matmul_precision`. Tensors stay f32 and sums are taken in f32; captured steps keep what they were
 * captured with.
 *
 * - `highest` (default): operands are used as they are.
 * - `medium`: operands are rounded to f16, 11 bits as TF32 has, on their way to workgroup memory. What is larger than
 *   65,504 becomes infinite, what is smaller than 6e-5 loses bits or becomes 0: scale the loss where gradients are so small.
 *   With `createGpu({features: [SUBGROUP_MATRICES]})` they are multiplied by the device's subgroup matrices (tensor cores), where it
 *   has them of f16 with sums in f32 and subgroups of one size.
 *
 * Before anything is switched, products of known result are computed and compared; what fails gives way to the next.
 *
 * @returns the family of kernels that multiplies from now on
 * @throws RangeError if there is no such precision
 * @throws GpuError `LIMIT` if the device has no `shader-f16`, `KERNEL` if its products in half precision come out wrong
 */
export async function setFloat32MatmulPrecision(
  gpu: Gpu,
  precision: Float32MatmulPrecision,
): Promise<GemmFamily | HalfFamily> {
  const refuse = (code: 'LIMIT' | 'KERNEL', problem: string): never => {
    throw new GpuError(code, `setFloat32MatmulPrecision: ${problem}; use 'highest'`);
  };
  if (precision === 'highest') {
    gemmSettings.of(gpu).half = undefined;
    return gemmFamily(gpu);
  }
  if (precision !== 'medium')
    throw new RangeError(
      `setFloat32MatmulPrecision: the precision must be 'highest' or 'medium' but is ${JSON.stringify(precision)}`,
    );
  const settings = gemmSettings.of(gpu);
  if (settings.half) return settings.half;
  if (!gpu.features.has('shader-f16')) refuse('LIMIT', "'medium' needs shader-f16, which this device does not offer");
  const faults: string[] = [];
  for (const family of familiesOf(gpu)) {
    const fault = await faultOfProducts(gpu, family);
    if (!fault) {
      settings.half = family;
      return family;
    }
    faults.push(`by ${family} ${fault}`);
  }
  return refuse('KERNEL', `this device multiplies wrongly in half precision: ${faults.join('; ')}`);
}

/** The families that the device has the features for, the fastest first. */
function familiesOf(gpu: Gpu): HalfFamily[] {
  const families: HalfFamily[] = [];
  const sizes = matrixSizes(gpu);
  for (const [size, source] of Object.entries(SIZES)) {
    if (!sizes.has(size)) continue;
    const family = `matrix-${size}` as HalfFamily;
    addCore(family, source, matrix);
    families.push(family);
  }
  addCore('half', half, workgroup);
  return [...families, 'half'];
}
