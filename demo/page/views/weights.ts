import { element, find, setText } from '../../shared/dom.ts';
import { WEIGHTED } from '../settings.ts';
import type { PageState, RunState, View } from '../state.ts';
import { CHARTS, WEIGHTS } from '../words.ts';
import { chart, type Line } from './chart.ts';
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

// As many classes have colours of their own.
const COLOURS = 10;

/** The weight of each class over time, a chart for each run that has class weights. Dashed: classes that do not occur in the target. */
export function weightCurvesView(): View {
  const make = ({ method }: RunState): Column => {
    const host = element('div');
    const draw = chart(host, { label: CHARTS.weights(method), range: [0, 1.05] });
    let drawn = '';
    const view: View = (state) => {
      const { classNames, held } = state;
      const weights = state.run(method)?.weights ?? [];
      const now = [weights.length, weights.at(-1)?.iteration, held].join();
      if (now === drawn) return;
      drawn = now;
      const x = weights.map(({ iteration }) => iteration);
      const line = (name: string, c: number): Line => {
        const absent = !held.includes(c);
        const y = weights.map(({ classWeight }) => classWeight[c]!);
        return { name, colour: `--digit-${c % COLOURS}`, dashed: absent, x, y };
      };
      draw(classNames.map(line));
    };
    return { nodes: [host], draw: view };
  };
  const has = ({ method }: RunState) => WEIGHTED.includes(method);
  return columns(find('weight-curves'), make, () => false, has);
}

function noteOf(
  { held, classNames, settings: { updateSteps, pseudoFrom } }: PageState,
  run: RunState | undefined,
): string {
  if (!run || !WEIGHTED.includes(run.method)) return WEIGHTS.constant;
  // A target of one or two classes has few effective classes even if all is well.
  if (run.weight?.collapsed && held.length > 2) return WEIGHTS.collapsed;
  const fallen = run.method === 'self-training' ? run.fallenSince(pseudoFrom) : [];
  if (fallen.length > 0) return WEIGHTS.fallen(fallen.map((c) => classNames[c]!));
  return run.weightedSince === undefined ? WEIGHTS.first(updateSteps) : WEIGHTS.updated(updateSteps);
}

/** Returns `1`, `.29` or `0`, short enough for ten in a row. */
const short = (weight: number): string => (weight >= 0.995 ? '1' : weight < 0.005 ? '0' : weight.toFixed(2).slice(1));
