// The script of report.html: draws the report of a training run from the JSON in the file. It sets texts, never HTML, so that no
// class or file name can change the page, and it requests nothing.
import type { Analysis, ReportData, ReportImages } from '../../src/cli/run/htmlReport.ts';
import { count, counted, duration, METHOD_TITLES, milliseconds, percent } from '../../src/cli/show/format.ts';
import { featureFigures } from '../../src/cli/show/svg.ts';
import type { Evaluation } from '../../src/train/events.ts';
import type { Curve } from '../page/curves.ts';
import { chart, type Line } from '../page/views/chart.ts';
import { element, find } from '../shared/dom.ts';

// Curves of more classes cannot be told apart.
const MOST_CURVES = 20;
const COLOURS = 10;

const data: ReportData = JSON.parse(find('data').textContent!);
const { result, classNames } = data;
const nameOf = (c: number): string => classNames?.[c] ?? String(c);

const main = element('main');
document.body.append(header(), main, footer());

drawChart('Losses', {}, [
  line('class loss', '--pada', data.iterations.classLoss),
  ...(result.method === 'source-only' ? [] : [line('transfer loss', '--dann', data.iterations.transferLoss)]),
]);
drawChart('Accuracy', { range: [0, 100], unit: '%' }, [
  line('source batches', '--source-only', data.iterations.classAccuracy),
  line('domain discriminator', '--dann', data.iterations.domainAccuracy),
  ...evaluationLine('target test set', '--pada', 'target'),
  ...evaluationLine('source test set', '--digit-1', 'source'),
]);
drawWeights();
for (const [name, evaluation] of Object.entries({ target: result.target, source: result.source }))
  if (evaluation) card(`Accuracy per class, ${name} test set`, true, confusionTable(evaluation));
if (data.images) card(`Predictions for ${data.images.title}`, true, grid(data.images));
if (data.analysis) drawAnalysis(data.analysis);
card(
  'Settings',
  true,
  element('dl', { class: 'settings' }, ...Object.entries(data.settings).map((pair) => definition(...pair))),
);

/** Shows the features of both domains, the accuracies that the run itself did not measure, and the mistakes. */
function drawAnalysis(analysis: Analysis): void {
  const { aDistance, target, mistakes } = analysis;
  const names = result.classWeight.map((_, c) => nameOf(c));
  const figures = Object.entries(featureFigures(analysis, names)).map(([name, svg]) =>
    // As an image, an SVG can run no script.
    element('img', { src: `data:image/svg+xml,${encodeURIComponent(svg)}`, alt: name.replace(/-|\.svg/g, ' ').trim() }),
  );
  const hint = `A-distance ${aDistance.toFixed(2)}: 0 if the features of source and target look alike, 2 if a linear classifier tells all apart.`;
  card(
    'Features of both domains',
    true,
    element('p', { class: 'hint' }, hint),
    element('div', { class: 'maps' }, ...figures),
  );
  if (target && !result.target) card('Accuracy per class, target', true, confusionTable(target));
  if (mistakes) card('The most confident mistakes', true, grid(mistakes, true));
}

function header(): HTMLElement {
  const figures = {
    'target accuracy': percent(result.targetAccuracy),
    'source accuracy': percent(result.sourceAccuracy),
    'effective classes': result.effectiveClasses.toFixed(1),
    iterations: `${count(result.iterations)}${result.aborted ? ', stopped early' : ''}`,
    time: duration(result.seconds),
    'per iteration': milliseconds(result.secondsPerIteration),
  };
  return element(
    'header',
    {},
    element('h1', {}, `${METHOD_TITLES[result.method]}: ${data.source} to ${data.target}`),
    element('p', {}, `seed ${result.seed}, on ${data.device}`),
    element('dl', { class: 'figures' }, ...Object.entries(figures).map((pair) => definition(...pair))),
  );
}

function footer(): HTMLElement {
  const text = `padagrad ${data.padagrad}. Training never uses target labels; accuracies on the target are measured afterwards.`;
  return element('footer', {}, text);
}

function definition(name: string, value: string): HTMLElement {
  return element('div', {}, element('dt', {}, name), element('dd', {}, value));
}

function card(title: string, wide: boolean, ...content: Node[]): void {
  main.append(element('section', wide ? { class: 'wide' } : {}, element('h2', {}, title), ...content));
}

/** A curve over iterations; null where there is no value. */
function line(name: string, colour: string, values: readonly (number | null)[]): Line {
  const curve: Curve = { x: [], y: [] };
  for (const [i, value] of values.entries()) {
    if (value === null) continue;
    curve.x.push(data.iterations.first + i + 1);
    curve.y.push(value);
  }
  return { name, colour, ...curve };
}

