import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { transformSync } from 'esbuild';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { onnxModel } from '../../bench/peers/onnx.mjs';
import { installPackage } from './install.ts';

// The examples, run as a user runs them, in a folder with the package. Needs dist/. `npm run soak` installs what the examples name from
// npm: Deno, Bun, Vite and onnxruntime-web. `npm test` runs TypeScript in Node, and gives onnx-backbone.mjs a backbone that copies;
// test/browser runs worker-vite.

const INSTALL = process.env.PADAGRAD_INSTALL === '1';
const PACKAGES = ['onnxruntime-web@1.30.0', 'vite@8', 'deno@2', 'bun@1'];
const NEARLY_ALL = 'nearly all of 100 target images are labelled correctly\n';

const folder = mkdtempSync(join(tmpdir(), 'padagrad-examples-'));
const run = (program: string, ...args: string[]): string =>
  execFileSync(program, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
const installed = (program: string): string => join(folder, 'node_modules/.bin', program);

// Stands in for onnxruntime-web on a device of the caller: its features are the pixels.
const COPYING = `
export const env = { wasm: {} };
export const Tensor = { fromGpuBuffer: (gpuBuffer, { dims }) => ({ gpuBuffer, dims }) };
export const InferenceSession = {
  create: async (_, { executionProviders: [{ device }] }) => ({
    inputNames: ['x'],
    outputNames: ['y'],
    run: async ({ x: { gpuBuffer: from, dims: [n, ...rest] } }) => {
      const gpuBuffer = device.createBuffer({ size: from.size, usage: from.usage });
      const encoder = device.createCommandEncoder();
      encoder.copyBufferToBuffer(from, 0, gpuBuffer, 0, from.size);
      device.queue.submit([encoder.finish()]);
      return { y: { gpuBuffer, dims: [n, rest.reduce((a, b) => a * b)], dispose: () => gpuBuffer.destroy() } };
    },
  }),
};`;

test.before(() => {
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  if (INSTALL) {
    const npm = ['install', ...PACKAGES, '--no-audit', '--no-fund', '--no-save'];
    execFileSync('npm', npm, {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
      shell: process.platform === 'win32',
    });
  } else {
    const module = join(folder, 'node_modules/onnxruntime-web');
    mkdirSync(module, { recursive: true });
    writeFileSync(join(module, 'package.json'), '{"type":"module","exports":{"./webgpu":"./index.js"}}');
    writeFileSync(join(module, 'index.js'), COPYING);
  }
  installPackage(folder);
  symlinkSync(resolve('node_modules/webgpu'), join(folder, 'node_modules/webgpu'), 'junction');
  cpSync('examples', folder, { recursive: true });
});
test.after(() => rmSync(folder, { recursive: true, force: true }));

const PRINTS: Record<string, string | RegExp> = {
  'custom-op':
    'gradient correct\ngradient of the mean: 0.0104 0.0417 0.0741 0.0741 0.0417 0.0104\ngradCheck: found the wrong gradient\n',
  features:
    /^the target seems to contain the classes 1, 4, 6\nexample 0: class 1, .*\nexample 1: class 4, .*\nexample 2: class 6, probability 0.\d\d\nnearly all of 150 are right\n$/,
  'own-network': 'nearly all of 100 target examples are labelled correctly\n',
  'two-moons': 'nearly all of 256 validation points are classified correctly\n',
};

function expectPrints(stdout: string, prints: string | RegExp): void {
  if (typeof prints === 'string') assert.is(stdout, prints);
  else assert.match(stdout, prints);
}

for (const [name, prints] of Object.entries(PRINTS)) {
  test(`examples/${name}.mjs prints what it should`, () => {
    expectPrints(run(process.execPath, `${name}.mjs`), prints);
  });
}

test('examples/features.mjs reads .npy files', () => {
  const npy = (descr: string, shape: number[], data: Uint8Array): Uint8Array => {
    const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.join(', ')},), }`.padEnd(117);
    return Buffer.concat([Buffer.from(`\x93NUMPY\x01\x00v\x00${header}\n`, 'latin1'), data]);
  };
  // Class c is at 4 c. The target, at 4.5 c, has the classes 0 and 2.
  const bytes = (values: number[]) => new Uint8Array(Float32Array.from(values).buffer);
  const places = Array.from({ length: 96 }, (_, i) => [4 * (i % 3), (i % 7) / 7]).flat();
  const targets = Array.from({ length: 64 }, (_, i) => [9 * (i % 2), (i % 7) / 7]).flat();
  writeFileSync(join(folder, 'source.npy'), npy('<f4', [96, 2], bytes(places)));
  writeFileSync(
    join(folder, 'labels.npy'),
    npy(
      '|u1',
      [96],
      Uint8Array.from({ length: 96 }, (_, i) => i % 3),
    ),
  );
  writeFileSync(join(folder, 'target.npy'), npy('<f4', [64, 2], bytes(targets)));
  assert.match(run(process.execPath, 'features.mjs', 'source.npy', 'labels.npy', 'target.npy'), /classes 0, 2\n/);
});

test('examples/onnx-backbone.mjs trains on buffers of another library', () => {
  const data = Float32Array.from({ length: 256 * 32 }, (_, i) => 0.1 * Math.sin(i * i));
  const model = {
    nodes: [
      { op: 'Flatten', inputs: ['x'], output: 'flat' },
      { op: 'MatMul', inputs: ['flat', 'w'], output: 'product' },
      { op: 'Relu', inputs: ['product'], output: 'y' },
    ],
    constants: { w: { shape: [256, 32], data } },
    inputs: { x: ['n', 1, 16, 16] },
    outputs: { y: ['n', 32] },
  };
  writeFileSync(join(folder, 'model.onnx'), onnxModel(model));
  const features = INSTALL ? 32 : 256;
  const stdout = run(process.execPath, 'onnx-backbone.mjs', 'model.onnx');
  assert.is(stdout, `the backbone returns ${features} features per image\n${NEARLY_ALL}`);
});

const TYPED = {
  deno: 'loss 0.7, then 0.0\n',
  bun: `the target seems to contain the classes 0, 1\n${NEARLY_ALL}`,
};

for (const [name, prints] of Object.entries(TYPED)) {
  test(`examples/${name}.ts prints what it should`, () => {
    const source = join(folder, `${name}.ts`);
    const { code } = transformSync(readFileSync(source, 'utf8'), { loader: 'ts', target: 'es2022' });
    writeFileSync(join(folder, `${name}.typed.mjs`), code);
    const stdout = INSTALL ? run(installed(name), 'run', `${name}.ts`) : run(process.execPath, `${name}.typed.mjs`);
    assert.is(stdout, prints);
  });
}

test('the examples in TypeScript have correct types', () => {
  const compiler = {
    strict: true,
    noEmit: true,
    target: 'es2022',
    module: 'nodenext',
    types: [],
    lib: ['es2022', 'dom'],
  };
  const files = Object.keys(TYPED).map((name) => `${name}.ts`);
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: compiler, files }));
  run(process.execPath, resolve('node_modules/typescript/bin/tsc'), '-p', folder);
});

if (INSTALL) {
  test('Vite builds examples/worker-vite with its worker as a file of its own', () => {
    const app = join(folder, 'worker-vite');
    run(installed('vite'), 'build', app);
    const built = readdirSync(join(app, 'dist/assets'));
    assert.ok(
      built.some((name) => name.startsWith('worker-')),
      built.join(),
    );
    const all = built.map((name) => readFileSync(join(app, 'dist/assets', name), 'utf8')).join('');
    assert.match(all, '@compute');
    assert.not.match(all, /dawn|["']node:/);
  });
}

test.run();
