import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { stripes } from '../train/stripes.ts';
import { writeIdx } from './command.ts';

// The program in a process of its own: its output streams and its exit code.

const PROGRAM = resolve('.build/cli/padagrad.mjs');
const TRAIN = ['train', '-s', 'idx:s', '-t', 'idx:t', '-b', '8'];

const folder = mkdtempSync(join(tmpdir(), 'padagrad-program-'));
test.before(() => {
  writeIdx(join(folder, 's'), stripes(60, 1));
  writeIdx(join(folder, 't'), stripes(40, 2));
});
test.after(() => rmSync(folder, { recursive: true, force: true }));

interface Started {
  args: readonly string[];
  stdout?: number | 'pipe';
  env?: Record<string, string>;
  /** Called with all of stdout so far. */
  onOutput?(text: string, child: ReturnType<typeof spawn>): void;
}

async function program({ args, stdout: out = 'pipe', env, onOutput }: Started) {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', out, 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout?.on('data', (chunk) => {
    stdout += chunk;
    onOutput?.(stdout, child);
  });
  child.stderr!.on('data', (chunk) => {
    stderr += chunk;
  });
  const code = await new Promise<number | null>((done) => child.on('close', done));
  // Dawn warns of its own limits there.
  const said = stderr.split('\n').filter((line) => line && !line.startsWith('Warning: '));
  return { code, stdout, said };
}

test('--out "" is refused: exit code 2, nothing is trained or made', async () => {
  const before = readdirSync(folder);
  const { code, stdout, said } = await program({ args: [...TRAIN, '--out', ''] });
  assert.equal([code, stdout], [2, '']);
  assert.equal(said, [
    "padagrad: option '-o, --out <dir>' argument '' is invalid. It must not be empty: set the variable it comes from, or leave the flag out.",
  ]);
  assert.equal(readdirSync(folder), before);
});

// Windows and macOS have no such device.
if (existsSync('/dev/full')) {
  for (const args of [['--help'], ['train', '--help'], ['doctor'], [...TRAIN, '-i', '2', '--json']]) {
    test(`padagrad ${args.slice(0, 2).join(' ')} > /dev/full: exit code 1, and stderr says why`, async () => {
      const full = openSync('/dev/full', 'w');
      const { code, said } = await program({ args, stdout: full });
      closeSync(full);
      assert.equal([code, said.at(-1)], [1, 'padagrad: stdout cannot be written: no space left on device']);
    });
  }
}

test('a reader that closes the pipe ends the program quietly', async () => {
  const { code, said } = await program({ args: ['--help'], onOutput: () => {} });
  assert.equal([code, said], [0, []]);
  const gone = await program({
    args: [...TRAIN, '-i', '100000', '-p', '1'],
    onOutput: (_, child) => child.stdout!.destroy(),
  });
  assert.equal([gone.code, gone.said], [141, []]);
});

test('SIGTERM while kernels are compiled: no further kernel is compiled', async () => {
  const compiled = (text: string) => [...text.matchAll(/"compiled":(\d+),"total":(\d+)/g)].map(([, n, of]) => [n, of]);
  let asked = 0;
  const { code, stdout } = await program({
    args: [...TRAIN, '-i', '20', '--json', '-o', 'stopped'],
    // Mesa's software adapter takes a second or so for each kernel then.
    env: { MESA_SHADER_CACHE_DISABLE: 'true' },
    onOutput(text, child) {
      if (asked > 0 || compiled(text).length === 0) return;
      asked = performance.now();
      child.kill('SIGTERM');
    },
  });
  const result = JSON.parse(stdout.trim().split('\n').at(-1)!);
  assert.is(result.event, 'result');
  // An adapter that compiles all within a second has nothing to say.
  if (asked === 0) {
    assert.equal([code, result.iterations], [0, 20]);
    return;
  }
  assert.equal([code, result.iterations, result.aborted], [143, 0, true]);
  assert.ok(Number(compiled(stdout).at(-1)![0]) < Number(compiled(stdout)[0]![1]), 'not all were compiled');
});

test.run();
