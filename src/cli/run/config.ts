import { createHash } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { HostImages } from '../../data/dataset.ts';
import { DataError } from '../../data/errors.ts';
import { parseClasses } from '../../data/subset.ts';
import { completeOptions, defaultOptions, type TrainingOptions } from '../../train/options.ts';
import type { Device } from '../device.ts';
import { asUsage, UsageError } from '../errors.ts';
import { flagOf, type TrainFlags } from '../flags.ts';
import { readNamed } from './files.ts';
import type { Job, Task } from './job.ts';

export const CONFIG = 'config.json';

/** How a run is watched: nothing of it changes what is learnt. */
export interface Watch {
  /** Null for what suits the terminal. */
  printFreq: number | null;
  evalFreq: number;
  checkpointEvery: number;
  perClassEval: boolean;
}

/** What `config.json` keeps of a run: all that has to be known to do it again, or to go on with it. */
export interface RunConfig {
  /** The version that began it. */
  padagrad: string;
  task: Task;
  options: TrainingOptions;
  watch: Watch;
  /** Checksums of the images and labels of each side: a run goes on with what it began with. */
  data: { source: string; target: string };
  device: Device;
}

/** SHA-256 of images with their labels. */
export function checksumOf({ images, labels, height, width }: HostImages): string {
  const hash = createHash('sha256').update(`${height}x${width} ${labels ? 'labelled' : 'bare'}\n`);
  return hash
    .update(images)
    .update(labels ?? '')
    .digest('hex');
}

/** The config of a run's folder. @throws UsageError if there is none, or none that can be read */
export async function readConfig(folder: string): Promise<RunConfig> {
  if (!existsSync(join(folder, CONFIG))) {
    const runs = runsIn(folder);
    const hint = runs.length > 0 ? `; there are runs in it: ${runs.join(', ')}` : '';
    throw new UsageError(`--resume ${folder}: no run was begun there, for it has no ${CONFIG}${hint}`);
  }
  return asUsage('--resume', async () => {
    const { file, bytes } = await readNamed(join(folder, CONFIG));
    return parseConfig(bytes, file);
  });
}

function runsIn(folder: string): string[] {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return [];
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .filter((path) => existsSync(join(path, CONFIG)));
}

const isObject = (x: unknown): x is Record<string, unknown> => typeof x === 'object' && x !== null && !Array.isArray(x);
const isText = (x: unknown): x is string => typeof x === 'string';
const isCount = (x: unknown): x is number => Number.isSafeInteger(x) && (x as number) >= 0;
const orNull = (test: (x: unknown) => boolean) => (x: unknown) => x === null || test(x);
const isPositive = (x: unknown): boolean => isCount(x) && x > 0;
const isList = (x: unknown): boolean => Array.isArray(x) && x.every(isCount);

const FIELDS: Record<'task' | 'watch' | 'data' | 'device', Record<string, (x: unknown) => boolean>> = {
  task: {
    source: isText,
    target: isText,
    sourceClasses: orNull(isList),
    targetClasses: orNull(isList),
    sourceLimit: orNull(isPositive),
    targetLimit: orNull(isPositive),
    sourceTest: orNull(isText),
    targetTest: orNull(isText),
    numClasses: isCount,
  },
  watch: {
    printFreq: orNull(isPositive),
    evalFreq: isCount,
    checkpointEvery: isCount,
    perClassEval: (x) => typeof x === 'boolean',
  },
  data: { source: isText, target: isText },
  device: { device: isText, description: isText, gemmFamily: isText, subgroupSize: isCount },
};

