// Every text that the page's code writes. Text that never changes stands in index.html.
import { EMOJI_CLASSES } from '../../src/data/emojiClasses.ts';
import type { MethodName } from '../../src/train/methods/named.ts';
import { count } from '../shared/words.ts';
import type { TaskName } from './settings.ts';

export const NAMES: Readonly<Record<MethodName, string>> = {
  'source-only': 'No adaptation',
  dann: 'DANN',
  pada: 'PADA',
  iwan: 'IWAN',
  afn: 'AFN',
  mcc: 'MCC',
  ba3us: 'BA3US',
  'self-training': 'Self-training',
};

/** The page's name of the images of each task. */
export interface TaskWords {
  name: string;
  source: string;
  target: string;
  /** One class, and several. */
  kind: string;
  kinds: string;
}

export const TASKS: Readonly<Record<TaskName, TaskWords>> = {
  digits: { name: 'Digits', source: 'font digits', target: 'handwriting', kind: 'digit', kinds: 'digits' },
  emoji: { name: 'Emoji', source: 'Twitter’s emoji', target: 'Google’s emoji', kind: 'kind', kinds: 'kinds' },
  own: {
    name: 'Your images',
    source: 'your labelled images',
    target: 'your unlabelled images',
    kind: 'class',
    kinds: 'classes',
  },
};

