import { element, find, setText } from '../../shared/dom.ts';
import type { PageState, RunState, View } from '../state.ts';
import { SAMPLES } from '../words.ts';
import { type Column, columns } from './columns.ts';

/** The confusion matrix of each network: one row per true class, one column per prediction. */
export function confusionView(): View {
  const make = ({ method }: RunState, { classNames, settings: { task } }: PageState): Column => {
    const heads = classNames.map((name) => element('th', { scope: 'col', title: name }, element('span', {}, name)));
    const rows = classNames.map((name) => {
      const cells = classNames.map(() => element('td'));
      return { cells, row: element('tr', {}, element('th', { scope: 'row', title: name }, name), ...cells) };
    });
    const table = element(
      'table',
      { class: task === 'digits' ? 'confusion' : 'confusion named' },
      element('caption', { class: 'hidden' }, SAMPLES.confusion(method)),
      element('thead', {}, element('tr', {}, element('td'), ...heads)),
      element('tbody', {}, ...rows.map(({ row }) => row)),
    );
    let drawn: unknown[] = [];
    const draw: View = (state) => {
      const { held } = state;
      const snapshot = state.run(method)?.snapshot;
      if (drawn[0] === snapshot && drawn[1] === held) return;
      drawn = [snapshot, held];
      for (const [c, head] of heads.entries()) head.classList.toggle('absent', !held.includes(c));
      for (const [truth, { row, cells }] of rows.entries()) {
        row.hidden = !held.includes(truth);
        const counts = snapshot?.evaluation?.confusion[truth] ?? [];
        const all = counts.reduce((sum, n) => sum + n, 0);
        for (const [guess, cell] of cells.entries()) {
          const n = counts[guess] ?? 0;
          setText(cell, n > 0 ? String(n) : '');
          const share = all > 0 ? n / all : 0;
          cell.classList.toggle('absent', !held.includes(guess));
          cell.classList.toggle('full', share > 0.5);
          cell.style.setProperty('--share', share.toFixed(3));
        }
      }
    };
    return { nodes: [table], draw };
  };
  return columns(find('confusion'), make, (state, run) => state.awaitsSnapshot(run));
}
