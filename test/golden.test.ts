import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { goldenDir, listGolden, readGolden } from './files.ts';
import { compareGolden, disposeAll, type GoldenFile, type GoldenRunner } from './golden/format.ts';
import { opRunners } from './golden/ops.ts';
import { padaTraining } from './golden/padaTraining.ts';
import { partRunners } from './golden/parts.ts';
import { resnet } from './golden/resnet.ts';
import { gpuTest, run } from './harness.ts';

// Every case of every golden file is a test of its own: what PyTorch and TLlib compute, with their gradients. A file without a
// runner fails. GOLDEN_DIR names another folder of such files.

const runners: Record<string, GoldenRunner> = { ...opRunners, ...partRunners, pada_training: padaTraining, resnet };

const names = await listGolden();
if (names.length === 0) throw new Error(`golden: no files in ${goldenDir}`);
let cases = 0;
let worst = { error: 0, where: 'none' };

for (const name of names) {
  const file = await readGolden<GoldenFile>(name);
  const runner = runners[file.name];
  for (const golden of file.cases) {
    gpuTest(`golden ${name} ${golden.name}`, async (gpu) => {
      if (!runner)
        throw new Error(`golden: there is no runner for ${file.name}; add one to test/golden/ops.ts or parts.ts`);
      const { outputs, grads = {} } = await runner(gpu, golden);
      const errors = [
        await compareGolden('outputs', outputs, golden.outputs, file),
        await compareGolden('grads', grads, golden.grads, file),
      ];
      disposeAll(outputs);
      disposeAll(grads);
      cases++;
      const error = Math.max(...errors);
      if (error >= worst.error) worst = { error, where: `${name} ${golden.name}` };
    });
  }
}

const two = { shape: [2], data: [1, 2] };
const close = { rtol: 0, atol: 0.1 };
for (const [what, actual, expected, message] of [
  ['a missing part', {}, { y: two }, /^all.y: missing$/],
  ['an extra part', { y: two, z: two }, { y: two }, /^all.z: not expected$/],
  ['another shape', { y: { shape: [1, 2], data: [1, 2] } }, { y: two }, /^all.y: shape \[1,2\], expected \[2\]$/],
  ['a wrong number', { y: { shape: [2], data: [1, 2.2] } }, { y: two }, /^all.y: element 1 is 2.2, expected 2 /],
  ['one value for parts', { y: 1 }, { y: { a: two } }, /^all.y: one value, expected parts$/],
  ['parts for one value', { y: { a: 1 } }, { y: 1 }, /^all.y: parts, expected one value$/],
  ['a number for NaN', { y: 1 }, { y: 'nan' }, /expected NaN/],
] as const) {
  test(`a golden result with ${what} fails`, async () => {
    const error = await compareGolden('all', actual, expected, close).then(() => 'it passed', String);
    assert.match(error.replace('Error: ', ''), message);
  });
}

test.after(() => {
  console.log(
    `golden: ${cases} cases from ${goldenDir}, worst error ${worst.error.toPrecision(3)} of tolerance in ${worst.where}`,
  );
});

run();
