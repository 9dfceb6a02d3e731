// Reads and writes safetensors files (https://github.com/huggingface/safetensors). A file starts with the length of its header,
// 8 bytes, little-endian. The header is a JSON object of name: {dtype, shape, data_offsets: [from, to]}. The data follows; the
// offsets count from its start. Every byte of the data belongs to exactly one tensor.
import { isRecord, show as showValue } from '../checks/options.ts';
import { DataError } from '../data/errors.ts';
import type { HostTensor, StateDict } from '../nn/stateDict.ts';
import { sizeOf } from '../shape.ts';
import { fromBfloat16, fromFloat16 } from './half.ts';
import { jsonOutline, markKeys } from './jsonOutline.ts';

/** The content of a safetensors file: tensors by name, and the strings in its header. */
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

// A reader gets a copy of the tensor's bytes, which is aligned and as long as the shape needs.
const READERS = {
  F64: { bytes: 8, read: (raw: ArrayBuffer): Data => new Float64Array(raw) },
  F32: { bytes: 4, read: (raw: ArrayBuffer): Data => new Float32Array(raw) },
  F16: { bytes: 2, read: (raw: ArrayBuffer): Data => Float32Array.from(new Uint16Array(raw), fromFloat16) },
  BF16: { bytes: 2, read: (raw: ArrayBuffer): Data => Float32Array.from(new Uint16Array(raw), fromBfloat16) },
  I64: { bytes: 8, read: (raw: ArrayBuffer): Data => new BigInt64Array(raw) },
  U32: { bytes: 4, read: (raw: ArrayBuffer): Data => new Uint32Array(raw) },
};

// The element type of each array that READERS return.
const DTYPES = /* @__PURE__ */ new Map<string, keyof typeof READERS>([
  ['Float32Array', 'F32'],
  ['Float64Array', 'F64'],
  ['Uint32Array', 'U32'],
  ['BigInt64Array', 'I64'],
]);

const PREFIX = 8;
// Far more than the header of any network. A larger length is a damaged file or an attack.
const MAX_HEADER = 4 << 20;
// {names {fields [numbers]}}
const DEPTH = 3;

/**
 * Reads a safetensors file. Returns the tensors in the order of the header: F64, F32, I64 and U32 as they are, F16 and BF16 as
 * f32.
 *
 * @param file name of the file, for messages
 * @throws DataError if the file does not match the format, or has another element type
 */
export function decodeSafetensors(source: Uint8Array | ArrayBuffer, file = 'safetensors'): Safetensors {
  const view = ArrayBuffer.isView(source) ? source : new DataView(bufferOf(source));
  // A plain array of bytes: slices of Node's Buffer are no copies.
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  const refuse = (offset: number, expected: string, found: string): never => {
    throw new DataError({ file, offset, expected, found });
  };
  if (bytes.length < PREFIX) refuse(0, 'the length of the header, 8 bytes', `a file of ${bytes.length}`);
  const stated = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  const room = Math.min(MAX_HEADER, bytes.length - PREFIX);
  if (stated > BigInt(room)) refuse(0, `a header of at most ${room} bytes`, otherFormat(bytes) ?? `one of ${stated}`);
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

function bufferOf(source: unknown): ArrayBuffer {
  if (Object.prototype.toString.call(source) === '[object ArrayBuffer]') return source as ArrayBuffer;
  throw new TypeError(
    `decodeSafetensors: the file must be a Uint8Array or an ArrayBuffer but is ${showValue(source)}; read it first, as by \`await readFile(path)\``,
  );
}

/** Recognises a file of torch.save by its first bytes: a zip file, or a pickle from PyTorch before 1.6. */
function otherFormat([first, second, third]: Uint8Array): string | undefined {
  const zip = first === 0x50 && second === 0x4b && third === 3;
  if (!zip && !(first === 0x80 && second === 2)) return undefined;
  const convert = "safetensors.torch.save_file(torch.load('model.pth'), 'model.safetensors')";
  return `${zip ? 'a zip file' : 'a pickle'}, as torch.save writes (.pth, .pt); convert it in Python: ${convert}`;
}

/**
 * Writes a safetensors file. The same tensors and metadata in the same order give the same bytes. The header keeps the order of
 * the names; the data of wider elements comes first, so that all data is aligned.
 *
 * @param metadata strings by name. Default: `{ format: 'pt' }`, which PyTorch's loaders require.
 * @throws TypeError if a name, a string, a shape or an array could not be read back
 * @throws RangeError if the header would be longer than 4 MiB
 */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, HostTensor>,
  metadata: Readonly<Record<string, string>> | ReadonlyMap<string, string> = { format: 'pt' },
): Uint8Array<ArrayBuffer> {
  if (!(tensors instanceof Map))
    throw new TypeError('encodeSafetensors: tensors must be a Map, as `await stateDict()` is');
  const dtypes = new Map([...tensors].map(([name, tensor]) => [name, dtypeOf(name, tensor)]));
  const order = [...tensors].sort(([, a], [, b]) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT);
  const places = new Map<string, number>();
  let end = 0;
  for (const [name, { data }] of order) {
    places.set(name, end);
    end += data.byteLength;
  }
  const entries = [...tensors].map(([name, { shape, data }]): [string, unknown] => {
    const from = places.get(name)!;
    return [name, { dtype: dtypes.get(name), shape, data_offsets: [from, from + data.byteLength] }];
  });
  const header = jsonObject([['__metadata__', jsonObject(textsOf(metadata))], ...entries.map(asJson)]);
  const json = new TextEncoder().encode(header);
  const start = PREFIX + Math.ceil(json.length / 8) * 8;
  if (start - PREFIX > MAX_HEADER)
    throw new RangeError(
      `encodeSafetensors: names, shapes and texts take ${start - PREFIX} bytes but a header has at most ${MAX_HEADER}; use shorter ones`,
    );
  const file = new Uint8Array(start + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(start - PREFIX), true);
  file.fill(0x20, PREFIX, start);
  file.set(json, PREFIX);
  for (const [name, { data }] of order)
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start + places.get(name)!);
  return file;
}

