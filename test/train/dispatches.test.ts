import * as assert from 'uvu/assert';
import { BATCH, plainNetwork } from '../../bench/cnn.ts';
import { padaSettings } from '../../bench/pada.ts';
import { backward } from '../../src/autograd.ts';
import { dryRun } from '../../src/capture.ts';
import { createGpu, type GpuOptions } from '../../src/gemm/createGpu.ts';
import { gemmFamily } from '../../src/gemm/settings.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { crossEntropy } from '../../src/ops/crossEntropy.ts';
import { Sgd } from '../../src/optim/sgd.ts';
import { empty } from '../../src/tensor.ts';
import { Trainer } from '../../src/train/trainer.ts';
import { gpuTest, run } from '../harness.ts';

// The steps of the benches, recorded but not compiled. Between two dispatches a GPU idles for a few microseconds, which a software
// adapter does not show, so they are counted.
const STEPS: Record<string, (gpu: Gpu) => number> = {
  PADA(gpu) {
    const trainer = Trainer.begin(padaSettings(gpu));
    const { forwardBackward, update } = trainer as unknown as Record<'forwardBackward' | 'update', () => void>;
    const count = countOf(gpu, () => {
      forwardBackward.call(trainer);
      update.call(trainer);
    });
    trainer.dispose();
    return count;
  },
  'plain CNN'(gpu) {
    const network = plainNetwork(gpu);
    const optimizer = new Sgd(network.parameters(), { lr: 0.01, momentum: 0.9 });
    const count = countOf(gpu, () => {
      optimizer.zeroGrad();
      backward(crossEntropy(network.forward(empty(gpu, [BATCH, 1, 28, 28])), empty(gpu, [BATCH], 'u32')));
      optimizer.step();
    });
    for (const held of [optimizer, network]) held.dispose();
    return count;
  },
};

function countOf(gpu: Gpu, step: () => void): number {
  let count = 0;
  dryRun(gpu, () => {
    step();
    count = gpu.queue.recording!.dispatches.length;
  });
  return count;
}

const MOST: Record<string, { options: GpuOptions; steps: Record<string, number> }> = {
  workgroup: { options: { kind: 'gpu', gemm: 'workgroup' }, steps: { PADA: 36, 'plain CNN': 18 } },
  subgroup: { options: { kind: 'cpu', gemm: 'subgroup' }, steps: { PADA: 36, 'plain CNN': 16 } },
  plain: { options: { kind: 'cpu', gemm: 'plain' }, steps: { PADA: 37, 'plain CNN': 18 } },
};

for (const [family, { options, steps }] of Object.entries(MOST)) {
  gpuTest(`the steps with the ${family} kernels take few dispatches`, async () => {
    const gpu = await createGpu(options);
    // With fewer than 8 lanes, the plain kernels stand in for the subgroup kernels.
    if (gemmFamily(gpu) !== family) return gpu.dispose();
    for (const [name, most] of Object.entries(steps)) {
      const count = STEPS[name]!(gpu);
      assert.ok(count <= most, `${name}: ${count} dispatches, at most ${most} are allowed`);
      console.log(`${name}, ${family}: ${count} dispatches`);
    }
    gpu.dispose();
  });
}

run();
