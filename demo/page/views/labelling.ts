import { find } from '../../shared/dom.ts';
import type { OwnLabelling } from '../protocol.ts';
import type { View } from '../state.ts';
import { CHARTS } from '../words.ts';
import { chart, type Line } from './chart.ts';

/** The labels that self-training gives itself: the share of images that it is sure of, and the share of right ones among these. */
export function labellingView(): View {
  const draw = chart(find('labelling'), { label: CHARTS.labelling, range: [0, 100], unit: '%' });
  let drawn = '';
  return (state) => {
    const labellings = state.run('self-training')?.labellings ?? [];
    const now = JSON.stringify([labellings.length, labellings.at(-1), state.isLabelled]);
    if (now === drawn) return;
    drawn = now;
    const line = (name: string, colour: string, shareOf: (one: OwnLabelling) => number | null): Line => {
      const shown = labellings.filter((one) => shareOf(one) !== null);
      return { name, colour, x: shown.map(({ iteration }) => iteration), y: shown.map((one) => shareOf(one)!) };
    };
    const kept = line(CHARTS.kept, '--self-training', (one) => one.kept);
    draw(state.isLabelled ? [kept, line(CHARTS.right, '--muted', (one) => one.right)] : [kept]);
  };
}
