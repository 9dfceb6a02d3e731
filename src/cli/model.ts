// A trained model and examples to use it on: the part that `eval`, `predict`, `weights` and `select` share.
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Command, Option } from 'commander';
import { AutomaticUpdateClassWeightModule } from '../adaptation/automaticUpdate.ts';
import { datasetOf } from '../data/dataset.ts';
import { exampleShape, type HostData, nounOf, showExample } from '../data/host.ts';
import type { Resize } from '../data/readers/images.ts';
import { classNamesOf, matchClasses } from '../data/readers/names.ts';
import type { Float32MatmulPrecision } from '../gemm/precision.ts';
import type { Gpu } from '../gpu/gpu.ts';
import type { Classifier } from '../models/classifier.ts';
import { MODELS } from '../models/named.ts';
import { Random } from '../random.ts';
import { showShape } from '../shape.ts';
import { asTrained, decodeModel, type ModelRecord, type SavedModel } from '../train/modelFile.ts';
import { PRECISIONS } from '../train/options.ts';
import { DATA_NAMES, type DataOptions, hasSplits, type ReadingWatch, resolveData, SPLITS, type Split } from './data.ts';
import { asUsage, UsageError } from './errors.ts';
import {
  addCommonFlags,
  addDataFlags,
  type CommonFlags,
  checkDataFlags,
  type DataFlags,
  dataOptions,
  trainingFlag,
} from './flags.ts';
import { whole } from './flagValues.ts';
import { CONFIG } from './run/config.ts';
import { adviceFor, checkClasses, checkExamples } from './run/dataChecks.ts';
import { readNamed } from './run/files.ts';
import { MODEL } from './run/folder.ts';
import { first, parseList, select } from './run/side.ts';
import { classes as classList, counted } from './show/format.ts';

export interface ModelFlags extends DataFlags, CommonFlags {
  model: string;
  data: string;
  split: Split;
  classes?: string;
  limit?: number;
  float32MatmulPrecision?: Float32MatmulPrecision;
}

/** A model and examples that fit it. */
export interface ModelTask {
  model: SavedModel;
  examples: HostData;
  classes: readonly number[] | null;
  /** The examples in words, such as `mnist test, classes 0-4 (5,139 images)`. */
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
  command
    .optionsGroup('Required:')
    .requiredOption('-m, --model <path>', 'run folder or .safetensors file')
    .requiredOption('-d, --data <data>', `examples: ${DATA_NAMES}`)
    .optionsGroup('Data:')
    .addOption(new Option('--split <name>', 'split of mnist or fontdigits').choices(SPLITS).default(split))
    .option('--classes <list>', 'classes to keep, by number or name, e.g. 0-4 or 0,3,7 (default: all)')
    .option('--limit <n>', 'use only the first n examples (before filtering classes)', whole(1));
  addDataFlags(command).optionsGroup('Running:').addOption(trainingFlag('float32MatmulPrecision'));
  return addCommonFlags(command);
}

/**
 * Reads the model and loads the examples, before the GPU is opened. Image files are read as those that the model was trained on.
 *
 * @param options.labelled whether the labels are used. Default: only to choose classes by; otherwise they are left out
 * @throws UsageError | NotFiniteModelError
 */
