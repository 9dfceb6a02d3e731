// Every text that the page's code writes. Text that never changes stands in index.html.
import type { MethodName } from '../../src/train/methods/named.ts';
import { count } from '../shared/words.ts';

export const NAMES: Readonly<Record<MethodName, string>> = {
  'source-only': 'No adaptation',
  dann: 'DANN',
  pada: 'PADA',
  'self-training': 'Self-training',
};

/** The difference between the methods, in a few words. */
export const IDEAS: Readonly<Record<MethodName, string>> = {
  'source-only': 'trained on font digits only',
  dann: 'aligns with all ten font digits',
  pada: 'aligns only with the digits it finds',
  'self-training': 'learns from its own sure answers',
};

export const UNKNOWN = '–';

export const percent = (value: number): string => (Number.isFinite(value) ? `${value.toFixed(1)}\u00a0%` : UNKNOWN);

/** Returns `a`, `a and b`, or `a, b and c`. */
export const listed = (items: readonly string[]): string => items.join(', ').replace(/, ([^,]*)$/, ' and $1');

// Keeps a range on one line.
const JOINER = '\u2060';

/** Returns `0–4` or `0–2, 5, 7–9`. */
export function ranges(digits: readonly number[]): string {
  const parts: [number, number][] = [];
  for (const digit of digits) {
    const last = parts.at(-1);
    if (last && last[1] === digit - 1) last[1] = digit;
    else parts.push([digit, digit]);
  }
  return parts.map(([from, to]) => (from === to ? `${from}` : `${from}–${JOINER}${to}`)).join(', ');
}

/** The status line. */
export const STATUS = {
  ready: 'Ready. Press Start.',
  training: 'Training.',
  oneStep: 'Training one iteration.',
  restarting: 'Restarting.',
  applying: 'Applying the new settings.',
  stopped: 'Training stopped.',
  noGpu: 'WebGPU is not available.',
  pausedAt: (iteration: number) => `Paused at iteration ${count(iteration)}.`,
  stoppedAt: (iteration: number) => `Stopped at iteration ${count(iteration)}.`,
  finished: (iteration: number, more: number) =>
    `Finished ${count(iteration)} iterations. Press ${BUTTONS.continue} for ${count(more)} more.`,
  changed: (digits: readonly number[], temperature: number) =>
    `Settings changed: digits ${ranges(digits)}, temperature ${temperature}.`,
  saved: (file: string) => `Saved ${file}.`,
  opened: (file: string, method: MethodName, iteration: number | undefined) =>
    iteration === undefined
      ? `Opened ${file} (network only; ${NAMES[method]} continues from it).`
      : `Opened ${file} (${NAMES[method]}, iteration ${count(iteration)}).`,
  lost: (iteration: number, running: boolean) =>
    running
      ? `The GPU device was lost. Training resumed from iteration ${count(iteration)}.`
      : `The GPU device was lost. All training runs are back at iteration ${count(iteration)}.`,
};

export const BUTTONS = { start: 'Start', pause: 'Pause', continue: 'Continue' };

/** Errors that the visitor sees. */
export const ERRORS = {
  tooLarge: (file: string, megabytes: number) => `${file} is too large (limit: ${megabytes} MB).`,
  unreadable: (file: string, why: string) => `Cannot read ${file}: ${why}.`,
  worker: (why: string) => `The training worker failed: ${why}. Press Restart to try again.`,
  download: (file: string, why: string) =>
    `Cannot download ${file}: ${why}. Check your connection, then press Restart.`,
  notFinite: (what: string, method: MethodName, iteration: number) =>
    `${what} of ${NAMES[method]} became NaN or infinite at iteration ${iteration}. Lower the trade-off and restart.`,
  networkNotFinite: (method: MethodName, iteration: number) =>
    `The ${NAMES[method]} network returns NaN at iteration ${iteration}. Lower the trade-off and restart, or load another network.`,
  otherDigits: (domain: string, count: number | undefined, wanted: number) =>
    `This checkpoint was trained with ${count ?? 'no'} ${domain} images, but the selected digits give ${wanted}. Select the digits it was trained on.`,
  notARun: (method: MethodName) => `There is no training run of ${NAMES[method]}. Add it under Compare first.`,
  noNetwork: 'a padagrad network or checkpoint',
};

export const SPEED = {
  limited: (perSecond: number) => `${perSecond} per second`,
  unlimited: 'as fast as possible',
  perStep: (ms: number) => (ms > 0 ? `${ms.toFixed(ms < 10 ? 1 : 0)} ms` : UNKNOWN),
};

