import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { swiftShader, unpackSwiftShader } from '../../src/cli/setup/swiftshader.mjs';

// A device that really runs out of memory: SwiftShader in a process with a limit. Mesa's lavapipe does not report that it runs out.

const folder = mkdtempSync(join(tmpdir(), 'padagrad-memory-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));

const limits = process.platform === 'linux' && process.arch === 'x64' && !spawnSync('prlimit', ['--version']).error;

(limits ? test : test.skip)(
  'an allocation without memory throws, reads of it throw too, and smaller work still succeeds',
  () => {
    unpackSwiftShader(folder);
    const changes = Object.entries(swiftShader(folder)!);
    const env = { ...process.env, ...Object.fromEntries(changes.map(([name, value]) => [name, value ?? undefined])) };
    const { stdout, stderr, status } = spawnSync(process.execPath, ['test/hostile/exhaust.mjs', 'dist/node/index.js'], {
      encoding: 'utf8',
      env,
      timeout: 600_000,
    });
    assert.is(status, 0, stdout + stderr);
    const printed = new Map<string, { code?: string; message?: string; value?: unknown; blocks?: number }>();
    for (const line of stdout.trim().split('\n')) {
      const { what, ...fields } = JSON.parse(line);
      printed.set(what, fields);
    }
    const refusal = (what: string, message: RegExp) => {
      assert.is(printed.get(what)?.code, 'GPU_OUT_OF_MEMORY', stdout);
      assert.match(printed.get(what)!.message!, message);
    };
    const { blocks = 0 } = printed.get('allocating')!;
    assert.ok(blocks > 4 && blocks < 12, stdout);
    refusal(
      'allocating',
      /^block\[16777216\]: cannot allocate 67108864 bytes with \d+ bytes in use: the GPU is out of memory/,
    );
    refusal('reading what was computed from it', /^wanted\[16777216\]: cannot allocate 67108864 bytes with/);
    refusal('reading it', /^(read )?wanted.*: cannot allocate 67108864 bytes/);
    refusal('allocating again', /^another\[16777216\]: cannot allocate 67108864 bytes with/);
    assert.is(printed.get('small work in the meantime')?.value, '3,6');
    assert.is(printed.get('once there is room')?.value, 1);
  },
);

test.run();
