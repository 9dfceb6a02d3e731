import * as reference from '../../reference/index.ts';
import { gatherRows as op } from '../../src/ops/gatherRows.ts';
import { integers, uniform } from '../harness/inputs.ts';
import { opBench } from '../harness/opBench.ts';

export const gatherRows = opBench({
  bench: 'gather-rows',
  sizes: (): [rows: number, cols: number][] => [[1024, 31]],
  inputs: ([rows, cols]) => ({ x: uniform([rows, cols]), index: integers([rows], rows) }),
  run: ({ x, index }) => [op(x, index)],
  truth: ({ x, index }) => [reference.gatherRows(x, index).data],
  gradients: {
    of: ['x'],
    truth: ({ x, index }, dy) => [reference.gatherRowsBackward(x, index, dy).data],
  },
});
