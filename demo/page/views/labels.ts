import { labelRows, labelsCsv } from '../../../src/train/labelTable.ts';
import { button, download, element, find, setBusy, setText } from '../../shared/dom.ts';
import type { App } from '../app.ts';
import { LABELS } from '../ownWords.ts';
import type { Labeller, OwnLabels, OwnSet } from '../protocol.ts';
import type { PageState, View } from '../state.ts';
import { picture } from './picture.ts';

// Images that are shown at first, and that each press of a button adds.
const PART = 60;

/** The labels of all target images: who gives them, how many images each class has, and every image with its label. */
export function labelsView(app: App): View {
  const [by, host, title, counts] = [find('label-by'), find('labels'), find('labels-title'), find('labels-counts')];
  const rest = find('labels-rest');
  const csv = button('labels-csv', () => {
    if (labels) download('labels.csv', labelsCsv(rowsOf(labels)), 'text/csv');
  });
  const more = button('labels-more', () => show(PART));
  const order = find<HTMLSelectElement>('labels-order');
  order.addEventListener('change', () => restart());
  let buttons = '';
  let labels: OwnLabels | undefined;
  let tiles: (() => HTMLElement)[] = [];
  let shown = 0;

  const show = (n: number) => {
    host.append(...tiles.slice(shown, shown + n).map((make) => make()));
    shown = Math.min(tiles.length, shown + n);
    const left = tiles.length - shown;
    more.hidden = left === 0;
    setText(more, LABELS.more(Math.min(PART, left)));
    const unseen = (labels?.names.length ?? 0) - tiles.length;
    setText(rest, unseen > 0 ? LABELS.rest(unseen) : '');
  };
  const restart = () => {
    const set = app.state.own.folders.target?.set;
    tiles = labels && set ? tilesOf(labels, set, order.value) : [];
    host.replaceChildren();
    shown = 0;
    show(PART);
  };
  const labellers = (state: PageState): Labeller[] =>
    state.own.model ? ['model'] : state.runs.map(({ method }) => method);

  return (state) => {
    const { own } = state;
    const wanted = labellers(state);
    if (wanted.join() !== buttons) {
      buttons = wanted.join();
      by.replaceChildren(
        ...wanted.map((labeller) => {
          const made = element('button', { type: 'button', 'data-by': labeller }, LABELS.by(labeller));
          made.addEventListener('click', () => app.label(labeller));
          return made;
        }),
      );
    }
    const can = !own.labelling && (own.model ? own.canLabel : state.hasRuns && !state.awaits('ready'));
    for (const each of by.querySelectorAll('button')) each.disabled = !can;
    setBusy(host, own.labelling !== undefined);
    csv.disabled = !own.labels;
    if (labels === own.labels) return;
    labels = own.labels;
    setText(title, labels ? LABELS.title(labels.by, labels.iteration, labels.names.length) : '');
    setText(counts, labels ? LABELS.counts(countsOf(labels)) : '');
    order.disabled = !labels;
    restart();
  };
}

const rowsOf = ({ names, probabilities, classNames }: OwnLabels) =>
  labelRows({ count: names.length, names }, probabilities, classNames);

function countsOf(labels: OwnLabels): [string, number][] {
  const rows = rowsOf(labels);
  const counts = labels.classNames.map((name): [string, number] => [
    name,
    rows.filter(({ label }) => label === name).length,
  ]);
  return counts.filter(([, n]) => n > 0).sort(([, a], [, b]) => b - a);
}

/** Returns what makes the tile of each image that the page has. */
function tilesOf(labels: OwnLabels, { images, shape, names }: OwnSet, order: string): (() => HTMLElement)[] {
  const size = shape.reduce((a, b) => a * b);
  const rows = rowsOf(labels);
  const places = [...names.keys()];
  if (order === 'sure') places.sort((a, b) => rows[a]!.probability - rows[b]!.probability);
  if (order === 'label')
    places.sort((a, b) => (rows[a]!.label < rows[b]!.label ? -1 : Number(rows[a]!.label > rows[b]!.label)));
  return places.map((i) => () => {
    const { file, label, probability, second, secondProbability } = rows[i]!;
    const sure = element('i', { class: 'sure' });
    sure.style.setProperty('--share', probability.toFixed(3));
    return element(
      'li',
      { title: `${file}: ${label} ${LABELS.sure(probability)}, ${second} ${LABELS.sure(secondProbability)}` },
      picture(images.subarray(size * i, size * (i + 1)), shape, { label: file }),
      element('b', {}, label),
      sure,
      element('span', { class: 'hint' }, LABELS.sure(probability)),
      element('span', { class: 'file' }, file),
    );
  });
}
