import * as assert from 'uvu/assert';
import { resolveData } from '../../src/cli/data.ts';
import { limit, selectClasses } from '../../src/data/subset.ts';
import { train } from '../../src/train/loop.ts';
import { pada } from '../../src/train/methods/pada.ts';
import { gpuTest, run } from '../harness.ts';

// Printed digits to handwritten 0-4, a tenth as long as `npm start`. Seeds 0, 1 and 2 reached 91.7, 92.5 and 91.6 percent.
const SHARED = [0, 1, 2, 3, 4];
const FLOOR = 87;

gpuTest('150 iterations of PADA adapt font digits to handwriting', async (gpu) => {
  const source = limit(await resolveData('fontdigits', 'train'), 6000);
  const target = selectClasses(limit(await resolveData('mnist', 'train'), 6000), SHARED);
  const targetTest = selectClasses(await resolveData('mnist', 'test'), SHARED);
  const method = pada({ classWeightUpdateSteps: 50 });
  const { result, trainer } = await train({ gpu, source, target, method, iterations: 150, targetTest });
  trainer.dispose();
  const mean = (part: number[]) => part.reduce((a, w) => a + w, 0) / part.length;
  const shared = mean(result.classWeight.slice(0, 5));
  const absent = mean(result.classWeight.slice(5));
  console.log(
    `target accuracy ${result.targetAccuracy!.toFixed(1)}, weights ${shared.toFixed(2)} and ${absent.toFixed(2)}`,
  );
  assert.ok(result.targetAccuracy! > FLOOR, `target accuracy ${result.targetAccuracy}`);
  assert.ok(absent < shared / 4, `class weights ${result.classWeight}`);
});

run();
