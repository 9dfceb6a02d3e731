import * as assert from 'uvu/assert';
import type { HostImages } from '../../src/data/host.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { accuracy } from '../../src/ops/accuracy.ts';
import { crossEntropy } from '../../src/ops/crossEntropy.ts';
import type { Tensor } from '../../src/tensor.ts';
import { keep } from '../../src/tidy.ts';
import type { Method } from '../../src/train/methods/method.ts';
import type { RunOptions } from '../../src/train/methods/named.ts';
import { Trainer } from '../../src/train/trainer.ts';
import { assertClose, gpuTest, run } from '../harness.ts';
import { stripes, stripesSettings, stripesTrainer } from './stripes.ts';

// The losses are tested with test/golden/self_training.json; that all ways to run a method agree, in trainer.test.ts.

const PSEUDO_FROM = 3;
const options: Partial<RunOptions> = { method: 'self-training', pseudoFrom: PSEUDO_FROM, threshold: 0 };

/** The losses of 6 iterations and the state after them; a new trainer takes over after `broken`. */
async function outcome(gpu: Gpu, more: object = {}, broken = 0) {
  let trainer = await stripesTrainer(gpu, options, more);
  const rows = [];
  for (let i = 0; i < 6; i++) {
    if (i > 0 && i === broken) {
      rows.push(...(await trainer.metrics()));
      const checkpoint = await trainer.state();
      trainer.dispose();
      trainer = await stripesTrainer(gpu, options, more);
      trainer.restore(checkpoint);
    }
    await trainer.step();
  }
  rows.push(...(await trainer.metrics()));
  const { tensors } = await trainer.state();
  trainer.dispose();
  return { losses: rows.map(({ classLoss, transferLoss }) => [classLoss, transferLoss]), tensors };
}

gpuTest('self-training begins on source batches only, and its pseudo-labels follow', async (gpu) => {
  const [one, other] = [await outcome(gpu), await outcome(gpu, { target: stripes(90, 7, { classes: 3 }) })];
  assert.equal(one.losses.slice(0, PSEUDO_FROM), other.losses.slice(0, PSEUDO_FROM));
  assert.equal(
    one.losses.slice(0, PSEUDO_FROM).map(([, transfer]) => transfer),
    [0, 0, 0],
  );
  for (const [i, [classLoss, transferLoss]] of one.losses.slice(PSEUDO_FROM).entries()) {
    assert.is.not(classLoss, other.losses[PSEUDO_FROM + i]![0]);
    assert.ok(transferLoss! > 0);
  }
});

gpuTest('self-training resumes bit for bit, before and after its pseudo-labels begin', async (gpu) => {
  const whole = await outcome(gpu);
  for (const broken of [2, 4]) assert.equal(await outcome(gpu, {}, broken), whole);
});

gpuTest('a method finds the target batch with and without jitter', async (gpu) => {
  const seen: Record<string, Tensor> = {};
  const looks: Method = {
    name: 'looks',
    options: {},
    usesTarget: true,
    begin: ({ model }) => ({
      losses({ source, target, plainTarget }) {
        // Compiling has called it before.
        for (const held of Object.values(seen)) held.dispose();
        Object.assign(seen, { target: keep(target.x), plainTarget: keep(plainTarget) });
        const { logits } = model.forward(source.x);
        const loss = crossEntropy(logits, source.labels);
        return { loss, classLoss: loss, classAccuracy: accuracy(logits, source.labels) };
      },
    }),
  };
  const settings = stripesSettings(gpu, { eager: true, targetJitter: 'strong' });
  const trainer = await Trainer.create({ ...settings, method: looks });
  await trainer.step();
  const { tensors } = await trainer.state();
  const order = [...(tensors.get('target.order')!.data as Uint32Array)].slice(0, 8);
  const { images, height, width } = settings.target as HostImages;
  const expected = order.flatMap((i) =>
    Array.from(images.subarray(i * height * width, (i + 1) * height * width), (byte) => byte / 127.5 - 1),
  );
  assertClose('plainTarget', await seen.plainTarget!.read(), expected, { atol: 1e-6 });
  const jittered = await seen.target!.read();
  assert.ok(jittered.some((v, i) => Math.abs(v - expected[i]!) > 0.1));
  for (const held of [trainer, ...Object.values(seen)]) held.dispose();
});

run();
