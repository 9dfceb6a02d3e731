import { defaultRunOptions, type MethodName } from '../../src/train/methods/named.ts';

/** The methods that the page compares. */
export const PAGE_METHODS: readonly MethodName[] = ['source-only', 'dann', 'pada'];

/** Everything that a visitor can choose. The part of the address after # holds it. */
export interface Settings {
  /** Methods to compare, at least one. */
  methods: readonly MethodName[];
  /** Digits that occur in the target, at least one, ascending. */
  digits: readonly number[];
  temperature: number;
  tradeOff: number;
  /** Iterations between two updates of the class weights. */
  updateSteps: number;
  seed: number;
  /** Images per batch, of each domain. */
  batch: number;
  /** Iterations per second; Infinity is no limit. */
  speed: number;
  /** Whether training runs; undefined until the visitor starts or pauses it. */
  run: boolean | undefined;
}

export const DIGITS: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
export const SPEEDS: readonly number[] = [1, 2, 5, 10, 30, Number.POSITIVE_INFINITY];

/** The range of each numeric setting, and whether it is a whole number. */
export const RANGES = {
  temperature: { least: 0.01, most: 10, whole: false },
  tradeOff: { least: 0, most: 5, whole: false },
  updateSteps: { least: 1, most: 1000, whole: true },
  seed: { least: 0, most: 2 ** 32 - 1, whole: true },
  batch: { least: 2, most: 256, whole: true },
} as const;
type Ranged = keyof typeof RANGES;

export const defaultSettings: Readonly<Settings> = {
  methods: ['dann', 'pada'],
  digits: [0, 1, 2, 3, 4],
  temperature: defaultRunOptions.temperature,
  tradeOff: defaultRunOptions.tradeOff,
  updateSteps: defaultRunOptions.classWeightUpdateSteps,
  seed: defaultRunOptions.seed,
  batch: defaultRunOptions.batchSize,
  speed: Number.POSITIVE_INFINITY,
  run: undefined,
};

/** Reads settings from an address's part after #. Missing or invalid settings get their defaults. */
export function parseSettings(hash: string): Settings {
  const given = new URLSearchParams(hash.replace(/^#/, ''));
  const settings: Settings = { ...defaultSettings };
  for (const name of Object.keys(RANGES) as Ranged[]) settings[name] = clamp(name, given.get(name));
  const methods = given.get('methods')?.split(',') ?? [];
  const known = PAGE_METHODS.filter((method) => methods.includes(method));
  if (known.length > 0) settings.methods = known;
  const digits = given.get('digits') ?? '';
  const held = DIGITS.filter((digit) => digits.includes(String(digit)));
  if (held.length > 0) settings.digits = held;
  const speed = Number(given.get('speed'));
  if (SPEEDS.includes(speed)) settings.speed = speed;
  const run = given.get('run');
  if (run === '0' || run === '1') settings.run = run === '1';
  return settings;
}

/** Returns the part of an address after #. It leaves out settings that have their defaults. */
export function showSettings(settings: Settings): string {
  const texts = textsOf(settings);
  const defaults = textsOf(defaultSettings);
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

const textsOf = ({ methods, digits, speed, run, ...numbers }: Settings): Record<string, string> => ({
  methods: methods.join(','),
  digits: digits.join(''),
  ...Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, String(value)])),
  speed: Number.isFinite(speed) ? String(speed) : '',
  run: run === undefined ? '' : String(Number(run)),
});
