import * as assert from 'uvu/assert';
import { type Batch, FeatureDataset, ImageDataset } from '../../src/data/dataset.ts';
import { Sampler } from '../../src/data/sampler.ts';
import { countCalls } from '../../src/debug/deviceCalls.ts';
import type { BatchRequest } from '../../src/ops/shared/batch.ts';
import { Random } from '../../src/random.ts';
import { empty, write } from '../../src/tensor.ts';
import { drawBoth } from '../../src/train/drawBoth.ts';
import { gpuTest, run } from '../harness.ts';

/** A data set with a batch of its own: always that at the beginning of the order. */
class Beginning extends ImageDataset {
  override batch(request: BatchRequest): Batch {
    return super.batch({ ...request, offset: 0 });
  }
}

gpuTest(
  'two samplers draw in one dispatch if their data sets are alike, and what they draw one by one',
  async (gpu) => {
    const labels = Uint8Array.of(0, 1, 2, 3, 4, 5);
    const images = {
      images: Uint8Array.from({ length: 54 }, (_, i) => (i * 41) % 256),
      count: 6,
      height: 3,
      width: 3,
      labels,
    };
    const features = { features: Float32Array.from({ length: 54 }, (_, i) => i / 3), count: 6, dim: 9, labels };
    const plain = (mean?: number) => new ImageDataset(gpu, images, 6, mean === undefined ? {} : { mean });
    const vectors = () => new FeatureDataset(gpu, features, 6);
    for (const [name, sets, dispatches] of [
      ['images', [plain(), plain()], 1],
      ['vectors', [vectors(), vectors()], 1],
      ['images of two means', [plain(), plain(0.25)], 2],
      ['a batch of its own', [plain(), new Beginning(gpu, images, 6)], 2],
    ] as const) {
      const samplersOf = () =>
        sets.map((set, i) => {
          const sampler = new Sampler(set, 2, new Random(i));
          for (let k = 0; k < 2; k++) sampler.advance();
          return sampler;
        }) as [Sampler, Sampler];
      const [first, second] = samplersOf();
      const same = samplersOf(); // a batch is drawn once
      const x = empty(gpu, [4, ...sets[0].shape]);
      const one = first.batch(x);
      const other = second.batch(x, 2);
      const expected = [[...(await x.read())], [...(await one.labels!.readU32())]];
      write(x, new Float32Array(x.size));
      let both: Batch | undefined;
      const calls = countCalls(gpu.native, () => {
        both = drawBoth(...same, x);
        gpu.submit();
      });
      assert.is(calls.dispatches, dispatches, name);
      assert.equal([[...(await x.read())], [...(await both!.labels!.readU32())]], expected, name);
      for (const held of [first, second, ...same, ...sets, x, one.labels!, other.labels!, both!.labels!])
        held.dispose();
    }
  },
);

run();