function evaluationLine(name: string, colour: string, side: 'target' | 'source'): Line[] {
  const points = data.evaluations.filter((evaluation) => evaluation[side] !== null);
  // A single point is no curve; its figure is in the header.
  if (points.length < 2) return [];
  return [{ name, colour, x: points.map(({ iteration }) => iteration), y: points.map((point) => point[side]!) }];
}

function drawChart(title: string, options: { range?: [number, number]; unit?: string }, lines: readonly Line[]): void {
  const shown = lines.filter(({ y }) => y.length > 0);
  if (shown.length === 0) return;
  const host = element('div');
  card(title, false, host);
  chart(host, { label: title, ...options })(shown);
}

/** Draws the weight of each class over time; of many classes, those that ended highest and lowest. */
function drawWeights(): void {
  const { iteration, weights } = data.classWeights;
  const sorted = result.classWeight.map((_, c) => c).sort((a, b) => result.classWeight[b]! - result.classWeight[a]!);
  const all = sorted.length <= MOST_CURVES;
  const half = MOST_CURVES / 2;
  const chosen = all ? sorted.sort((a, b) => a - b) : [...sorted.slice(0, half), ...sorted.slice(-half)];
  const lines = chosen.map((c, i) => ({
    name: `${nameOf(c)}${data.targetClasses && !data.targetClasses.includes(c) ? ' (absent)' : ''}`,
    colour: `--digit-${i % COLOURS}`,
    dashed: data.targetClasses !== null && !data.targetClasses.includes(c),
    x: iteration,
    y: weights.map((row) => row[c]!),
  }));
  drawChart(
    all ? 'Class weights' : `Class weights: the ${half} highest and the ${half} lowest`,
    { range: [0, 1.05] },
    lines,
  );
}

function confusionTable({ confusion, perClass }: Evaluation): HTMLElement {
  const heads = confusion.map((_, c) => element('th', { scope: 'col' }, nameOf(c)));
  const rows = confusion.flatMap((row, truth) => {
    const all = row.reduce((sum, n) => sum + n, 0);
    if (all === 0) return [];
    const cells = row.map((n) => {
      const cell = element('td', { class: n / all > 0.5 ? 'full' : '' }, n > 0 ? String(n) : '');
      cell.style.setProperty('--share', (n / all).toFixed(3));
      return cell;
    });
    const figures = [percent(perClass[truth]), count(all)].map((text) => element('td', { class: 'plain' }, text));
    return [element('tr', {}, element('th', { scope: 'row' }, nameOf(truth)), ...figures, ...cells)];
  });
  const head = ['class', 'accuracy', 'examples'].map((text) => element('th', { scope: 'col' }, text));
  return element(
    'table',
    { class: 'confusion' },
    element('caption', { class: 'hidden' }, 'Rows are true classes, columns are predictions'),
    element('thead', {}, element('tr', {}, ...head, ...heads)),
    element('tbody', {}, ...rows),
  );
}

/** @param mistakes whether all predictions are wrong */
function grid({ channels, height, width, pixels, predictions }: ReportImages, mistakes = false): HTMLElement {
  const bytes = Uint8Array.from(atob(pixels), (character) => character.charCodeAt(0));
  const size = channels * height * width;
  const figures = predictions.map(({ label, probability, truth, name }, i) => {
    const canvas = element('canvas', { width, height, role: 'img', 'aria-label': name ?? `example ${i}` });
    const image = bytes.subarray(i * size, (i + 1) * size);
    canvas.getContext('2d')!.putImageData(rgba(image, { channels, height, width }), 0, 0);
    const wrong = truth !== null && truth !== label;
    const text = mistakes ? `${nameOf(truth!)} as ${nameOf(label)}` : nameOf(label);
    const caption = element('figcaption', {}, text, element('br'), percent(100 * probability));
    const title = `${name ?? ''}${wrong ? ` is ${nameOf(truth)}` : ''}`.trim();
    return element('figure', { class: wrong ? 'wrong' : '', title }, canvas, caption);
  });
  const known = predictions.filter(({ truth }) => truth !== null);
  const right = known.filter(({ truth, label }) => truth === label).length;
  const counts = `${right} of these ${counted(known.length, 'image')} are right.`;
  const note = mistakes ? 'True class, prediction, and its probability.' : known.length > 0 ? counts : '';
  return element('div', {}, element('p', { class: 'hint' }, note), element('div', { class: 'grid' }, ...figures));
}

/** @param image [channels, height, width], grey or RGB */
function rgba(
  image: Uint8Array,
  { channels, height, width }: Pick<ReportImages, 'channels' | 'height' | 'width'>,
): ImageData {
  const area = height * width;
  const drawn = new ImageData(width, height);
  for (let i = 0; i < area; i++) {
    for (let c = 0; c < 3; c++) drawn.data[4 * i + c] = image[(channels === 1 ? 0 : c * area) + i]!;
    drawn.data[4 * i + 3] = 255;
  }
  return drawn;
}
