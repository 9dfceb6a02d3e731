import type { RunState } from './state.ts';

const HEAD = ['method', 'iteration', 'classLoss', 'transferLoss', 'classAccuracy', 'domainAccuracy', 'targetAccuracy'];

/**
 * Returns all metrics as comma-separated values: one line per run and iteration, counted from 1. The target accuracy, in
 * percent, is empty for iterations without an evaluation. Class weights are those after the iteration.
 */
export function csvOf(runs: readonly RunState[], classes: number): string {
  const lines = [[...HEAD, ...Array.from({ length: classes }, (_, c) => `weight${c}`)].join()];
  for (const { method, rows, accuracies, weights } of runs) {
    const accuracyAt = new Map(accuracies.map(({ iteration, accuracy }) => [iteration, accuracy]));
    let at = -1;
    for (const row of rows) {
      const done = row.iteration + 1;
      while (at + 1 < weights.length && weights[at + 1]!.iteration <= done) at++;
      const { classLoss, transferLoss, classAccuracy, domainAccuracy } = row;
      const cells = [classLoss, transferLoss, classAccuracy, domainAccuracy, accuracyAt.get(done) ?? Number.NaN];
      const weight = weights[at]?.classWeight ?? new Array(classes).fill(1);
      lines.push([method, done, ...[...cells, ...weight].map(show)].join());
    }
  }
  return `${lines.join('\n')}\n`;
}

const show = (value: number): string => (Number.isNaN(value) ? '' : String(Number(value.toPrecision(7))));
