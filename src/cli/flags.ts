// The flags that several commands share: those of a training run, with their groups in the help, and those that say how data is read. A
// training option's name, default and check come from src/train; here it gets its flag and its description.
import { type Command, Option } from 'commander';
import { CLASS_WEIGHT_KINDS } from '../adaptation/classWeight.ts';
import { GEOMETRY_NAMES } from '../data/geometry.ts';
import type { Resize } from '../data/readers/images.ts';
import { MODEL_NAMES, type ModelName } from '../models/names.ts';
import {
  completeRunOptions,
  defaultRunOptions,
  METHOD_NAMES,
  methodsWith,
  type RunOptions,
  runDefaultsOf,
} from '../train/methods/named.ts';
import { BATCH_NORMS, PRECISIONS } from '../train/options.ts';
import { DATA_NAMES, type DataOptions } from './data.ts';
import { UsageError } from './errors.ts';
import { flagOf, number, seedList, whole } from './flagValues.ts';

/** The flags of every command. */
export interface CommonFlags {
  json?: boolean;
  debug?: boolean;
}

/** The flags that say how data is read. */
export interface DataFlags {
  imageSize?: string;
  resize?: Resize;
  channels?: string;
  skipUnreadable?: boolean;
  labels?: string;
  labelColumn?: string;
  root?: string;
}

const STANDARDIZE = ['source', 'imagenet', 'none'] as const;
type Standardize = (typeof STANDARDIZE)[number];

/** The flags of `train` and `start`: the training options, and flags of the command line itself. */
export interface TrainFlags extends RunOptions, DataFlags, CommonFlags {
  arch?: ModelName;
  weights?: string;
  standardize?: Standardize;
  source: string;
  target: string;
  /** As the flag has them, or by number. */
  sourceClasses?: string | readonly number[];
  targetClasses?: string | readonly number[];
  sourceLimit?: number;
  targetLimit?: number;
  sourceTest?: string;
  targetTest?: string;
  seeds?: number[];
  out?: string;
  resume?: string;
  printFreq?: number;
  evalFreq: number;
  checkpointEvery: number;
  perClassEval?: boolean;
  detectAnomaly?: boolean;
}

