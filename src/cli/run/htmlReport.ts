// report.html: one file that shows a run and needs no network. Its script (demo/report) draws the JSON that it contains.
import { createHash } from 'node:crypto';
import { script, style } from 'report:page';
import { type HostData, type HostImages, isFeatures, labelsOf } from '../../data/host.ts';
import { take } from '../../data/subset.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import type { Classifier } from '../../models/classifier.ts';
import type { Evaluation, IterationMetrics } from '../../train/events.ts';
import { predict } from '../../train/predict.ts';
import type { RunSummary } from '../show/summary.ts';
import type { Row } from './metricsFile.ts';

/** Everything that the report shows. */
export interface ReportData {
  padagrad: string;
  source: string;
  target: string;
  device: string;
  /** The flags of the run, and their values. */
  settings: Readonly<Record<string, string>>;
  classNames: readonly string[] | null;
  /** The classes of the target, if they were chosen. */
  targetClasses: readonly number[] | null;
  result: RunSummary;
  /** A value per iteration, from iteration `first`; null where there is none. */
  iterations: { first: number } & Record<Metric, (number | null)[]>;
  classWeights: { iteration: number[]; weights: number[][] };
  /** Accuracies in percent. */
  evaluations: { iteration: number; target: number | null; source: number | null }[];
  images: ReportImages | null;
  /** Added by `padagrad analyse`. */
  analysis?: Analysis;
}

/** The result of `padagrad analyse`, as analysis.json and report.html have it. */
export interface Analysis {
  /** From 0 (the features of both domains look alike) to 2. */
  aDistance: number;
  /** Features in the plane (UMAP): `sources` examples of the source, then the target's. */
  points: {
    sources: number;
    x: number[];
    y: number[];
    /** True classes; null without labels. */
    label: (number | null)[];
    prediction: number[];
  };
  /** Null without labels. */
  source: Evaluation | null;
  target: Evaluation | null;
  /** The wrong predictions for the target that are most probable, for images with labels. */
  mistakes: ReportImages | null;
}

/** Some images of the target, with their predictions. */
export interface ReportImages {
  title: string;
  channels: number;
  height: number;
  width: number;
  /** u8 [n, channels, height, width] in base64. */
  pixels: string;
  predictions: { label: number; probability: number; truth: number | null; name: string | null }[];
}

const METRICS = ['classLoss', 'transferLoss', 'classAccuracy', 'domainAccuracy'] as const;
type Metric = (typeof METRICS)[number];

/** Takes the curves of a run from the rows of metrics.jsonl. */
export function curvesOf(rows: readonly Row[]): Pick<ReportData, 'iterations' | 'classWeights' | 'evaluations'> {
  const of = <Event>(event: string): Event[] => rows.filter((row) => row.event === event) as Event[];
  const steps = of<IterationMetrics>('iteration');
  const weights = of<{ iteration: number; classWeight: number[] }>('classWeight');
  const evaluations = of<{ iteration: number; target?: Evaluation; source?: Evaluation }>('evaluation');
  const column = (metric: Metric) => steps.map((step) => rounded(step[metric]));
  return {
    iterations: {
      first: steps[0]?.iteration ?? 0,
      classLoss: column('classLoss'),
      transferLoss: column('transferLoss'),
      classAccuracy: column('classAccuracy'),
      domainAccuracy: column('domainAccuracy'),
    },
    classWeights: {
      iteration: weights.map(({ iteration }) => iteration),
      weights: weights.map(({ classWeight }) => classWeight.map((weight) => rounded(weight)!)),
    },
    evaluations: evaluations.map(({ iteration, target, source }) => ({
      iteration,
      target: target?.accuracy ?? null,
      source: source?.accuracy ?? null,
    })),
  };
}

const rounded = (value: number | null): number | null => (value === null ? null : Number(value.toPrecision(4)));

const MOST_IMAGES = 48;
const LARGEST_SIDE = 64;

/** Predicts some images of the target, spread over the set; null for feature vectors. */
export async function predictImages(
  gpu: Gpu,
  { data, model, title }: { data: HostData; model: Classifier; title: string },
): Promise<ReportImages | null> {
  if (isFeatures(data)) return null;
  const n = Math.min(MOST_IMAGES, data.count);
  const chosen = take(
    data,
    Array.from({ length: n }, (_, i) => Math.floor((i * data.count) / n)),
  );
  const { labels, probabilities } = await predict(gpu, { data: chosen, model });
  const classes = probabilities.length / n;
  const predictions = Array.from(labels, (label, i) => ({ label, probability: probabilities[i * classes + label]! }));
  return reportImages(chosen, predictions, title);
}

/** Returns images with their predictions as the report shows them. */
export function reportImages(
  data: HostImages,
  predictions: readonly { label: number; probability: number }[],
  title: string,
): ReportImages {
  const { channels = 1, height, width, names, images, count } = data;
  // Large images are shown smaller: each pixel is the mean of a block.
  const block = Math.ceil(Math.max(height, width) / LARGEST_SIDE);
  const [h, w] = [Math.max(1, Math.floor(height / block)), Math.max(1, Math.floor(width / block))];
  const pixels = Buffer.alloc(count * channels * h * w);
  for (let i = 0; i < pixels.length; i++) {
    const [plane, y, x] = [Math.floor(i / (h * w)), Math.floor(i / w) % h, i % w];
    pixels[i] = Math.round(blockMean(images.subarray(plane * height * width), { y, x, block, height, width }));
  }
  const truths = data.labels && labelsOf(data);
  return {
    ...{ title, channels, height: h, width: w },
    pixels: pixels.toString('base64'),
    predictions: predictions.map((one, i) => ({ ...one, truth: truths?.[i] ?? null, name: names?.[i] ?? null })),
  };
}

function blockMean(
  plane: Uint8Array | Uint8ClampedArray,
  { y, x, block, height, width }: Record<'y' | 'x' | 'block' | 'height' | 'width', number>,
): number {
  let [sum, count] = [0, 0];
  for (let row = y * block; row < Math.min((y + 1) * block, height); row++)
    for (let column = x * block; column < Math.min((x + 1) * block, width); column++) {
      sum += plane[row * width + column]!;
      count++;
    }
  return sum / count;
}

/** Returns the data that a report shows; undefined if the text is no report. */
export function reportDataOf(html: string): ReportData | undefined {
  const [, json] = /<script type="application\/json" id="data">(.*)<\/script>\n/.exec(html) ?? [];
  return json === undefined ? undefined : JSON.parse(json);
}

/** Writes the report as HTML. Its security policy allows only its own script and style, and no request. */
export function htmlReport(data: ReportData): string {
  const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  const policy = `default-src 'none'; script-src ${hash(script)}; style-src ${hash(style)}; img-src data:`;
  // A < could end the script that holds the JSON.
  const json = JSON.stringify(data).replaceAll('<', '\\u003c');
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>padagrad: training report</title>
<style>${style}</style>
<body>
<script type="application/json" id="data">${json}</script>
<script>${script}</script>
</body>
</html>
`;
}
