import * as assert from 'uvu/assert';
import { AnomalyError } from '../../src/debug/anomaly.ts';
import { NotFiniteError } from '../../src/debug/finiteWatch.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import type { Checkpoint } from '../../src/train/checkpoint.ts';
import { type TrainSettings, train } from '../../src/train/loop.ts';
import type { RunOptions } from '../../src/train/methods/named.ts';
import { gpuTest, run } from '../harness.ts';
import { stripesSettings, stripesTrainer } from './stripes.ts';

const OPTIONS: Partial<RunOptions> = { classWeightUpdateSteps: 4, iterations: 60 };
// Weights grow ninefold with every step, so only the first iterations are finite.
const EXPLODING = { weightDecay: 1000, momentum: 0 };

/** Runs until an error; returns it, with the checkpoints. */
async function stopped(gpu: Gpu, options: Partial<RunOptions>, settings: Partial<TrainSettings> = {}) {
  const checkpoints: Checkpoint[] = [];
  const error: NotFiniteError = await train(
    stripesSettings(
      gpu,
      { ...OPTIONS, ...options },
      {
        ...{ printFreq: 1, checkpointEvery: 5, ...settings },
        callbacks: { onCheckpoint: (checkpoint) => void checkpoints.push(checkpoint) },
      },
    ),
  ).catch((e) => e);
  assert.instance(error, NotFiniteError);
  return { error, checkpoints };
}

gpuTest('an op that overflows is named, with its iteration', async (gpu) => {
  // The first update makes the weights so large that the variance of their results overflows.
  const { error } = await stopped(gpu, { tradeOff: 3.4e38 }, { detectAnomaly: true });
  assert.equal([error.iteration, error.what], [1, 'batchNorm']);
  assert.match(
    error.message,
    /^training: in iteration 1, batchNorm\(.*\), forward: its output \[16,128\] has \d+ (NaN|infinite).*, the first at \[\d+,\d+\]$/,
  );
  assert.instance(error.cause, AnomalyError);
});

gpuTest("a value that the optimiser's step made NaN is reported as such", async (gpu) => {
  const { error } = await stopped(gpu, { lr: 3e38, weightDecay: 100 }, { detectAnomaly: true });
  assert.is(error.iteration, 0);
  assert.match(error.message, /^training: in iteration 0, the optimiser's step made \S+\.weight NaN or infinite/);
});

for (const method of ['pada', 'source-only'] as const) {
  gpuTest(`${method}: a stopped run resumes from its checkpoint and names the op`, async (gpu) => {
    const blind = await stopped(gpu, { ...EXPLODING, method });
    assert.is(blind.error.cause, undefined);
    assert.match(blind.error.message, /or detectAnomaly to find the op$/);
    assert.ok(blind.checkpoints.length > 0);
    const resume = blind.checkpoints.at(-1)!;
    const { error, checkpoints } = await stopped(gpu, { ...EXPLODING, method }, { detectAnomaly: true, resume });
    assert.is(error.iteration, blind.error.iteration);
    const { op, call, shape } = (error.cause as AnomalyError).anomaly;
    assert.ok(call.startsWith(`${op}(`) && shape.length > 0, call);
    assert.equal(checkpoints, []);
  });
}

gpuTest('checking ops changes no bit, and no option in a checkpoint', async (gpu) => {
  const states: Checkpoint[] = [];
  for (const detectAnomaly of [false, true]) {
    const trainer = await stripesTrainer(gpu, OPTIONS, { detectAnomaly });
    for (let i = 0; i < 10; i++) await trainer.step();
    states.push(await trainer.state());
    trainer.dispose();
  }
  assert.equal(states[1], states[0]);
});

run();