// A flag for each training option, named as in TLlib's PADA example if it has one, and its group in the help. `completeRunOptions`
// gives the default and checks the value.
type Group = 'data' | 'method' | 'schedule' | 'running';
const TRAINING_FLAGS: Record<keyof RunOptions, readonly [flags: string, description: string, Group]> = {
  method: ['--method <name>', 'adaptation method', 'method'],
  sourceJitter: [
    '--source-jitter <how>',
    'change source images at random: none, affine, colour or strong, with amounts as in affine,rotation=30,flip=0.5',
    'data',
  ],
  targetJitter: ['--target-jitter <how>', 'the same for target images', 'data'],
  geometry: [
    '--geometry <name>',
    'bring the bright object of each grey image to a standard size and place (canonical), or leave it (none)',
    'data',
  ],
  iterations: ['-i, --iterations <n>', 'number of training iterations', 'schedule'],
  batchSize: ['-b, --batch-size <n>', 'batch size per domain', 'schedule'],
  seed: ['--seed <n>', 'random seed for initial weights and data order', 'schedule'],
  temperature: ['--temperature <t>', 'softmax temperature for class weights; in mcc for target predictions', 'method'],
  classWeightUpdateSteps: ['-u, --class-weight-update-steps <n>', 'update class weights every n iterations', 'method'],
  classWeights: [
    '--class-weights <how>',
    'how a mean prediction s becomes a weight: mean (s / max s) or saturating (min(1, s / (share max s))^2)',
    'method',
  ],
  tradeOff: ['--trade-off <x>', 'weight of the domain adversarial loss; in mcc of the class confusion', 'method'],
  gamma: ['--gamma <x>', "weight of the target's entropy in iwan and ba3us", 'method'],
  cotWeight: ['--cot-weight <x>', 'weight of the complement entropy in ba3us', 'method'],
  mu: ['--mu <n>', 'ba3us fills up the target with batch size / n source images', 'method'],
  tradeOffNorm: ['--trade-off-norm <x>', 'weight of the feature norms in afn', 'method'],
  tradeOffEntropy: ['--trade-off-entropy <x>', "weight of the target's entropy in afn", 'method'],
  delta: ['-r, --delta <x>', 'by how much feature norms are to grow in afn', 'method'],
  mccWeight: ['--mcc-weight <x>', 'add the minimum class confusion of the target to any method', 'method'],
  mccTemperature: ['--mcc-temperature <t>', 'softmax temperature of what --mcc-weight adds', 'method'],
  alphaPowerWeight: ['--alpha-power-weight <x>', "add ARPM's alpha-power loss of the target to any method", 'method'],
  alphaPower: ['--alpha-power <x>', 'exponent of what --alpha-power-weight adds', 'method'],
  entropyWeight: ['--entropy-weight <x>', "add the entropy of the target's predictions to any method", 'method'],
  share: ['--share <x>', 'share of the largest mean prediction from which on a class weighs 1', 'method'],
  floor: ['--floor <x>', "least class weight in the source's loss", 'method'],
  threshold: ['--threshold <x>', 'least probability of a pseudo-label', 'method'],
  pseudoFrom: ['--pseudo-from <n>', 'iteration that pseudo-labels begin at', 'method'],
  pseudoLabelWeights: [
    '--pseudo-label-weights <how>',
    'each class counts alike by its pseudo-labels (balanced), or each label does (equal)',
    'method',
  ],
  ramp: ['--ramp <n>', 'iterations in which the weight of pseudo-labels rises to 1', 'method'],
  reversalAlpha: ['--reversal-alpha <x>', 'steepness of the gradient-reversal warm-up', 'method'],
  reversalIterations: [
    '--reversal-iterations <n>',
    'time scale of the gradient-reversal warm-up (46 % of full strength after n iterations)',
    'method',
  ],
  batchNorm: [
    '--batch-norm <how>',
    "batch norm's statistics: joint (of both domains) or separate (evaluation uses the target's)",
    'method',
  ],
  lr: ['--learning-rate, --lr <x>', 'initial learning rate', 'schedule'],
  lrGamma: ['--lr-gamma <x>', 'learning-rate decay: lr (1 + gamma i)^-decay at iteration i', 'schedule'],
  lrDecay: ['--lr-decay <x>', 'exponent of that decay', 'schedule'],
  momentum: ['--momentum <x>', 'Nesterov momentum', 'schedule'],
  weightDecay: ['--wd, --weight-decay <x>', 'weight decay', 'schedule'],
  float32MatmulPrecision: [
    '--float32-matmul-precision <which>',
    'precision of matmul and convolution: highest (float32) or medium (float16 inputs, float32 sums)',
    'running',
  ],
  eager: ['--eager', 'run ops one by one instead of replaying captured steps (slower, bit-identical)', 'running'],
};

const CHOICES: Partial<Record<keyof RunOptions, readonly string[]>> = {
  method: METHOD_NAMES,
  geometry: GEOMETRY_NAMES,
  classWeights: CLASS_WEIGHT_KINDS,
  batchNorm: BATCH_NORMS,
  float32MatmulPrecision: PRECISIONS,
};

/** Makes the flag of a training option, without a default. */
export function trainingFlag(name: keyof RunOptions): Option {
  const [flags, description] = TRAINING_FLAGS[name];
  const option = new Option(flags, description);
  const choices = CHOICES[name];
  if (choices) option.choices(choices);
  else if (typeof defaultRunOptions[name] === 'number') option.argParser(number);
  return option;
}

/** Makes the flag of a training option with its default, unless that depends on the method: then the help lists it. */
function defaultedFlag(name: keyof RunOptions, preset: unknown): Option {
  const option = trainingFlag(name);
  const usual = preset ?? defaultRunOptions[name];
  const others = METHOD_NAMES.map((method) => [method, runDefaultsOf(method)[name]] as const).filter(
    ([, value]) => name !== 'method' && value !== defaultRunOptions[name],
  );
  if (others.length === 0) return option.default(usual);
  option.description += ` (default: ${[usual, ...others.map(([method, value]) => `${value} for ${method}`)].join(', ')})`;
  return option;
}

