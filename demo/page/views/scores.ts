import { element, find, setText } from '../../shared/dom.ts';
import type { PageState, RunState, View } from '../state.ts';
import { absentShare } from '../verdict.ts';
import { IDEAS, percent, SCORES, UNKNOWN } from '../words.ts';
import { type Column, columns } from './columns.ts';

/** The accuracy of each run in large figures, with its share of predictions that are absent classes. */
export function scoresView(): View {
  const make = ({ method }: RunState, { settings: { task }, words }: PageState): Column => {
    const accuracy = element('strong', { class: 'figure' }, UNKNOWN);
    const absent = element('p', { class: 'note' });
    const draw: View = (state) => {
      const run = state.run(method);
      setText(accuracy, run?.snapshot?.evaluation ? percent(run.snapshot.evaluation.accuracy) : UNKNOWN);
      setText(absent, absentText(state, run));
    };
    const idea = element('p', { class: 'idea' }, IDEAS[method](words));
    const badge = element('span', { class: 'badge' }, SCORES.badge);
    const score = element('p', { class: 'score' }, accuracy, element('span', {}, SCORES.unit(task)), badge);
    return { nodes: [idea, score, absent], draw };
  };
  return columns(find('scores'), make, (state, run) => state.awaitsSnapshot(run));
}

function absentText(state: PageState, run: RunState | undefined): string {
  const { held, classNames, words } = state;
  if (!run?.snapshot?.evaluation) return run && state.awaitsSnapshot(run) ? SCORES.waiting : SCORES.none;
  if (held.length === classNames.length) return SCORES.noneAbsent(words);
  return SCORES.misread(absentShare(run.snapshot.evaluation, held), state.settings.task, held);
}
