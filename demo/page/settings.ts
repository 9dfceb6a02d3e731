import { defaultOptions, type Method } from '../../src/train/options.ts';

/** All that a visitor chooses: what the address holds after its #. */
export interface Settings {
  /** The trainings shown, at least one. */
  methods: readonly Method[];
  /** The digits that the target holds, at least one, ascending. */
  digits: readonly number[];
  temperature: number;
  tradeOff: number;
  /** Iterations between two updates of the class weights. */
  updateSteps: number;
  seed: number;
  /** Images a batch, of each domain. */
  batch: number;
  /** Iterations a second; Infinity is as fast as it goes. */
  speed: number;
  /** Whether training runs; undefined where nobody has said so yet. */
  run: boolean | undefined;
}

export const METHODS: readonly Method[] = ['source-only', 'dann', 'pada'];
export const DIGITS: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
export const SPEEDS: readonly number[] = [1, 2, 5, 10, 30, Number.POSITIVE_INFINITY];

/** Where numbers may lie, and whether they are whole. */
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
  temperature: defaultOptions.temperature,
  tradeOff: defaultOptions.tradeOff,
  updateSteps: defaultOptions.classWeightUpdateSteps,
  seed: defaultOptions.seed,
  batch: defaultOptions.batchSize,
  speed: Number.POSITIVE_INFINITY,
  run: undefined,
};

/** The settings in an address's part after its #; what is missing there, or is nonsense, is as by default. */
export function parseSettings(hash: string): Settings {
  const given = new URLSearchParams(hash.replace(/^#/, ''));
  const settings: Settings = { ...defaultSettings };
  for (const name of Object.keys(RANGES) as Ranged[]) settings[name] = within(name, given.get(name));
  const methods = given.get('methods')?.split(',') ?? [];
  const shown = METHODS.filter((method) => methods.includes(method));
  if (shown.length > 0) settings.methods = shown;
  const digits = given.get('digits') ?? '';
  const held = DIGITS.filter((digit) => digits.includes(String(digit)));
  if (held.length > 0) settings.digits = held;
  const speed = Number(given.get('speed'));
  if (SPEEDS.includes(speed)) settings.speed = speed;
  const run = given.get('run');
  if (run === '0' || run === '1') settings.run = run === '1';
  return settings;
}

/** The part of an address after its # that says these settings, in short: what is as by default is left out. */
export function showSettings(settings: Settings): string {
  const texts = textsOf(settings);
  const usual = textsOf(defaultSettings);
  const said = Object.entries(texts).filter(([name, text]) => text !== usual[name]);
  return said.map(([name, text]) => `${name}=${text}`).join('&');
}

/** A number as a visitor or an address gives it, kept within its range; the default where it is none. */
export function within(name: Ranged, given: string | null): number {
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
