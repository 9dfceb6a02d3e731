// The lab's benchmark: choose what to measure, watch the rows, and save them as a file that can be sent in.
import { commit, repository } from 'lab:origin';
import { recordingOf } from '../../../bench/harness/recording.ts';
import {
  COLUMNS,
  cellsOf,
  csvOf,
  deviceLines,
  EXPLAINED,
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

const JSON_TYPE = 'application/json';
// The button of each kind of file.
const FILES = { json: 'json', csv: 'csv', md: 'markdown' } as const;

/** The benchmark: what to measure, the rows so far, and files of them. */
export function measureView(app: LabApp): View {
  const [only, quick] = [toggle('only'), toggle('quick')];
  const start = button('bench', () => {
    if (app.state.work === 'bench') app.stop();
    else app.bench(only() === 'op' ? [app.state.address!.op] : null, { quick: quick() === '1' });
  });
  // Everything takes a software adapter an hour.
  const everything = button('everything', () =>
    app.bench(null, { quick: app.state.device!.info.software, variants: true }),
  );
  const sending = sendView(() => download(fileName(app.state), json(app.state), JSON_TYPE));
  const save = (ending: keyof typeof FILES, type: string, textOf: (state: LabState) => string) =>
    button(FILES[ending], () => download(`padagrad-bench.${ending}`, textOf(app.state), type));
  const files = [
    save('json', JSON_TYPE, json),
    save('csv', 'text/csv', ({ bench }) => `${csvOf(bench.rows)}\n`),
    save('md', 'text/markdown', markdown),
  ];
  const table = find('rows');
  let shown: LabState['bench'] | undefined;
  return ({ work, device, bench }) => {
    start.disabled = !device || (work !== undefined && work !== 'bench');
    setText(start, work === 'bench' ? BUTTONS.stop : BUTTONS.measure);
    everything.disabled = !device || work !== undefined;
    sending(app.state);
    for (const file of files) file.disabled = bench.rows.length === 0;
    if (shown === bench) return;
    shown = bench;
    table.replaceChildren(...(bench.rows.length > 0 ? [tableOf(bench)] : []));
  };
}

/** Says what to send and where, once everything is measured. One button saves the file and opens the page for it. */
function sendView(save: () => void): (state: LabState) => void {
  const [box, text] = [find('sending'), find('send-text')];
  const issues = repository && `${repository}/issues/new`;
  button('send', () => {
    save();
    if (issues) open(issues, '_blank', 'noopener');
  });
  return (state) => {
    box.hidden = !state.bench.complete;
    if (state.bench.complete) setText(text, BENCHMARK.send(fileName(state)));
  };
}

/** As in `padagrad-nvidia-ampere-2026-11-29.json`. */
function fileName({ device }: LabState): string {
  const { name, vendor } = device!.block;
  const words = `${name === 'unnamed' ? vendor : name}`.toLowerCase().match(/[a-z0-9]+/g) ?? ['device'];
  return `padagrad-${words.join('-')}-${today()}.json`;
}

const today = (): string => new Date().toISOString().slice(0, 10);

/** Returns the file that `npm run bench -- --json FILE` writes. */
function json({ device, peaks, bench: { rows, variants } }: LabState): string {
  return recordingOf({
    ...{ date: today(), commit, command: 'kernel lab', runtime: navigator.userAgent },
    ...{ device: device!.block, load: null, peaks: peaks!, rows },
    ...(variants.length > 0 && { variants }),
  });
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