/** The difference between the methods, in a few words. */
export const IDEAS: Readonly<Record<MethodName, (words: TaskWords) => string>> = {
  'source-only': ({ source }) => `trained on ${source} only`,
  dann: ({ kinds }) => `aligns with all ${kinds}`,
  pada: ({ kinds }) => `aligns only with the ${kinds} it finds`,
  iwan: ({ source, target }) => `aligns only ${source} that look like ${target}`,
  afn: () => 'makes features longer',
  mcc: ({ kinds }) => `avoids hesitating between ${kinds}`,
  ba3us: ({ source, target }) => `fills up ${target} with ${source}`,
  'self-training': () => 'learns from its own sure answers',
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

/** Returns some classes of a task in words: `0–4`, or `face, hand and plant`. */
export const classesText = (task: TaskName, classes: readonly number[]): string =>
  task === 'digits' ? ranges(classes) : listed(classes.map((c) => EMOJI_CLASSES[c]!));

/** The status line. */
export const STATUS = {
  ready: 'Ready. Press Start.',
  choose: 'Choose your images below.',
  reading: 'Reading images.',
  canLabel: 'Ready to label your images.',
  labelling: 'Labelling all images.',
  analysing: (method: MethodName, share: number) => `Analysing ${NAMES[method]}: ${Math.round(100 * share)} %.`,
  analysed: 'Analysed.',
  notAnalysed: 'Not analysed.',
  labelled: (n: number) => `Labelled ${count(n)} images.`,
  training: 'Training.',
  oneStep: 'Training one iteration.',
  restarting: 'Restarting.',
  applying: 'Applying the new settings.',
  stopped: 'Training stopped.',
  noGpu: 'WebGPU is not available.',
  pausedAt: (iteration: number) => `Paused at iteration ${count(iteration)}.`,
  stoppedAt: (iteration: number) => `Stopped at iteration ${count(iteration)}.`,
  finished: (iteration: number) => `Finished ${count(iteration)} iterations. Press ${BUTTONS.continue} to train on.`,
  changed: (task: TaskName, classes: readonly number[], temperature: number) =>
    `Settings changed: ${task === 'own' ? '' : `${TASKS[task].kinds} ${classesText(task, classes)}, `}temperature ${temperature}.`,
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
  otherImages: (domain: string, count: number | undefined, wanted: number) =>
    `This checkpoint was trained with ${count ?? 'no'} ${domain} images, but there are ${wanted} now. Select the classes or images that it was trained on.`,
  otherNetwork: (file: string, what: keyof typeof OTHER, theirs: string, ours: string) =>
    `${file} does not fit: its ${OTHER[what]} ${theirs || 'none'}, but here ${ours || 'none'}.`,
  folder: (file: string, expected: string, found: string) => `${file}: expected ${expected}, but found ${found}.`,
  unlabelled: (folder: string) =>
    `${folder} holds images but no folders. Put the images of each class into a folder of their own, named as the class.`,
  oneClass: (folder: string) => `${folder} has only one class. Add a folder for each further class.`,
  oneImage: (folder: string) => `${folder} has only one image that can be read. Add more.`,
  noRecord: (file: string) =>
    `${file} does not say what images it was trained on. Train it again, with this version of padagrad.`,
  noImages: (file: string) => `${file} was trained on feature vectors, not on images.`,
  modelNotFinite: (file: string) => `${file} returns NaN for some images. Train it again, with a lower learning rate.`,
  notARun: (method: MethodName) => `There is no training run of ${NAMES[method]}. Add it under Compare first.`,
};

const OTHER = {
  arch: 'network is',
  shape: 'images have the shape',
  classNames: 'class names are',
  standardize: 'images are standardised by',
  geometry: 'images have the geometry',
};

/** The form that own images are brought to. */
export const FORM = {
  size: (size: number) => `${size}×${size}`,
  resize: { crop: 'crop to the middle', fit: 'fit on white', fill: 'stretch' },
  channels: { 1: 'grey', 3: 'colour' },
};

export const SPEED = {
  limited: (perSecond: number) => `${perSecond} per second`,
  unlimited: 'as fast as possible',
  perStep: (ms: number) => (ms > 0 ? `${ms.toFixed(ms < 10 ? 1 : 0)} ms` : UNKNOWN),
};

/** Sentences of the introduction that depend on the selected classes. */
export const INTRODUCTION = {
  held: (task: TaskName, classes: readonly number[], all: boolean) =>
    all ? (task === 'digits' ? 'all ten digits' : 'all kinds') : `only ${classesText(task, classes)}`,
  /** Why plain adaptation is right or wrong for these classes; completes the paragraph on DANN. */
  dann: (task: TaskName, classes: readonly number[], absent: readonly number[]) => {
    if (absent.length === 0)
      return `Here all ${task === 'digits' ? 'ten digits' : 'kinds'} occur, so plain adaptation is the right thing to do.`;
    const none =
      task === 'digits'
        ? `there is no handwritten ${or(absent.map(String))}`
        : `they have no ${or(absent.map((c) => EMOJI_CLASSES[c]!))}`;
    const some =
      task === 'digits'
        ? `some handwritten ${ranges(classes)} are pulled towards those digits`
        : 'some are pulled towards those kinds';
    return `But ${none}, so ${some}. This is negative transfer: the result can be worse than no adaptation.`;
  },
  /** The content of an image; its class is null if it has no label. */
  source: (task: TaskName, name: string | null) => (task === 'digits' ? `a ${name} drawn with a font` : `${name}`),
  target: (task: TaskName, name: string | null) =>
    task === 'digits' ? `a handwritten ${name}` : (name ?? 'an unlabelled image'),
};

const or = (items: readonly string[]): string => listed(items).replace(' and ', ' or ');

export const SCORES = {
  unit: (task: TaskName) => `of ${task === 'digits' ? 'handwritten digits' : TASKS[task].target} correct `,
  badge: 'uses labels',
  waiting: 'Waiting for the test images.',
  none: 'Not evaluated yet.',
  noneAbsent: ({ kinds }: TaskWords) => `All ${kinds} occur, so there are no absent classes.`,
  misread: (share: number, task: TaskName, classes: readonly number[]) =>
    `${percent(share)} misread as a ${TASKS[task].kind} ${task === 'digits' ? `outside ${ranges(classes)}` : 'that does not occur'}.`,
};

/** The sentence under the scores. */
export const VERDICT = {
  behind: (methods: readonly MethodName[]) => `Waiting for ${namesOf(methods)} to reach the same iteration.`,
  unweighted: (updateSteps: number) =>
    `PADA computes its first class weights at iteration ${count(updateSteps)}; until then it trains like DANN.`,
  early: (iteration: number) => `After ${count(iteration)} iterations it is too early to compare.`,
  equal: (iteration: number, images: number, methods: readonly MethodName[]) =>
    `After ${count(iteration)} iterations, ${count(images)} test images show no clear difference between ${namesOf(methods)}.`,
  unlabelled: (pseudoFrom: number) =>
    `Self-training labels images itself from iteration ${count(pseudoFrom)} on; until then it learns only from the labelled ones.`,
  /** @param scores with the number of iterations of a run that ended before */
  ranked: (iteration: number, scores: readonly { method: MethodName; accuracy: number; ended?: number }[]) => {
    const parts = scores.map(
      ({ method, accuracy, ended }, i) =>
        `${NAMES[method]} ${percent(accuracy)}${i ? '' : ' correct'}${ended === undefined ? '' : ` (${count(ended)} iterations)`}`,
    );
    return `After ${count(iteration)} iterations: ${parts.join(', ')}.`;
  },
  misreads: (method: MethodName, share: number, kinds = TASKS.digits.kinds) =>
    ` ${NAMES[method]} misreads ${percent(share)} as ${kinds} that do not occur.`,
};

const namesOf = (methods: readonly MethodName[]): string => listed(methods.map((method) => NAMES[method]));

export const WEIGHTS = {
  label: (method: MethodName) => `class weights of ${NAMES[method]}`,
  constant: 'All classes count equally.',
  first: (updateSteps: number) => `First update at iteration ${count(updateSteps)}.`,
  updated: (updateSteps: number) => `Updated every ${count(updateSteps)} iterations.`,
  fallen: (names: readonly string[]) =>
    `The weight of ${listed(names)} was 1 and has fallen: its own labels may take such images for another class. Try a certainty of 0.999, or another seed.`,
  collapsed:
    'The weights have collapsed (fewer than two effective classes), so training is going wrong. Try a higher temperature, or self-training.',
};

export const CHARTS = {
  accuracy: 'Accuracy on the target',
  weights: (method: MethodName) => `Class weights of ${NAMES[method]} over time`,
  loss: 'Classification loss on the source',
  domain: 'Discriminator accuracy',
  labelling: 'Labels that self-training gives itself',
  kept: 'sure enough to keep',
  right: 'right, of those kept',
  none: 'no data yet',
  reference: (iterations: number, seeds: number) =>
    `no adaptation (reference, ${count(iterations)} iterations, mean of ${seeds} seeds)`,
  testImages: (n: number) => `${count(n)} test images`,
  allTestImages: 'test images',
};

export const SAMPLES = {
  predictions: { wrong: ', wrong, ', none: '·' },
  features: (method: MethodName) => `features of source and target for ${NAMES[method]}`,
  confusion: (method: MethodName) => `True classes (rows) and predictions (columns) of ${NAMES[method]}`,
};

/** The analysis of a run. */
export const ANALYSIS = {
  aDistance: (value: number, iteration: number) =>
    `After ${count(iteration)} iterations, A-distance ${value.toFixed(2)}.`,
  byClass: 'By true class',
  byPrediction: 'By prediction',
  points: (method: MethodName, by: string) => `Features of ${NAMES[method]} in the plane: ${by}`,
  accuracies: (method: MethodName) => `Accuracy of ${NAMES[method]} per class`,
  class: ({ kind }: TaskWords) => kind,
  source: 'source',
  target: 'target',
  all: 'all',
  mistakes: (n: number) => (n === 0 ? 'No mistakes.' : `The ${n} most certain mistakes`),
  mistake: (truth: string, prediction: string) => `${truth} as ${prediction}`,
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
