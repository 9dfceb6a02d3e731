import { spawnSync } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { report } from '../../tools/soak/report.mjs';

// The report at the end of a soak. The parts themselves run only in a soak.

const part = (name: string, verdict: string, more: string) => ({ name, verdict, more, minutes: 1.25 });

test('parts that passed, failed and were skipped are named and counted', () => {
  const outcomes = [
    { ...part('lanes-4', 'passed', '7 passed, 0 failed'), adapter: 'a driver' },
    part('robustness', 'FAILED', '6 passed, 1 failed'),
    part('newest-mesa', 'skipped', 'it takes root'),
  ];
  const { lines, exitCode } = report(outcomes, false);
  assert.is(exitCode, 1);
  assert.equal(lines, [
    'soak: lanes-4           1.3 min  passed: 7 passed, 0 failed  on a driver',
    'soak: robustness        1.3 min  FAILED: 6 passed, 1 failed',
    'soak: newest-mesa       1.3 min  skipped: it takes root',
    'soak: parts: 1 passed, 1 failed, 1 skipped',
  ]);
});

test('a part that is skipped does not pass, and fails if a GPU is required', () => {
  const [passed, skipped] = [part('lanes-4', 'passed', ''), part('newest-mesa', 'skipped', 'it takes root')];
  assert.is(report([passed], true).exitCode, 0);
  assert.is(report([passed, skipped], false).exitCode, 0);
  assert.is(report([skipped], false).exitCode, 1);
  const { lines, exitCode } = report([passed, skipped], true);
  assert.equal([exitCode, lines.at(-1)], [1, 'soak: parts: 1 passed, 1 failed']);
  assert.match(lines[1]!, 'FAILED: skipped, and REQUIRE_GPU=1 allows none: it takes root');
});

test('a part without its adapter is skipped with the reason, and passes nothing', () => {
  const env = { ...process.env, REQUIRE_GPU: '', VK_DRIVER_FILES: '/nowhere.json' };
  const { status, stderr } = spawnSync(process.execPath, ['tools/soak.mjs', 'lanes-4'], { encoding: 'utf8', env });
  assert.is(status, 1);
  assert.match(stderr, /^soak: lanes-4 .* skipped: it takes lavapipe with 4 lanes, and here is no adapter$/m);
  assert.match(stderr, /^soak: parts: 0 passed, 0 failed, 1 skipped$/m);
});

test.run();
