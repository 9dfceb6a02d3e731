import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as assert from 'uvu/assert';
import { Training } from '../../src/train/training.ts';
import { gpuTest, run } from '../harness.ts';
import { stripesData } from './stripes.ts';

const ITERATIONS = 2000;
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
  const training = await Training.create(gpu, stripesData(), { batchSize: 4, classWeightUpdateSteps: 500 });
  const steps = async (count: number) => {
    for (let i = 0; i < count; i++) await training.step();
    await training.metrics();
  };
  await steps(600);
  const before = heapUsed();
  await steps(ITERATIONS);
  const growth = (heapUsed() - before) / ITERATIONS;
  console.log(`${growth.toFixed(1)} bytes an iteration`);
  assert.ok(growth < MOST_BYTES, `${growth} bytes an iteration`);
  training.dispose();
});

run();
