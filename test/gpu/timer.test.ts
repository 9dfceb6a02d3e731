import * as assert from 'uvu/assert';
import { capture } from '../../src/capture.ts';
import type { Device } from '../../src/gpu/device.ts';
import { defineKernel } from '../../src/gpu/kernel.ts';
import { Timer } from '../../src/gpu/timer.ts';
import { tensor } from '../../src/tensor.ts';
import { gpuTest, run } from '../harness.ts';

const kernel = defineKernel(
  'increment',
  `@group(0) @binding(0) var<storage, read_write> x: array<f32>;
   @compute @workgroup_size(1) fn once() { x[0] += 1.0; }`,
  ['once'],
);

gpuTest('a timer runs a list the given number of times, by the clock of the device or the host', async (gpu) => {
  const x = tensor(gpu, [0]);
  const step = await capture(gpu, () => kernel.once({ x }, {}, 1));
  const without = new Set([...gpu.features].filter((name) => name !== 'timestamp-query'));
  const blind = Object.assign(Object.create(gpu.device), { features: without }) as Device;
  let runs = 0;
  for (const [device, clock] of [
    [gpu.device, gpu.features.has('timestamp-query') ? 'timestamps' : 'wall'],
    [blind, 'wall'],
  ] as const) {
    const timer = new Timer(device);
    assert.is(timer.clock, clock);
    for (const times of [1, 100]) {
      const start = performance.now();
      const seconds = await timer.run(step.commands, times);
      const most = (performance.now() - start) / 1000;
      runs += times;
      assert.ok(seconds >= 0 && seconds <= most, `${seconds} s of ${most}`);
      assert.is(await x.item(), runs);
    }
  }
  step.dispose();
  x.dispose();
});

run();
