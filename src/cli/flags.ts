import { type Command, InvalidArgumentError, Option } from 'commander';
import { above, inF32, nearest } from '../checks/options.ts';
import { completeOptions, defaultOptions, type Method, PRECISIONS, type TrainingOptions } from '../train/options.ts';
import { UsageError } from './errors.ts';

/** What `train` and `start` are told, as the command line gives it. */
export interface TrainFlags extends TrainingOptions {
  source: string;
  target: string;
  sourceClasses?: string;
  targetClasses?: string;
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
  json?: boolean;
  debug?: boolean;
}

export const METHODS: readonly Method[] = ['pada', 'dann', 'source-only'];

/** Returns a decimal number. */
export function number(text: string): number {
  const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  if (!Number.isFinite(value)) throw new InvalidArgumentError('It must be a number.');
  return value;
}

/** Returns a function that reads whole numbers of at least `least`. */
export const whole =
  (least: number) =>
  (text: string): number => {
    const value = number(text);
    if (!Number.isSafeInteger(value) || value < least)
      throw new InvalidArgumentError(`It must be a whole number >= ${least}.`);
    return value;
  };

/** Returns a number above zero, in f32 too: kernels compute in it. */
export function positive(text: string): number {
  const value = number(text);
  const { wanted, holds } = inF32(above(0));
  if (!holds(value)) throw new InvalidArgumentError(`It must be ${wanted}.`);
  return value;
}

/** `0,1,2`: different whole numbers. */
function seedList(text: string): number[] {
  const seeds = text.split(',').map((part) => whole(0)(part.trim()));
  if (new Set(seeds).size < seeds.length) throw new InvalidArgumentError('Each seed may come once.');
  return seeds;
}

/** How exactly products are computed; commands have defaults of their own. */
export const precisionOption = (): Option =>
  new Option(
    '--float32-matmul-precision <which>',
    'of matrix products and convolutions: highest, or medium (operands rounded to half precision, sums in single)',
  ).choices(PRECISIONS);

/**
 * Makes the flags of a command refuse an empty value, such as an unset shell variable leaves. A flag that is given again with
 * another value overrides the first, as in other programs; `warn` hears of it.
 */
export function checkValues(command: Command, warn: (message: string) => void): void {
  for (const option of command.options.filter(({ required, optional }) => required || optional)) {
    const { parseArg } = option;
    let before: string | undefined;
    option.parseArg = <T>(text: string, previous: T): T => {
      if (text.trim() === '')
        throw new InvalidArgumentError('It must not be empty: set the variable it comes from, or leave the flag out.');
      if (before !== undefined && before !== text)
        warn(`${option.long} is given more than once; ${text} counts, ${before} does not`);
      before = text;
      return parseArg ? parseArg(text, previous) : (text as T);
    };
  }
}

/** Returns what an unknown flag was probably meant to be: one by another library's name, or one of another command. */
export function meantFlag(flag: string, command: Command, others: readonly Command[]): string | undefined {
  const name = flag.replace(/=.*$/, '');
  const known = command.options.map((option) => option.attributeName());
  const meant = nearest(name, known);
  if (meant) return `did you mean ${flagOf(meant)}?`;
  const having = others.filter(({ options }) => options.some(({ short, long }) => name === short || name === long));
  return having.length > 0 ? `it is a flag of ${having.map((other) => other.name()).join(' and ')}` : undefined;
}

/** Flags that every command has. */
export function addCommonFlags(command: Command): Command {
  return command
    .option(
      '--json',
      'one JSON object a line on stdout, the last with "event": "result"; what people read goes to stderr',
    )
    .option('--debug', 'print the stack of an error');
}

