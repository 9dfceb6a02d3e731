import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as assert from 'uvu/assert';
import { gpuTest, run } from '../harness.ts';
import { stripesTrainer } from './stripes.ts';

const ITERATIONS = 2000;
const WINDOWS = 3;
const MOST_BYTES = 100;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes that live in JavaScript's heap. */
function heapUsed(): number {
  collectGarbage();
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

gpuTest(`${ITERATIONS} iterations leave fewer than ${MOST_BYTES} bytes each in the heap`, async (gpu) => {
  const trainer = await stripesTrainer(gpu, { batchSize: 4, classWeightUpdateSteps: 500 });
  const steps = async (count: number) => {
    for (let i = 0; i < count; i++) await trainer.step();
    await trainer.metrics();
  };
  // V8 compiles and drops code along the way, a few hundred KB at a time, which changes the heap of some windows. A leak is in every
  // window, so one window without growth is enough.
  const growths: number[] = [];
  await steps(ITERATIONS);
  let before = heapUsed();
  while (growths.length < WINDOWS && !(Math.min(...growths) < MOST_BYTES)) {
    await steps(ITERATIONS);
    const after = heapUsed();
    growths.push((after - before) / ITERATIONS);
    before = after;
  }
  const shown = growths.map((growth) => growth.toFixed(1)).join(', ');
  console.log(`${shown} bytes per iteration`);
  assert.ok(Math.min(...growths) < MOST_BYTES, `${shown} bytes per iteration`);
  trainer.dispose();
});

run();
