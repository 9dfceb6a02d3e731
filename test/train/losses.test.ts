import * as assert from 'uvu/assert';
import { createGpu } from '../../src/gemm/createGpu.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import type { IterationMetrics } from '../../src/train/events.ts';
import { train } from '../../src/train/loop.ts';
import { Trainer } from '../../src/train/trainer.ts';
import { env } from '../files.ts';
import { gpuTest, run, seeded } from '../harness.ts';
import { stripes, stripesSettings } from './stripes.ts';

// Devices are lost at random iterations. Weights and reports must be those of a run without losses.

const LOSSES = Number(env('PADAGRAD_LOSSES') ?? 5);
const SEED = Number(env('PADAGRAD_SEED') ?? Date.now() % 1e6);
const EVERY = 6;
const UPDATE_STEPS = 5;
// One loss between two checkpoints, so that three in a row never occur.
const ITERATIONS = EVERY * (LOSSES + 1);
const MOMENTS = ['before an iteration', 'behind its recorded work', 'some time after'] as const;

interface Plan {
  iteration: number;
  moment: (typeof MOMENTS)[number];
  milliseconds: number;
}

function planned(random: () => number): Plan[] {
  const below = (n: number) => Math.floor(n * random());
  // The first loss always comes while class weights are read for a report.
  return Array.from({ length: LOSSES }, (_, k) => ({
    iteration: k === 0 ? UPDATE_STEPS - 1 : EVERY * k + below(EVERY),
    moment: MOMENTS[k === 0 ? 1 : below(MOMENTS.length)]!,
    milliseconds: 4 * random(),
  }));
}

/** Trains on devices that are lost as planned. */
async function trained(gpu: Gpu, plans: Plan[] = []) {
  const rows: IterationMetrics[] = [];
  const log: string[] = [];
  const lost: number[] = [];
  const opened: Gpu[] = [gpu];
  const open = async (): Promise<Gpu> => {
    const another = await createGpu();
    opened.push(another);
    return another;
  };
  const { step } = Trainer.prototype;
  Trainer.prototype.step = async function (this: Trainer) {
    const lose = () => this.gpu.native.destroy();
    const plan = plans[0]?.iteration === this.iteration ? plans.shift()! : undefined;
    if (plan?.moment === 'before an iteration') lose();
    const refreshed = await step.call(this);
    if (plan?.moment === 'behind its recorded work') lose();
    if (plan?.moment === 'some time after') setTimeout(lose, plan.milliseconds);
    return refreshed;
  };
  try {
    const options = { classWeightUpdateSteps: UPDATE_STEPS, iterations: ITERATIONS };
    const { result, trainer } = await train(
      stripesSettings(plans.length > 0 ? await open() : gpu, options, {
        ...{
          printFreq: 4,
          evalFreq: 9,
          checkpointEvery: EVERY,
          targetTest: stripes(20, 5, { classes: 2 }),
          reopen: open,
        },
        callbacks: {
          onMetrics: (fresh) => rows.push(...fresh),
          onProgress: ({ iteration }) => log.push(`progress ${iteration}`),
          onClassWeight: ({ iteration, classWeight }) => log.push(`classWeight ${iteration}: ${classWeight}`),
          onEvaluation: ({ iteration, target }) => log.push(`evaluation ${iteration}: ${target!.accuracy}`),
          onCheckpoint: ({ iteration }) => void log.push(`checkpoint ${iteration}`),
          onLost: ({ iteration }) => lost.push(iteration),
        },
      }),
    );
    const { tensors } = await trainer.state();
    trainer.dispose();
    const learnt = Object.entries(result).filter(([name]) => !name.startsWith('seconds'));
    return { told: { rows, log, learnt }, tensors, lost };
  } finally {
    Trainer.prototype.step = step;
    for (const one of opened.slice(1)) one.dispose();
  }
}

gpuTest(`${LOSSES} devices lost at random iterations change no bit of weights and reports`, async (gpu) => {
  const plans = planned(seeded(SEED));
  const iterations = plans.map(({ iteration }) => iteration).join(', ');
  const whole = await trained(gpu);
  const broken = await trained(gpu, plans);
  console.log(`lost ${broken.lost.length} devices, in iterations ${iterations} (seed ${SEED})`);
  assert.is(broken.lost.length, LOSSES);
  assert.equal(broken.told, whole.told);
  assert.equal(broken.tensors, whole.tensors);
});

run();
