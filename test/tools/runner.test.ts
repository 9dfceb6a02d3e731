import { spawnSync } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

// The test runner on files that pass, fail, crash, hang, and end in ways that look like success.

const FIXTURES = 'test/tools/fixtures';

function runner(args: readonly string[], env: Record<string, string> = {}) {
  const folders = ['--sources', FIXTURES, '--built', FIXTURES];
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['tools/test.mjs', ...folders, '--seconds', '30', ...args],
    {
      encoding: 'utf8',
      timeout: 300_000,
      env: { ...process.env, REQUIRE_GPU: '', ...env },
    },
  );
  return { status, stdout, stderr, lines: stdout.trimEnd().split('\n') };
}

const line = (lines: readonly string[], name: string): string =>
  lines.find((text) => text.startsWith(`${name} `)) ?? '';

test('a file that passes gets one line, followed by what its tests printed', () => {
  const { status, lines } = runner(['passing']);
  assert.is(status, 0);
  assert.match(line(lines, 'passing'), /^passing +2 passed +\d+\.\d s$/);
  assert.ok(lines.includes('a note of its own'));
  assert.is(lines.at(-1), '2 passed, 0 failed');
});

const FAILURES: Record<string, { counts: RegExp; says: RegExp }> = {
  failing: { counts: /1 passed, 1 FAILED/, says: /one is not two/ },
  crashing: { counts: /0 passed, 1 FAILED/, says: /ended by SIGSEGV|exit code/ },
  hanging: { counts: /0 passed, 1 FAILED/, says: /printed nothing for 6 s/ },
  empty: { counts: /0 passed, 1 FAILED/, says: /without the closing lines/ },
  noTests: { counts: /0 passed, 1 FAILED/, says: /has no tests/ },
  exitCode: { counts: /1 passed, 1 FAILED/, says: /exit code 3/ },
  leavesEarly: { counts: /0 passed, 1 FAILED/, says: /Exiting early/ },
  hook: { counts: /0 passed, 1 FAILED/, says: /1 of 1 tests did not run/ },
};

test('files that fail in any way are counted, explained and named, and others still run', () => {
  const { status, stdout, lines } = runner([...Object.keys(FAILURES), 'passing', '--seconds', '6']);
  assert.is(status, 1);
  for (const [name, { counts, says }] of Object.entries(FAILURES)) {
    assert.match(line(lines, name), counts);
    // The output of a failed file follows its line, indented.
    const own = stdout.slice(stdout.indexOf(line(lines, name))).split(/\n(?! )/)[0]!;
    assert.match(own, says);
  }
  assert.match(line(lines, 'passing'), /2 passed/);
  assert.is(lines.at(-1), '4 passed, 8 failed');
  const named = /^failed: (.*)$/m.exec(stdout)![1]!.split(', ');
  assert.equal(named.sort(), Object.keys(FAILURES).sort());
});

test('a single failure fails the run', () => {
  const { status, lines } = runner(['exitCode', 'passing']);
  assert.equal([status, lines.at(-1)], [1, '3 passed, 1 failed']);
});

test('a test file that was not built fails', () => {
  const { status, stdout, lines } = runner(['passing', '--built', 'test/tools']);
  assert.is(status, 1);
  assert.match(stdout, /passing: was not built/);
  assert.is(lines.at(-1), '0 passed, 1 failed');
});

test('skipped tests are counted and named, and fail if a GPU is required', () => {
  const lenient = runner(['skipping']);
  assert.is(lenient.status, 0);
  assert.ok(lenient.lines.includes('skipped: needs a better machine'));
  assert.is(lenient.lines.at(-1), '1 passed, 0 failed, 1 skipped');
  const strict = runner(['skipping'], { REQUIRE_GPU: '1' });
  assert.is(strict.status, 1);
  assert.is(strict.lines.at(-1), '1 passed, 1 failed');
});

test('each profile is a run of its own', () => {
  const { lines } = runner(['profile', '--profile', 'adapter', '--profile', 'no-subgroups']);
  assert.ok(lines.includes('profile adapter'));
  assert.ok(lines.includes('profile no-subgroups'));
  assert.match(line(lines, 'profile [no-subgroups]'), /1 passed/);
  assert.is(lines.at(-1), '2 passed, 0 failed');
});

test('a filter that picks nothing is an error that lists the names', () => {
  const { status, stdout, stderr } = runner(['passing', 'nosuch']);
  assert.is(status, 2);
  assert.is(stdout, '');
  assert.match(stderr, /nosuch; there are crashing, empty,/);
});

test('an unknown flag prints one line and the usage', () => {
  const { status, stdout, stderr } = runner(['--nosuch']);
  assert.equal([status, stdout], [2, '']);
  assert.match(stderr, /^Unknown option '--nosuch'\nusage: npm test -- .*\n$/);
});

test('a filter may be the path of a source', () => {
  assert.equal(runner(['--list', './test/passing.test.ts']).lines, ['passing']);
});

test.run();
