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
import { button, download, element, find, setText } from '../../shared/dom.ts';
import type { LabApp } from '../app.ts';
import type { LabState, View } from '../state.ts';
import { BENCHMARK, BUTTONS } from '../words.ts';

// The button of each kind of file.
const FILES = { json: 'json', csv: 'csv', md: 'markdown' } as const;

/** The benchmark: what to measure, the rows so far, and files of them. */
export function measureView(app: LabApp): View {
  const [only, quick] = [toggle('only'), toggle('quick')];
  const start = button('bench', () => {
    if (app.state.work === 'bench') app.stop();
    else app.bench(only() === 'op' ? [app.state.address!.op] : null, quick() === '1');
  });
  const save = (ending: keyof typeof FILES, type: string, textOf: (state: LabState) => string) =>
    button(FILES[ending], () => download(`padagrad-bench.${ending}`, textOf(app.state), type));
  const files = [
    save('json', 'application/json', ({ device, peaks, bench }) => jsonOf(device!.block, peaks!, bench.rows)),
    save('csv', 'text/csv', ({ bench }) => `${csvOf(bench.rows)}\n`),
    save('md', 'text/markdown', markdown),
  ];
  const table = find('rows');
  let shown: LabState['bench'] | undefined;
  return ({ work, device, bench }) => {
    start.disabled = !device || (work !== undefined && work !== 'bench');
    setText(start, work === 'bench' ? BUTTONS.stop : BUTTONS.measure);
    for (const file of files) file.disabled = bench.rows.length === 0;
    if (shown === bench) return;
    shown = bench;
    table.replaceChildren(...(bench.rows.length > 0 ? [tableOf(bench)] : []));
  };
}

/** Returns the tables that `npm run bench -- --markdown` prints. */
function markdown({ device, peaks, bench: { rows } }: LabState): string {
  const ladder = ladderCells(rows);
  const parts = [
    markdownOf(['device', ''], [...deviceLines(device!.block), ...peakLines(peaks!)]),
    markdownOf(COLUMNS, rows.map(cellsOf)),
    EXPLAINED,
    ...(ladder.length > 0 ? [markdownOf(LADDER_COLUMNS, ladder)] : []),
    ...stepLines(rows),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** A row of buttons, exactly one of which is pressed. Returns a function that returns its value. */
function toggle(id: 'only' | 'quick'): () => string {
  const buttons = [...find(id).querySelectorAll('button')];
  const pressed = (each: HTMLElement) => each.getAttribute('aria-pressed') === 'true';
  for (const each of buttons)
    each.addEventListener('click', () => {
      for (const one of buttons) one.setAttribute('aria-pressed', String(one === each));
    });
  return () => buttons.find(pressed)!.dataset[id]!;
}

function tableOf({ rows, cases }: LabState['bench']): HTMLElement {
  const head = COLUMNS.map((name) => element('th', { scope: 'col' }, name));
  const lines = rows.map((row) =>
    element('tr', { class: row.verified ? 'right' : 'wrong' }, ...cellsOf(row).map((cell) => element('td', {}, cell))),
  );
  return element(
    'table',
    {},
    element('caption', {}, BENCHMARK.rows(rows.length, cases)),
    element('thead', {}, element('tr', {}, ...head)),
    element('tbody', {}, ...lines),
  );
}
