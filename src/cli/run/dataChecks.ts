// Checks of the data that a command is given, before the GPU is opened. Each error names the flag to change.
import { exampleShape, type HostData, isFeatures, labelsOf, nounOf, showExample } from '../../data/host.ts';
import { MODELS } from '../../models/named.ts';
import type { ModelName } from '../../models/names.ts';
import type { RunOptions } from '../../train/methods/named.ts';
import { imageFolder, type ReadingWatch } from '../data.ts';
import { UsageError } from '../errors.ts';
import type { TrainFlags } from '../flags.ts';
import { flagOf } from '../flagValues.ts';
import { classes as classList, counted } from '../show/format.ts';
import type { Side } from './side.ts';

// The smallest share of the classes up to the largest label that must have images. Below it, a label is probably wrong.
const SPARSEST = 1 / 4;

/** Returns the number of classes: that of the source's class names, or one more than its largest label. */
export function countClasses({ title, all }: Side): number {
  if (!all.labels) throw new UsageError(`${title}: has no labels; training needs the source's labels`);
  if (all.classNames) return Math.max(2, all.classNames.length);
  const present = [...new Set(labelsOf(all))].sort((a, b) => a - b);
  const largest = present.at(-1)!;
  if (present.length <= SPARSEST * largest)
    throw new UsageError(
      `${title}: label ${largest} is out of range: found ${present.length} classes (${classList(present)}); labels must be numbered from 0`,
    );
  return Math.max(2, largest + 1);
}

/** @throws UsageError for a source of a single class, and for less than a batch */
export function checkTrainable(source: Side, target: Side, batchSize: number): void {
  const { title, all, train } = source;
  const [first, ...others] = labelsOf(train);
  if (others.every((label) => label === first))
    throw new UsageError(
      `${title}: all ${counted(train.count, nounOf(train).slice(0, -1))} are of class ${all.classNames?.[first!] ?? first}; a classifier needs two classes or more`,
    );
  for (const { title, train } of [source, target])
    if (train.count < batchSize)
      throw new UsageError(
        `${title}: ${train.count} ${nounOf(train)} are fewer than one batch of ${batchSize}; use --batch-size ${train.count} or less`,
      );
}

/** @throws UsageError for a flag that is for images of another kind than the source's */
export function checkImageFlags(flags: TrainFlags, title: string, shape: readonly number[]): void {
  if (flags.geometry === 'canonical' && !(shape.length === 3 && shape[0] === 1))
    throw new UsageError(
      `--geometry canonical is for grey images, but ${title} has ${showExample(shape)}; leave it out, or make image files grey with --channels 1`,
    );
  for (const flag of ['sourceJitter', 'targetJitter'] as const)
    if (shape.length !== 3 && (flags[flag] ?? 'none') !== 'none')
      throw new UsageError(
        `${flagOf(flag)} ${flags[flag]} is for images, but ${title} has ${showExample(shape)}; leave it out`,
      );
}

/** @throws UsageError unless classes, shapes and labels of both domains fit together */
export function checkSides(source: Side, target: Side, numClasses: number): void {
  for (const [flag, { title, classes, train, test, testTitle }] of Object.entries({ source, target })) {
    checkClasses(`--${flag}-classes`, classes, numClasses, "the source's");
    checkSameShape(title, train, source);
    if (test) checkSameShape(testTitle, test, source);
    if (test) checkTestSet(testTitle, test, numClasses, 'the source');
  }
  if (source.classes && target.classes && !target.classes.some((c) => source.classes!.includes(c)))
    throw new UsageError(
      `--target-classes ${classList(target.classes)} has no class in common with --source-classes ${classList(source.classes)}`,
    );
}

/** Warns of classes without an example of the source, unless the user chose the classes. No method can learn them. */
export function warnOfAbsentClasses(
  { title, all, train, classes }: Side,
  numClasses: number,
  { onNote }: ReadingWatch,
): void {
  const present = new Set(labelsOf(train));
  const absent = Array.from({ length: numClasses }, (_, c) => c).filter((c) => !present.has(c));
  if (classes || absent.length === 0) return;
  const names = all.classNames ? absent.map((c) => all.classNames![c]).join(', ') : classList(absent);
  onNote?.(
    `${title}: none of the ${counted(train.count, nounOf(train).slice(0, -1))} is of class ${names}, so the network cannot learn ${absent.length > 1 ? 'them' : 'it'}`,
  );
}

