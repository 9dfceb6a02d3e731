import { DataError } from '../data/errors.ts';
import { sizeOf } from '../shape.ts';
import type { HostTensor, StateDict } from '../stateDict.ts';
import { fromBfloat16, fromFloat16 } from './half.ts';
import { jsonOutline } from './jsonOutline.ts';

// The format: 8 bytes with the length of the header, little-endian; the header, a JSON object of
// name: {dtype, shape, data_offsets: [from, to]}; then the data that those offsets count from its start. Every byte of the
// data belongs to exactly one tensor (https://github.com/huggingface/safetensors).

/** Tensors by name, and the free texts of the header. */
export interface Safetensors {
  tensors: StateDict;
  metadata: Map<string, string>;
}

interface Entry {
  name: string;
  dtype: keyof typeof READERS;
  shape: number[];
  from: number;
  to: number;
}

type Data = HostTensor['data'];

// The bytes given to a reader are a copy of the tensor's own, aligned and as long as its shape says.
const READERS = {
  F64: { bytes: 8, read: (raw: ArrayBuffer): Data => new Float64Array(raw) },
  F32: { bytes: 4, read: (raw: ArrayBuffer): Data => new Float32Array(raw) },
  F16: { bytes: 2, read: (raw: ArrayBuffer): Data => Float32Array.from(new Uint16Array(raw), fromFloat16) },
  BF16: { bytes: 2, read: (raw: ArrayBuffer): Data => Float32Array.from(new Uint16Array(raw), fromBfloat16) },
  I64: { bytes: 8, read: (raw: ArrayBuffer): Data => new BigInt64Array(raw) },
  U32: { bytes: 4, read: (raw: ArrayBuffer): Data => new Uint32Array(raw) },
};

const PREFIX = 8;
// Far more than any network's; a header that says more is a lie or an attack.
const MAX_HEADER = 4 << 20;
// {names {fields [numbers]}}
const DEPTH = 3;

/**
 * Tensors out of a safetensors file: F64, F32, I64, U32, and F16 and BF16 as f32. Whatever the bytes are, it returns what
 * the format says they are or throws.
 *
 * @param file names the file in messages
 * @throws DataError with the offset, what was expected there and what was found
 */
