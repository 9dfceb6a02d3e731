import { find, setBusy } from '../../shared/dom.ts';
import type { Story } from '../state.ts';
import { NAMES } from '../words.ts';
import { chart, type Line } from './chart.ts';
import type { View } from './view.ts';

// What print alone reached in the runs that the documents record, with a target of 0 to 4.
const RECORDED = { digits: '0,1,2,3,4', accuracy: 90.7 };

/** How much of the target's test images each training reads rightly, over time. */
export function accuracyView(): View {
  const host = find('accuracy');
  const draw = chart(host, { label: 'Accuracy on handwriting', range: [0, 100], unit: '%' });
  let drawn = '';
  return (story) => {
    const { tracks, settings } = story;
    setBusy(
      host,
      tracks.some((track) => story.awaitsLook(track)),
    );
    const shown = tracks.map(({ method, accuracies }) => [method, accuracies.length, accuracies.at(-1)]);
    const now = JSON.stringify([settings.digits, shown]);
    if (now === drawn) return;
    drawn = now;
    draw([...tracks.map(lineOf), ...reference(story)]);
  };
}

const lineOf = ({ method, accuracies }: Story['tracks'][number]): Line => ({
  name: NAMES[method],
  colour: `--${method}`,
  x: accuracies.map(({ iteration }) => iteration),
  y: accuracies.map(({ accuracy }) => accuracy),
});

/** Where a training ends that adapts to nothing: what ends below was harmed. */
function reference({ tracks, settings }: Story): Line[] {
  if (settings.digits.join() !== RECORDED.digits || tracks.some(({ method }) => method === 'source-only')) return [];
  const x = [0, Math.max(10, ...tracks.map(({ iteration }) => iteration))];
  return [
    {
      name: 'print alone, as recorded after 1,500',
      colour: '--source-only',
      dashed: true,
      x,
      y: [RECORDED.accuracy, RECORDED.accuracy],
    },
  ];
}
