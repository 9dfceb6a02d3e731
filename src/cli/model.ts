import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Command, Option } from 'commander';
import { AutomaticUpdateClassWeightModule } from '../adaptation/automaticUpdate.ts';
import { datasetOf } from '../data/dataset.ts';
import { exampleShape, type HostImages, showExample } from '../data/host.ts';
import type { Float32MatmulPrecision } from '../gemm/precision.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { decodeSafetensors, encodeSafetensors } from '../io/safetensors.ts';
import { type SmallCnn, smallCnn } from '../models/smallCnn.ts';
import type { StateDict } from '../nn/stateDict.ts';
import { Random } from '../random.ts';
import { showShape } from '../shape.ts';
import { PRECISIONS } from '../train/options.ts';
import { resolveData, SPLITS, type Split } from './data.ts';
import { asUsage, UsageError } from './errors.ts';
import { addCommonFlags, type CommonFlags, trainingFlag, whole } from './flags.ts';
import { CONFIG } from './run/config.ts';
import { readNamed } from './run/files.ts';
import { MODEL } from './run/folder.ts';
import { checkClasses, checkImages, first, parseList, select } from './run/job.ts';
import { classes as classNames, counted } from './show/format.ts';

// A trained model and images to use it on: the part that `eval` and `weights` share.

export interface ModelFlags extends CommonFlags {
  model: string;
  data: string;
  split: Split;
  classes?: string;
  limit?: number;
  float32MatmulPrecision?: Float32MatmulPrecision;
}

/** A trained model, not yet on the GPU. */
export interface SavedModel {
  file: string;
  state: StateDict;
  numClasses: number;
}

/** A model and images that fit it. */
export interface ModelTask {
  model: SavedModel;
  images: HostImages;
  classes: readonly number[] | null;
  /** The images in words, such as `mnist test, classes 0-4 (5,139 images)`. */
  title: string;
  precision: Float32MatmulPrecision;
}

/** Thrown if a model's weights or its logits are NaN or infinite, so that no figure of it would mean anything. */
export class NotFiniteModelError extends Error {
  override name = 'NotFiniteModelError';
  readonly code = 'NOT_FINITE';
  constructor(file: string, what: string) {
    super(`${file}: ${what}; the model is unusable, so train it again, with a lower learning rate`);
  }
}

export function addModelFlags(command: Command, split: Split): Command {
  return addCommonFlags(
    command
      .requiredOption('-m, --model <path>', 'run folder or .safetensors file')
      .requiredOption('-d, --data <data>', 'images: mnist, fontdigits or idx:PREFIX')
      .addOption(new Option('--split <name>', 'split of mnist or fontdigits').choices(SPLITS).default(split))
      .option('--classes <list>', 'classes to keep, e.g. 0-4 or 0,3,7 (default: all)')
      .option('--limit <n>', 'use only the first n images (before filtering classes)', whole(1))
      .addOption(trainingFlag('float32MatmulPrecision')),
  );
}

/** Reads the model and loads the images, before the GPU is opened. @throws UsageError | NotFiniteModelError */
export async function prepareModelTask(flags: ModelFlags): Promise<ModelTask> {
  const classes = await parseList('--classes', flags.classes);
  const model = await asUsage('--model', () => readModel(flags.model));
  checkFinite(model);
  const precision = await precisionOfModel(model.file, flags.float32MatmulPrecision);
  checkClasses('--classes', classes, model.numClasses, "the model's");
  const all = await asUsage(`--data ${flags.data}`, () => resolveData(flags.data, flags.split));
  checkImages(`--data ${flags.data}`, all);
  const images = await select('--classes', first(all, flags.limit), classes);
  const name = flags.data.startsWith('idx:') ? flags.data : `${flags.data} ${flags.split}`;
  const part = classes ? `, classes ${classNames(classes)}` : '';
  const title = `${name}${part} (${counted(images.count, 'image')})`;
  return { model, images, classes, precision, title };
}

/** Returns a model as the bytes of model.safetensors. */
export const safetensorsOf = async (model: SmallCnn): Promise<Uint8Array> => encodeSafetensors(await model.stateDict());

/**
 * Reads the model of a run's folder, or of a file.
 *
 * @throws UsageError if there is none
 * @throws DataError if the file is not a safetensors file
 */
async function readModel(path: string): Promise<SavedModel> {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  const { file, bytes } = await readNamed(isFolder ? join(path, MODEL) : path);
  const { tensors: state } = decodeSafetensors(bytes, file);
  const [numClasses] = state.get('head.weight')?.shape ?? [];
  if (!numClasses) throw new UsageError(`${file} is not a padagrad model: head.weight is missing`);
  return { file, state, numClasses };
}

/** Throws if a model's weights hold NaN or infinity. @throws NotFiniteModelError that names the tensor */
function checkFinite({ file, state }: SavedModel): void {
  for (const [name, { shape, data }] of state) {
    if (!(data instanceof Float32Array || data instanceof Float64Array)) continue;
    // Kernels read f32, in which a large f64 is infinite.
    const at = data.findIndex((x: number) => !Number.isFinite(Math.fround(x)));
    if (at >= 0) throw new NotFiniteModelError(file, `${name} ${showShape(shape)} holds ${data[at]} at element ${at}`);
  }
}

/**
 * Returns the precision to use a model in: the one that was asked for, else that of its run, whose config.json lies next to the
 * model, else the highest.
 *
 * @throws UsageError if the config cannot be read
 */
async function precisionOfModel(
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

/** Puts a model for such images on the GPU; dispose of it when done. @throws UsageError if its weights have other shapes */
export function openModel(gpu: Gpu, { file, state, numClasses }: SavedModel, images: HostImages): SmallCnn {
  const shape = exampleShape(images);
  const model = smallCnn(gpu, { shape, numClasses, random: new Random(0) });
  try {
    model.loadStateDict(state);
    return model;
  } catch (cause) {
    model.dispose();
    throw new UsageError(`${file} does not fit images of ${showExample(shape)}: ${(cause as Error).message}`, {
      cause,
    });
  }
}

export const BATCH = 128;

/** Returns the class weights that a model gives images. @throws NotFiniteModelError if a logit is NaN or infinite */
export async function classWeightOf(
  gpu: Gpu,
  saved: SavedModel,
  { images, temperature }: { images: HostImages; temperature: number },
): Promise<number[]> {
  const { file, numClasses } = saved;
  const model = openModel(gpu, saved, images);
  const data = datasetOf(gpu, images, BATCH, { labelled: false, label: 'data' });
  const options = { updateSteps: 1, dataLoader: data, classifier: model, numClasses, temperature };
  const weights = new AutomaticUpdateClassWeightModule(gpu, options);
  try {
    await weights.update();
    const classWeight = [...(await weights.classWeight.read())];
    if (!classWeight.every(Number.isFinite))
      throw new NotFiniteModelError(file, 'its weights are finite, but some logits of these images are not');
    return classWeight;
  } finally {
    for (const thing of [weights, data, model]) thing.dispose();
  }
}
