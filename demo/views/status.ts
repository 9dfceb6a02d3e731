import { find, setText } from '../dom.ts';
import { DIGITS } from '../settings.ts';
import type { Story } from '../story.ts';
import { count, NAMES, nameOf, percent, ranges, strayShare } from '../words.ts';
import type { View } from './view.ts';

/** Where training stands, how fast it goes, and on what. */
export function statusView(): View {
  const [iteration, speed, adapter, software] = ['iteration', 'speed-now', 'adapter', 'software'].map((id) => find(id));
  const [verdict, held] = [find('verdict'), find('held')];
  return (story) => {
    const { tracks, msPerStep, adapter: info } = story;
    setText(iteration!, tracks.length > 0 ? count(story.iteration) : '0');
    setText(speed!, msPerStep > 0 ? `${msPerStep.toFixed(msPerStep < 10 ? 1 : 0)} ms` : '–');
    setText(adapter!, info ? nameOf(info) : 'a GPU to be found');
    software!.hidden = info?.software !== true;
    const { digits } = story.settings;
    setText(held, digits.length === DIGITS.length ? 'all of them' : `only ${ranges(digits)}`);
    setText(verdict, verdictOf(story));
  };
}

/** What has come out so far, in a sentence; nothing where there is nothing to compare yet. */
function verdictOf({ tracks, settings }: Story): string {
  if (tracks.length < 2) return '';
  const looks = tracks.flatMap(({ method, look }) => (look ? [{ method, ...look }] : []));
  if (looks.length < tracks.length) return '';
  const best = [...looks].sort((a, b) => b.evaluation.accuracy - a.evaluation.accuracy);
  const parts = best.map(({ method, evaluation }) => `${NAMES[method]} reads ${percent(evaluation.accuracy)}`);
  const worst = best.at(-1)!;
  const astray = `${NAMES[worst.method]} takes ${percent(strayShare(worst.evaluation, settings.digits))} for digits that are not there`;
  return `After ${count(worst.iteration)} iterations ${parts.join(', ')}; ${astray}.`;
}
