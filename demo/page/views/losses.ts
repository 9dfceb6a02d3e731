import type { IterationMetrics } from '../../../src/train/events.ts';
import type { MethodName } from '../../../src/train/methods/named.ts';
import { find } from '../../shared/dom.ts';
import type { View } from '../state.ts';
import { CHARTS, NAMES } from '../words.ts';
import { type ChartOptions, chart } from './chart.ts';

export const lossView = (): View => metricView('loss', { label: CHARTS.loss }, ({ classLoss }) => classLoss);

/** Runs without a discriminator have no curve. */
export const domainView = (): View =>
  metricView(
    'domain',
    { label: CHARTS.domain, range: [0, 100], unit: '%', without: ['source-only', 'self-training'] },
    ({ domainAccuracy }) => domainAccuracy,
  );

/** Draws one metric of every iteration, one curve per run. */
function metricView(
  id: string,
  { without = [], ...options }: ChartOptions & { without?: readonly MethodName[] },
  metricOf: (row: IterationMetrics) => number,
): View {
  const draw = chart(find(id), options);
  let drawn = '';
  return ({ runs }) => {
    const shown = runs.filter(({ method }) => !without.includes(method));
    const now = shown.map(({ method, rows }) => `${method} ${rows.length}`).join();
    if (now === drawn) return;
    drawn = now;
    draw(
      shown.map(({ method, rows }) => ({
        name: NAMES[method],
        colour: `--${method}`,
        x: rows.map(({ iteration }) => iteration + 1),
        y: rows.map(metricOf),
      })),
    );
  };
}
