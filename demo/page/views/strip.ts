import { element, find, setBusy, setText } from '../../shared/dom.ts';
import { type Samples, STRIP } from '../protocol.ts';
import type { PageState, View } from '../state.ts';
import { NAMES, SAMPLES } from '../words.ts';
import { sample } from './picture.ts';

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
      for (const [i, cell] of cells.get(method)!.entries()) fill(cell, samples, i, snapshot?.probabilities);
  };
}

function tableOf(samples: Samples, { runs }: PageState, cells: Map<string, HTMLTableCellElement[]>): HTMLTableElement {
  const images = Array.from({ length: STRIP }, (_, i) => element('th', { scope: 'col' }, sample(samples, 'target', i)));
  const rows = runs.map(({ method }) => {
    const head = element('th', { scope: 'row', class: 'method' }, NAMES[method]);
    return element('tr', { 'data-method': method }, head, ...cells.get(method)!);
  });
  return element(
    'table',
    { class: samples.task === 'digits' ? 'strip' : 'strip named' },
    element('thead', {}, element('tr', {}, element('td'), ...images)),
    element('tbody', {}, ...rows),
  );
}

/** @param all probabilities [STRIP, classes] */
function fill(
  cell: HTMLTableCellElement,
  { classNames, targetLabels }: Samples,
  i: number,
  all: Float32Array | undefined,
): void {
  const { none, wrong } = SAMPLES.predictions;
  const classes = classNames.length;
  const probabilities = all?.subarray(classes * i, classes * (i + 1));
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
  const isWrong = targetLabels !== null && guess !== targetLabels[i];
  cell.classList.toggle('wrong', isWrong);
  cell.style.setProperty('--share', String(confidence / 100));
  setText(digit, classNames[guess]!);
  setText(verdict, isWrong ? wrong : '');
  setText(hint, `${confidence} %`);
}
