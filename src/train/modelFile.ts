// A model as a safetensors file that the command line and the page both read and write. The metadata holds a record, with which a
// program rebuilds the model and reads data of the right shape.
import { isRecord } from '../checks/options.ts';
import { DataError } from '../data/errors.ts';
import { GEOMETRY_NAMES, type GeometryName, inGeometry } from '../data/geometry.ts';
import { finiteNumbers, type HostData, positiveNumbers } from '../data/host.ts';
import type { Resize } from '../data/readers/images.ts';
import { type DataStatistics, standardize } from '../data/standardize.ts';
import { decodeSafetensors, encodeSafetensors, type Safetensors } from '../io/safetensors.ts';
import type { Classifier } from '../models/classifier.ts';
import { MODEL_NAMES, type ModelName } from '../models/names.ts';
import type { StateDict } from '../nn/stateDict.ts';

/** How to rebuild a model, and how its data was read. */
export interface ModelRecord {
  arch: ModelName;
  /** Shape of one example. */
  shape: readonly number[];
  /** The name of each class; null if classes are numbers. */
  classNames: readonly string[] | null;
  /** How image files were brought to the size; null: as by default. */
  resize: Resize | null;
  /** What `standardize` was called with for all examples. Default: images have 0.5 and 0.5, vectors are as they are. */
  standardize?: DataStatistics | null;
  /** How grey images were moved and scaled. Default: none. */
  geometry?: GeometryName;
}

/** A trained model, not yet on the GPU. */
export interface SavedModel {
  file: string;
  state: StateDict;
  numClasses: number;
  arch: ModelName;
  /** Undefined if the file does not say what the model was trained on. */
  record: ModelRecord | undefined;
}

/** Returns examples as those that a model was trained on: standardised with the same numbers, and in the same geometry. */
export function asTrained<Data extends HostData>(data: Data, record: ModelRecord | undefined): Data {
  const scaled = record?.standardize ? standardize(data, record.standardize) : data;
  return inGeometry(scaled, record?.geometry ?? 'none');
}

/** Returns a model as the bytes of a file. */
export const encodeModel = async (model: Classifier, record: ModelRecord): Promise<Uint8Array<ArrayBuffer>> =>
  encodeSafetensors(await model.stateDict(), { format: 'pt', padagrad: JSON.stringify(record) });

/**
 * Reads the bytes of a model's file.
 *
 * @param file names the file in messages
 * @throws DataError if it is no safetensors file, or its record is damaged
 * @throws TypeError if it holds other tensors than those of a model
 */
export function decodeModel(bytes: Uint8Array, file: string): SavedModel {
  const content = decodeSafetensors(bytes, file);
  const { tensors: state } = content;
  const [numClasses] = state.get('head.weight')?.shape ?? [];
  if (!numClasses) throw new TypeError(`${file} is not a padagrad model: head.weight is missing`);
  const record = recordOf(content, file);
  return { file, state, numClasses, arch: record?.arch ?? 'smallCnn', record };
}

/** Reads the record of a file; undefined if it has none. @throws DataError if it is damaged */
export function recordOf({ metadata }: Safetensors, file: string): ModelRecord | undefined {
  const text = metadata.get('padagrad');
  if (text === undefined) return undefined;
  const record: unknown = parse(text);
  const isNames = (value: unknown) =>
    value === null || (Array.isArray(value) && value.every((x) => typeof x === 'string'));
  if (
    isRecord(record) &&
    MODEL_NAMES.includes(record.arch as ModelName) &&
    Array.isArray(record.shape) &&
    record.shape.every((size) => Number.isSafeInteger(size) && size > 0) &&
    isNames(record.classNames) &&
    [null, 'crop', 'fit', 'fill'].includes(record.resize as string | null) &&
    isStatistics(record.standardize ?? null, record.shape[0]) &&
    GEOMETRY_NAMES.includes((record.geometry ?? 'none') as GeometryName)
  )
    return record as unknown as ModelRecord;
  throw new DataError({ file, offset: 8, expected: 'a record of the model', found: text.slice(0, 80) });
}

/** @param each features or channels of an example */
function isStatistics(value: unknown, each: number): boolean {
  if (value === null) return true;
  if (!isRecord(value)) return false;
  const { mean, std } = value as { mean: unknown[]; std: unknown[] };
  return finiteNumbers.holds(mean) && positiveNumbers.holds(std) && mean.length === each && std.length === each;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
