import type { IterationMetrics } from '../../../src/train/events.ts';
import { find } from '../../shared/dom.ts';
import { NAMES } from '../words.ts';
import { type ChartOptions, chart } from './chart.ts';
import type { View } from './view.ts';

/** What each iteration measured of itself, over time: one of its figures. */
function figureView(
  id: string,
  options: ChartOptions,
  figureOf: (row: IterationMetrics) => number,
  only?: string,
): View {
  const draw = chart(find(id), options);
  let drawn = '';
  return ({ tracks }) => {
    const shown = tracks.filter(({ method }) => method !== only);
    const now = shown.map(({ method, rows }) => `${method} ${rows.length}`).join();
    if (now === drawn) return;
    drawn = now;
    draw(
      shown.map(({ method, rows }) => ({
        name: NAMES[method],
        colour: `--${method}`,
        x: rows.map(({ iteration }) => iteration + 1),
        y: rows.map(figureOf),
      })),
    );
  };
}

export const lossView = (): View =>
  figureView('loss', { label: 'Classification loss on print' }, ({ classLoss }) => classLoss);

export const domainView = (): View =>
  figureView(
    'domain',
    { label: 'Images whose domain the discriminator tells', range: [0, 100], unit: '%' },
    ({ domainAccuracy }) => domainAccuracy,
    'source-only',
  );
