import { type HostImages, labelsOf } from '../../../src/data/host.ts';
import { type NamedBytes, readImages } from '../../../src/data/readers/idx.ts';
import { selectClasses } from '../../../src/data/subset.ts';
import type { TrainingData } from '../../../src/train/options.ts';
import { POINTS, type Samples, STRIP } from '../protocol.ts';
import { ERRORS } from '../words.ts';

const CLASSES = 10;

/** All images of the page: labelled font digits, handwriting to adapt to, and other handwriting to test with. */
export interface Digits {
  source: HostImages;
  target: HostImages;
  test: HostImages;
}

/** Downloads the IDX files of a folder. Throws an `Error` that names the file if one cannot be downloaded. */
export async function loadDigits(folder: string): Promise<Digits> {
  const [source, target, test] = await Promise.all(
    ['source', 'target', 'test'].map(async (set) => {
      const [images, labels] = await Promise.all([
        load(`${folder}${set}-images-idx3-ubyte.gz`),
        load(`${folder}${set}-labels-idx1-ubyte.gz`),
      ]);
      return readImages({ images, labels, numClasses: CLASSES });
    }),
  );
  return { source: source!, target: target!, test: test! };
}

async function load(file: string): Promise<NamedBytes> {
  const response = await fetch(file).catch((error: Error) => {
    throw new Error(ERRORS.download(file, error.message));
  });
  if (!response.ok) throw new Error(ERRORS.download(file, `${response.status} ${response.statusText}`));
  return { file, bytes: new Uint8Array(await response.arrayBuffer()) };
}

/** The images of the training runs, whose target contains only some digits. */
export interface RunData {
  training: TrainingData<HostImages>;
  /** Labelled target images that training does not see. */
  test: HostImages;
  /** Images for the snapshots: POINTS of the source, then POINTS of the target. */
  probe: HostImages;
  samples: Samples;
}

/** Keeps only some digits of the target. */
export function selectDigits({ source, target, test }: Digits, digits: readonly number[]): RunData {
  const chosen = { target: selectClasses(target, digits), test: selectClasses(test, digits) };
  const [fontDigits, handwriting] = [spread(source, POINTS), spread(chosen.test, POINTS)];
  const probe = join(fontDigits, handwriting);
  const strip = ({ images, height, width }: HostImages) => Uint8Array.from(images.subarray(0, STRIP * height * width));
  return {
    training: { source, target: chosen.target, numClasses: CLASSES },
    test: chosen.test,
    probe,
    samples: {
      fontDigits: strip(fontDigits),
      fontLabels: Uint8Array.from(labelsOf(fontDigits).subarray(0, STRIP)),
      handwriting: strip(handwriting),
      handwritingLabels: Uint8Array.from(labelsOf(handwriting).subarray(0, STRIP)),
      pointLabels: Uint8Array.from(labelsOf(probe)),
      testCount: chosen.test.count,
    },
  };
}

/** Takes `n` images, one per class in turn, and starts again at the first of a class that has too few. */
function spread(all: HostImages, n: number): HostImages {
  const labels = labelsOf(all);
  const byClass = Array.from({ length: CLASSES }, (_, c) => [...labels.keys()].filter((i) => labels[i] === c));
  const present = byClass.filter((images) => images.length > 0);
  const order = Array.from({ length: n }, (_, i) => {
    const images = present[i % present.length]!;
    return images[Math.floor(i / present.length) % images.length]!;
  });
  const size = all.height * all.width;
  const images = new Uint8Array(n * size);
  for (const [to, from] of order.entries()) images.set(all.images.subarray(from * size, (from + 1) * size), to * size);
  return { ...all, images, labels: Uint8Array.from(order, (i) => labels[i]!), count: n };
}

function join(a: HostImages, b: HostImages): HostImages {
  const images = new Uint8Array(a.images.length + b.images.length);
  images.set(a.images);
  images.set(b.images, a.images.length);
  return { ...a, images, labels: Uint8Array.of(...labelsOf(a), ...labelsOf(b)), count: a.count + b.count };
}
