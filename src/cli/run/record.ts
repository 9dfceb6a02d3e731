import { isRecord } from '../../checks/options.ts';
import type { Safetensors } from '../../io/safetensors.ts';
import { MODEL_NAMES, type ModelName } from '../../models/named.ts';
import { UsageError } from '../errors.ts';

// The record in model.safetensors, with which a command rebuilds the model and reads data of the right shape.

/** How to rebuild a model, and how its data was read. */
export interface ModelRecord {
  arch: ModelName;
  /** Shape of one example. */
  shape: readonly number[];
  /** The name of each class; null if classes are numbers. */
  classNames: readonly string[] | null;
  /** How image files were brought to the size; null: as by default. */
  resize: string | null;
}

/** Writes a record as metadata of a safetensors file. */
export const metadataOf = (record: ModelRecord): Record<string, string> => ({
  format: 'pt',
  padagrad: JSON.stringify(record),
});

/**
 * Reads the record of a model's file; undefined if it has none, as files of the page do.
 *
 * @throws UsageError if it was not written by a run
 */
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
    [null, 'crop', 'fit', 'fill'].includes(record.resize as string | null)
  )
    return record as unknown as ModelRecord;
  throw new UsageError(`${file}: its record of the model is damaged: ${text.slice(0, 80)}`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
