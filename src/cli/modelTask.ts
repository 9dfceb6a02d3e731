import { type Command, Option } from 'commander';
import type { HostImages } from '../data/dataset.ts';
import type { Float32MatmulPrecision } from '../gemm/precision.ts';
import type { Context, Split } from './context.ts';
import { asUsage, UsageError } from './errors.ts';
import { addCommonFlags, precisionOption, whole } from './flags.ts';
import { checkFinite, precisionOfModel, readModel, type SavedModel } from './model.ts';
import { checkClasses, checkImages, chosen, classList, first } from './run/checks.ts';
import { classes as classNames, counted } from './show/format.ts';

/** What `eval` and `weights` are told: a trained model, and images to ask it about. */
export interface ModelFlags {
  model: string;
  data: string;
  split: Split;
  classes?: string;
  limit?: number;
  float32MatmulPrecision?: Float32MatmulPrecision;
  json?: boolean;
}

/** A model and images that fit each other, as far as can be told without a GPU. */
export interface ModelTask {
  model: SavedModel;
  images: HostImages;
  classes: readonly number[] | null;
  /** Names the images: `mnist test, classes 0-4 (5,139 images)`. */
  title: string;
  precision: Float32MatmulPrecision;
}

export function addModelFlags(command: Command, split: Split): Command {
  return addCommonFlags(
    command
      .requiredOption('-m, --model <path>', 'folder of a run (train --out), or a safetensors file')
      .requiredOption('-d, --data <data>', 'images: mnist, fontdigits or idx:PREFIX')
      .addOption(
        new Option('--split <name>', 'which images of mnist or fontdigits').choices(['train', 'test']).default(split),
      )
      .option('--classes <list>', 'classes kept of them, such as 0-4 or 0,3,7 (default: all)')
      .option('--limit <n>', 'the first n images, before classes are filtered', whole(1))
      .addOption(precisionOption()),
  );
}

/** Reads the model and loads the images. @throws UsageError | NotFiniteModelError before a GPU is opened */
export async function prepareModelTask(context: Context, flags: ModelFlags): Promise<ModelTask> {
  const classes = await classList('--classes', flags.classes);
  const model = await asUsage('--model', () => readModel(flags.model));
  checkFinite(model);
  const precision = await precisionOfModel(model.file, flags.float32MatmulPrecision);
  checkClasses('--classes', classes, model.numClasses, "the model's");
  const all = await asUsage(`--data ${flags.data}`, () => context.resolveData(flags.data, flags.split));
  checkImages(`--data ${flags.data}`, all);
  if (Math.floor(all.height / 4) * 4 !== model.imageSize)
    throw new UsageError(
      `--data ${flags.data}: images are ${all.height}x${all.width}, but the model was trained on images of ${model.imageSize}x${model.imageSize}`,
    );
  const images = await chosen('--classes', first(all, flags.limit), classes);
  const name = flags.data.startsWith('idx:') ? flags.data : `${flags.data} ${flags.split}`;
  const part = classes ? `, classes ${classNames(classes)}` : '';
  const title = `${name}${part} (${counted(images.count, 'image')})`;
  return { model, images, classes, precision, title };
}
