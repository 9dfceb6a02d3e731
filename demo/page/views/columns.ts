import { element, setBusy } from '../../shared/dom.ts';
import type { PageState, RunState, View } from '../state.ts';
import { NAMES } from '../words.ts';

/** The content of one run's column. */
export interface Column {
  nodes: Node[];
  draw: View;
}

/**
 * Shows one column per run, made again for other runs and for other classes. `waits` says whether the content of a column is about to be
 * replaced, `has` whether a run has a column.
 */
export function columns(
  host: HTMLElement,
  make: (run: RunState, state: PageState) => Column,
  waits: (state: PageState, run: RunState) => boolean = () => false,
  has: (run: RunState) => boolean = () => true,
): View {
  let shown = '';
  let draws: View[] = [];
  return (state) => {
    const runs = state.runs.filter(has);
    const wanted = [...runs.map(({ method }) => method), state.settings.task, ...state.classNames].join();
    if (wanted !== shown) {
      shown = wanted;
      const made = runs.map((run) => make(run, state));
      draws = made.map(({ draw }) => draw);
      host.replaceChildren(
        ...made.map(({ nodes }, i) => {
          const { method } = runs[i]!;
          return element(
            'div',
            { class: 'column', 'data-method': method },
            element('h3', { class: 'method' }, NAMES[method]),
            ...nodes,
          );
        }),
      );
    }
    for (const draw of draws) draw(state);
    for (const [i, run] of runs.entries()) setBusy(host.children[i]!, waits(state, run));
  };
}
