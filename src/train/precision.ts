import { gemmSettings } from '../gemm/settings.ts';
import type { Gpu } from '../gpu/gpu.ts';
import type { TrainingOptions } from './options.ts';

/** Sets the precision of matmuls that a training asks for. */
export async function setPrecision(gpu: Gpu, { float32MatmulPrecision: precision }: TrainingOptions): Promise<void> {
  if (precision === 'highest' && !gemmSettings.of(gpu).half) return;
  // Rarely wanted, so pages load it only on demand.
  const { setFloat32MatmulPrecision } = await import('../gemm/precision.ts');
  await setFloat32MatmulPrecision(gpu, precision);
}
