import { find, setText } from '../../shared/dom.ts';
import type { App } from '../app.ts';
import type { Mode } from '../state.ts';
import type { Sketch } from './sketch.ts';
import type { View } from './view.ts';

const PIXELS = 28 * 28;
const START: Readonly<Record<Mode, string>> = {
  loading: 'Start',
  ready: 'Start',
  running: 'Pause',
  paused: 'Go on',
  done: 'Go on',
  failed: 'Start',
};

/** The buttons that do something, and when they can. */
export function buttonsView(app: App, sketch: Sketch): View {
  const button = (id: string, act: () => void) => {
    const made = find<HTMLButtonElement>(id);
    made.addEventListener('click', act);
    return made;
  };
  const start = button('start', () => app.toggle());
  const step = button('step', () => app.step());
  const reset = button('reset', () => app.startOver());
  button('share', () => app.share());
  const csv = button('csv', () => app.saveMetrics());
  button('clear', () => sketch.clear());
  let next = 0;
  const example = button('example', () => {
    const { strip } = app.story.samples!;
    sketch.show(strip.subarray(PIXELS * next, PIXELS * (next + 1)));
    next = (next + 1) % (strip.length / PIXELS);
  });
  return (story) => {
    const { mode, samples, tracks } = story;
    setText(start, START[mode]);
    start.disabled = step.disabled = !story.obeys;
    reset.disabled = mode === 'loading' || !app.trains;
    csv.disabled = !tracks.some(({ rows }) => rows.length > 0);
    example.disabled = !samples;
  };
}
