// config.json: what a run was started with. A resumed run takes everything from it, and refuses flags that contradict it.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import {
  anything,
  type Check,
  checkOptions,
  flag,
  type OptionChecks,
  oneOf,
  orNull,
  text,
  wholeFrom,
} from '../../checks/options.ts';
import { exampleShape, type HostData, isFeatures, labelsOf, showExample } from '../../data/host.ts';
import { jitterText, parseJitter } from '../../data/jitter.ts';
import { parseClasses } from '../../data/subset.ts';
import { MODEL_NAMES, type ModelName } from '../../models/names.ts';
import { completeRunOptions, defaultRunOptions, type RunOptions } from '../../train/methods/named.ts';
import { UsageError } from '../errors.ts';
import type { TrainFlags } from '../flags.ts';
import { flagOf } from '../flagValues.ts';
import type { Device } from '../gpu.ts';
import { readNamed } from './files.ts';

export const CONFIG = 'config.json';

/** The data of a run, as its flags name it. Null means that a flag was not given. */
export interface Task {
  source: string;
  target: string;
  sourceClasses: readonly number[] | null;
  targetClasses: readonly number[] | null;
  sourceLimit: number | null;
  targetLimit: number | null;
  sourceTest: string | null;
  targetTest: string | null;
  imageSize: string | null;
  resize: string | null;
  channels: string | null;
  skipUnreadable: boolean | null;
  labels: string | null;
  labelColumn: string | null;
  root: string | null;
  arch: ModelName;
  weights: string | null;
  standardize: string | null;
  numClasses: number;
}

/** How a run is reported and saved. It does not change the result. */
export interface Watch {
  /** Null: depends on the terminal. */
  printFreq: number | null;
  evalFreq: number;
  checkpointEvery: number;
  perClassEval: boolean;
}

/** The content of config.json. */
export interface RunConfig {
  /** The version that started the run. */
  padagrad: string;
  task: Task;
  options: RunOptions;
  watch: Watch;
  /** Checksums of the images and labels. */
  data: { source: string; target: string };
  device: Device;
}

const isCount = wholeFrom(0).holds;
const classList: Check = { wanted: 'a list of classes', holds: (x) => Array.isArray(x) && x.every(isCount) };

const PARTS: { [Part in 'task' | 'watch' | 'data' | 'device']: OptionChecks<RunConfig[Part]> } = {
  task: {
    source: text,
    target: text,
    sourceClasses: orNull(classList),
    targetClasses: orNull(classList),
    sourceLimit: orNull(wholeFrom(1)),
    targetLimit: orNull(wholeFrom(1)),
    sourceTest: orNull(text),
    targetTest: orNull(text),
    imageSize: orNull(text),
    resize: orNull(text),
    channels: orNull(text),
    skipUnreadable: orNull(flag),
    labels: orNull(text),
    labelColumn: orNull(text),
    root: orNull(text),
    arch: oneOf(...MODEL_NAMES),
    weights: orNull(text),
    standardize: orNull(text),
    numClasses: wholeFrom(0),
  },
  watch: { printFreq: orNull(wholeFrom(1)), evalFreq: wholeFrom(0), checkpointEvery: wholeFrom(0), perClassEval: flag },
  data: { source: text, target: text },
  device: {
    vendor: text,
    architecture: text,
    device: text,
    description: text,
    software: flag,
    gemmFamily: text,
    subgroupSize: wholeFrom(0),
  },
};

/** Returns the SHA-256 of examples and labels. */
export function checksumOf(data: HostData): string {
  const hash = createHash('sha256').update(`${showExample(exampleShape(data))} ${data.labels ? 'labelled' : 'bare'}\n`);
  return hash
    .update(isFeatures(data) ? data.features : data.images)
    .update(data.labels ? labelsOf(data) : '')
    .digest('hex');
}

/** Returns the sides whose examples are no longer those that a run began with. */
export const changedSides = (data: RunData, config: RunConfig): (keyof RunData)[] =>
  (['source', 'target'] as const).filter((side) => checksumOf(data[side]) !== config.data[side]);

/**
 * {@link changedSides} for data that is not standardised. Vectors that the run standardised cannot be compared with it: checksums are of
 * the result.
 */
export const changedBareSides = (data: RunData, config: RunConfig): (keyof RunData)[] =>
  isFeatures(data.source) && (config.task.standardize ?? config.task.weights) ? [] : changedSides(data, config);

