import fc from 'fast-check';
import { DataError } from '../../src/data/errors.ts';

/** Inputs per reader: 300, or PADAGRAD_INPUTS (`npm run soak`: 10,000). */
export const INPUTS = Number(process.env.PADAGRAD_INPUTS ?? 300);
/** The longest time for an input. */
const MOST_MS = 2000;
const MOST_BYTES = 256 * 2 ** 20;

/** A change to a file: one or four bytes set, bytes inserted, removed or repeated, the end cut off. */
const edit = fc.record({
  kind: fc.constantFrom('set', 'set', 'flip', 'flip', 'number', 'insert', 'remove', 'repeat', 'cut', 'append'),
  // In ten-thousandths of the file. Headers matter most, so half of the changes are made there.
  at: fc.oneof(fc.nat(9999), fc.nat(500)),
  length: fc.integer({ min: 1, max: 40 }),
  value: fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0x22, 0x2c, 0x30, 0x39, 0x5b, 0x7b, 0x7d)),
  // Wrong sizes and offsets.
  number: fc.constantFrom(0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0x01000000, 0x00ffffff),
  littleEndian: fc.boolean(),
});
type Edit = typeof edit extends fc.Arbitrary<infer T> ? T : never;

function apply(bytes: Uint8Array, { kind, at, length, value, number, littleEndian }: Edit): Uint8Array {
  const place = Math.floor((at / 10_000) * bytes.length);
  const [before, after] = [bytes.subarray(0, place), bytes.subarray(place)];
  const join = (...parts: Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts));
  const copy = Uint8Array.from(bytes);
  switch (kind) {
    case 'set':
      copy[place] = value;
      return copy;
    case 'flip':
      copy[place]! ^= 1 << (value % 8);
      return copy;
    case 'number':
      if (place + 4 <= copy.length) new DataView(copy.buffer).setUint32(place, number, littleEndian);
      return copy;
    case 'insert':
      return join(before, new Uint8Array(length).fill(value), after);
    case 'remove':
      return join(before, after.subarray(length));
    case 'repeat':
      return join(before, after.subarray(0, length), after);
    case 'cut':
      return before;
    default:
      return join(bytes, new Uint8Array(length).fill(value));
  }
}

/** Good files with up to three changes. */
const mutated = (good: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> =>
  fc
    .tuple(fc.constantFrom(...good), fc.array(edit, { minLength: 1, maxLength: 3 }))
    .map(([bytes, edits]) => edits.reduce(apply, bytes));

/** Random bytes after the beginning of a good file, or after nothing. */
const noise = (good: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> =>
  fc
    .tuple(
      fc.constantFrom(new Uint8Array(), ...good),
      fc.integer({ min: 0, max: 64 }),
      fc.uint8Array({ maxLength: 2048 }),
    )
    .map(([head, length, tail]) => Uint8Array.from(Buffer.concat([head.subarray(0, length), tail])));

/** Three quarters are changed good files, the others are noise. */
export const near = (good: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> =>
  fc.oneof({ arbitrary: mutated(good), weight: 3 }, noise(good));

/**
 * Gives a reader its good files, which must load, and then all inputs. Each input must load and pass `check`, or be refused with a
 * DataError that names the file, the offset, what was expected and what was found. Both must be quick and need little memory.
 */
export async function readAll<T>(
  name: string,
  good: readonly Uint8Array[],
  read: (bytes: Uint8Array) => T | Promise<T>,
  check: (value: T, bytes: Uint8Array) => void | Promise<void>,
  inputs = near(good),
  isRefusal: (error: unknown) => boolean = isDataError,
): Promise<void> {
  const outcome = { loaded: 0, refused: 0, slowestMs: 0 };
  for (const bytes of good) await check(await read(bytes), bytes);
  const before = process.memoryUsage.rss();
  await fc.assert(
    fc.asyncProperty(inputs, async (bytes) => {
      // CPU time, so that a busy machine fails no test.
      const began = process.cpuUsage();
      const answer = await attempt(() => read(bytes));
      const { user, system } = process.cpuUsage(began);
      const took = (user + system) / 1000;
      outcome.slowestMs = Math.max(outcome.slowestMs, took);
      if (took > MOST_MS) throw new Error(`${name}: took ${took} ms`);
      if ('error' in answer) {
        if (!isRefusal(answer.error)) throw answer.error;
        outcome.refused++;
        return;
      }
      outcome.loaded++;
      await check(answer.value, bytes);
    }),
    { numRuns: INPUTS },
  );
  const grown = process.resourceUsage().maxRSS * 1024 - before;
  if (grown > MOST_BYTES) throw new Error(`${name}: took ${Math.round(grown / 2 ** 20)} MiB`);
  console.log(
    `${name}: ${INPUTS} inputs, ${outcome.loaded} loaded, ${outcome.refused} refused, slowest ${outcome.slowestMs.toFixed(1)} ms`,
  );
}

async function attempt<T>(read: () => T | Promise<T>): Promise<{ value: T } | { error: unknown }> {
  try {
    return { value: await read() };
  } catch (error) {
    return { error };
  }
}

function isDataError(error: unknown): boolean {
  if (!(error instanceof DataError)) return false;
  const { file, offset, expected, found, message } = error;
  const isComplete = file && expected && found && Number.isSafeInteger(offset) && offset >= 0;
  if (!isComplete || message.length > 1000) throw new Error(`this error says too little or too much: ${message}`);
  return true;
}
