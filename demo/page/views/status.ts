import { find, setBusy, setText } from '../../shared/dom.ts';
import { DIGITS } from '../settings.ts';
import { verdictOf } from '../verdict.ts';
import { count, nameOf, ranges } from '../words.ts';
import type { View } from './view.ts';

/** Where training stands, how fast it goes, on what, and what has come of it. */
export function statusView(): View {
  const [iteration, speed, adapter, software] = ['iteration', 'speed-now', 'adapter', 'software'].map((id) => find(id));
  const [verdict, held] = [find('verdict'), find('held')];
  return (story) => {
    const { tracks, msPerStep, adapter: info } = story;
    setText(iteration!, count(story.iteration));
    setText(speed!, msPerStep > 0 ? `${msPerStep.toFixed(msPerStep < 10 ? 1 : 0)} ms` : '–');
    setText(adapter!, info ? nameOf(info) : info === null ? 'no GPU at all' : 'a GPU to be found');
    software!.hidden = info?.software !== true;
    const { digits } = story.settings;
    setText(held, digits.length === DIGITS.length ? 'all of them' : `only ${ranges(digits)}`);
    setText(verdict, verdictOf(story));
    setBusy(
      verdict,
      tracks.some((track) => story.awaitsLook(track)),
    );
  };
}
