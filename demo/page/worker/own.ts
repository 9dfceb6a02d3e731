// The visitor's own images: a labelled folder or a saved model, and a folder to adapt to or to label. They stay in this worker.
import { DataError } from '../../../src/data/errors.ts';
import { exampleShape, type HostImages, labelsOf, largestOf } from '../../../src/data/host.ts';
import { type ImageFile, imagesOfFolder, isImagePath, readImageFiles } from '../../../src/data/readers/images.ts';
import { classNamesOf, matchClasses } from '../../../src/data/readers/names.ts';
import type { Gpu } from '../../../src/gpu/gpu.ts';
import { MODELS } from '../../../src/models/named.ts';
import { Random } from '../../../src/random.ts';
import { asTrained, decodeModel, type SavedModel } from '../../../src/train/modelFile.ts';
import { type Predictions, predict } from '../../../src/train/predict.ts';
import { OWN } from '../ownWords.ts';
import {
  type Command,
  MOST_PROBLEMS,
  MOST_SHOWN,
  type OpenedModel,
  type OwnFile,
  type OwnForm,
  type OwnSet,
  type Report,
  type Side,
  STRIP,
} from '../protocol.ts';
import { ERRORS } from '../words.ts';
import { decodeInBrowser } from './decode.ts';
import type { TaskImages } from './images.ts';

type ReadFolder = Extract<Command, { type: 'folder' }>;

// Reports of the progress of reading come at most this often.
const PROGRESS_MS = 100;

export class OwnImages {
  private readonly sets = new Map<Side, { images: HostImages; form: OwnForm }>();
  private opened: { saved: SavedModel; classNames: readonly string[] } | undefined;

  /** @param isReplaced whether another folder of a side is about to be read */
  constructor(
    private readonly report: (report: Report, transfer?: Transferable[]) => void,
    private readonly isReplaced: (side: Side) => boolean,
  ) {}

  /** Reads a folder and reports what it contains, or why it cannot be used. */
  async read({ side, folder, files, form, reading }: ReadFolder): Promise<void> {
    this.sets.delete(side);
    let reported = 0;
    const onProgress = (done: number, total: number): void => {
      if (this.isReplaced(side)) throw new Replaced();
      if (performance.now() - reported < PROGRESS_MS) return;
      reported = performance.now();
      this.report({ type: 'reading', side, done, total, reading });
    };
    try {
      const { images, problems } = await readFolder(side, folder, files, form, onProgress);
      this.sets.set(side, { images, form });
      const set = describe(side, images, problems);
      this.report({ type: 'read', side, set, error: '', reading }, [set.images.buffer]);
    } catch (error) {
      if (error instanceof Replaced) return;
      const { message } = error as Error;
      const text = error instanceof DataError ? ERRORS.folder(error.file, error.expected, error.found) : message;
      this.report({ type: 'read', side, set: null, error: text, reading });
    }
  }

  /** Returns the images of a training run. Throws if a side was not read. */
  images(): TaskImages {
    const [source, target] = [this.set('source'), this.set('target')];
    const classNames = classNamesOf(source.images, numClassesOf(source.images));
    const labelled = withClasses(target.images, classNames);
    return {
      task: 'own',
      classNames,
      source: source.images,
      target: labelled,
      test: labelled.labels && labelled,
      resize: source.form.resize,
    };
  }

  /** Opens a model to label images with, and reports the images that it needs. */
  open(bytes: Uint8Array, file: string): void {
    const saved = decodeModel(bytes, file);
    const { record, arch, numClasses } = saved;
    if (!record) throw new RangeError(ERRORS.noRecord(file));
    if (record.shape.length !== 3) throw new RangeError(ERRORS.noImages(file));
    const classNames = record.classNames ?? classNamesOf({} as HostImages, numClasses);
    this.opened = { saved, classNames };
    const shape = record.shape as unknown as OwnForm['shape'];
    const model: OpenedModel = { file, arch, classNames, shape, resize: record.resize ?? 'crop' };
    this.report({ type: 'model', model });
  }

