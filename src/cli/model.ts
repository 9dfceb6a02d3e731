import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Float32MatmulPrecision } from '../gemm/precision.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { decodeSafetensors, encodeSafetensors } from '../io/safetensors.ts';
import { SmallCnn } from '../models/smallCnn.ts';
import type { StateDict } from '../nn/stateDict.ts';
import { Random } from '../random.ts';
import { showShape } from '../shape.ts';
import { PRECISIONS } from '../train/options.ts';
import { asUsage, UsageError } from './errors.ts';
import { CONFIG } from './run/config.ts';
import { readNamed } from './run/files.ts';
import { MODEL } from './run/folder.ts';

const HEAD = 'head.weight';
const BOTTLENECK = 'bottleneck.0.weight';
const CHANNELS = 32;

/** A trained model on the host. */
export interface SavedModel {
  file: string;
  state: StateDict;
  numClasses: number;
  /** Height and width of the smallest images that it takes; those up to 3 larger give it the same features. */
  imageSize: number;
}

/** A model's weights, or what it computes from images, are NaN or infinite: no figure of it would mean anything. */
export class NotFiniteModelError extends Error {
  override name = 'NotFiniteModelError';
  readonly code = 'NOT_FINITE';
  constructor(file: string, what: string) {
    super(`${file}: ${what}; the model is of no use, train again (with a lower learning rate, if it was trained so)`);
  }
}

/** The model's bytes, as `model.safetensors` keeps them. */
export async function safetensorsOf(model: SmallCnn): Promise<Uint8Array> {
  return encodeSafetensors(await model.stateDict());
}

/**
 * The model of a run's folder, or of a file.
 *
 * @throws UsageError if there is none
 * @throws DataError if it is no safetensors file
 */
export async function readModel(path: string): Promise<SavedModel> {
  const inFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  const { file, bytes } = await readNamed(inFolder ? join(path, MODEL) : path);
  const { tensors: state } = decodeSafetensors(bytes, file);
  const sizes = (name: string): [number, number] => {
    const [rows, columns, ...rest] = state.get(name)?.shape ?? [];
    if (!rows || !columns || rest.length > 0)
      throw new UsageError(`${file} is not a model that padagrad trains: it has no matrix ${name}`);
    return [rows, columns];
  };
  const [numClasses] = sizes(HEAD);
  // Two convolutions of 5x5, each with a pooling of 2, leave of 4 n + 12 pixels n.
  const imageSize = 4 * Math.sqrt(sizes(BOTTLENECK)[1] / CHANNELS) + 12;
  return { file, state, numClasses, imageSize };
}

/**
 * Returns the precision to use a trained model in: the one that was asked for, else that of its run, whose `config.json` lies
 * next to the model, else the highest.
 *
 * @throws UsageError if the config cannot be read
 */
export async function precisionOfModel(
  modelFile: string,
  asked: Float32MatmulPrecision | undefined,
): Promise<Float32MatmulPrecision> {
  const config = join(dirname(modelFile), CONFIG);
  if (asked !== undefined || !existsSync(config)) return asked ?? 'highest';
  return asUsage(`${config}, next to the model (--float32-matmul-precision overrides it)`, async () => {
    const { bytes } = await readNamed(config);
    const found = JSON.parse(new TextDecoder().decode(bytes))?.options?.float32MatmulPrecision ?? 'highest';
    if (PRECISIONS.includes(found)) return found;
    throw new Error(`float32MatmulPrecision must be one of ${PRECISIONS.join(', ')} but is ${String(found)}`);
  });
}

/** Throws if a model's weights hold NaN or infinity. @throws NotFiniteModelError that names the tensor */
export function checkFinite({ file, state }: SavedModel): void {
  for (const [name, { shape, data }] of state) {
    if (!(data instanceof Float32Array || data instanceof Float64Array)) continue;
    // As a kernel reads it: a large f64 is infinite in f32.
    const at = data.findIndex((x: number) => !Number.isFinite(Math.fround(x)));
    if (at >= 0) throw new NotFiniteModelError(file, `${name} ${showShape(shape)} holds ${data[at]} at element ${at}`);
  }
}

/** The network with a saved state, on the GPU; the caller's to dispose. @throws UsageError if the state does not fit */
export function openModel(gpu: Gpu, { file, state, numClasses, imageSize }: SavedModel): SmallCnn {
  const model = new SmallCnn(gpu, { numClasses, imageSize, random: new Random(0) });
  try {
    model.loadStateDict(state);
    return model;
  } catch (cause) {
    model.dispose();
    throw new UsageError(`${file}: ${(cause as Error).message}`, { cause });
  }
}