type RunData = Record<'source' | 'target', HostData>;

/** Reads the config.json of a run's folder. @throws UsageError if there is none, or if a run did not write it */
export async function readConfig(folder: string): Promise<RunConfig> {
  const path = join(folder, CONFIG);
  if (!existsSync(path)) {
    const runs = runsIn(folder);
    const hint = runs.length > 0 ? `; it contains these runs: ${runs.join(', ')}` : '';
    throw new UsageError(`--resume ${folder}: not a run folder (no ${CONFIG})${hint}`);
  }
  return parseConfig((await readNamed(path)).bytes, path);
}

/** Returns the runs in a folder, and in the folders that it holds, as several methods and seeds have them. */
export function runsIn(folder: string, levels = 2): string[] {
  if (levels === 0 || !statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return [];
  return readdirSync(folder)
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .map((name) => join(folder, name))
    .flatMap((path) => (existsSync(join(path, CONFIG)) ? [path] : runsIn(path, levels - 1)));
}

/** Parses the bytes of a config.json. @throws UsageError if a run did not write them */
export function parseConfig(bytes: Uint8Array, file: string = CONFIG): RunConfig {
  try {
    const config = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    const require = (part: string, given: unknown, checks: Record<string, Check>) =>
      checkOptions(part, given, checks, Object.keys(checks));
    const anyOf = (names: string[]) => Object.fromEntries(names.map((name) => [name, anything]));
    require('config', config, { padagrad: text, options: anything, ...anyOf(Object.keys(PARTS)) });
    for (const [part, checks] of Object.entries(PARTS)) require(part, config[part], { ...checks });
    require('options', config.options, anyOf(Object.keys(defaultRunOptions)));
    return { ...config, options: completeRunOptions(config.options) };
  } catch (cause) {
    throw new UsageError(`${file}: ${(cause as Error).message}`, { cause });
  }
}

// Flags that a resumed run may change: they do not affect what it computes or saves.
const CHANGEABLE = [
  'printFreq',
  'checkpointEvery',
  'perClassEval',
  'detectAnomaly',
  'json',
  'debug',
  'profile',
  'resume',
];

/** Returns the flags that started a run, but for its seed and its folder. */
export function startedFlags({ options, task, watch }: RunConfig): TrainFlags {
  const { numClasses: _, ...others } = task;
  const flags = Object.entries({ ...options, ...others, ...watch });
  return Object.fromEntries(flags.filter(([, value]) => value !== null && value !== undefined)) as never;
}

/**
 * Returns the flags that started a run, with those of this command that may change.
 *
 * @throws UsageError that names each flag that contradicts the run, with both values
 */
export function resumedFlags<Flags extends TrainFlags>(
  command: Command,
  given: Flags,
  folder: string,
  config: RunConfig,
): Flags {
  const started = { ...startedFlags(config), out: folder };
  const began: Record<string, unknown> = { ...started, seeds: [config.options.seed] };
  const explicit = Object.entries(given).filter(([name]) => command.getOptionValueSource(name) === 'cli');
  const contradictions = explicit
    .filter(([name]) => !CHANGEABLE.includes(name))
    .filter(([name, value]) => canonical(name, value) !== canonical(name, began[name]))
    .map(
      ([name, value]) => `${flagOf(name)} was ${shown(began[name])} when the run started but is ${shown(value)} now`,
    );
  if (contradictions.length > 0)
    throw new UsageError(`--resume ${folder}: ${contradictions.join('; ')}; omit it to resume`);
  const changed = explicit.filter(([name]) => CHANGEABLE.includes(name));
  return { ...started, ...Object.fromEntries(changed) } as Flags;
}

/** Returns one text for values that mean the same, such as 0-2 and 0,1,2 or two paths of a folder. */
function canonical(name: string, value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (name === 'out') {
    const place = statSync(String(value), { throwIfNoEntry: false });
    return place ? `${place.dev}:${place.ino}` : String(value);
  }
  if (typeof value !== 'string') return String(value);
  try {
    if (name.endsWith('Jitter')) return jitterText(parseJitter(name, value)?.amounts);
    if (name.endsWith('Classes')) return String(parseClasses(value));
  } catch {
    // The flag's own check refuses it.
  }
  return value;
}

const shown = (value: unknown): string => (value === null || value === undefined ? 'not given' : String(value));
