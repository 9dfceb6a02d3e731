import * as reference from '../../reference/index.ts';
import { gatherRows as op } from '../../src/ops/gatherRows.ts';
import { integers, uniform } from '../harness/inputs.ts';
import { opBench } from '../harness/opBench.ts';

export const gatherRows = opBench({
  bench: 'gather-rows',
  // As many indices as rows; and an embedding, of which a batch uses few rows.
  sizes: (): [rows: number, cols: number, count: number][] => [
    [1024, 31, 1024],
    [20_000, 64, 2048],
  ],
  label: ([rows, cols, count]) => `${rows}x${cols}${count === rows ? '' : `[${count}]`}`,
  inputs: ([rows, cols, count]) => ({ x: uniform([rows, cols]), index: integers([count], rows) }),
  run: ({ x, index }) => [op(x, index)],
  truth: ({ x, index }) => [reference.gatherRows(x, index).data],
  gradients: {
    of: ['x'],
    truth: ({ x, index }, dy) => [reference.gatherRowsBackward(x, index, dy).data],
  },
});