/** All flags of a training run, named as in TLlib's PADA example where it has them. */
export function addTrainFlags(command: Command, preset: Partial<TrainFlags> = {}): Command {
  const data = (flags: string, name: keyof TrainFlags, description: string) =>
    command.addOption(new Option(flags, description).default(preset[name]));
  const setting = (
    flags: string,
    name: keyof TrainingOptions,
    description: string,
    parse: (text: string) => number = number,
  ) => command.addOption(new Option(flags, description).argParser(parse).default(preset[name] ?? defaultOptions[name]));

  data('-s, --source <data>', 'source', 'labelled images to learn from: mnist, fontdigits or idx:PREFIX');
  data('-t, --target <data>', 'target', 'images to adapt to; their labels are never used in training');
  data('--source-classes <list>', 'sourceClasses', 'classes kept of the source, such as 0-4 or 0,3,7 (default: all)');
  data(
    '--target-classes <list>',
    'targetClasses',
    `classes kept of the target${preset.targetClasses ? '' : ' (default: all)'}`,
  );
  command.addOption(
    new Option('--source-limit <n>', 'first n source images, before classes are filtered')
      .argParser(whole(1))
      .default(preset.sourceLimit),
  );
  command.addOption(
    new Option('--target-limit <n>', 'first n target images, before classes are filtered')
      .argParser(whole(1))
      .default(preset.targetLimit),
  );
  data('--source-test <data>', 'sourceTest', 'labelled images to test on (mnist and fontdigits have their own)');
  data(
    '--target-test <data>',
    'targetTest',
    'labelled images that the evaluation alone uses (mnist and fontdigits have their own)',
  );
  command.addOption(
    new Option('--method <name>', 'how to adapt').choices(METHODS).default(preset.method ?? defaultOptions.method),
  );
  setting('-i, --iterations <n>', 'iterations', 'training iterations', whole(0));
  command.addOption(
    new Option('--seed <n>', 'decides initial weights and the order of the data')
      .argParser(whole(0))
      .default(defaultOptions.seed),
  );
  command.addOption(
    new Option('--seeds <list>', 'several runs, such as 0,1,2; reports mean and deviation')
      .argParser(seedList)
      .conflicts('seed'),
  );
  setting('-b, --batch-size <n>', 'batchSize', 'images a batch, of each domain', whole(2));
  setting('--temperature <t>', 'temperature', 'of the softmax that class weights are averaged from');
  setting(
    '-u, --class-weight-update-steps <n>',
    'classWeightUpdateSteps',
    'iterations between two updates of the class weights',
    whole(1),
  );
  setting('--trade-off <x>', 'tradeOff', 'weight of the domain adversarial loss');
  setting('--reversal-alpha <x>', 'reversalAlpha', 'steepness of the rise of the gradient reversal');
  setting('--reversal-iterations <n>', 'reversalIterations', 'iterations over which the gradient reversal rises');
  setting('--learning-rate, --lr <x>', 'lr', 'initial learning rate');
  setting('--lr-gamma <x>', 'lrGamma', 'learning rate at iteration i: lr (1 + gamma i)^-decay');
  setting('--lr-decay <x>', 'lrDecay', 'see --lr-gamma');
  setting('--momentum <x>', 'momentum', 'Nesterov momentum of SGD');
  setting('--wd, --weight-decay <x>', 'weightDecay', 'weight decay');
  command.addOption(precisionOption().default(defaultOptions.float32MatmulPrecision));
  command.addOption(
    new Option(
      '-p, --print-freq <n>',
      'iterations between two lines of progress (default: 50, on a terminal 10)',
    ).argParser(whole(1)),
  );
  command.addOption(
    new Option('--eval-freq <n>', 'iterations between two evaluations (0: at the end alone)')
      .argParser(whole(0))
      .default(0),
  );
  command.addOption(
    new Option('--checkpoint-every <n>', 'iterations between two checkpoints in --out (0: none)')
      .argParser(whole(0))
      .default(100),
  );
  return addCommonFlags(
    command
      .option('--per-class-eval', 'accuracy by class at every evaluation, not at the end alone')
      .option('--eager', 'run every op anew in place of captured steps: slower, the same bits', defaultOptions.eager)
      .option(
        '--detect-anomaly',
        'look at what every op computes: a run that comes to NaN or infinity names the op it came from; slow, the same bits',
      )
      .option(
        '-o, --out <dir>',
        'folder for config.json, metrics.jsonl, checkpoints and model.safetensors (with several runs: one folder each in it)',
      ),
  );
}

/** The training options among the flags. @throws UsageError that names the flag */
export function trainingOptions(flags: TrainFlags): TrainingOptions {
  const given = Object.fromEntries(
    Object.keys(defaultOptions).map((name) => [name, flags[name as keyof TrainingOptions]]),
  );
  try {
    return completeOptions(given as Partial<TrainingOptions>);
  } catch (cause) {
    throw new UsageError(
      (cause as Error).message.replace(/^training: (\w+)/, (_, name) => flagOf(name)),
      { cause },
    );
  }
}

/** The flag of an option's name. */
export const flagOf = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
