import recorded from '../../../docs/figures/adaptation.json';
import { find, setBusy, setText } from '../../shared/dom.ts';
import type { PageState, RunState, View } from '../state.ts';
import { CHARTS, NAMES } from '../words.ts';
import { chart, type Line } from './chart.ts';

// The page's task: its accuracy without adaptation was recorded for these digits, and for no others.
const TASK = 'fontdigits-mnist';
const RECORDED_DIGITS = '0,1,2,3,4';

/** Accuracy on the target's test images over time, one curve per run. */
export function accuracyView(): View {
  const [host, images] = [find('accuracy'), find('test-images')];
  const draw = chart(host, { label: CHARTS.accuracy, range: [0, 100], unit: '%' });
  let drawn = '';
  return (state) => {
    const { runs, settings, samples } = state;
    setText(images, samples ? CHARTS.testImages(samples.testCount) : CHARTS.allTestImages);
    setBusy(
      host,
      runs.some((run) => state.awaitsSnapshot(run)),
    );
    const shown = runs.map(({ method, accuracies }) => [method, accuracies.length, accuracies.at(-1)]);
    const now = JSON.stringify([settings.task, settings.classes, shown]);
    if (now === drawn) return;
    drawn = now;
    draw([...runs.map(lineOf), ...reference(state)]);
  };
}

const lineOf = ({ method, accuracies }: RunState): Line => ({
  name: NAMES[method],
  colour: `--${method}`,
  x: accuracies.map(({ iteration }) => iteration),
  y: accuracies.map(({ accuracy }) => accuracy),
});

/** The recorded accuracy without adaptation. A run that ends below it was harmed by adaptation. */
function reference({ runs, settings }: PageState): Line[] {
  const task = recorded.tasks.find(({ name }) => name === TASK)!;
  const { mean, iterations, runs: seeds } = task.methods['source-only']!;
  if (
    settings.task !== 'digits' ||
    settings.classes.join() !== RECORDED_DIGITS ||
    runs.some(({ method }) => method === 'source-only')
  )
    return [];
  return [
    {
      name: CHARTS.reference(iterations, seeds.length),
      colour: '--source-only',
      dashed: true,
      x: [0, Math.max(10, ...runs.map(({ iteration }) => iteration))],
      y: [mean, mean],
    },
  ];
}
