import { DataError } from '../../../src/data/errors.ts';
import { decodeSafetensors, encodeSafetensors } from '../../../src/io/safetensors.ts';
import type { StateDict } from '../../../src/nn/stateDict.ts';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from '../../../src/train/checkpoint.ts';
import type { Training } from '../../../src/train/training.ts';

/** A training, or its network alone, as the command line writes them too. */
export async function save(training: Training, what: 'training' | 'model'): Promise<Uint8Array<ArrayBuffer>> {
  return what === 'training'
    ? encodeCheckpoint(await training.state())
    : encodeSafetensors(await training.model.stateDict());
}

/** What a file holds: a whole training, or a network alone. @throws DataError where it is neither */
export async function open(
  bytes: Uint8Array,
  file: string,
): Promise<{ checkpoint: Checkpoint } | { model: StateDict }> {
  const { tensors, metadata } = decodeSafetensors(bytes, file);
  if (metadata.has('kind')) return { checkpoint: await decodeCheckpoint(bytes, file) };
  if (tensors.has('head.weight')) return { model: tensors };
  const found = [...tensors.keys()].slice(0, 3).join(', ') || 'no tensor';
  throw new DataError({ file, offset: 0, expected: 'a network or a checkpoint of padagrad', found });
}
