import { find, setBusy, setText } from '../../shared/dom.ts';
import { adapterName, count } from '../../shared/words.ts';
import type { View } from '../state.ts';
import { verdictOf } from '../verdict.ts';
import { SPEED } from '../words.ts';

/** The iteration, the speed, the adapter, and the sentence that compares the runs. */
export function statusView(): View {
  const [iteration, speed, adapter] = [find('iteration'), find('speed-now'), find('adapter')];
  const [software, verdict] = [find('software'), find('verdict')];
  return (state) => {
    setText(iteration, count(state.iteration));
    setText(speed, SPEED.perStep(state.msPerStep));
    setText(adapter, adapterName(state.adapter));
    software.hidden = state.adapter?.software !== true;
    setText(verdict, verdictOf(state));
    setBusy(
      verdict,
      state.runs.some((run) => state.awaitsSnapshot(run)),
    );
  };
}
