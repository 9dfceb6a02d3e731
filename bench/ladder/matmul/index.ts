import { createGpu } from '../../../src/gemm/createGpu.ts';
import type { GemmFamily } from '../../../src/gemm/variants.ts';
import type { Gpu } from '../../../src/gpu/gpu.ts';
import { defineKernel, type Launch } from '../../../src/gpu/kernel.ts';
import { matmul } from '../../../src/ops/matmul.ts';
import { empty, type Tensor } from '../../../src/tensor.ts';
import { type Bench, type Case, kernelCase } from '../../harness/case.ts';
import { factored, uniform } from '../../harness/inputs.ts';
import { Session } from '../../harness/session.ts';
import naive from './naive.wgsl';
import registers from './registers.wgsl';
import tiles from './tiles.wgsl';
import vectors from './vectors.wgsl';

const define = (source: string): Launch => defineKernel('ladder.matmul', source, ['product']).product;

// The rows (and columns) of y per workgroup of each kernel.
const RUNGS: [name: string, launch: Launch, tile: number][] = [
  ['1 naive', define(naive), 8],
  ['2 tiles', define(tiles), 16],
  ['3 registers', define(registers), 64],
  ['4 vectors', define(vectors), 64],
];

/** Matmul kernels from the formula to the shipped ones; the last is the one that this adapter uses. */
export const ladderMatmul: Bench = ({ quick, software, gemmFamily, subgroupSize }) => {
  const size = quick ? 128 : software ? 512 : 2048;
  const families: GemmFamily[] = subgroupSize >= 8 ? ['plain', 'workgroup', 'subgroup'] : ['plain', 'workgroup'];
  const shipped = [...families.filter((family) => family !== gemmFamily), gemmFamily];
  return [
    ...RUNGS.map(([kernel, launch, tile]) =>
      rung(size, kernel, (a, b) => {
        const y = empty(a.gpu, [size, size]);
        launch({ a, b, y }, { m: size, n: size, k: size }, [size / tile, size / tile]);
        return y;
      }),
    ),
    ...shipped.map((family, i) =>
      onFamily(
        family,
        rung(size, `${RUNGS.length + 1 + i} shipped, ${family}`, (a, b) => matmul(a, b)),
      ),
    ),
  ];
};

function rung(size: number, kernel: string, run: (a: Tensor, b: Tensor) => Tensor): Case {
  return kernelCase({
    bench: 'ladder-matmul',
    shape: `${size}x${size}x${size}`,
    kernel,
    inputs: () => ({ a: factored(size, size), b: uniform([size, size], { seed: 2 }) }),
    run: ({ a, b }) => [run(a, b)],
    truth: ({ a, b }) => [a.times(b.data)],
    flops: 2 * size ** 3,
    bytes: 12 * size ** 2,
  });
}

/** Returns a case that runs on the same device with another family of GEMM kernels. */
function onFamily(gemm: GemmFamily, one: Case): Case {
  const other = ({ native: device }: Gpu) => createGpu({ device, gemm });
  return {
    ...one,
    measure: async ({ gpu: usual, peaks, options }) => {
      const gpu = await other(usual);
      const session = new Session(gpu, peaks, options);
      try {
        return await one.measure(session);
      } finally {
        session.dispose();
        gpu.dispose();
      }
    },
    open: async (usual) => {
      const gpu = await other(usual);
      try {
        const opened = await one.open!(gpu);
        opened.own(gpu);
        return opened;
      } catch (error) {
        gpu.dispose();
        throw error;
      }
    },
  };
}