  /** Labels the target with the opened model. Throws if it returns NaN. */
  async label(gpu: Gpu): Promise<Predictions & { classNames: readonly string[]; names: readonly string[] }> {
    if (!this.opened) throw new Error(OWN.needed.source);
    const { saved, classNames } = this.opened;
    const { images } = this.set('target');
    const shape = saved.record!.shape;
    const model = MODELS[saved.arch](gpu, { shape, numClasses: saved.numClasses, random: new Random(0) });
    try {
      model.loadStateDict(saved.state);
      const labels = await predict(gpu, { data: asTrained(images, saved.record), model });
      if (!labels.probabilities.every(Number.isFinite)) throw new RangeError(ERRORS.modelNotFinite(saved.file));
      return { ...labels, classNames, names: images.names! };
    } finally {
      model.dispose();
    }
  }

  private set(side: Side): { images: HostImages; form: OwnForm } {
    const set = this.sets.get(side);
    if (!set) throw new Error(OWN.needed[side]);
    return set;
  }
}

/** Ends the reading of a folder that another one replaces. */
class Replaced extends Error {}

interface Problem {
  file: string;
  why: string;
}

async function readFolder(
  side: Side,
  folder: string,
  files: readonly OwnFile[],
  { shape: [channels, ...size], resize }: OwnForm,
  onProgress: (done: number, total: number) => void,
): Promise<{ images: HostImages; problems: Problem[] }> {
  const byPath = new Map(files.map(({ path, file }) => [path, file]));
  const problems: Problem[] = [...byPath.keys()]
    .filter((path) => !isImagePath(path) && !/(^|\/)\./.test(path))
    .map((file) => ({ file, why: OWN.noImage }));
  const listed = list(side, folder, [...byPath.keys()]);
  const images = await readImageFiles(listed, {
    read: async (path) =>
      new Uint8Array(
        await byPath
          .get(path)!
          .arrayBuffer()
          .catch(() => new ArrayBuffer(0)),
      ),
    decode: decodeInBrowser,
    ...{ channels, size, resize, onProgress },
    onUnreadable: ({ file, found }) => problems.push({ file, why: found }),
  });
  if (side === 'source' && numClassesOf(images) < 2) throw new Error(ERRORS.oneClass(folder));
  if (images.count < 2) throw new Error(ERRORS.oneImage(folder));
  return { images, problems };
}

/** Lists the images of a folder. The target's folders are its classes only if every image is in one. */
function list(side: Side, folder: string, paths: readonly string[]): readonly ImageFile[] {
  if (side === 'source') {
    const listed = imagesOfFolder(folder, paths);
    if (listed.some(({ label }) => label === undefined)) throw new Error(ERRORS.unlabelled(folder));
    return listed;
  }
  const images = paths.filter(isImagePath);
  const loose = images.some((path) => !path.includes('/'));
  return loose ? images.sort().map((name) => ({ name })) : imagesOfFolder(folder, paths);
}

const numClassesOf = (images: HostImages): number => images.classNames?.length ?? largestOf(labelsOf(images)) + 1;

/** Numbers the target's labels as the source's. Its folders may be no classes at all; then it has no labels. */
function withClasses(target: HostImages, classNames: readonly string[]): HostImages {
  const { labels: _, classNames: __, ...bare } = target;
  if (!target.labels) return bare;
  try {
    return matchClasses(target, classNames);
  } catch {
    return bare;
  }
}

function describe(side: Side, images: HostImages, problems: readonly Problem[]): OwnSet {
  const shape = exampleShape(images);
  const size = shape.reduce((a, b) => a * b);
  const { count, labels, names } = images;
  const all = labels && labelsOf(images);
  const classes =
    all &&
    classNamesOf(images, numClassesOf(images)).map((name, c) => ({
      name,
      count: all.filter((label) => label === c).length,
    }));
  // Some images of each class: at even distances in the order of their names.
  const places =
    side === 'target'
      ? Array.from({ length: Math.min(count, Math.floor(MOST_SHOWN / size)) }, (_, i) => i)
      : Array.from({ length: Math.min(count, 2 * STRIP) }, (_, i, n = Math.min(count, 2 * STRIP)) =>
          Math.floor(((i + 0.5) * count) / n),
        );
  const shown = new Uint8Array(places.length * size);
  for (const [to, from] of places.entries())
    shown.set(images.images.subarray(from * size, (from + 1) * size), to * size);
  return {
    ...{ side, count, shape, images: shown, names: places.map((i) => names![i]!) },
    classes: classes ?? null,
    problems: problems.slice(0, MOST_PROBLEMS),
    leftOut: problems.length,
  };
}