/** Sentences of the introduction that depend on the selected digits. */
export const INTRODUCTION = {
  held: (digits: readonly number[], all: boolean) => (all ? 'all ten digits' : `only ${ranges(digits)}`),
  /** Why plain adaptation is right or wrong for these digits; completes the paragraph on DANN. */
  dann: (digits: readonly number[], absent: readonly number[]) =>
    absent.length === 0
      ? 'Here all ten digits occur, so plain adaptation is the right thing to do.'
      : `But there is no handwritten ${listed(absent.map(String)).replace(' and ', ' or ')}, so some handwritten ${ranges(digits)} are pulled towards those digits. This is negative transfer: the result can be worse than no adaptation.`,
  fontDigit: (digit: number) => `a ${digit} drawn with a font`,
  handwritten: (digit: number) => `a handwritten ${digit}`,
};

export const SCORES = {
  unit: 'of handwritten digits correct ',
  badge: 'uses labels',
  waiting: 'Waiting for the test images.',
  none: 'Not evaluated yet.',
  noneAbsent: 'All ten digits occur, so there are no absent classes.',
  misread: (share: number, digits: readonly number[]) =>
    `${percent(share)} misread as a digit outside ${ranges(digits)}.`,
};

/** The sentence under the scores. */
export const VERDICT = {
  behind: (methods: readonly MethodName[]) => `Waiting for ${namesOf(methods)} to reach the same iteration.`,
  unweighted: (updateSteps: number) =>
    `PADA computes its first class weights at iteration ${count(updateSteps)}; until then it trains like DANN.`,
  early: (iteration: number) => `After ${count(iteration)} iterations it is too early to compare.`,
  equal: (iteration: number, images: number, methods: readonly MethodName[]) =>
    `After ${count(iteration)} iterations, ${count(images)} test images show no clear difference between ${namesOf(methods)}.`,
  ranked: (iteration: number, scores: readonly { method: MethodName; accuracy: number }[]) => {
    const parts = scores.map(
      ({ method, accuracy }, i) => `${NAMES[method]} ${percent(accuracy)}${i ? '' : ' correct'}`,
    );
    return `After ${count(iteration)} iterations: ${parts.join(', ')}.`;
  },
  misreads: (method: MethodName, share: number) =>
    ` ${NAMES[method]} misreads ${percent(share)} as digits that do not occur.`,
};

const namesOf = (methods: readonly MethodName[]): string => listed(methods.map((method) => NAMES[method]));

export const WEIGHTS = {
  label: (method: MethodName) => `weights of the font digits 0 to 9 for ${NAMES[method]}`,
  constant: 'All classes count equally.',
  first: (updateSteps: number) => `First update at iteration ${count(updateSteps)}.`,
  updated: (updateSteps: number) => `Updated every ${count(updateSteps)} iterations.`,
  collapsed:
    'The weights have collapsed (fewer than two effective classes), so training is going wrong. Try a higher temperature.',
};

export const CHARTS = {
  accuracy: 'Accuracy on handwriting',
  loss: 'Classification loss on font digits',
  domain: 'Discriminator accuracy',
  none: 'no data yet',
  reference: (iterations: number, seeds: number) =>
    `no adaptation (reference, ${count(iterations)} iterations, mean of ${seeds} seeds)`,
  testImages: (n: number) => `${count(n)} test images`,
  allTestImages: 'test images',
};

export const SAMPLES = {
  predictions: { wrong: ', wrong, ', none: '·' },
  features: (method: MethodName) => `features of font digits and handwriting for ${NAMES[method]}`,
  confusion: (method: MethodName) => `True digits (rows) and predictions (columns) of ${NAMES[method]}`,
};

export const DRAWING = {
  sheet: 'Sheet to draw a digit on',
  none: 'draw a digit',
  noNetwork: 'no network',
  sees: (digit: number) => `sees a ${digit}`,
  probabilities: (method: MethodName) => `probability of each digit from ${NAMES[method]}`,
};

export const FILES = {
  checkpoint: { text: 'Save checkpoint', label: (method: MethodName) => `Save a ${NAMES[method]} checkpoint` },
  network: { text: 'Save network', label: (method: MethodName) => `Save the ${NAMES[method]} network only` },
  open: { text: 'Open', label: (method: MethodName) => `Open a checkpoint, or a network for ${NAMES[method]}` },
};
