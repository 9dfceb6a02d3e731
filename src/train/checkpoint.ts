// Checkpoints: the whole state of a run as one value, and as the bytes of a safetensors file with a checksum. A file that was changed or
// cut off is refused.
import { type Check, isObject, wholeFrom } from '../checks/options.ts';
import { DataError } from '../data/errors.ts';
import type { Jitter } from '../data/jitter.ts';
import { decodeSafetensors, encodeSafetensors } from '../io/safetensors.ts';
import type { StateDict, Stateful } from '../nn/stateDict.ts';
import type { Method } from './methods/method.ts';
import { completeOptions, type TrainingOptions } from './options.ts';

/** The amounts of each side's jitter, if it has one. */
type JitterAmountsOf = Readonly<Partial<Record<'source' | 'target', Jitter['amounts']>>>;

/** @internal */
export const amountsOf = ({
  source,
  target,
}: { [Side in 'source' | 'target']: Jitter | undefined }): JitterAmountsOf => ({
  ...(source && { source: source.amounts }),
  ...(target && { target: target.amounts }),
});

/** @internal Throws `TypeError` if a checkpoint is of another jitter than the one of a run. */
export function checkSameJitter(who: string, { jitter }: Checkpoint, now: Parameters<typeof amountsOf>[0]): void {
  for (const side of ['source', 'target'] as const) {
    const [then, given] = [jitter[side], now[side]?.amounts].map((amounts) => JSON.stringify(amounts) ?? 'none');
    if (then === given) continue;
    throw new TypeError(`${who}: the checkpoint has ${side}Jitter ${then}, but it is ${given} now; pass the same`);
  }
}

/**
 * The whole state of a run between two iterations. A run that resumes from it is bit-identical to an uninterrupted one. As a
 * file it is a safetensors file with a checksum: tensors hold the state, the metadata everything else.
 */
export interface Checkpoint {
  /** Iterations done. */
  iteration: number;
  /** The method's name and its own options, defaults included. */
  method: { name: string; options: Method['options'] };
  /** The amounts by which source and target images change at random; of those that do. */
  jitter: JitterAmountsOf;
  /** The name of the images' geometry, or `none`. Left out for data that is no images. */
  geometry?: string;
  options: TrainingOptions;
  /** State of the model, the method's networks, the optimiser, class weights and samplers, by name. */
  tensors: StateDict;
}

const count = wholeFrom(0);

/** @internal */
export const aCheckpoint: Check = {
  wanted: 'a Checkpoint, as `await decodeCheckpoint(bytes)` and onCheckpoint give',
  holds(value) {
    const { iteration, method, jitter, tensors } = (value ?? {}) as Partial<Checkpoint>;
    return count.holds(iteration) && isMethod(method) && isObject(jitter) && tensors instanceof Map;
  },
};

const isMethod = (value: unknown): value is Checkpoint['method'] => {
  const { name, options } = (value ?? {}) as Partial<Checkpoint['method']>;
  return (
    typeof name === 'string' &&
    Object.values(options ?? [Number.NaN]).every((option) => typeof option === 'string' || Number.isFinite(option))
  );
};

const KIND = 'padagrad checkpoint 1';
const BLANK = '0'.repeat(64);
const FIELD = /"checksum":"([0-9a-f]{64})"/;

/** Encodes a checkpoint as the bytes of a file. Equal checkpoints give equal bytes. */
export async function encodeCheckpoint(checkpoint: Checkpoint): Promise<Uint8Array<ArrayBuffer>> {
  const { iteration, method, jitter, geometry, options, tensors } = checkpoint;
  const texts = {
    format: 'pt',
    kind: KIND,
    iteration: String(iteration),
    method: JSON.stringify({ name: method.name, options: method.options }),
    jitter: JSON.stringify(jitter),
    ...(geometry !== undefined && { geometry }),
    options: JSON.stringify(options),
    checksum: BLANK,
  };
  const bytes = encodeSafetensors(tensors, texts);
  const at = placeOf(bytes)!;
  bytes.set(new TextEncoder().encode(await sha256(bytes)), at);
  return bytes;
}

