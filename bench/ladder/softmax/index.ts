import * as reference from '../../../reference/index.ts';
import { defineKernel } from '../../../src/gpu/kernel.ts';
import { softmaxColumnMean } from '../../../src/ops/softmaxColumnMean.ts';
import { empty, type Tensor } from '../../../src/tensor.ts';
import { type Bench, type Case, kernelCase } from '../../harness/case.ts';
import { uniform } from '../../harness/inputs.ts';
import naiveSource from './naive.wgsl';
import statisticsSource from './statistics.wgsl';

const naive = defineKernel('ladder.softmax', naiveSource, ['probabilities', 'columns']);
const statistics = defineKernel('ladder.softmax', statisticsSource, ['rows', 'columns', 'sum']);
const TEMPERATURE = 0.1;
const PARTS = 64;

/** Kernels for the column means of softmax(x / T), from a matrix of probabilities in memory to the shipped one. */
export const ladderSoftmax: Bench = ({ quick, software }) => {
  const [rows, cols]: [number, number] = quick ? [256, 100] : software ? [1024, 1000] : [16384, 1000];
  const params = { rows, cols, scale: 1 / TEMPERATURE };
  const rung = (kernel: string, run: (x: Tensor) => Tensor): Case =>
    kernelCase({
      bench: 'ladder-softmax',
      shape: `${rows}x${cols}`,
      kernel,
      inputs: () => ({ x: uniform([rows, cols]) }),
      run: ({ x }) => [run(x)],
      truth: ({ x }) => [reference.softmaxColumnMean(x, { temperature: TEMPERATURE }).data],
      bytes: 4 * rows * cols,
    });
  return [
    rung('1 naive', (x) => {
      const p = empty(x.gpu, [rows, cols]);
      const y = empty(x.gpu, [cols]);
      naive.probabilities({ x, p }, params, Math.ceil(rows / 64));
      naive.columns({ pIn: p, y }, params, Math.ceil(cols / 64));
      return y;
    }),
    rung('2 statistics', (x) => {
      const stats = empty(x.gpu, [rows, 2]);
      const partials = empty(x.gpu, [PARTS, cols]);
      const y = empty(x.gpu, [cols]);
      statistics.rows({ x, stats }, params, Math.ceil(rows / 64));
      statistics.columns({ x, statsIn: stats, partials }, params, [Math.ceil(cols / 64), PARTS]);
      statistics.sum({ partialsIn: partials, y }, params, Math.ceil(cols / 64));
      return y;
    }),
    rung('3 shipped', (x) => softmaxColumnMean(x, { temperature: TEMPERATURE })),
  ];
};
