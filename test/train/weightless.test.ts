import * as assert from 'uvu/assert';
import { countCalls } from '../../src/debug/deviceCalls.ts';
import type { createGpu } from '../../src/gemm/createGpu.ts';
import { train } from '../../src/train/loop.ts';
import type { RunOptions } from '../../src/train/methods/named.ts';
import { gpuTest, run } from '../harness.ts';
import { stripes, stripesSettings, stripesTrainer } from './stripes.ts';

// The class weights of absent classes become exactly 0. A batch of only such classes teaches nothing: its losses are 0, not
// 0 / 0, and no parameter changes.

const STILL: Partial<RunOptions> = {
  batchSize: 4,
  tradeOff: 1,
  weightDecay: 0,
  momentum: 0,
  classWeightUpdateSteps: 100,
};

/** A run whose source has classes 0 to 2, after `steps` iterations with the given class weights. */
async function weighed(
  gpu: Awaited<ReturnType<typeof createGpu>>,
  weight: number[],
  options: Partial<RunOptions>,
  steps = 3,
) {
  const data = { source: stripes(60, 1, { classes: 3 }), target: stripes(40, 2, { classes: 2 }), numClasses: 4 };
  const trainer = await stripesTrainer(gpu, { ...STILL, ...options }, data);
  const begun = await trainer.state();
  begun.tensors.set('classWeight.weight', { shape: [4], data: Float32Array.from(weight) });
  trainer.restore(begun);
  for (let i = 0; i < steps; i++) await trainer.step();
  const rows = await trainer.metrics();
  const bad = await trainer.firstNotFinite(rows);
  const { tensors } = await trainer.state();
  trainer.dispose();
  return { begun: begun.tensors, rows, bad, tensors };
}

const networks = (tensors: ReadonlyMap<string, { data: ArrayLike<number | bigint> }>) =>
  [...tensors]
    .filter(([name]) => /^(model|discriminator)\..*(weight|bias)$/.test(name))
    .map(([name, { data }]) => [name, Array.from(data)]);

for (const eager of [false, true]) {
  gpuTest(
    `a batch whose labels all weigh 0 has losses of 0 and moves no parameter${eager ? ', eager' : ''}`,
    async (gpu) => {
      const { begun, rows, bad, tensors } = await weighed(gpu, [0, 0, 0, 1], { eager });
      assert.is(rows.length, 3);
      for (const { classLoss, transferLoss } of rows) assert.equal([classLoss, transferLoss], [0, 0]);
      assert.is(bad, undefined);
      assert.equal(networks(tensors), networks(begun));
    },
  );
}

gpuTest('captured and eager leave the same bits with batches of weight 0 among others', async (gpu) => {
  const [captured, eager] = [
    await weighed(gpu, [1, 0, 0, 0], {}, 20),
    await weighed(gpu, [1, 0, 0, 0], { eager: true }, 20),
  ];
  assert.ok(
    captured.rows.some(({ classLoss }) => classLoss === 0),
    'some batches weigh nothing',
  );
  assert.ok(
    captured.rows.some(({ classLoss }) => classLoss > 0),
    'others do',
  );
  assert.equal(captured.rows, eager.rows);
  assert.equal(captured.tensors, eager.tensors);
});

gpuTest('PADA trains to the end on an easy target with small batches', async (gpu) => {
  const options: Partial<RunOptions> = {
    iterations: 300,
    batchSize: 2,
    temperature: 0.02,
    classWeightUpdateSteps: 20,
    lr: 0.02,
  };
  const { result, trainer } = await train(
    stripesSettings(gpu, options, { targetTest: stripes(40, 5, { classes: 2 }) }),
  );
  assert.ok(result.classWeight.includes(0), `${result.classWeight}`);
  assert.is(Math.max(...result.classWeight), 1);
  assert.ok(result.targetAccuracy! > 90, `${result.targetAccuracy} %`);
  trainer.dispose();
});

gpuTest('the guard adds no dispatch', async (gpu) => {
  const dispatches = async (method: 'pada' | 'dann') => {
    const trainer = await stripesTrainer(gpu, { ...STILL, method });
    await trainer.step();
    let stepped: Promise<boolean> | undefined;
    const calls = countCalls(gpu.native, () => {
      stepped = trainer.step();
    });
    await stepped;
    trainer.dispose();
    return calls.dispatches;
  };
  assert.is(await dispatches('pada'), await dispatches('dann'));
});

run();