export async function prepareModelTask(
  flags: ModelFlags,
  reading: ReadingWatch = {},
  { labelled = flags.classes !== undefined } = {},
): Promise<ModelTask> {
  const model = await asUsage('--model', () => readModel(flags.model));
  checkFinite(model);
  const { record, numClasses, arch } = model;
  const names = record?.classNames ?? undefined;
  const classes = await parseList('--classes', flags.classes, names);
  if (flags.labels !== undefined && !labelled)
    throw new UsageError(`--labels ${flags.labels} is used only to choose --classes by; leave it out`);
  const precision = await precisionOfModel(model.file, flags.float32MatmulPrecision);
  checkClasses('--classes', classes, numClasses, "the model's");
  const what = `--data ${flags.data}`;
  const all = await asUsage(what, async () => {
    const data = await resolveData(
      flags.data,
      flags.split,
      { ...readAs(record), ...given(dataOptions(flags)) },
      reading,
    );
    if (labelled) return matchClasses(data, names ?? classNamesOf({} as HostData, numClasses));
    const { labels: _, classNames: __, ...bare } = data;
    return bare as HostData;
  });
  checkDataFlags(flags, flags.data);
  if (record) checkShape(what, all, record.shape);
  checkExamples(what, all, arch);
  const chosen = await select('--classes', first(all, flags.limit), classes);
  const examples = asTrained(chosen, record);
  const name = hasSplits(flags.data) ? `${flags.data} ${flags.split}` : flags.data;
  const part = classes ? `, classes ${classList(classes)}` : '';
  const title = `${name}${part} (${counted(examples.count, nounOf(examples).slice(0, -1))})`;
  return { model, examples, classes, precision, title };
}

/** Returns how the data of a model was read. */
function readAs(record: ModelRecord | undefined): DataOptions {
  const [channels, height, width] = record?.shape ?? [];
  if (width === undefined) return {};
  return { imageSize: [height!, width], channels: channels as 1 | 3, resize: (record!.resize ?? 'crop') as Resize };
}

const given = (options: DataOptions): DataOptions =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));

export function checkShape(what: string, data: HostData, wanted: readonly number[]): void {
  const shape = exampleShape(data);
  if (showExample(shape) === showExample(wanted)) return;
  throw new UsageError(
    `${what}: ${nounOf(data)} are ${showExample(shape)} but the model was trained on ${showExample(wanted)}; ${adviceFor(shape, wanted)}`,
  );
}

/**
 * Reads the model of a run's folder, or of a file.
 *
 * @throws UsageError if there is none
 * @throws DataError if the file is not a safetensors file
 */
export async function readModel(path: string): Promise<SavedModel> {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  const { file, bytes } = await readNamed(isFolder ? join(path, MODEL) : path);
  try {
    return decodeModel(bytes, file);
  } catch (cause) {
    throw cause instanceof TypeError ? new UsageError(cause.message, { cause }) : cause;
  }
}

/** Throws if a model's weights hold NaN or infinity. @throws NotFiniteModelError that names the tensor */
export function checkFinite({ file, state }: SavedModel): void {
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

/** Puts a model for such examples on the GPU; dispose of it when done. @throws UsageError if its weights have other shapes */
export function openModel(gpu: Gpu, { file, state, numClasses, arch }: SavedModel, examples: HostData): Classifier {
  const shape = exampleShape(examples);
  const model = MODELS[arch](gpu, { shape, numClasses, random: new Random(0) });
  try {
    model.loadStateDict(state);
    return model;
  } catch (cause) {
    model.dispose();
    throw new UsageError(
      `${file} does not fit ${nounOf(examples)} of ${showExample(shape)}: ${(cause as Error).message}`,
      {
        cause,
      },
    );
  }
}

export const BATCH = 128;

/** Returns the class weights that a model gives examples. @throws NotFiniteModelError if a logit is NaN or infinite */
export async function classWeightOf(
  gpu: Gpu,
  saved: SavedModel,
  { examples, temperature }: { examples: HostData; temperature: number },
): Promise<number[]> {
  const { file, numClasses } = saved;
  const model = openModel(gpu, saved, examples);
  const data = datasetOf(gpu, examples, BATCH, { labelled: false, label: 'data' });
  const options = { updateSteps: 1, dataLoader: data, classifier: model, numClasses, temperature };
  const weights = new AutomaticUpdateClassWeightModule(gpu, options);
  try {
    await weights.update();
    const classWeight = [...(await weights.classWeight.read())];
    if (!classWeight.every(Number.isFinite))
      throw new NotFiniteModelError(
        file,
        `its weights are finite, but some logits of these ${nounOf(examples)} are not`,
      );
    return classWeight;
  } finally {
    for (const thing of [weights, data, model]) thing.dispose();
  }
}