// Images whose border is looked at.
const LOOKED_AT = 1000;

/** Warns if images with a bright ground are about to be treated as bright strokes on black. */
export function warnOfGround(
  sides: Record<'source' | 'target', Side>,
  options: readonly RunOptions[],
  { onNote }: ReadingWatch,
): void {
  for (const [name, { title, train }] of Object.entries(sides) as ['source' | 'target', Side][]) {
    if (isFeatures(train)) continue;
    const [, height, width] = exampleShape(train) as [number, number, number];
    const pixels = train.images.subarray(0, LOOKED_AT * (train.images.length / train.count));
    const isBorder = (i: number): boolean => {
      const [y, x] = [Math.floor(i / width) % height, i % width];
      return y === 0 || x === 0 || y === height - 1 || x === width - 1;
    };
    const border = Uint8Array.from(pixels).filter((_, i) => isBorder(i));
    if (border.reduce((sum, v) => sum + v, 0) <= 127 * border.length) continue;
    const flags = (own: RunOptions) => [
      ...(own.geometry === 'canonical' ? ['--geometry canonical'] : []),
      ...(own[`${name}Jitter`].startsWith('strong') ? [`${flagOf(`${name}Jitter`)} strong`] : []),
    ];
    const [first] = options.map(flags).filter((list) => list.length > 0);
    if (first)
      onNote?.(
        `${title}: most images have a bright ground, but ${first.join(' and ')} need bright strokes on black; invert the images, or write --geometry none and a jitter such as affine`,
      );
  }
}

export function checkClasses(flag: string, list: readonly number[] | null, numClasses: number, whose: string): void {
  const outside = list?.find((c) => c >= numClasses);
  if (outside !== undefined)
    throw new UsageError(`${flag}: class ${outside} is not among ${whose} classes 0-${numClasses - 1}`);
}

export function checkTestSet(title: string, data: HostData, numClasses: number, whose: string): void {
  if (!data.labels) throw new UsageError(`${title}: has no labels, which a test set needs`);
  const outside = labelsOf(data).find((label) => label >= numClasses);
  if (outside !== undefined)
    throw new UsageError(
      `${title}: label ${outside} is out of range; ${whose} has classes 0-${numClasses - 1}, so leave others out with ${/^--(source|target)/.exec(title)?.[0] ?? '-'}-classes`,
    );
}

function checkSameShape(title: string, data: HostData, { title: sourceTitle, all }: Side): void {
  const [shape, wanted] = [exampleShape(data), exampleShape(all)];
  if (showExample(shape) === showExample(wanted)) return;
  const noun = nounOf(data);
  // Only image files are converted.
  const advice =
    imageFolder(title.replace(/^\S+ /, '')) === undefined ? adviceFor(wanted, shape) : adviceFor(shape, wanted);
  throw new UsageError(
    `${title}: ${noun} are ${showExample(shape)} but those of ${sourceTitle} are ${showExample(wanted)}; ${advice}`,
  );
}

/** Returns which flag gives examples of one shape the other shape. */
export function adviceFor(shape: readonly number[], wanted: readonly number[]): string {
  if (shape.length !== 3 || wanted.length !== 3) return 'all must have the same length';
  const [channels, height, width] = wanted;
  const size = height === width ? `${height}` : `${height}x${width}`;
  const flags = [
    ...(shape[1] === height && shape[2] === width ? [] : [`--image-size ${size}`]),
    ...(shape[0] === channels ? [] : [`--channels ${channels}`]),
  ];
  return `all must have the same size: ${flags.join(' ')} converts image files`;
}

/** @throws UsageError for examples that the network does not accept */
export function checkExamples(what: string, data: HostData, arch: ModelName): void {
  try {
    MODELS[arch].geometry?.check(exampleShape(data));
  } catch (cause) {
    const message = (cause as Error).message.replace(/^\w+: /, '');
    throw new UsageError(`${what}: ${arch}: ${message}`, { cause });
  }
}
