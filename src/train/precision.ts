import type { Gpu } from '../gpu/gpu.ts';
import type { TrainingOptions } from './options.ts';

/** Sets the precision of products that a training is to have. */
export async function setPrecision(gpu: Gpu, { float32MatmulPrecision: precision }: TrainingOptions): Promise<void> {
  if (precision === 'highest' && !gpu.halfFamily) return;
  // Rarely wanted, so not a part of what every page loads.
  const { setFloat32MatmulPrecision } = await import('../precision/index.ts');
  await setFloat32MatmulPrecision(gpu, precision);
}
