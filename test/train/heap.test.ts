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
  // The engine's own code is compiled and thrown away along the way, a few hundred KB at a time: it comes and goes between
  // windows, while what an iteration leaves behind is in every one of them.
  const growths: number[] = [];
  let before = 0;
  for (let window = 0; window <= WINDOWS; window++) {
    await steps(ITERATIONS);
    const after = heapUsed();
    if (window > 0) growths.push((after - before) / ITERATIONS);
    before = after;
  }
  const shown = growths.map((growth) => growth.toFixed(1)).join(', ');
  console.log(`${shown} bytes an iteration`);
  assert.ok(Math.min(...growths) < MOST_BYTES, `${shown} bytes an iteration`);
  trainer.dispose();
});

run();
