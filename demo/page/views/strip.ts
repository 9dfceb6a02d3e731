import { element, find, setBusy, setText } from '../../shared/dom.ts';
import { PIXELS, type Samples, STRIP } from '../protocol.ts';
import { DIGITS } from '../settings.ts';
import type { PageState, View } from '../state.ts';
import { INTRODUCTION, NAMES, SAMPLES } from '../words.ts';
import { picture } from './picture.ts';

const CLASSES = DIGITS.length;

/** Some target images with each network's prediction and confidence. */
export function stripView(): View {
  const host = find('strip');
  let shown: unknown[] = [];
  let cells: Map<string, HTMLTableCellElement[]> = new Map();
  return (state) => {
    const { samples, runs } = state;
    setBusy(host, state.awaits('ready') ? !samples : runs.some((run) => state.awaitsSnapshot(run)));
    if (!samples) {
      // The images of the previous settings stay, marked as busy, until there are others.
      if (!state.awaits('ready')) host.replaceChildren();
      shown = [];
      return;
    }
    const wanted = [samples, ...runs.map(({ method }) => method)];
    if (wanted.some((what, i) => what !== shown[i]) || wanted.length !== shown.length) {
      shown = wanted;
      cells = new Map(runs.map(({ method }) => [method, Array.from({ length: STRIP }, () => element('td'))]));
      host.replaceChildren(tableOf(samples, state, cells));
    }
    for (const { method, snapshot } of runs)
      for (const [i, cell] of cells.get(method)!.entries())
        fill(cell, samples.handwritingLabels[i]!, snapshot?.probabilities.subarray(CLASSES * i, CLASSES * (i + 1)));
  };
}

function tableOf(
  { handwriting, handwritingLabels }: Samples,
  { runs }: PageState,
  cells: Map<string, HTMLTableCellElement[]>,
): HTMLTableElement {
  const images = Array.from({ length: STRIP }, (_, i) => {
    const pixels = handwriting.subarray(PIXELS * i, PIXELS * (i + 1));
    return element('th', { scope: 'col' }, picture(pixels, INTRODUCTION.handwritten(handwritingLabels[i]!)));
  });
  const rows = runs.map(({ method }) => {
    const head = element('th', { scope: 'row', class: 'method' }, NAMES[method]);
    return element('tr', { 'data-method': method }, head, ...cells.get(method)!);
  });
  return element(
    'table',
    { class: 'strip' },
    element('thead', {}, element('tr', {}, element('td'), ...images)),
    element('tbody', {}, ...rows),
  );
}

function fill(cell: HTMLTableCellElement, label: number, probabilities: Float32Array | undefined): void {
  const { none, wrong } = SAMPLES.predictions;
  if (!probabilities) {
    setText(cell, none);
    return;
  }
  const guess = probabilities.indexOf(Math.max(...probabilities));
  const confidence = Math.round(100 * probabilities[guess]!);
  if (cell.childElementCount === 0)
    cell.replaceChildren(
      element('b'),
      element('span', { class: 'hidden' }),
      element('i', { class: 'sure' }),
      element('span', { class: 'hint' }),
    );
  const [digit, verdict, , hint] = [...cell.children] as [Element, Element, Element, Element];
  cell.classList.toggle('wrong', guess !== label);
  cell.style.setProperty('--share', String(confidence / 100));
  setText(digit, String(guess));
  setText(verdict, guess === label ? '' : wrong);
  setText(hint, `${confidence} %`);
}
