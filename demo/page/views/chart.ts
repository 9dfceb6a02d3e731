import uPlot from 'uplot';
import { element, styleOf } from '../../shared/dom.ts';
import { align, type Curve, thin } from '../curves.ts';
import { CHARTS } from '../words.ts';

/** A curve. `colour` names a custom property of the style. */
export interface Line extends Curve {
  name: string;
  colour: string;
  dashed?: boolean;
}

export interface ChartOptions {
  /** Name of the chart for screen readers. */
  label: string;
  /** Range of y. Default: from 0 to a little above the curves. */
  range?: [number, number];
  unit?: string;
}

const MOST_POINTS = 300;
const HEIGHT = 200;

/** Makes a chart of curves over iterations. Returns a function that draws other curves. */
export function chart(host: HTMLElement, { label, range, unit = '' }: ChartOptions): (lines: readonly Line[]) => void {
  const canvas = element('div', { class: 'plot', role: 'img', 'aria-label': label });
  const legend = element('p', { class: 'legend', 'aria-hidden': true });
  host.replaceChildren(canvas, legend);
  let plot: uPlot | undefined;
  let lines: readonly Line[] = [];
  let kinds = '';
  const width = () => Math.max(120, canvas.clientWidth);

  const build = () => {
    plot?.destroy();
    const axis: uPlot.Axis = {
      stroke: () => styleOf('--muted'),
      grid: { stroke: () => styleOf('--line'), width: 1 },
      ticks: { show: false },
      font: '12px system-ui, sans-serif',
    };
    plot = new uPlot(
      {
        width: width(),
        height: HEIGHT,
        legend: { show: false },
        cursor: { show: false },
        padding: [8, 16, 0, 0],
        scales: {
          x: { time: false, range: (_, least, most) => [Math.min(0, least), Math.max(most, 10)] },
          y: { range: rangeOf },
        },
        axes: [
          { ...axis, size: 24, space: 60 },
          { ...axis, size: 44, values: (_, ticks) => ticks.map((tick) => `${tick}${unit}`) },
        ],
        series: [
          {},
          ...lines.map(({ name, colour, dashed }) => ({
            label: name,
            stroke: () => styleOf(colour),
            width: 2,
            spanGaps: true,
            points: { show: false },
            ...(dashed && { dash: [4, 4], width: 1 }),
          })),
        ],
      },
      data(),
      canvas,
    );
    legend.replaceChildren(
      ...lines.map(({ name, colour }) => {
        const mark = element('i');
        mark.style.setProperty('--mark', `var(${colour})`);
        return element('span', {}, mark, name);
      }),
    );
  };
  const rangeOf = (_: uPlot, __: number, most: number): [number, number] => range ?? [0, most > 0 ? 1.05 * most : 1];
  const data = () => align(lines.map((line) => thin(line, MOST_POINTS))) as uPlot.AlignedData;

  new ResizeObserver(() => plot?.setSize({ width: width(), height: HEIGHT })).observe(canvas);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => plot?.redraw(false));

  return (next) => {
    lines = next;
    const now = next.map(({ name }) => name).join();
    if (now !== kinds || !plot) build();
    else plot.setData(data());
    kinds = now;
    const ends = next.filter(({ y }) => y.length > 0).map(({ name, y }) => `${name} ${y.at(-1)!.toFixed(1)}${unit}`);
    canvas.setAttribute('aria-label', `${label}: ${ends.join(', ') || CHARTS.none}`);
  };
}
