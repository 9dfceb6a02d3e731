import {
  COLUMNS,
  cellsOf,
  csvOf,
  deviceLines,
  EXPLAINED,
  jsonOf,
  LADDER_COLUMNS,
  ladderCells,
  markdownOf,
  peakLines,
  stepLines,
} from '../../../bench/harness/report.ts';
import { download, element, find, setText } from '../../shared/dom.ts';
import type { Desk } from '../app.ts';
import type { State, View } from '../state.ts';

/** The bench: what is measured, how far it is, its rows, and the files that they are kept in. */
export function measureView(desk: Desk): View {
  const button = (id: string, act: () => void) => {
    const made = find<HTMLButtonElement>(id);
    made.addEventListener('click', act);
    return made;
  };
  const [only, quick] = [toggle('only'), toggle('quick')];
  const start = button('bench', () => {
    if (desk.state.work === 'bench') desk.stop();
    else desk.bench(only() === 'op' ? [desk.state.address!.op] : null, quick() === '1');
  });
  const save = (id: string, name: string, type: string, textOf: (state: State) => string) =>
    button(id, () => download(`padagrad-bench.${name}`, textOf(desk.state), type));
  const files = [
    save('json', 'json', 'application/json', ({ machine, peaks, bench }) => jsonOf(machine!.block, peaks!, bench.rows)),
    save('csv', 'csv', 'text/csv', ({ bench }) => `${csvOf(bench.rows)}\n`),
    save('markdown', 'md', 'text/markdown', markdown),
  ];
  const place = find('rows');
  let shown: State['bench'] | undefined;
  return ({ work, machine, bench }) => {
    start.disabled = !machine || (work !== undefined && work !== 'bench');
    setText(start, work === 'bench' ? 'Stop' : 'Measure');
    for (const file of files) file.disabled = bench.rows.length === 0;
    if (shown === bench) return;
    shown = bench;
    place.replaceChildren(...(bench.rows.length > 0 ? [tableOf(bench)] : []));
  };
}

/** The tables that `--markdown` prints. */
function markdown({ machine, peaks, bench: { rows } }: State): string {
  const ladder = ladderCells(rows);
  const parts = [
    markdownOf(['device', ''], [...deviceLines(machine!.block), ...peakLines(peaks!)]),
    markdownOf(COLUMNS, rows.map(cellsOf)),
    EXPLAINED,
    ...(ladder.length > 0 ? [markdownOf(LADDER_COLUMNS, ladder)] : []),
    ...stepLines(rows),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** Buttons of which one is pressed; gives its value. */
function toggle(id: 'only' | 'quick'): () => string {
  const buttons = [...find(id).querySelectorAll('button')];
  const pressed = (button: HTMLElement) => button.getAttribute('aria-pressed') === 'true';
  for (const button of buttons)
    button.addEventListener('click', () => {
      for (const one of buttons) one.setAttribute('aria-pressed', String(one === button));
    });
  return () => buttons.find(pressed)!.dataset[id]!;
}

function tableOf({ rows, cases }: State['bench']): HTMLElement {
  const head = COLUMNS.map((name) => element('th', { scope: 'col' }, name));
  const lines = rows.map((row) =>
    element('tr', { class: row.verified ? 'right' : 'wrong' }, ...cellsOf(row).map((cell) => element('td', {}, cell))),
  );
  return element(
    'table',
    {},
    element('caption', {}, `${rows.length} of ${cases} rows`),
    element('thead', {}, element('tr', {}, ...head)),
    element('tbody', {}, ...lines),
  );
}
