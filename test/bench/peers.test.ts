import { spawnSync } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

// What the comparison with other libraries says of its flags. They need not be installed for that, but the bundle that the
// build makes of this project's side.

const peers = (...args: string[]) =>
  spawnSync(process.execPath, ['bench/peers/run.mjs', ...args], { encoding: 'utf8' });

test('its help names every flag, and needs no other library', () => {
  const { status, stdout } = peers('--help');
  assert.is(status, 0);
  for (const flag of ['--only', '--peers', '--samples', '--json', '--markdown', '--gemm', '--no-subgroups'])
    assert.ok(stdout.includes(flag), flag);
});

test('what is asked wrongly is said in one line, with what there is, and exit code 2', () => {
  for (const [args, expected] of [
    [['--bogus'], /^bench:peers: unknown option '--bogus'\n$/],
    [
      ['--samples', 'x'],
      /^bench:peers: option '--samples <n>' argument 'x' is invalid. It must be a whole number >= 1.\n$/,
    ],
    [['--gemm', 'x'], /^bench:peers: .*Allowed choices are subgroup, workgroup, plain.\n$/],
    [
      ['--only', 'matmul,nope'],
      /^bench:peers: no task is called nope; there are matmul, softmax-column-mean, cnn-forward, cnn-step\n$/,
    ],
    [['--peers', 'torch'], /^bench:peers: no peer is called torch; there are jax-js, tfjs-webgpu, ort-web\n$/],
    [['--json', '--markdown'], /^bench:peers: option '--json' cannot be used with option '--markdown'\n$/],
  ] as const) {
    const { status, stdout, stderr } = peers(...args);
    assert.equal([status, stdout], [2, ''], args.join(' '));
    assert.match(stderr, expected);
  }
});

test.run();
