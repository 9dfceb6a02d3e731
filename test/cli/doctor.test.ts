import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { precisionLine } from '../../src/cli/commands/doctor.ts';
import { adviceFor, type Machine } from '../../src/cli/show/advice.ts';
import { Tensor } from '../../src/tensor.ts';
import { inFolder, run } from './command.ts';

const test = suite('doctor');
const PROGRAM = resolve('.build/cli/padagrad.mjs');
const MODULES = resolve('node_modules');
inFolder(test);

test('a usable device: adapter, driver, features, limits, and the features that are missing', async () => {
  const { code, stdout, stderr } = await run('doctor');
  assert.equal([code, stderr.text], [0, '']);
  for (const line of [
    /^node +v\d+/m,
    /^adapter +\S/m,
    /^vendor +\S/m,
    /^driver +\S/m,
    /^features +\S/m,
    /^subgroups +(\d+ lanes|not used); matmul kernels: \w+$/m,
    /^precision +(medium also available \(\w+, self-test passed\)|highest only: .+)$/m,
    /^limit +maxBufferSize [\d,]+$/m,
    /^OK: test kernel compiled and gave the right result$/m,
  ])
    assert.match(stdout.text, line);
  assert.is(precisionLine({ family: 'half' }), 'medium also available (half, self-test passed)');
  assert.is(precisionLine({ problem: 'no shader-f16' }), 'highest only: no shader-f16');

  const { events } = await run('doctor --json');
  assert.is(events.length, 1);
  const { event, usable, device, features, limits, advice, mediumPrecision } = events[0];
  assert.equal([event, usable, advice.length], ['result', true, Number(device.software)]);
  assert.is(/^note +this adapter runs on the CPU: correct but slow/m.test(stdout.text), device.software);
  assert.is('family' in mediumPrecision, /medium also available/.test(stdout.text));
  for (const feature of ['subgroups', 'shader-f16', 'timestamp-query'])
    assert.is(new RegExp(`^ +missing ${feature} \\(`, 'm').test(stdout.text), !features.includes(feature));
  assert.match(stdout.text, `maxBufferSize ${limits.maxBufferSize.toLocaleString('en-US')}\n`);
});

test('a device that computes wrong results is not usable', async () => {
  const { read } = Tensor.prototype;
  Tensor.prototype.read = async () => Float32Array.of(0, 2, 7);
  try {
    const { code, stdout, stderr } = await run('doctor');
    assert.equal([code, stderr.text], [1, '']);
    assert.match(
      stdout.text,
      'not usable  self-test failed: relu([-1, 2, 3.5]) returned [0, 2, 7]; the GPU driver is faulty',
    );
    assert.match(stdout.text, /^fix +update the graphics driver/m);
  } finally {
    Tensor.prototype.read = read;
  }
});

/** Runs `doctor` in a process of its own. */
function doctor(program: string, env: Record<string, string> = {}) {
  const ask = (...flags: string[]) =>
    spawnSync(process.execPath, [program, 'doctor', ...flags], { encoding: 'utf8', env: { ...process.env, ...env } });
  const [text, json] = [ask(), ask('--json')];
  assert.equal([text.status, json.status], [1, 1], text.stderr);
  return { text: text.stdout, ...JSON.parse(json.stdout) };
}

test('without the package webgpu: the problem, the fix, exit code 1', () => {
  mkdirSync('node_modules');
  for (const name of readdirSync(MODULES).filter((name) => name !== 'webgpu'))
    symlinkSync(join(MODULES, name), join('node_modules', name));
  copyFileSync(PROGRAM, 'padagrad.mjs');
  const { text, usable, code, problem, advice } = doctor('padagrad.mjs');
  assert.equal([usable, code, advice.length], [false, 'NO_WEBGPU', 1]);
  assert.match(text, `not usable  ${problem}\n`);
  assert.match(text, /^fix +run `npm install webgpu`/m);
});

if (process.platform === 'linux') {
  test('without an adapter: the problem, the fix, exit code 1', () => {
    const { text, code, advice } = doctor(PROGRAM, { VK_DRIVER_FILES: '/none.json', VK_ICD_FILENAMES: '/none.json' });
    assert.equal([code, advice.length > 0], ['NO_ADAPTER', true]);
    assert.match(text, /^fix +VK_DRIVER_FILES or VK_ICD_FILENAMES is set to \/none.json/m);
  });
}

const debian: Machine = {
  platform: 'linux',
  arch: 'x64',
  distribution: ['debian'],
  release: '13',
  nvidia: false,
  container: false,
  driverFiles: undefined,
};

test('the advice depends on the machine', () => {
  for (const [changes, expected] of [
    [{}, 'sudo apt-get install -y libvulkan1 mesa-vulkan-drivers'],
    [{ release: '12' }, 'apt-get install -y -t bookworm-backports libvulkan1 mesa-vulkan-drivers'],
    [{ distribution: ['ubuntu', 'debian'], release: '24.04' }, 'sudo apt-get install'],
    [{ distribution: ['nobara', 'fedora'] }, 'sudo dnf install'],
    [{ distribution: ['manjaro', 'arch'] }, 'sudo pacman -S'],
    [{ distribution: ['opensuse-leap', 'suse', 'opensuse'] }, 'sudo zypper install'],
    [{ distribution: ['nixos'] }, "Mesa's Vulkan drivers"],
    [{ distribution: ['alpine'] }, 'glibc'],
    [{ nvidia: true }, 'nvidia_icd.json'],
    [{ nvidia: true, container: true }, 'NVIDIA_DRIVER_CAPABILITIES=all'],
    [{ driverFiles: '/none.json' }, 'is set to /none.json'],
    [{}, 'npx padagrad doctor --setup'],
    [{ platform: 'darwin' }, 'Metal'],
    [{ platform: 'win32' }, 'Direct3D 12'],
    [{ platform: 'aix' }, 'no build for aix'],
  ] as const)
    assert.match(adviceFor('NO_ADAPTER', { ...debian, ...changes }).join('\n'), expected);
  assert.match(adviceFor('NO_WEBGPU', debian).join(), 'npm install webgpu');
  assert.match(adviceFor('NO_WEBGPU', { ...debian, distribution: ['alpine'] }).join(), 'glibc');
  assert.match(adviceFor('GPU_LOST', debian).join(), 'update the graphics driver');
});

test.run();