/**
 * Decodes the bytes that {@link encodeCheckpoint} returned.
 *
 * @param file names the file in messages
 * @throws DataError if the bytes are not a checkpoint, or if any of them changed
 */
export async function decodeCheckpoint(source: Uint8Array, file = 'checkpoint'): Promise<Checkpoint> {
  const refuse = (expected: string, found: string): never => {
    throw new DataError({ file, offset: 0, expected, found });
  };
  const { tensors, metadata } = decodeSafetensors(source, file);
  const kind = metadata.get('kind');
  if (kind !== KIND) refuse(`a ${KIND}`, kind ?? 'another safetensors file');
  // The slice() of Node's Buffer does not copy.
  const bytes = new Uint8Array(source);
  const at = placeOf(bytes);
  if (at === undefined) return refuse('a checksum', 'none');
  const checksum = new TextDecoder().decode(bytes.subarray(at, at + BLANK.length));
  bytes.fill('0'.charCodeAt(0), at, at + BLANK.length);
  const actual = await sha256(bytes);
  if (actual !== checksum) refuse(`content with the checksum ${checksum}`, actual);
  const iteration = Number(metadata.get('iteration'));
  if (!count.holds(iteration)) refuse('an iteration', String(metadata.get('iteration')));
  const read = <T>(name: string, expected: string, parse: (json: unknown) => T): T => {
    try {
      return parse(JSON.parse(metadata.get(name) ?? ''));
    } catch (error) {
      return refuse(expected, (error as Error).message);
    }
  };
  const options = read('options', 'training options', (json) => completeOptions(json as Partial<TrainingOptions>));
  const method = read('method', 'a method', (json) => {
    if (isMethod(json)) return json;
    throw new TypeError(JSON.stringify(json));
  });
  const jitter = read('jitter', 'the amounts of a jitter', (json) => {
    if (isObject(json)) return json as JitterAmountsOf;
    throw new TypeError(JSON.stringify(json));
  });
  const geometry = metadata.get('geometry');
  return { iteration, method, jitter, ...(geometry !== undefined && { geometry }), options, tensors };
}

/** Returns the tensors of all parts, each prefixed by the name of its part. */
export async function stateOf(parts: Readonly<Record<string, Stateful>>): Promise<StateDict> {
  const states = await Promise.all(
    Object.entries(parts).map(async ([name, part]) => [name, await part.stateDict()] as const),
  );
  return new Map(
    states.flatMap(([name, state]) => [...state].map(([key, value]) => [`${name}.${key}`, value] as const)),
  );
}

/** Loads what {@link stateOf} returned. Throws `TypeError` for tensors of other parts, or if a part refuses its own. */
export function loadState(parts: Readonly<Record<string, Stateful>>, tensors: StateDict): void {
  const foreign = [...tensors.keys()].filter((key) => !Object.hasOwn(parts, key.split('.')[0]!));
  if (foreign.length > 0)
    throw new TypeError(`restore: the checkpoint is of another run; it has ${foreign.join(', ')}`);
  for (const [name, part] of Object.entries(parts)) {
    const own = [...tensors].filter(([key]) => key.startsWith(`${name}.`));
    part.loadStateDict(new Map(own.map(([key, value]) => [key.slice(name.length + 1), value])));
  }
}

/** Returns the position of the checksum's digits in the file. */
function placeOf(bytes: Uint8Array): number | undefined {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const { buffer, byteOffset } = bytes;
  // One byte per character, so that positions in the text are positions in the file.
  const header = new TextDecoder('latin1').decode(new Uint8Array(buffer, byteOffset, 8 + length));
  const found = FIELD.exec(header);
  return found ? found.index + found[0].indexOf(':') + 2 : undefined;
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
