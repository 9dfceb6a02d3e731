import { button, setText } from '../../shared/dom.ts';
import type { App } from '../app.ts';
import { PIXELS } from '../protocol.ts';
import type { Mode, View } from '../state.ts';
import { BUTTONS } from '../words.ts';
import type { Sketch } from './sketch.ts';

const START: Readonly<Record<Mode, string>> = {
  choosing: BUTTONS.start,
  loading: BUTTONS.start,
  ready: BUTTONS.start,
  running: BUTTONS.pause,
  paused: BUTTONS.continue,
  done: BUTTONS.continue,
  failed: BUTTONS.start,
};

/** The buttons, and when each is enabled. */
export function buttonsView(app: App, sketch: Sketch): View {
  const start = button('start', () => app.toggle());
  const step = button('step', () => app.step());
  const reset = button('reset', () => app.restart());
  button('share', () => app.share());
  const csv = button('csv', () => app.saveMetrics());
  const analyse = button('analyse', () => app.analyse());
  button('clear', () => sketch.clear());
  let next = 0;
  const example = button('example', () => {
    const { target } = app.state.samples!;
    sketch.show(target.subarray(PIXELS * next, PIXELS * (next + 1)));
    next = (next + 1) % (target.length / PIXELS);
  });
  return (state) => {
    const { mode, samples, runs } = state;
    setText(start, START[mode]);
    start.disabled = step.disabled = !state.hasRuns;
    reset.disabled = mode === 'loading' || mode === 'choosing' || !app.canTrain;
    analyse.disabled = !state.hasRuns || !(state.iteration > 0) || state.awaits('ready', 'analyses');
    csv.disabled = !runs.some(({ rows }) => rows.length > 0);
    example.disabled = samples?.task !== 'digits';
  };
}
