import { element, find, setText } from '../../shared/dom.ts';
import { WEIGHTED } from '../settings.ts';
import type { PageState, RunState, View } from '../state.ts';
import { WEIGHTS } from '../words.ts';
import { type Column, columns } from './columns.ts';

/** The class weights of each run as bars. Classes that do not occur in the target are hatched. */
export function weightsView(): View {
  const make = ({ method }: RunState, { classNames, settings: { task } }: PageState): Column => {
    const bars = classNames.map((name) => {
      const value = element('span', { class: 'value' });
      const bar = element('li', {}, value, element('span', { class: 'bar' }), element('b', { title: name }, name));
      return { bar, value };
    });
    const list = element(
      'ol',
      { class: task === 'digits' ? 'bars' : 'bars named', 'aria-label': WEIGHTS.label(method) },
      ...bars.map(({ bar }) => bar),
    );
    const note = element('p', { class: 'note' });
    const draw: View = (state) => {
      const weights = state.run(method)?.weight?.classWeight;
      for (const [c, { bar, value }] of bars.entries()) {
        const weight = weights?.[c] ?? 1;
        bar.style.setProperty('--share', weight.toFixed(3));
        bar.classList.toggle('absent', !state.held.includes(c));
        setText(value, short(weight));
      }
      setText(note, noteOf(state, state.run(method)));
    };
    return { nodes: [list, note], draw };
  };
  const waits = (state: PageState, { method }: RunState) =>
    WEIGHTED.includes(method) && state.awaits('ready', 'progress');
  return columns(find('weights'), make, waits);
}

function noteOf({ held, settings: { updateSteps } }: PageState, run: RunState | undefined): string {
  if (!run || !WEIGHTED.includes(run.method)) return WEIGHTS.constant;
  // A target of one or two classes has few effective classes even if all is well.
  if (run.weight?.collapsed && held.length > 2) return WEIGHTS.collapsed;
  return run.weightedSince === undefined ? WEIGHTS.first(updateSteps) : WEIGHTS.updated(updateSteps);
}

/** Returns `1`, `.29` or `0`, short enough for ten in a row. */
const short = (weight: number): string => (weight >= 0.995 ? '1' : weight < 0.005 ? '0' : weight.toFixed(2).slice(1));
