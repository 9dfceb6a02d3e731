import recorded from '../../../docs/figures/adaptation.json';
import type { Method } from '../../train/options.ts';
import { count, METHOD_NAMES, spread } from './format.ts';

/** What `tools/adaptation.mjs` measured: target accuracies in percent. */
export interface Recorded {
  iterations: number;
  tasks: {
    name: string;
    title: string;
    methods: Partial<
      Record<Method, { mean: number; deviation: number | null; runs: { seed: number; targetAccuracy: number }[] }>
    >;
  }[];
}

const ORDER: readonly Method[] = ['source-only', 'dann', 'pada'];

/** The recorded figures of a task in one phrase; undefined where none were recorded. */
export function recordedFigures(task: string, { iterations, tasks }: Recorded = recorded): string | undefined {
  const methods = tasks.find(({ name }) => name === task)?.methods ?? {};
  const known = ORDER.flatMap((method) => {
    const figures = methods[method];
    return figures ? [{ name: METHOD_NAMES[method], figures }] : [];
  });
  if (known.length === 0) return undefined;
  const seeds = Math.max(...known.map(({ figures }) => figures.runs.length));
  const list = known.map(({ name, figures }) => `${name} ${spread(figures.mean, figures.deviation)}`).join(', ');
  return `${list} (percent after ${count(iterations)} iterations, mean of ${seeds} seeds with deviation)`;
}
