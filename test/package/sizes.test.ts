import { spawnSync } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

// What an embedder's page loads. Needs dist/, which the build makes before the tests run.

test('the library keeps within its limits of size', () => {
  const { status, stderr } = spawnSync(process.execPath, ['build.mjs', 'sizes'], { encoding: 'utf8' });
  console.log(stderr.split('\n')[0]);
  assert.is(status, 0, stderr);
});

test.run();