const asJson = ([name, value]: [string, unknown]): [string, string] => [name, JSON.stringify(value)];

/** Writes an object whose values are JSON texts. In a JavaScript object, names such as `__proto__` or `1` would be lost or moved. */
const jsonObject = (fields: readonly [string, string][]): string =>
  `{${fields.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`;

function textsOf(metadata: unknown): [string, string][] {
  if (!isRecord(metadata))
    throw new TypeError(`encodeSafetensors: texts must be an object of strings but are ${showValue(metadata)}`);
  const texts: [string, unknown][] = metadata instanceof Map ? [...metadata] : Object.entries(metadata);
  for (const [name, text] of texts) {
    checkText('the name of a text', name);
    checkText(`the text ${name}`, text);
  }
  return texts.map(asJson);
}

function checkText(what: string, text: unknown): void {
  if (typeof text !== 'string')
    throw new TypeError(`encodeSafetensors: ${what} must be a string but is ${showValue(text)}; use String(...)`);
  if (/\p{Surrogate}/u.test(text))
    throw new TypeError(
      `encodeSafetensors: ${what} has half a surrogate pair, which UTF-8 cannot hold; use toWellFormed()`,
    );
}

type Refuse = (offset: number, expected: string, found: string) => never;

function parseHeader(
  bytes: Uint8Array,
  refuse: Refuse,
): { tensors: Map<string, unknown>; metadata: Map<string, string> } {
  const outline = jsonOutline(bytes);
  const { depth, keys } = outline;
  if (depth > DEPTH) refuse(PREFIX, `a header nested ${DEPTH} deep`, `one nested ${depth} deep`);
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let header: unknown;
  try {
    JSON.parse(text.decode(bytes));
    header = asMap(JSON.parse(text.decode(markKeys(bytes, outline))));
  } catch (error) {
    refuse(PREFIX, 'a header in JSON and UTF-8', (error as Error).message);
  }
  if (!(header instanceof Map)) return refuse(PREFIX, 'a header that is an object', show(header));
  const tensors: Map<string, unknown> = header;
  // JSON.parse keeps the last of two equal names, without an error.
  const distinct = [...tensors.values()].reduce<number>(
    (n, value) => n + 1 + (value instanceof Map ? value.size : 0),
    0,
  );
  if (distinct !== keys.length) refuse(PREFIX, 'every name once', `${keys.length} names, of which ${distinct} differ`);
  const metadata = tensors.get('__metadata__') ?? new Map();
  tensors.delete('__metadata__');
  if (!(metadata instanceof Map)) return refuse(PREFIX, 'texts in __metadata__', show(metadata));
  for (const [name, text] of metadata) {
    if (typeof text !== 'string') refuse(PREFIX, `a text in __metadata__.${name}`, show(text));
  }
  return { tensors, metadata };
}

/** Converts objects to Maps and removes the mark from their keys. */
const asMap = (json: unknown): unknown =>
  isRecord(json) ? new Map(Object.entries(json).map(([name, value]) => [name.slice(1), asMap(value)])) : json;

function entryOf(name: string, value: unknown, available: number, refuse: Refuse): Entry {
  if (!(value instanceof Map)) return refuse(PREFIX, `${name}: {dtype, shape, data_offsets}`, show(value));
  const { dtype, shape, data_offsets: offsets, ...rest }: Record<string, unknown> = Object.fromEntries(value);
  if (Object.keys(rest).length > 0)
    refuse(PREFIX, `${name}: only dtype, shape and data_offsets`, show(Object.keys(rest)));
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

/** Checks everything that the header tells about a tensor, and returns its element type. */
function dtypeOf(name: unknown, given: unknown): keyof typeof READERS {
  checkText('the name of a tensor', name);
  if (name === '__metadata__')
    throw new TypeError('encodeSafetensors: a tensor cannot be called __metadata__; give it another name');
  const { shape, data } = (given ?? {}) as Partial<HostTensor>;
  const dtype = DTYPES.get((data as Data | undefined)?.[Symbol.toStringTag] ?? '');
  if (!data || !dtype) {
    const hint = data ? 'convert it' : 'pass { shape, data: await x.read() } of a tensor x';
    throw new TypeError(
      `encodeSafetensors: the data of ${name} must be a ${[...DTYPES.keys()].join(' or ')} but is ${showValue(data)}; ${hint}`,
    );
  }
  if (!isSizes(shape))
    throw new TypeError(
      `encodeSafetensors: the shape of ${name} must be an array of whole numbers >= 0 but is ${show(shape)}`,
    );
  if (data.length !== sizeOf(shape))
    throw new TypeError(
      `encodeSafetensors: ${name} has ${data.length} elements but its shape is [${shape}]; pass one element per place of the shape`,
    );
  return dtype;
}

const isSizes = (x: unknown): x is number[] => Array.isArray(x) && x.every((n) => Number.isSafeInteger(n) && n >= 0);

function show(x: unknown): string {
  const text = JSON.stringify(x) ?? String(x);
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}
