import { test } from 'uvu';
import { goldenDir, listGolden, readGolden } from './files.ts';
import { compare, disposeAll, type GoldenFile } from './golden/format.ts';
import { runners } from './golden/runners.ts';
import { gpuTest, run } from './harness.ts';

// Every case of every file in the folder, each a test of its own; a file nobody can compute is a failure.

const names = await listGolden();
if (names.length === 0) throw new Error(`golden: no files in ${goldenDir}`);
let cases = 0;
let worst = { error: 0, where: 'none' };

for (const name of names) {
  const file = await readGolden<GoldenFile>(name);
  const runner = runners[file.name];
  for (const golden of file.cases) {
    gpuTest(`golden ${name} ${golden.name}`, async (gpu) => {
      if (!runner) throw new Error(`golden: nobody computes ${file.name}; add it to test/golden/runners.ts`);
      const { outputs, grads = {} } = await runner(gpu, golden);
      const errors = [
        await compare('outputs', outputs, golden.outputs, file),
        await compare('grads', grads, golden.grads, file),
      ];
      disposeAll(outputs);
      disposeAll(grads);
      cases++;
      const error = Math.max(...errors);
      if (error >= worst.error) worst = { error, where: `${name} ${golden.name}` };
    });
  }
}

test.after(() => {
  console.log(
    `golden: ${cases} cases from ${goldenDir}, worst error ${worst.error.toPrecision(3)} of tolerance in ${worst.where}`,
  );
});

run();
