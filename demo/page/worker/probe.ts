import { pseudoLabels } from '../../../src/adaptation/pseudoLabels.ts';
import { noGrad } from '../../../src/autograd.ts';
import { type CapturedStep, capture } from '../../../src/capture.ts';
import { ImageDataset } from '../../../src/data/dataset.ts';
import type { HostImages } from '../../../src/data/host.ts';
import type { Gpu } from '../../../src/gpu/gpu.ts';
import type { SmallCnn } from '../../../src/models/smallCnn.ts';
import { slice } from '../../../src/ops/slice.ts';
import { softmax } from '../../../src/ops/softmax.ts';
import { type Tensor, tensor, write } from '../../../src/tensor.ts';
import { keep } from '../../../src/tidy.ts';
import { POINTS, STRIP } from '../protocol.ts';
import { Projection } from './projection.ts';

/** The results of a probe. */
export interface Seen {
  /** [2 * POINTS, 2]: coordinates of all images. */
  points: Float32Array;
  /** [STRIP, classes] */
  probabilities: Float32Array;
  /** Self-training's labels of the POINTS target images, and 1 for those that it keeps; undefined for other methods. */
  own: { labels: Uint32Array; mask: Float32Array } | undefined;
}

/** Runs a network on the same few images at every snapshot: where their features lie, and its predictions for the strip. */
export class Probe {
  private step: CapturedStep<ReturnType<Probe['record']>> | undefined;
  private readonly data: ImageDataset;
  private readonly projection: Projection;
  private readonly classWeight: Tensor | undefined;

  /**
   * @param images POINTS of the source, then POINTS of the target, which begin with the strip
   * @param own the number of classes and self-training's threshold; left out for other methods
   */
  constructor(
    private readonly gpu: Gpu,
    private readonly model: SmallCnn,
    images: HostImages,
    private readonly own?: { numClasses: number; threshold: number },
  ) {
    this.data = new ImageDataset(gpu, images, images.count, { labelled: false, label: 'probe' });
    this.projection = new Projection(gpu, model.featuresDim);
    if (own) this.classWeight = keep(tensor(gpu, new Float32Array(own.numClasses).fill(1)));
  }

  /** @param classWeight that self-training multiplies probabilities by */
  async look(classWeight: readonly number[]): Promise<Seen> {
    if (this.classWeight) write(this.classWeight, Float32Array.from(classWeight));
    // A captured step repeats what the layers did in their mode at the time, here eval mode.
    const restore = this.model.evalMode();
    try {
      this.step ??= await capture(this.gpu, () => noGrad(() => this.record()));
      this.step.run();
    } finally {
      restore();
    }
    const { points, axes, probabilities, own } = this.step.result;
    const read = await Promise.all([points.read(), probabilities.read(), axes.read()]);
    this.projection.continueFrom(read[2]);
    const [labels, mask] = await Promise.all([own?.labels.readU32(), own?.mask.read()]);
    return { points: read[0], probabilities: read[1], own: labels && mask && { labels, mask } };
  }

  dispose(): void {
    this.step?.dispose();
    this.projection.dispose();
    this.classWeight?.dispose();
    this.data.dispose();
  }

  private record() {
    const { logits, features } = this.model.forward(this.data.batchAt(0).x);
    const strip = slice(logits, POINTS, POINTS + STRIP);
    const { own, classWeight } = this;
    const target = slice(logits, POINTS, 2 * POINTS);
    return {
      ...this.projection.project(features),
      probabilities: softmax(strip),
      own: own && classWeight && pseudoLabels(target, { classWeight, threshold: own.threshold }),
    };
  }
}
