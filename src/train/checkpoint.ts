import { type Check, wholeFrom } from '../checks/options.ts';
import { DataError } from '../data/errors.ts';
import type { GemmVariants } from '../gemm/variants.ts';
import { decodeSafetensors, encodeSafetensors } from '../io/safetensors.ts';
import type { StateDict } from '../nn/stateDict.ts';
import { completeOptions, type TrainingOptions } from './options.ts';
import { parseVariants } from './variants.ts';

/**
 * The whole state of a training between two iterations. A run that resumes from it computes the bits of an unbroken run.
 * As a file it is a safetensors file with a checksum: the state is in its tensors, the rest in its texts.
 */
export interface Checkpoint {
  /** Iterations done. */
  iteration: number;
  options: TrainingOptions;
  /** The GEMM variants that computed it. Default: those that the sizes suggest. */
  gemmVariants?: GemmVariants;
  /** Model, discriminator, optimiser, class weights and data order by name, as `Training.state()` gives them. */
  tensors: StateDict;
}

const count = wholeFrom(0);

/** @internal A checkpoint, by its parts. */
export const asCheckpoint: Check = {
  wanted: 'a Checkpoint, as `await decodeCheckpoint(bytes)` and onCheckpoint give',
  holds(value) {
    const { iteration, tensors } = (value ?? {}) as Partial<Checkpoint>;
    return count.holds(iteration) && tensors instanceof Map;
  },
};

const KIND = 'padagrad checkpoint 1';
const BLANK = '0'.repeat(64);
const FIELD = /"checksum":"([0-9a-f]{64})"/;

/** Returns a checkpoint as bytes: the same checkpoint gives the same bytes. */
export async function encodeCheckpoint(checkpoint: Checkpoint): Promise<Uint8Array<ArrayBuffer>> {
  const { iteration, options, gemmVariants, tensors } = checkpoint;
  const texts = {
    format: 'pt',
    kind: KIND,
    iteration: String(iteration),
    options: JSON.stringify(options),
    ...(gemmVariants && { gemmVariants: JSON.stringify(gemmVariants) }),
    checksum: BLANK,
  };
  const bytes = encodeSafetensors(tensors, texts);
  const at = placeOf(bytes)!;
  bytes.set(new TextEncoder().encode(await sha256(bytes)), at);
  return bytes;
}

/**
 * Reads what {@link encodeCheckpoint} wrote.
 *
 * @param file names the file in messages
 * @throws DataError if the bytes are not a checkpoint, or not the ones that were written
 */
export async function decodeCheckpoint(source: Uint8Array, file = 'checkpoint'): Promise<Checkpoint> {
  const refuse = (expected: string, found: string): never => {
    throw new DataError({ file, offset: 0, expected, found });
  };
  const { tensors, metadata } = decodeSafetensors(source, file);
  const kind = metadata.get('kind');
  if (kind !== KIND) refuse(`a ${KIND}`, kind ?? 'another safetensors file');
  // Node's Buffer has a slice() of its own, which is no copy.
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
  const gemmVariants = metadata.has('gemmVariants')
    ? read('gemmVariants', 'variants of matrix products', parseVariants)
    : undefined;
  return { iteration, options, ...(gemmVariants && { gemmVariants }), tensors };
}

/** A part of a training that has a state. */
export interface Stateful {
  stateDict(): StateDict | Promise<StateDict>;
  loadStateDict(state: StateDict): void;
}

/** The tensors of all parts, each with the name of its part in front. */
export async function stateOf(parts: Readonly<Record<string, Stateful>>): Promise<StateDict> {
  const states = await Promise.all(
    Object.entries(parts).map(async ([name, part]) => [name, await part.stateDict()] as const),
  );
  return new Map(
    states.flatMap(([name, state]) => [...state].map(([key, value]) => [`${name}.${key}`, value] as const)),
  );
}

/** Loads what {@link stateOf} gave. @throws TypeError for tensors of other parts, or what a part refuses */
export function loadState(parts: Readonly<Record<string, Stateful>>, tensors: StateDict): void {
  const foreign = [...tensors.keys()].filter((key) => !Object.hasOwn(parts, key.split('.')[0]!));
  if (foreign.length > 0)
    throw new TypeError(`restore: the checkpoint is of another training: it has ${foreign.join(', ')}`);
  for (const [name, part] of Object.entries(parts)) {
    const own = [...tensors].filter(([key]) => key.startsWith(`${name}.`));
    part.loadStateDict(new Map(own.map(([key, value]) => [key.slice(name.length + 1), value])));
  }
}

/** Where the digits of the checksum are in the header. */
function placeOf(bytes: Uint8Array): number | undefined {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const { buffer, byteOffset } = bytes;
  // One byte a character, so that places in the text are places in the file.
  const header = new TextDecoder('latin1').decode(new Uint8Array(buffer, byteOffset, 8 + length));
  const found = FIELD.exec(header);
  return found ? found.index + found[0].indexOf(':') + 2 : undefined;
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
