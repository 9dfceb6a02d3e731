import * as assert from 'uvu/assert';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { SmallCnn } from '../../src/models/smallCnn.ts';
import { Linear } from '../../src/nn/linear.ts';
import { concat } from '../../src/ops/concat.ts';
import { Random } from '../../src/random.ts';
import { tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { PerDomain } from '../../src/train/perDomain.ts';
import { assertClose, gpuTest, run, seeded, uniform } from '../harness.ts';
import { stripesTrainer } from './stripes.ts';

const SHAPE = [1, 16, 16];
const network = (gpu: Gpu) => new SmallCnn(gpu, { numClasses: 4, shape: SHAPE, featuresDim: 8, random: new Random(1) });
const runningOf = async (model: SmallCnn) =>
  Promise.all([...model.namedBuffers()].map(async ([name, x]) => [name, await x.read()] as const));

gpuTest('each domain is normalised by itself, and only the target moves the running statistics', async (gpu) => {
  const n = 6;
  const parts = [n, n, 3].map((rows, i) => tensor(gpu, uniform([rows, ...SHAPE], seeded(i)), [rows, ...SHAPE]));
  const networks = Array.from({ length: 5 }, () => network(gpu));
  const [together, alone, ...others] = networks as [SmallCnn, SmallCnn, ...SmallCnn[]];
  const [joined, apart, plain] = tidy(() => {
    const { logits } = new PerDomain(together, n).forward(concat(parts));
    const apart = parts.map((x, i) => others[i]!.forward(x).logits);
    alone.forward(parts[1]!);
    return [logits, concat(apart), alone.eval().forward(parts[0]!).logits];
  });
  assertClose('logits', await joined!.read(), await apart!.read(), { rtol: 1e-5, atol: 1e-6 });
  assert.equal(await runningOf(together), await runningOf(alone));
  // In eval mode there is one pass, with the target's statistics.
  const evaluated = tidy(() => new PerDomain(together.eval(), n).eval().forward(parts[0]!).logits);
  assert.equal(await evaluated.read(), await plain!.read());
  for (const held of [...parts, ...networks, joined, apart, plain, evaluated]) held!.dispose();
});

gpuTest('a model without batch norm has no separate statistics', (gpu) => {
  const bare = new Linear(gpu, { inFeatures: 2, outFeatures: 2, random: new Random(1) });
  assert.throws(
    () => new PerDomain(bare as never, 2),
    'training: batchNorm is separate, but the model has no batch norm; leave it out',
  );
  bare.dispose();
});

gpuTest('with separate statistics the target does not change what the source teaches', async (gpu) => {
  const weights = async (options: Parameters<typeof stripesTrainer>[1]) => {
    const trainer = await stripesTrainer(gpu, options);
    for (let i = 0; i < 3; i++) await trainer.step();
    const { tensors } = await trainer.state();
    trainer.dispose();
    return (name: string) => tensors.get(`model.${name}`)!.data as Float32Array;
  };
  const alone = await weights({ method: 'source-only' });
  const separate = await weights({ method: 'afn', tradeOffNorm: 0, batchNorm: 'separate' });
  const joint = await weights({ method: 'afn', tradeOffNorm: 0 });
  const close = { rtol: 1e-4, atol: 1e-5 };
  assertClose('head', separate('head.weight'), alone('head.weight'), close);
  assertClose('backbone', separate('backbone.0.weight'), alone('backbone.0.weight'), close);
  assert.throws(() => assertClose('joint', joint('head.weight'), alone('head.weight'), close));
  assert.throws(() =>
    assertClose('mean', separate('bottleneck.1.running_mean'), alone('bottleneck.1.running_mean'), close),
  );
});

run();
