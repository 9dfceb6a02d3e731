// The page's settings: their names, ranges and defaults, and their form in the page's address.
import { EMOJI_CLASSES } from '../../src/data/emojiClasses.ts';
import type { Resize } from '../../src/data/readers/images.ts';
import type { MethodName } from '../../src/train/methods/named.ts';
import { padaDefaults } from '../../src/train/methods/pada.ts';
import { selfTrainingDefaults } from '../../src/train/methods/selfTraining.ts';
import { defaultOptions } from '../../src/train/options.ts';

/** The methods that the page compares. */
export const PAGE_METHODS: readonly MethodName[] = ['source-only', 'dann', 'pada', 'self-training'];
/** The methods that have class weights. */
export const WEIGHTED: readonly MethodName[] = ['pada', 'self-training'];

/** Everything that a visitor can choose. The part of the address after # holds it. */
export interface Settings {
  task: TaskName;
  /** Methods to compare, at least one. */
  methods: readonly MethodName[];
  /** Classes that occur in the target, at least one, ascending. Own images contain what they contain. */
  classes: readonly number[];
  /** PADA's; self-training has its own. */
  temperature: number;
  tradeOff: number;
  /** Iterations between two updates of the class weights. */
  updateSteps: number;
  /** Least probability of a label that self-training gives itself. */
  threshold: number;
  /** The iteration that these labels begin at. */
  pseudoFrom: number;
  seed: number;
  /** Images per batch, of each domain. */
  batch: number;
  /** Height and width that own images are brought to. */
  size: number;
  /** How own images are brought to that size. */
  resize: Resize;
  /** Channels of own images: 1 (grey) or 3. */
  channels: 1 | 3;
  /** Iterations per second; Infinity is no limit. */
  speed: number;
  /** Whether training runs; undefined until the visitor starts or pauses it. */
  run: boolean | undefined;
}

/** The images that the page can train on. */
export const TASK_NAMES = ['digits', 'emoji', 'own'] as const;
export type TaskName = (typeof TASK_NAMES)[number];

/** The classes of each task; own images bring their own. */
export const CLASS_NAMES: Readonly<Record<TaskName, readonly string[]>> = {
  digits: Array.from({ length: 10 }, (_, digit) => String(digit)),
  emoji: EMOJI_CLASSES,
  own: [],
};
/** The classes that occur in the target by default. */
const CLASSES: readonly number[] = [0, 1, 2, 3, 4];

export const SPEEDS: readonly number[] = [1, 2, 5, 10, 30, Number.POSITIVE_INFINITY];
export const SIZES: readonly number[] = [28, 32, 48, 64, 96, 128];
export const RESIZES: readonly Resize[] = ['crop', 'fit', 'fill'];
export const CHANNELS: readonly (1 | 3)[] = [3, 1];

/** The range of each numeric setting, and whether it is a whole number. */
export const RANGES = {
  temperature: { least: 0.01, most: 10, whole: false },
  tradeOff: { least: 0, most: 5, whole: false },
  updateSteps: { least: 1, most: 1000, whole: true },
  threshold: { least: 0.5, most: 1, whole: false },
  pseudoFrom: { least: 0, most: 10_000, whole: true },
  seed: { least: 0, most: 2 ** 32 - 1, whole: true },
  batch: { least: 2, most: 256, whole: true },
} as const;
type Ranged = keyof typeof RANGES;

export const defaultSettings: Readonly<Settings> = {
  task: 'digits',
  methods: ['dann', 'pada'],
  classes: CLASSES,
  temperature: padaDefaults.temperature,
  tradeOff: padaDefaults.tradeOff,
  updateSteps: padaDefaults.classWeightUpdateSteps,
  threshold: selfTrainingDefaults.threshold,
  pseudoFrom: selfTrainingDefaults.pseudoFrom,
  seed: defaultOptions.seed,
  batch: defaultOptions.batchSize,
  size: 64,
  resize: 'crop',
  channels: 3,
  speed: Number.POSITIVE_INFINITY,
  run: undefined,
};

/** Reads settings from an address's part after #. Missing or invalid settings get their defaults. */
export function parseSettings(hash: string): Settings {
  const given = new URLSearchParams(hash.replace(/^#/, ''));
  const settings: Settings = { ...defaultSettings };
  for (const name of Object.keys(RANGES) as Ranged[]) settings[name] = clamp(name, given.get(name));
  const oneOf = <T>(name: string, known: readonly T[], otherwise: T): T =>
    known.find((value) => String(value) === given.get(name)) ?? otherwise;
  settings.task = oneOf('task', TASK_NAMES, settings.task);
  settings.size = oneOf('size', SIZES, settings.size);
  settings.resize = oneOf('resize', RESIZES, settings.resize);
  settings.channels = oneOf('channels', CHANNELS, settings.channels);
  settings.speed = oneOf('speed', SPEEDS, settings.speed);
  const methods = given.get('methods')?.split(',') ?? [];
  const known = PAGE_METHODS.filter((method) => methods.includes(method));
  if (known.length > 0) settings.methods = known;
  // Digits need no commas between them.
  const listed =
    settings.task === 'digits' ? [...(given.get('digits') ?? '')] : (given.get('classes') ?? '').split(',');
  const held = [...CLASS_NAMES[settings.task].keys()].filter((c) => listed.includes(String(c)));
  if (held.length > 0) settings.classes = held;
  const run = given.get('run');
  if (run === '0' || run === '1') settings.run = run === '1';
  return settings;
}

/** Returns the part of an address after #. It leaves out settings that have their defaults. */
export function showSettings(settings: Settings): string {
  const texts = textsOf(settings);
  const defaults: Record<string, string> = {
    ...textsOf({ ...defaultSettings, task: settings.task }),
    task: defaultSettings.task,
  };
  const chosen = Object.entries(texts).filter(([name, text]) => text !== defaults[name]);
  return chosen.map(([name, text]) => `${name}=${text}`).join('&');
}

/** Returns a given number, moved into its range; the default if it is no number. */
export function clamp(name: Ranged, given: string | null): number {
  const { least, most, whole } = RANGES[name];
  const value = given === null || given.trim() === '' ? Number.NaN : Number(given);
  if (!Number.isFinite(value)) return defaultSettings[name];
  return Math.min(most, Math.max(least, whole ? Math.round(value) : value));
}

const textsOf = ({ task, methods, classes, speed, run, ...others }: Settings): Record<string, string> => ({
  task,
  methods: methods.join(','),
  [task === 'digits' ? 'digits' : 'classes']: classes.join(task === 'digits' ? '' : ','),
  ...Object.fromEntries(Object.entries(others).map(([name, value]) => [name, String(value)])),
  speed: Number.isFinite(speed) ? String(speed) : '',
  run: run === undefined ? '' : String(Number(run)),
});
