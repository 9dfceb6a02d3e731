import type { HostImages } from '../../src/data/dataset.ts';
import type { TrainingData } from '../../src/train/trainingData.ts';
import { seeded } from '../harness.ts';

const SIZE = 16;
const CLASSES = 4;

/** Images of noise with one bright stripe, whose place is the class; small, and soon learnt. */
export function stripes(count: number, seed: number, { classes = CLASSES, brightness = 200 } = {}): HostImages {
  const random = seeded(seed);
  const images = Uint8Array.from({ length: count * SIZE * SIZE }, () => 40 * random());
  const labels = Uint8Array.from({ length: count }, (_, i) => i % classes);
  for (const [i, label] of labels.entries()) {
    for (let y = 0; y < SIZE; y++) {
      for (let x = 3 * label + 2; x < 3 * label + 4; x++) images[(i * SIZE + y) * SIZE + x]! += brightness;
    }
  }
  return { images, labels, count, height: SIZE, width: SIZE };
}

/** Bright stripes of four classes as source, dim ones of the first two as target. */
export const stripesData = (): TrainingData => ({
  source: stripes(100, 1),
  target: stripes(90, 2, { classes: 2, brightness: 120 }),
  numClasses: CLASSES,
});
