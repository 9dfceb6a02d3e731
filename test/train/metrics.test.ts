import * as assert from 'uvu/assert';
import { tensor } from '../../src/tensor.ts';
import { MetricsRing } from '../../src/train/metrics.ts';
import { gpuTest, run } from '../harness.ts';

gpuTest('a ring of metrics returns the iterations since the last read, also after its first round', async (gpu) => {
  const ring = new MetricsRing(gpu);
  const first = 1022;
  ring.restart(first);
  const classAccuracy = tensor(gpu, 50);
  for (let iteration = first; iteration < first + 5; iteration++) {
    ring.advance(iteration);
    const classLoss = tensor(gpu, iteration);
    ring.store({ loss: classLoss, classLoss, classAccuracy });
    classLoss.dispose();
  }
  const rows = await ring.since(first + 5);
  assert.equal(
    rows.map(({ iteration, classLoss, transferLoss, classAccuracy, domainAccuracy }) => [
      ...[iteration, classLoss, transferLoss, classAccuracy, domainAccuracy],
    ]),
    [1022, 1023, 1024, 1025, 1026].map((i) => [i, i, 0, 50, Number.NaN]),
  );
  assert.equal(await ring.since(first + 5), []);
  for (const held of [classAccuracy, ring]) held.dispose();
});

run();