/** What the bytes of a `config.json` say. @throws DataError if they are not what a run writes */
export function parseConfig(bytes: Uint8Array, file: string = CONFIG): RunConfig {
  const refuse = (expected: string, found: unknown): never => {
    throw new DataError({ file, offset: 0, expected, found: String(found ?? 'nothing').slice(0, 60) });
  };
  let config: unknown;
  try {
    config = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    return refuse('JSON in UTF-8', (error as Error).message);
  }
  if (!isObject(config) || !isText(config.padagrad)) return refuse('the config of a run', JSON.stringify(config));
  for (const [part, fields] of Object.entries(FIELDS)) {
    const found = config[part];
    if (!isObject(found)) return refuse(`an object ${part}`, JSON.stringify(found));
    for (const [name, test] of Object.entries(fields))
      if (!test(found[name])) refuse(`${part}.${name} as a run writes it`, JSON.stringify(found[name]));
  }
  if (!isObject(config.options)) return refuse('an object options', JSON.stringify(config.options));
  const { options } = config;
  for (const [name, value] of Object.entries(defaultOptions))
    if (typeof options[name] !== typeof value)
      refuse(`a ${typeof value} options.${name}`, JSON.stringify(options[name]));
  const read = <T>(expected: string, parse: () => T): T => {
    try {
      return parse();
    } catch (error) {
      return refuse(expected, (error as Error).message);
    }
  };
  return {
    ...(config as unknown as RunConfig),
    options: read('training options', () => completeOptions(options as Partial<TrainingOptions>)),
  };
}

// What may be said anew when a run goes on, for it changes nothing of what is learnt or kept.
const WATCHING = [
  'printFreq',
  'checkpointEvery',
  'perClassEval',
  'detectAnomaly',
  'json',
  'debug',
  'profile',
  'resume',
];

/** The flags that began a run, with what was said anew. @throws UsageError that names what contradicts the run, and both values */
export function resumedFlags(command: Command, given: TrainFlags, folder: string, config: RunConfig): TrainFlags {
  const { task, options, watch } = config;
  const begun: Record<string, unknown> = {
    ...options,
    ...task,
    evalFreq: watch.evalFreq,
    seeds: [options.seed],
    out: folder,
  };
  const said = Object.entries(given).filter(([name]) => command.getOptionValueSource(name) === 'cli');
  const contradictions = said
    .filter(([name]) => !WATCHING.includes(name))
    .filter(([name, value]) => canonical(name, value) !== canonical(name, begun[name]))
    .map(([name, value]) => `${flagOf(name)} is ${shown(begun[name])} there but ${shown(value)} here`);
  if (contradictions.length > 0)
    throw new UsageError(`--resume ${folder}: ${contradictions.join('; ')}; leave out what a run was begun with`);
  const anew = Object.fromEntries(said.filter(([name]) => WATCHING.includes(name)));
  return {
    ...options,
    source: task.source,
    target: task.target,
    ...listed('sourceClasses', task.sourceClasses),
    ...listed('targetClasses', task.targetClasses),
    ...(task.sourceLimit !== null && { sourceLimit: task.sourceLimit }),
    ...(task.targetLimit !== null && { targetLimit: task.targetLimit }),
    ...(task.sourceTest !== null && { sourceTest: task.sourceTest }),
    ...(task.targetTest !== null && { targetTest: task.targetTest }),
    ...(watch.printFreq !== null && { printFreq: watch.printFreq }),
    evalFreq: watch.evalFreq,
    checkpointEvery: watch.checkpointEvery,
    perClassEval: watch.perClassEval,
    out: folder,
    ...anew,
  };
}

/** A job that goes on with a run. @throws UsageError if the data is not what the run began with */
export function resumedJob(job: Job, config: RunConfig): Job {
  for (const side of ['source', 'target'] as const) {
    if (checksumOf(job.data[side]) !== config.data[side])
      throw new UsageError(
        `--resume ${job.out}: the images or labels of ${config.task[side]} are not those that the run began with; put them back`,
      );
  }
  if (job.task.numClasses !== config.task.numClasses)
    throw new UsageError(
      `--resume ${job.out}: task.numClasses is ${config.task.numClasses} in ${CONFIG}, but ${config.task.source} has ${job.task.numClasses} classes; correct ${CONFIG}`,
    );
  return { ...job, resume: config };
}

const listed = (name: 'sourceClasses' | 'targetClasses', list: readonly number[] | null) =>
  list ? { [name]: list.join(',') } : {};

/** One text for what means the same: 0-2 and 0,1,2, or a folder by two of its names. */
function canonical(name: string, value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (name === 'out') {
    const place = statSync(String(value), { throwIfNoEntry: false });
    return place ? `${place.dev}:${place.ino}` : String(value);
  }
  if (!name.endsWith('Classes') || !isText(value)) return String(value);
  try {
    return String(parseClasses(value));
  } catch {
    return value;
  }
}

const shown = (value: unknown): string => (value === null || value === undefined ? 'not given' : String(value));
