import type { HostImages } from '../../../src/data/dataset.ts';
import { type NamedBytes, readImages } from '../../../src/data/readers/idx.ts';
import { selectClasses } from '../../../src/data/subset.ts';
import type { TrainingData } from '../../../src/train/trainingData.ts';
import { POINTS, type Samples, STRIP } from '../protocol.ts';

const CLASSES = 10;

/** All digits that the page has: printed ones with labels, handwritten ones to adapt to, and others to test with. */
export interface Digits {
  source: HostImages;
  target: HostImages;
  test: HostImages;
}

/** The digits in IDX files under an address. @throws Error that names the file which cannot be had */
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
    throw new Error(`${file} could not be loaded: ${error.message}; check the connection, then start over`);
  });
  if (!response.ok) throw new Error(`${file} could not be loaded: ${response.status} ${response.statusText}`);
  return { file, bytes: new Uint8Array(await response.arrayBuffer()) };
}

/** What trainings use of the digits when the target holds only some. */
export interface Material {
  data: TrainingData;
  /** Labelled images of the target that training does not see. */
  test: HostImages;
  /** Images that are looked at again and again: POINTS of the source, then POINTS of the target; the strip begins the latter. */
  probe: HostImages;
  samples: Samples;
}

export function chooseDigits({ source, target, test }: Digits, digits: readonly number[]): Material {
  const chosen = { target: selectClasses(target, digits), test: selectClasses(test, digits) };
  const shown = [spread(source, POINTS), spread(chosen.test, POINTS)] as const;
  const [, ofTarget] = shown;
  const size = source.height * source.width;
  return {
    data: { source, target: chosen.target, numClasses: CLASSES },
    test: chosen.test,
    probe: join(...shown),
    samples: {
      strip: Uint8Array.from(ofTarget.images.subarray(0, STRIP * size)),
      stripLabels: ofTarget.labels!.slice(0, STRIP),
      pointLabels: join(...shown).labels!,
      targetCount: chosen.target.count,
      testCount: chosen.test.count,
    },
  };
}

/** Images of each class in turn, the first of each first, `n` of them (again from the first where there are fewer). */
function spread(all: HostImages, n: number): HostImages {
  const labels = all.labels!;
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
  const bytes = (first: Uint8Array, second: Uint8Array) => Uint8Array.of(...first, ...second);
  const images = new Uint8Array(a.images.length + b.images.length);
  images.set(a.images);
  images.set(b.images, a.images.length);
  return { ...a, images, labels: bytes(a.labels!, b.labels!), count: a.count + b.count };
}
