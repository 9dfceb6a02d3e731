// `npm run bench -- --model --variants`: what the predictions think of the table in src/gemm/variants.ts. For matrix multiplications of
// several sizes it compares the table's choice with the variant that the model finds fastest. `--variants` alone measures this.
import { chooseVariant, type GemmVariant, kPerPart, listVariants, tilesOf } from '../../src/gemm/variants.ts';
import { nameOf } from '../variants.ts';
import { type CompiledKernel, familyOf, kernelWork } from './counts.ts';
import { type Device, predict } from './predict.ts';

export interface PredictedVariants {
  /** m x n x k of y[m, n] = a[m, k] b[k, n]. */
  shape: string;
  choice: string;
  choiceUs: number;
  fastest: string;
  fastestUs: number;
}

// Squares, a layer of the networks with its gradients, and few rows with many columns.
const SHAPES: readonly (readonly [m: number, n: number, k: number])[] = [
  ...[128, 256, 384, 512, 768, 1024, 1536, 2048, 4096].map((size): [number, number, number] => [size, size, size]),
  [64, 128, 1024],
  [128, 1024, 64],
  [128, 128, 512],
  [1024, 128, 1024],
  [4096, 64, 800],
  [64, 800, 4096],
  [16, 1024, 1024],
  [16, 4096, 4096],
];

/** Predicts every variant of every shape. */
export function predictVariants(device: Device): PredictedVariants[] {
  const { pipelines } = familyOf(device.counts);
  const compiled = Object.entries(pipelines);
  const { lanes } = device;
  // Among the recorded families, only Intel's takes 8 lanes.
  const takesFewLanes = device.counts === 'dg2';
  const traits = { kind: 'gpu' as const, lanes, minLanes: lanes, takesFewLanes, maxInvocations: 1024 };
  const kernelOf = ({ tileRows, tileColumns, block }: GemmVariant): CompiledKernel | undefined => {
    const invocations = (tileRows * tileColumns) / (block ?? 1) ** 2;
    const fits = ([key, { gemm, invocations: n }]: [string, CompiledKernel]) =>
      /^(matmul|linear)\.gemm .*WHOLE_K/.test(key) &&
      gemm?.rows === tileRows &&
      gemm.columns === tileColumns &&
      n === invocations;
    return compiled.find(fits)?.[1];
  };
  const reduceOf = (lanes: number) =>
    compiled.find(([key]) => key.startsWith('matmul.reduce') && key.endsWith(`LANES=${lanes}`))?.[1];
  return SHAPES.map(([m, n, k]) => {
    const footprint = 4 * (m * k + k * n + m * n);
    const usOf = (variant: GemmVariant): number => {
      const { tileRows, tileColumns, splitK } = variant;
      const kernel = kernelOf(variant);
      if (!kernel) return Number.POSITIVE_INFINITY;
      const workgroups = splitK * tilesOf(m, n, tileRows, tileColumns);
      const bytes = footprint + 4 * m * n * (splitK - 1);
      const gemm = { pipeline: '', flops: 0, workgroups, bytes, k: kPerPart(k, splitK) };
      const { us } = predict(device, kernelWork(kernel, gemm, bytes));
      if (splitK === 1) return us;
      const lanes = splitK < 8 ? 1 : 16;
      const groups = Math.ceil((m * Math.ceil(n / 4) * lanes) / 64);
      const reduce = { pipeline: '', flops: 0, workgroups: groups, bytes: 4 * m * n * (splitK + 1) };
      return us + predict(device, kernelWork(reduceOf(lanes)!, reduce, bytes)).us;
    };
    const choice = chooseVariant(traits, m, n, k);
    const timed = listVariants(traits, m, n, k)
      .filter(({ family }) => family === 'workgroup')
      .map((variant) => ({ variant, us: usOf(variant) }));
    const fastest = timed.reduce((a, b) => (b.us < a.us ? b : a));
    return {
      ...{ shape: `${m}x${n}x${k}`, choice: nameOf(choice), choiceUs: usOf(choice) },
      ...{ fastest: nameOf(fastest.variant), fastestUs: fastest.us },
    };
  });
}
