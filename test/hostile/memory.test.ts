import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { swiftShader, unpackTo } from '../../tools/setup/swiftshader.mjs';

// A device that runs out of memory in truth: SwiftShader, in a process that may have no more. Mesa's lavapipe takes no part, for
// it does not notice.

const folder = mkdtempSync(join(tmpdir(), 'padagrad-memory-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));

const limits = process.platform === 'linux' && process.arch === 'x64' && !spawnSync('prlimit', ['--version']).error;

(limits ? test : test.skip)('where memory ends it is said, nothing is made up, and what fits goes on', () => {
  unpackTo(folder);
  const changes = Object.entries(swiftShader(folder)!);
  const env = { ...process.env, ...Object.fromEntries(changes.map(([name, value]) => [name, value ?? undefined])) };
  const { stdout, stderr, status } = spawnSync(process.execPath, ['test/hostile/exhaust.mjs', 'dist/node/index.js'], {
    encoding: 'utf8',
    env,
    timeout: 600_000,
  });
  assert.is(status, 0, stdout + stderr);
  const told = new Map<string, { code?: string; message?: string; value?: unknown; blocks?: number }>();
  for (const line of stdout.trim().split('\n')) {
    const { what, ...fields } = JSON.parse(line);
    told.set(what, fields);
  }
  const refusal = (what: string, message: RegExp) => {
    assert.is(told.get(what)?.code, 'GPU_OUT_OF_MEMORY', stdout);
    assert.match(told.get(what)!.message!, message);
  };
  const { blocks = 0 } = told.get('allocating')!;
  assert.ok(blocks > 4 && blocks < 12, stdout);
  refusal(
    'allocating',
    /^block\[16777216\]: cannot allocate 67108864 bytes with \d+ bytes in use: the GPU is out of memory/,
  );
  refusal('reading what was computed from it', /^wanted\[16777216\]: cannot allocate 67108864 bytes with/);
  refusal('reading it', /^(read )?wanted.*: cannot allocate 67108864 bytes/);
  refusal('allocating again', /^another\[16777216\]: cannot allocate 67108864 bytes with/);
  assert.is(told.get('small work beside it')?.value, '3,6');
  assert.is(told.get('once there is room')?.value, 1);
});

test.run();
