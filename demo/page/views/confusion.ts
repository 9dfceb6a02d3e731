import { element, find, setText } from '../../shared/dom.ts';
import { DIGITS } from '../settings.ts';
import type { RunState, View } from '../state.ts';
import { SAMPLES } from '../words.ts';
import { type Column, columns } from './columns.ts';

/** The confusion matrix of each network: one row per true digit, one column per prediction. */
export function confusionView(): View {
  const make = ({ method }: RunState): Column => {
    const heads = DIGITS.map((digit) => element('th', { scope: 'col' }, String(digit)));
    const rows = DIGITS.map((digit) => {
      const cells = DIGITS.map(() => element('td'));
      return { cells, row: element('tr', {}, element('th', { scope: 'row' }, String(digit)), ...cells) };
    });
    const table = element(
      'table',
      { class: 'confusion' },
      element('caption', { class: 'hidden' }, SAMPLES.confusion(method)),
      element('thead', {}, element('tr', {}, element('td'), ...heads)),
      element('tbody', {}, ...rows.map(({ row }) => row)),
    );
    let drawn: unknown[] = [];
    const draw: View = (state) => {
      const { digits } = state.settings;
      const snapshot = state.run(method)?.snapshot;
      if (drawn[0] === snapshot && drawn[1] === digits) return;
      drawn = [snapshot, digits];
      for (const [digit, head] of heads.entries()) head.classList.toggle('absent', !digits.includes(digit));
      for (const [truth, { row, cells }] of rows.entries()) {
        row.hidden = !digits.includes(truth);
        const counts = snapshot?.evaluation.confusion[truth] ?? [];
        const all = counts.reduce((sum, n) => sum + n, 0);
        for (const [guess, cell] of cells.entries()) {
          const n = counts[guess] ?? 0;
          setText(cell, n > 0 ? String(n) : '');
          const share = all > 0 ? n / all : 0;
          cell.classList.toggle('absent', !digits.includes(guess));
          cell.classList.toggle('full', share > 0.5);
          cell.style.setProperty('--share', share.toFixed(3));
        }
      }
    };
    return { nodes: [table], draw };
  };
  return columns(find('confusion'), make, (state, run) => state.awaitsSnapshot(run));
}