/** Adds the flags of a training run, in groups. `preset` overrides the defaults. */
export function addTrainFlags(command: Command, preset: Partial<TrainFlags> = {}): Command {
  const add = (name: keyof TrainFlags, flags: string, description: string, parse?: (text: string) => unknown) => {
    const option = new Option(flags, description).default(preset[name]);
    if (parse) option.argParser(parse);
    return command.addOption(option);
  };
  const addOptions = (group: Group): void => {
    for (const name of Object.keys(TRAINING_FLAGS) as (keyof RunOptions)[])
      if (TRAINING_FLAGS[name][2] === group) command.addOption(defaultedFlag(name, preset[name]));
  };

  command.optionsGroup(preset.source ? 'Data:' : 'Required:');
  add('source', '-s, --source <data>', `labelled examples to learn from: ${DATA_NAMES}`);
  add('target', '-t, --target <data>', 'examples to adapt to; training never uses their labels');

  command.optionsGroup('Data:');
  add(
    'sourceClasses',
    '--source-classes <list>',
    'source classes to keep, by number or name, e.g. 0-4 or 0,3,7 or cat,dog (default: all)',
  );
  const all = preset.targetClasses ? '' : ' (default: all)';
  add('targetClasses', '--target-classes <list>', `target classes to keep${all}`);
  for (const side of ['source', 'target'] as const)
    add(
      `${side}Limit`,
      `--${side}-limit <n>`,
      `use only the first n ${side} examples (before filtering classes)`,
      whole(1),
    );
  const own = '(default for data sets with splits: their test split)';
  add('sourceTest', '--source-test <data>', `labelled source test set ${own}`);
  add('targetTest', '--target-test <data>', `labelled target test set, used only for evaluation ${own}`);
  addDataFlags(command);
  command.addOption(
    new Option(
      '--standardize <how>',
      "subtract a mean from each feature or channel and divide by a deviation: those of the source or of imagenet (default: imagenet with torchvision's weights, else none)",
    ).choices(STANDARDIZE),
  );
  addOptions('data');

  command.optionsGroup('Model:');
  command.addOption(
    new Option('--arch <name>', 'network (default: smallCnn for images, mlp for feature vectors)').choices(MODEL_NAMES),
  );
  add('weights', '--weights <file>', "begin with these weights, such as torchvision's of a ResNet (.safetensors)");

  command.optionsGroup('Method:');
  addOptions('method');

  command.optionsGroup('Schedule:');
  addOptions('schedule');
  command.addOption(
    new Option('--seeds <list>', 'run once per seed, e.g. 0-4 or 0,1,2, and report mean and standard deviation')
      .argParser(seedList)
      .conflicts('seed'),
  );

  command.optionsGroup('Watching:');
  add(
    'printFreq',
    '-p, --print-freq <n>',
    'print progress every n iterations (default: 10 on a terminal, else 50)',
    whole(1),
  );
  command
    .option('--eval-freq <n>', 'evaluate every n iterations (0: only at the end)', whole(0), 0)
    .option('--per-class-eval', 'print per-class accuracy at every evaluation, not only at the end')
    .option('--detect-anomaly', 'check every op for NaN or infinity and report the first one (slow, bit-identical)');

  command.optionsGroup('Running:');
  command
    .option(
      '-o, --out <dir>',
      'output folder for config.json, metrics.jsonl, checkpoints, model.safetensors and report.html (one subfolder per run if there are several)',
    )
    .option('--checkpoint-every <n>', 'save a checkpoint to --out every n iterations (0: never)', whole(0), 100);
  addOptions('running');
  return addCommonFlags(command);
}

/** Adds the flags that say how data is read. */
export function addDataFlags(command: Command): Command {
  return command
    .option('--image-size <n>', 'bring image files to this size: a number, or HEIGHTxWIDTH')
    .addOption(
      new Option('--resize <how>', 'crop the middle, fit the whole on white, or fill by stretching').choices([
        'crop',
        'fit',
        'fill',
      ]),
    )
    .addOption(
      new Option('--channels <n>', 'convert image files to grey (1) or colour (3; the default)').choices(['1', '3']),
    )
    .option('--skip-unreadable', 'leave out image files that cannot be opened or decoded')
    .option('--labels <file>', 'labels of npy:FILE (default: X.labels.npy for X.npy); in training, those of the source')
    .option('--label-column <name>', 'column of the labels in CSV files')
    .option('--root <dir>', 'folder that the paths of an image list begin in (default: that of the list)');
}

