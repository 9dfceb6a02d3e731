import { element, find } from '../../shared/dom.ts';
import type { LabApp } from '../app.ts';
import { Editor } from '../editor.ts';
import { headerOf } from '../header.ts';
import { formula } from '../mathematics.ts';
import type { Fault } from '../protocol.ts';
import { type LabState, type Outcome, shownFile, textOf, type View } from '../state.ts';
import { KERNEL } from '../words.ts';

const NONE: Outcome['faults'] = [];

/** The files of the kernel, one of them in the editor under its formulas. */
export function kernelView(app: LabApp): { view: View; goTo(fault: Fault): void } {
  const [files, mathematics] = [find('files'), find('mathematics')];
  const path = () => app.state.address?.file ?? '';
  const editor = new Editor(
    (text) => app.edit(path(), text),
    () => app.run(),
  );
  let [head, tabs] = ['', ''];
  let wanted: Fault | undefined;
  const view: View = (state) => {
    const file = shownFile(state);
    const text = file ? textOf(state, file) : '';
    const own = (state.outcome?.faults ?? NONE).filter((one) => one.path === path());
    editor.show(text, {
      shipped: file?.text ?? '',
      name: file ? KERNEL.label(file.path) : '',
      faults: own.length > 0 ? own : NONE,
    });
    const key = JSON.stringify(tabsOf(state));
    if (tabs !== key) {
      tabs = key;
      files.replaceChildren(...tabsOf(state).map((tab) => tabOf(tab, app)));
    }
    if (wanted?.path === path()) {
      editor.go(Math.max(1, wanted.line), wanted.column);
      wanted = undefined;
    }
    // The formulas are those of the shipped text: an edit does not change what the kernel should compute.
    if (head === (file?.text ?? '')) return;
    head = file?.text ?? '';
    mathematics.replaceChildren(...mathematicsOf(head));
  };
  const goTo = (fault: Fault) => {
    wanted = fault;
    app.choose({ file: fault.path });
  };
  return { view, goTo };
}

interface Tab {
  path: string;
  pressed: boolean;
  edited: boolean;
  faulty: boolean;
}

const tabsOf = ({ sources, edits, outcome, address }: LabState): Tab[] =>
  sources.map(({ path }) => ({
    path,
    pressed: path === address?.file,
    edited: edits.has(path),
    faulty: outcome?.faults.some((fault) => fault.path === path) ?? false,
  }));

function tabOf({ path, pressed, edited, faulty }: Tab, app: LabApp): HTMLElement {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const marks = edited ? [element('span', { class: 'mark' }, KERNEL.edited)] : [];
  if (faulty) marks.push(element('span', { class: 'mark wrong' }, KERNEL.errors));
  const tab = element('button', { type: 'button', 'aria-pressed': String(pressed), 'data-file': path }, name, ...marks);
  tab.addEventListener('click', () => app.choose({ file: path }));
  return tab;
}

function mathematicsOf(text: string): Node[] {
  const { title, body, notes } = headerOf(text);
  if (!title) return [];
  const rows = body.map((line) =>
    line.length === 1
      ? element('p', {}, line[0]!)
      : element(
          'p',
          { class: 'formula' },
          element('span', { class: 'label' }, line[0]!),
          element('span', { class: 'math' }, ...formula(line[1]!)),
          element('span', { class: 'remark' }, ...formula(line[2]!)),
        ),
  );
  const list = element('dl', { class: 'notes' });
  for (const [name, note] of notes) list.append(element('dt', {}, name), element('dd', {}, note));
  return [
    element('p', { class: 'what' }, title),
    ...rows,
    element('details', {}, element('summary', {}, KERNEL.notes), list),
  ];
}
