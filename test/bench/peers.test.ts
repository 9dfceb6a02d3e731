import { spawnSync } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

// The flags of the comparison with other libraries. The libraries need not be installed, but the build must have bundled this
// project's side.

const peers = (...args: string[]) =>
  spawnSync(process.execPath, ['bench/peers/run.mjs', ...args], { encoding: 'utf8' });

test('--help names every flag and needs no other library', () => {
  const { status, stdout } = peers('--help');
  assert.is(status, 0);
  for (const flag of ['--only', '--peers', '--samples', '--json', '--markdown', '--gemm', '--no-subgroups'])
    assert.ok(stdout.includes(flag), flag);
});

test('a wrong flag prints one line with the valid values and exits with 2', () => {
  for (const [args, expected] of [
    [['--bogus'], /^bench:peers: unknown option '--bogus'\n$/],
    [
      ['--samples', 'x'],
      /^bench:peers: option '--samples <n>' argument 'x' is invalid. It must be a whole number >= 1.\n$/,
    ],
    [['--gemm', 'x'], /^bench:peers: .*Allowed choices are subgroup, workgroup, plain.\n$/],
    [
      ['--only', 'matmul,nope'],
      /^bench:peers: no task is called nope; the tasks are matmul, softmax-column-mean, cnn-forward, cnn-step, pada-step\n$/,
    ],
    [
      ['--peers', 'tvm'],
      /^bench:peers: no library is called tvm; the libraries are jax-js, tfjs-webgpu, ort-web, torch, torch-graphs\n$/,
    ],
    [['--json', '--markdown'], /^bench:peers: option '--json' cannot be used with option '--markdown'\n$/],
  ] as const) {
    const { status, stdout, stderr } = peers(...args);
    assert.equal([status, stdout], [2, ''], args.join(' '));
    assert.match(stderr, expected);
  }
});

test("an iteration of PADA from other libraries' parameters gives their momenta", () => {
  const { status, stdout, stderr } = peers('--peers', '', '--only', 'pada', '--samples', '1', '--json');
  assert.is(status, 0, stderr);
  const { peer, verified } = JSON.parse(stdout);
  assert.equal({ peer, verified }, { peer: 'padagrad', verified: true });
});

test.run();
