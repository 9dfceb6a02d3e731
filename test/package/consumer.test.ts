import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { installPackage } from './install.ts';

// What an embedder does with the package as it is published: type-check against it, with and without WebGPU's types, and
// run it in plain Node. Needs dist/, which the build makes before the tests run.

const program = `
import { createGpu, relu, tensor, type Gpu, type Tensor } from 'padagrad';

export async function twice(gpu: Gpu, numbers: number[]): Promise<Float32Array> {
  const x: Tensor = tensor(gpu, numbers);
  const y = relu(x);
  const result = await y.read();
  x.dispose();
  y.dispose();
  return result;
}

const gpu = await createGpu({ software: 'allow' });
const limit: number | undefined = gpu.limits.maxBufferSize;
console.log(Array.from(await twice(gpu, [-1, 2])).join(), limit !== undefined);
gpu.dispose();
`;

const folder = mkdtempSync(join(tmpdir(), 'padagrad-consumer-'));

test.before(() => {
  installPackage(folder);
  writeFileSync(join(folder, 'consumer.ts'), program);
});
test.after(() => rmSync(folder, { recursive: true, force: true }));

const compilers = { 5.9: 'node_modules/typescript-5.9/bin/tsc', 7: 'node_modules/typescript/bin/tsc' };
for (const [version, compiler, types] of [
  ['5.9 without WebGPU types', compilers['5.9'], false],
  ['5.9 with @webgpu/types', compilers['5.9'], true],
  ['7', compilers['7'], false],
] as const) {
  // @webgpu/types stands on the DOM's types; from TypeScript 6 on the DOM has WebGPU's itself.
  for (const lib of types ? ['es2022,dom'] : ['es2022', 'es2022,dom']) {
    test(`a strict consumer compiles under TypeScript ${version}, lib ${lib}`, () => {
      const options = {
        strict: true,
        skipLibCheck: false,
        noEmit: true,
        target: 'es2022',
        module: 'nodenext',
        moduleResolution: 'nodenext',
        lib: lib.split(','),
        types: types ? [resolve('node_modules/@webgpu/types')] : [],
      };
      writeFileSync(
        join(folder, 'tsconfig.json'),
        JSON.stringify({ compilerOptions: options, files: ['consumer.ts', 'console.d.ts'] }),
      );
      // Bare consumers have neither dom nor node: the program's own console.
      writeFileSync(
        join(folder, 'console.d.ts'),
        lib.includes('dom') ? 'export {};' : 'declare const console: { log(...parts: unknown[]): void };',
      );
      const result = compile(compiler);
      assert.is(result, '', result);
    });
  }
}

test('the package runs in plain Node', () => {
  writeFileSync(
    join(folder, 'consumer.mjs'),
    program
      .replace(/, type \w+/g, '')
      .replace(/: (Gpu|number\[\]|Promise<Float32Array>|Tensor|number \| undefined)/g, ''),
  );
  cpSync('node_modules/webgpu', join(folder, 'node_modules', 'webgpu'), { recursive: true });
  const out = execFileSync(process.execPath, ['consumer.mjs'], {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  assert.is(out, '0,2 true\n');
});

test('publint finds nothing to mend', async () => {
  const { publint } = await import('publint');
  const { messages } = await publint({ pkgDir: process.cwd(), level: 'suggestion', strict: true });
  assert.equal(
    messages.map((message) => message.code),
    [],
  );
});

function compile(compiler: string): string {
  try {
    execFileSync(process.execPath, [resolve(compiler), '-p', folder], { encoding: 'utf8', stdio: 'pipe' });
    return '';
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
}

test.run();
