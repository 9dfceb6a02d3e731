import * as assert from 'uvu/assert';
import { measurePeaks, peakGflops } from '../../src/debug/peaks.ts';
import { gpuTest, run } from '../harness.ts';

gpuTest(
  'an adapter is measured: every figure a positive number, half precision only where there is any',
  async (gpu) => {
    const peaks = await measurePeaks(gpu, 0.01);
    const { halfGflops, clock, ...figures } = peaks;
    for (const [name, figure] of Object.entries(figures))
      assert.ok(figure > 0 && Number.isFinite(figure), `${name} ${figure}`);
    assert.is(halfGflops !== null, gpu.features.has('shader-f16'));
    assert.is(clock, gpu.features.has('timestamp-query') ? 'timestamps' : 'wall');
    assert.is(peakGflops(peaks), Math.max(peaks.scalarGflops, peaks.vectorGflops));
  },
);

run();