export function decodeSafetensors(source: Uint8Array | ArrayBuffer, file = 'safetensors'): Safetensors {
  // A plain array of bytes: slices of Node's Buffer are no copies.
  const bytes =
    source instanceof ArrayBuffer
      ? new Uint8Array(source)
      : new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  const refuse = (offset: number, expected: string, found: string): never => {
    throw new DataError({ file, offset, expected, found });
  };
  if (bytes.length < PREFIX) refuse(0, 'the length of the header, 8 bytes', `a file of ${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const stated = view.getBigUint64(0, true);
  const room = Math.min(MAX_HEADER, bytes.length - PREFIX);
  if (stated > BigInt(room)) refuse(0, `a header of at most ${room} bytes`, `one of ${stated}`);
  const length = Number(stated);
  const start = PREFIX + length;
  const header = parseHeader(bytes.subarray(PREFIX, start), refuse);
  const entries = [...header.tensors].map(([name, value]) => entryOf(name, value, bytes.length - start, refuse));
  checkCover(entries, bytes.length - start, start, refuse);
  const tensors: StateDict = new Map();
  for (const { name, dtype, shape, from, to } of entries) {
    tensors.set(name, { shape, data: READERS[dtype].read(bytes.slice(start + from, start + to).buffer) });
  }
  return { tensors, metadata: header.metadata };
}

/**
 * The safetensors file of some tensors: the same tensors and texts in the same order give the same bytes. Names are kept;
 * the data of wider elements stands first, so that all of it is aligned. `format: pt` is what PyTorch's loaders ask for.
 */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, HostTensor>,
  metadata: Readonly<Record<string, string>> = { format: 'pt' },
): Uint8Array<ArrayBuffer> {
  if (!(tensors instanceof Map))
    throw new TypeError('encodeSafetensors: tensors must be a Map, as `await stateDict()` is');
  const header: [string, unknown][] = [['__metadata__', metadata]];
  const order = [...tensors].sort(([, a], [, b]) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT);
  let end = 0;
  for (const [name, { shape, data }] of order) {
    if (name === '__metadata__')
      throw new TypeError('encodeSafetensors: a tensor cannot be called __metadata__; give it another name');
    if (data.length !== sizeOf(shape))
      throw new TypeError(
        `encodeSafetensors: ${name} has ${data.length} elements but its shape is [${shape}]; make them equal`,
      );
    header.push([name, { dtype: dtypeOf(data), shape, data_offsets: [end, end + data.byteLength] }]);
    end += data.byteLength;
  }
  // Written by hand: a name like __proto__ or 1 would lose itself, or its place, in an object.
  const json = new TextEncoder().encode(
    `{${header.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`,
  );
  const start = PREFIX + Math.ceil(json.length / 8) * 8;
  const file = new Uint8Array(start + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(start - PREFIX), true);
  file.fill(0x20, PREFIX, start);
  file.set(json, PREFIX);
  let at = start;
  for (const [, { data }] of order) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return file;
}

type Refuse = (offset: number, expected: string, found: string) => never;

function parseHeader(
  bytes: Uint8Array,
  refuse: Refuse,
): { tensors: Map<string, unknown>; metadata: Map<string, string> } {
  const { depth, keys } = jsonOutline(bytes);
  if (depth > DEPTH) refuse(PREFIX, `a header nested ${DEPTH} deep`, `one nested ${depth} deep`);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (error) {
    refuse(PREFIX, 'a header in JSON and UTF-8', (error as Error).message);
  }
  if (!isObject(header)) return refuse(PREFIX, 'a header that is an object', show(header));
  const fields = Object.entries(header);
  // JSON.parse keeps the last of two equal names and tells nobody.
  const distinct = fields.reduce((n, [, value]) => n + 1 + (isObject(value) ? Object.keys(value).length : 0), 0);
  if (distinct !== keys) refuse(PREFIX, 'every name once', `${keys} names, of which ${distinct} differ`);
  const metadata = new Map<string, string>();
  const tensors = new Map(fields);
  const texts = tensors.get('__metadata__') ?? {};
  tensors.delete('__metadata__');
  if (!isObject(texts)) return refuse(PREFIX, 'texts in __metadata__', show(texts));
  for (const [name, text] of Object.entries(texts)) {
    if (typeof text !== 'string') refuse(PREFIX, `a text in __metadata__.${name}`, show(text));
    metadata.set(name, text as string);
  }
  return { tensors, metadata };
}

function entryOf(name: string, value: unknown, available: number, refuse: Refuse): Entry {
  if (!isObject(value)) return refuse(PREFIX, `${name}: {dtype, shape, data_offsets}`, show(value));
  const { dtype, shape, data_offsets: offsets, ...rest } = value;
  if (Object.keys(rest).length > 0)
    refuse(PREFIX, `${name}: dtype, shape and data_offsets alone`, show(Object.keys(rest)));
  if (typeof dtype !== 'string' || !Object.hasOwn(READERS, dtype))
    return refuse(PREFIX, `${name}: dtype one of ${Object.keys(READERS)}`, show(dtype));
  if (!isSizes(shape)) return refuse(PREFIX, `${name}: a shape of whole numbers >= 0`, show(shape));
  if (!isSizes(offsets) || offsets.length !== 2)
    return refuse(PREFIX, `${name}: data_offsets of two whole numbers >= 0`, show(offsets));
  const [from, to] = offsets as [number, number];
  if (!(from <= to && to <= available))
    refuse(PREFIX, `${name}: data_offsets in order, within ${available} bytes of data`, show(offsets));
  const wanted = sizeOf(shape) * READERS[dtype as Entry['dtype']].bytes;
  if (to - from !== wanted) refuse(PREFIX, `${name}: ${wanted} bytes for ${dtype} ${show(shape)}`, `${to - from}`);
  return { name, dtype: dtype as Entry['dtype'], shape, from, to };
}

function checkCover(entries: readonly Entry[], available: number, start: number, refuse: Refuse): void {
  let end = 0;
  for (const { name, from, to } of [...entries].sort((a, b) => a.from - b.from || a.to - b.to)) {
    if (from !== end)
      refuse(start + end, `${name}: data from offset ${end} on, with neither overlap nor gap`, `data from ${from} on`);
    end = to;
  }
  if (end !== available)
    refuse(start + end, `the end of the file after ${end} bytes of data`, `${available - end} more`);
}

function dtypeOf(data: Data): keyof typeof READERS {
  if (data instanceof Float32Array) return 'F32';
  if (data instanceof Float64Array) return 'F64';
  return data instanceof Uint32Array ? 'U32' : 'I64';
}

const isObject = (x: unknown): x is Record<string, unknown> => typeof x === 'object' && x !== null && !Array.isArray(x);
const isSizes = (x: unknown): x is number[] => Array.isArray(x) && x.every((n) => Number.isSafeInteger(n) && n >= 0);

function show(x: unknown): string {
  const text = JSON.stringify(x) ?? String(x);
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}
