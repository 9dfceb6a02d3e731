import { exampleShape, type HostImages, labelsOf } from '../../../src/data/host.ts';
import { type NamedBytes, readImages } from '../../../src/data/readers/idx.ts';
import type { Resize } from '../../../src/data/readers/images.ts';
import { selectClasses, take } from '../../../src/data/subset.ts';
import type { TrainingData } from '../../../src/train/options.ts';
import { POINTS, type Samples, STRIP } from '../protocol.ts';
import { CLASS_NAMES, type TaskName } from '../settings.ts';
import { ERRORS } from '../words.ts';

/** All images of a task: labelled source images, target images to adapt to, and other target images to test with. */
export interface TaskImages {
  task: TaskName;
  classNames: readonly string[];
  source: HostImages;
  target: HostImages;
  /** Undefined if the target has no labels. */
  test: HostImages | undefined;
  /** How the images were brought to their size; null for those that had it. */
  resize: Resize | null;
}

const SETS = ['source', 'target', 'test'] as const;

/**
 * Downloads the IDX files of a task. Throws an `Error` that names the file if one cannot be downloaded.
 *
 * @param base the address of the folder that has a folder per task
 */
export async function loadImages(task: Exclude<TaskName, 'own'>, base: string): Promise<TaskImages> {
  const classNames = CLASS_NAMES[task];
  const kind = task === 'digits' ? 'idx3' : 'idx4';
  const [source, target, test] = await Promise.all(
    SETS.map(async (set) => {
      const [images, labels] = await Promise.all([
        load(base, `${task}/${set}-images-${kind}-ubyte.gz`),
        load(base, `${task}/${set}-labels-idx1-ubyte.gz`),
      ]);
      return readImages({ images, labels, numClasses: classNames.length });
    }),
  );
  return { task, classNames, source: source!, target: target!, test: test!, resize: null };
}

async function load(base: string, file: string): Promise<NamedBytes> {
  const response = await fetch(base + file).catch((error: Error) => {
    throw new Error(ERRORS.download(file, error.message));
  });
  if (!response.ok) throw new Error(ERRORS.download(file, `${response.status} ${response.statusText}`));
  return { file, bytes: new Uint8Array(await response.arrayBuffer()) };
}

/** The images of the training runs. */
export interface RunData {
  training: TrainingData<HostImages>;
  /** Labelled target images; undefined if there are none. */
  test: HostImages | undefined;
  /** Images for the snapshots: POINTS of the source, then POINTS of the target. */
  probe: HostImages;
  samples: Samples;
}

/** Keeps only some classes of the target; own images are used as they are. */
export function selectRunData({ task, classNames, ...all }: TaskImages, classes: readonly number[]): RunData {
  const { source } = all;
  const chosen = (data: HostImages) => (task === 'own' ? data : selectClasses(data, classes));
  const [target, test] = [chosen(all.target), all.test && chosen(all.test)];
  const [ofSource, ofTarget] = [spread(source), spread(test ?? target)];
  const probe = join(ofSource, ofTarget);
  const shape = exampleShape(source);
  const strip = ({ images }: HostImages) => Uint8Array.from(images.subarray(0, STRIP * shape.reduce((a, b) => a * b)));
  const firstLabels = (data: HostImages) => labelsOf(data).subarray(0, STRIP);
  return {
    training: { source, target, numClasses: classNames.length },
    test,
    probe,
    samples: {
      task,
      classNames,
      held: task === 'own' ? (occurring(test) ?? [...classNames.keys()]) : classes,
      shape,
      source: strip(ofSource),
      sourceLabels: firstLabels(ofSource),
      target: strip(ofTarget),
      targetLabels: test ? firstLabels(ofTarget) : null,
      pointLabels: test ? Uint32Array.of(...labelsOf(ofSource), ...labelsOf(ofTarget)) : labelsOf(ofSource),
      testCount: test?.count ?? 0,
    },
  };
}

const occurring = (data: HostImages | undefined): number[] | undefined =>
  data && [...new Set(labelsOf(data))].sort((a, b) => a - b);

// Consecutive multiples of it are spread evenly over [0, 1), wherever they stop.
const GOLDEN = 0.618034;

/** Takes POINTS images, one per class in turn, and starts again at the first of a class that has too few. */
function spread(all: HostImages): HostImages {
  const labels = all.labels && labelsOf(all);
  if (!labels)
    return take(
      all,
      Array.from({ length: POINTS }, (_, i) => Math.floor(((i * GOLDEN) % 1) * all.count)),
    );
  const present = occurring(all)!.map((c) => [...labels.keys()].filter((i) => labels[i] === c));
  const order = Array.from({ length: POINTS }, (_, i) => {
    const images = present[i % present.length]!;
    return images[Math.floor(i / present.length) % images.length]!;
  });
  return take(all, order);
}

function join(a: HostImages, b: HostImages): HostImages {
  const images = new Uint8Array(a.images.length + b.images.length);
  images.set(a.images);
  images.set(b.images, a.images.length);
  const { channels, height, width } = a;
  return { images, channels, height, width, count: a.count + b.count };
}
