import { element, find, setBusy, setText } from '../../shared/dom.ts';
import { STRIP } from '../protocol.ts';
import type { Story } from '../state.ts';
import { NAMES } from '../words.ts';
import { picture } from './picture.ts';
import type { View } from './view.ts';

const PIXELS = 28 * 28;
const CLASSES = 10;

/** Some images of the target, what each network takes them for, and how sure it is. */
export function stripView(): View {
  const host = find('strip');
  let shown: unknown[] = [];
  let cells: Map<string, HTMLTableCellElement[]> = new Map();
  return (story) => {
    const { samples, tracks } = story;
    setBusy(host, story.awaits('ready') ? !samples : tracks.some((track) => story.awaitsLook(track)));
    if (!samples) {
      // The images of the choice before stay, marked, until others come.
      if (!story.awaits('ready')) host.replaceChildren();
      shown = [];
      return;
    }
    const wanted = [samples, ...tracks.map(({ method }) => method)];
    if (wanted.some((what, i) => what !== shown[i]) || wanted.length !== shown.length) {
      shown = wanted;
      cells = new Map(tracks.map(({ method }) => [method, Array.from({ length: STRIP }, () => element('td'))]));
      host.replaceChildren(tableOf(story, cells));
    }
    for (const { method, look } of tracks)
      for (const [i, cell] of cells.get(method)!.entries())
        fill(cell, samples.stripLabels[i]!, look?.probabilities.subarray(CLASSES * i, CLASSES * (i + 1)));
  };
}

function tableOf({ samples, tracks }: Story, cells: Map<string, HTMLTableCellElement[]>): HTMLTableElement {
  const images = Array.from({ length: STRIP }, (_, i) => {
    const pixels = samples!.strip.subarray(PIXELS * i, PIXELS * (i + 1));
    return element('th', { scope: 'col' }, picture(pixels, `a handwritten ${samples!.stripLabels[i]}`));
  });
  return element(
    'table',
    { class: 'strip' },
    element('thead', {}, element('tr', {}, element('td'), ...images)),
    element(
      'tbody',
      {},
      ...tracks.map(({ method }) =>
        element(
          'tr',
          { 'data-method': method },
          element('th', { scope: 'row', class: 'method' }, NAMES[method]),
          ...cells.get(method)!,
        ),
      ),
    ),
  );
}

function fill(cell: HTMLTableCellElement, label: number, probabilities: Float32Array | undefined): void {
  if (!probabilities) {
    setText(cell, '·');
    return;
  }
  const guess = probabilities.indexOf(Math.max(...probabilities));
  const sure = Math.round(100 * probabilities[guess]!);
  if (cell.childElementCount === 0)
    cell.replaceChildren(
      element('b'),
      element('span', { class: 'hidden' }),
      element('i', { class: 'sure' }),
      element('span', { class: 'hint' }),
    );
  const [digit, verdict, , hint] = [...cell.children] as [Element, Element, Element, Element];
  cell.classList.toggle('wrong', guess !== label);
  cell.style.setProperty('--share', String(sure / 100));
  setText(digit, String(guess));
  setText(verdict, guess === label ? '' : ', wrong, ');
  setText(hint, `${sure} %`);
}
