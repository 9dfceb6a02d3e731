import { element, find } from '../../shared/dom.ts';
import type { Desk } from '../app.ts';
import { Editor } from '../editor.ts';
import { headerOf } from '../header.ts';
import { formula } from '../mathematics.ts';
import type { Fault } from '../protocol.ts';
import { type Outcome, type State, shownFile, textOf, type View } from '../state.ts';

const NONE: Outcome['faults'] = [];

/** The files of the kernel: one of them under its mathematics, to be changed. */
export function kernelView(desk: Desk): { view: View; goTo(fault: Fault): void } {
  const [files, mathematics] = [find('files'), find('mathematics')];
  const path = () => desk.state.address?.file ?? '';
  const editor = new Editor(
    (text) => desk.edit(path(), text),
    () => desk.run(),
  );
  let [head, tabs, faulty] = ['', '', NONE];
  let file = '';
  let wanted: Fault | undefined;
  const view: View = (state) => {
    const shown = shownFile(state);
    const text = shown ? textOf(state, shown) : '';
    const faults = state.outcome?.faults ?? NONE;
    if (faults !== faulty || file !== path()) [faulty, file] = [faults, path()];
    const own = faults === NONE ? NONE : faults.filter((one) => one.path === path());
    editor.show(text, shown?.text ?? '', shown ? `WGSL of ${shown.path}` : '', own.length > 0 ? own : NONE);
    const key = tabsOf(state)
      .map((tab) => Object.values(tab).join())
      .join();
    if (tabs !== key) {
      tabs = key;
      files.replaceChildren(...tabsOf(state).map((tab) => tabOf(tab, desk)));
    }
    if (wanted?.path === path()) {
      editor.go(Math.max(1, wanted.line), wanted.column);
      wanted = undefined;
    }
    // Of the shipped text: what the kernel is to compute does not change with it.
    if (head === (shown?.text ?? '')) return;
    head = shown?.text ?? '';
    mathematics.replaceChildren(...mathematicsOf(head));
  };
  const goTo = (fault: Fault) => {
    wanted = fault;
    desk.choose({ file: fault.path });
  };
  return { view, goTo };
}

interface Tab {
  path: string;
  pressed: boolean;
  edited: boolean;
  faulty: boolean;
}

const tabsOf = ({ sources, edits, outcome, address }: State): Tab[] =>
  sources.map(({ path }) => ({
    path,
    pressed: path === address?.file,
    edited: edits.has(path),
    faulty: outcome?.faults.some((fault) => fault.path === path) ?? false,
  }));

function tabOf({ path, pressed, edited, faulty }: Tab, desk: Desk): HTMLElement {
  const name = path.replace(/^shaders\/|^bench\//, '');
  const marks = [...(edited ? [element('span', { class: 'mark' }, 'edited')] : [])];
  if (faulty) marks.push(element('span', { class: 'mark wrong' }, 'errors'));
  const tab = element('button', { type: 'button', 'aria-pressed': String(pressed), 'data-file': path }, name, ...marks);
  tab.addEventListener('click', () => desk.choose({ file: path }));
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
    element('details', {}, element('summary', {}, 'Shapes, how the work is split, numerics'), list),
  ];
}
