import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Context } from '../../src/cli/context.ts';
import { adapterAdvice, type Machine, webgpuAdvice } from '../../src/cli/show/advice.ts';
import { GpuError } from '../../src/gpu/errors.ts';
import { fakeContext } from './fakes.ts';

const test = suite('doctor');

test('a machine that can compute: adapter, driver, features, limits, and what is missing for what', async () => {
  const { run, stdout, stderr, counts } = fakeContext();
  assert.is(await run('doctor'), 0);
  for (const line of [
    /^node +v\d+/m,
    /^adapter +llvmpipe \(software\)$/m,
    /^vendor +mesa$/m,
    /^driver +llvmpipe \(LLVM 19\)$/m,
    /^features +subgroups$/m,
    /^ +without shader-f16 \(half precision\)$/m,
    /^subgroups +8 lanes; matrix kernels: subgroup$/m,
    /^precision +medium is possible too: by half, which computed what it should$/m,
    /^limit +maxBufferSize 2,147,483,648$/m,
    /^note +this adapter runs on the CPU/m,
    /^usable: a kernel was compiled and computed what it should$/m,
  ])
    assert.match(stdout.text, line);
  assert.is(stderr.text, '');
  assert.is(counts().gpus, 0);
});

test('--json says the same in one event', async () => {
  const { run, stdout } = fakeContext({ software: false });
  assert.is(await run('doctor', '--json'), 0);
  const [result, ...more] = stdout.events;
  assert.equal(more, []);
  assert.equal(
    [result.event, result.usable, result.device.device, result.features, result.advice],
    ['result', true, 'llvmpipe', ['subgroups'], []],
  );
});

test('where half precision is missing, or computes wrongly, the highest alone is possible', async () => {
  const highest = fakeContext();
  const openGpu: Context['openGpu'] = (precision) =>
    precision === 'medium'
      ? Promise.reject(new GpuError('KERNEL', 'this device multiplies wrongly in half precision'))
      : highest.context.openGpu();
  const { run, stdout } = fakeContext({ openGpu });
  assert.is(await run('doctor'), 0);
  assert.match(stdout.text, /^precision +highest alone: this device multiplies wrongly in half precision$/m);
  assert.is(highest.counts().gpus, 0);
});

test('nothing usable: what is wrong, what to do, exit code 1', async () => {
  const failures: [GpuError, RegExp][] = [
    [new GpuError('NO_WEBGPU', 'the package webgpu is missing'), /^do this +.*npm install webgpu/m],
    [new GpuError('NO_ADAPTER', 'Dawn found no adapter'), /^do this +/m],
    [new GpuError('GPU_LOST', 'the device was lost'), /^do this +update the graphics driver/m],
  ];
  for (const [error, advice] of failures) {
    const { run, stdout, stderr } = fakeContext({ openGpu: () => Promise.reject(error) });
    assert.is(await run('doctor'), 1);
    assert.match(stdout.text, `not usable  ${error.message}`);
    assert.match(stdout.text, advice);
    assert.is(stderr.text, '');
  }
  const { run, stdout } = fakeContext({ openGpu: () => Promise.reject(failures[1]![0]) });
  assert.is(await run('doctor', '--json'), 1);
  const [result] = stdout.events;
  assert.equal([result.usable, result.code, result.problem], [false, 'NO_ADAPTER', 'Dawn found no adapter']);
  assert.ok(result.advice.length > 0);
});

test('an adapter that computes wrongly is not usable', async () => {
  const { run, stdout, counts } = fakeContext({ selfTest: () => Promise.reject(new Error('relu came out as 7')) });
  assert.is(await run('doctor'), 1);
  assert.match(stdout.text, 'not usable  relu came out as 7');
  assert.is(counts().gpus, 0);
});

const debian: Machine = {
  platform: 'linux',
  arch: 'x64',
  distribution: ['debian'],
  release: '13',
  nvidia: false,
  container: false,
  driverFiles: undefined,
};

test('the exact fix, by the machine', () => {
  const advice = (changes: Partial<Machine>): string => adapterAdvice({ ...debian, ...changes }).join('\n');
  assert.match(advice({}), 'sudo apt-get install -y libvulkan1 mesa-vulkan-drivers');
  assert.match(advice({ release: '12' }), 'apt-get install -y -t bookworm-backports libvulkan1 mesa-vulkan-drivers');
  assert.match(advice({ distribution: ['ubuntu', 'debian'], release: '24.04' }), 'sudo apt-get install');
  assert.match(advice({ distribution: ['nobara', 'fedora'] }), 'sudo dnf install');
  assert.match(advice({ distribution: ['manjaro', 'arch'] }), 'sudo pacman -S');
  assert.match(advice({ distribution: ['opensuse-leap', 'suse', 'opensuse'] }), 'sudo zypper install');
  assert.match(advice({ distribution: ['nixos'] }), "Mesa's Vulkan drivers");
  assert.match(advice({ distribution: ['alpine'] }), 'glibc');
  assert.match(advice({ nvidia: true }), 'nvidia_icd.json');
  assert.match(advice({ nvidia: true, container: true }), 'NVIDIA_DRIVER_CAPABILITIES=all');
  assert.match(advice({ driverFiles: '/none.json' }), 'is set to /none.json');
  assert.match(advice({ platform: 'darwin' }), 'Metal');
  assert.match(advice({ platform: 'win32' }), 'Direct3D 12');
  assert.match(advice({ platform: 'aix' }), 'no build for aix');
  assert.match(webgpuAdvice(debian).join(), 'npm install webgpu');
  assert.match(webgpuAdvice({ ...debian, distribution: ['alpine'] }).join(), 'glibc');
});

test.run();