/** Returns how data is read, from the flags. @throws UsageError for an image size that is none */
export function dataOptions({ imageSize, channels, ...others }: DataFlags): DataOptions {
  const { resize, skipUnreadable, labels, labelColumn, root } = others;
  const [, height, width = height] = /^([1-9]\d{0,4})(?:x([1-9]\d{0,4}))?$/.exec(imageSize ?? '') ?? [];
  if (imageSize !== undefined && height === undefined)
    throw new UsageError(`--image-size ${imageSize} is no size; write a number such as 64, or HEIGHTxWIDTH`);
  return {
    ...{ resize, skipUnreadable, labels, labelColumn, root },
    ...(height !== undefined && { imageSize: [Number(height), Number(width)] as const }),
    ...(channels !== undefined && { channels: Number(channels) as 1 | 3 }),
  };
}

// The kinds of data that each flag is for.
const FILES = ['folder', 'list'];
const READ_BY: { [Flag in keyof Required<DataFlags>]: readonly string[] } = {
  ...{ imageSize: FILES, resize: FILES, channels: FILES, skipUnreadable: FILES },
  ...{ labels: ['npy'], labelColumn: ['csv'], root: ['list'] },
};

/** Refuses a flag that would be ignored, as none of these data sets is of its kind. @throws UsageError */
export function checkDataFlags(flags: DataFlags, ...names: readonly (string | undefined)[]): void {
  const given = names.filter((name) => name !== undefined);
  const kinds = given.map((name) => name.split(':')[0]!);
  for (const [flag, readers] of Object.entries(READ_BY))
    if (flags[flag as keyof DataFlags] !== undefined && !kinds.some((kind) => readers.includes(kind)))
      throw new UsageError(
        `${flagOf(flag)} is for data of the kind ${readers.map((kind) => `${kind}:...`).join(' or ')}, not for ${given.join(', ')}; leave it out`,
      );
}

/** Adds the flags of every command. */
export function addCommonFlags(command: Command): Command {
  return command
    .option(
      '--json',
      'print one JSON object per line on stdout (the last has "event": "result"); everything else goes to stderr',
    )
    .option('--debug', 'print stack traces')
    .helpOption('-h, --help', 'print this help');
}

/**
 * Returns the training options among the flags. Options that are not given have the defaults of the method for examples of this shape.
 *
 * @throws UsageError that names the flag of a wrong value
 */
export function trainingOptions(flags: Partial<RunOptions>, shape?: readonly number[]): RunOptions {
  const names = Object.keys(TRAINING_FLAGS) as (keyof RunOptions)[];
  try {
    const given = Object.fromEntries(names.map((name) => [name, flags[name]]));
    return completeRunOptions(given, shape && runDefaultsOf(flags.method ?? 'pada', shape));
  } catch (cause) {
    const message = (cause as Error).message
      .replace(/^\w+: (\w+)(:| must| is)/, (_, name, then) => `${flagOf(name)}${then}`)
      .replace(/\b[a-z]+[A-Z]\w*/g, (name) => (Object.hasOwn(TRAINING_FLAGS, name) ? flagOf(name) : name));
    throw new UsageError(message, { cause });
  }
}

/**
 * Refuses flags of a command line that the chosen method does not have, because they would do nothing.
 *
 * @throws UsageError that names the flag and the methods that have it
 */
export function checkMethodFlags(command: Command, { method, targetJitter, batchNorm, ...added }: TrainFlags): void {
  const addsLosses = [added.mccWeight, added.alphaPowerWeight, added.entropyWeight].some(Boolean);
  if (method === 'source-only' && !addsLosses && (targetJitter ?? 'none') !== 'none')
    throw new UsageError('--target-jitter changes target images, but the method source-only uses none; leave it out');
  if (method === 'source-only' && batchNorm === 'separate')
    throw new UsageError(
      '--batch-norm separate needs batches of both domains, but the method is source-only; leave it out',
    );
  for (const name of command.options.map((option) => option.attributeName())) {
    const methods = methodsWith(name);
    if (!methods || methods.includes(method) || command.getOptionValueSource(name) !== 'cli') continue;
    throw new UsageError(
      `${flagOf(name)} is an option of ${methods.join(', ')}, but the method is ${method}; leave it out, or choose --method ${methods[0]}`,
    );
  }
}
