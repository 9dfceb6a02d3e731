// A text field for WGSL. A second copy of the text under the transparent field has the colours, and marks for edited
// lines and compile errors.
import { element, find, setText } from '../shared/dom.ts';
import { changedLines, commonEnds, tokensOf } from './lines.ts';
import type { Fault } from './protocol.ts';

export class Editor {
  private readonly field = find<HTMLTextAreaElement>('code');
  private readonly paint = find('paint');
  private readonly numbers = find('numbers');
  private lines: string[] = [];
  private faults: readonly Fault[] = [];
  private name = '';

  constructor(onInput: (text: string) => void, onRun: () => void) {
    const { field } = this;
    field.addEventListener('input', () => {
      this.draw();
      onInput(field.value);
    });
    field.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.isComposing) return;
      event.preventDefault();
      if (event.ctrlKey || event.metaKey) onRun();
      else this.breakLine();
    });
  }

  /** Shows a text with marks at lines that differ from the shipped text. An empty name disables the field. */
  show(text: string, { shipped, name, faults }: { shipped: string; name: string; faults: readonly Fault[] }): void {
    const { field } = this;
    if (field.value !== text) field.value = text;
    field.setAttribute('aria-label', name);
    field.disabled = name === '';
    const otherFile = name !== this.name;
    this.name = name;
    this.draw();
    if (otherFile) this.skipHeader();
    const rows = [...this.paint.children];
    for (const [i, changed] of changedLines(shipped, text).entries()) rows[i]!.classList.toggle('changed', changed);
    if (faults === this.faults) return;
    this.faults = faults;
    field.setAttribute('aria-invalid', String(faults.length > 0));
    for (const [i, row] of rows.entries()) this.mark(i, row);
  }

  /** Puts the cursor at a line and column, counted from 1. */
  go(line: number, column: number): void {
    const { field, lines } = this;
    const start = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
    field.focus();
    field.setSelectionRange(start + Math.max(0, column - 1), start + Math.max(0, column - 1));
    this.paint.children[line - 1]?.scrollIntoView({ block: 'nearest' });
  }

  /** Scrolls past the file's header, which stands as formulas above the editor. */
  private skipHeader(): void {
    const from = this.lines.findIndex((line) => !line.startsWith('//'));
    const [top, first] = [0, from].map((i) => (this.paint.children[i] as HTMLElement | undefined)?.offsetTop ?? 0);
    find('editor').scrollTop = first! - top!;
  }

  /** Inserts a line break with the indentation of this line. */
  private breakLine(): void {
    const { field } = this;
    const before = field.value.slice(0, field.selectionStart);
    const [indent] = /^[ \t]*/.exec(before.slice(before.lastIndexOf('\n') + 1))!;
    // Only this command keeps the browser's undo.
    document.execCommand('insertText', false, `\n${indent}`);
  }

  /** Repaints the lines that have changed. */
  private draw(): void {
    const { paint, lines: old } = this;
    const lines = this.field.value.split('\n');
    const { head, tail } = commonEnds(old, lines);
    for (let i = head; i < old.length - tail; i++) paint.children[head]!.remove();
    const next = paint.children[head] ?? null;
    for (const line of lines.slice(head, lines.length - tail)) paint.insertBefore(painted(line), next);
    this.lines = lines;
    setText(this.numbers, lines.map((_, i) => i + 1).join('\n'));
  }

  private mark(i: number, row: Element): void {
    const found = this.faults.filter(({ line }) => line === i + 1);
    row.classList.toggle('fault', found.length > 0);
    if (found.length > 0) row.setAttribute('data-fault', found.map(({ text }) => text.split('\n')[0]).join('; '));
    else row.removeAttribute('data-fault');
  }
}

function painted(line: string): HTMLElement {
  const row = element('span', { class: 'row' });
  for (const token of tokensOf(line))
    row.append(typeof token === 'string' ? token : element('span', { class: token.kind }, token.text));
  return row;
}
