import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build, transform } from 'esbuild';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { installPackage } from './install.ts';

// Uses the published package as an embedder does: type-checks a program, with and without WebGPU's types, and runs it in plain Node.
// Needs dist/, which the build makes before the tests run.

const program = `
import {
  backward, ClassWeightModule, createGpu, crossEntropy, flatten, type Gpu, Linear, matmul, Module, type Prediction, Random,
  Sgd, type Tensor, tensor, tidy,
} from 'padagrad';
import { type Float32MatmulPrecision, setFloat32MatmulPrecision } from 'padagrad/precision';
import { completeOptions, dann, type TrainingData, type TrainResult, type TrainingOptions, train } from 'padagrad/train';

export async function fit(gpu: Gpu, x: Tensor, labels: Tensor): Promise<number> {
  using layer = new Linear(gpu, { inFeatures: 2, outFeatures: 2, random: new Random(0) });
  using optimizer = new Sgd(layer.parameters(), { lr: 0.5, momentum: 0.9 });
  const step = (): Tensor =>
    tidy(() => {
      optimizer.zeroGrad();
      const loss = crossEntropy(layer.forward(x), labels);
      backward(loss);
      optimizer.step();
      return loss;
    });
  const losses = [step(), step(), step()];
  const [first, , last] = await Promise.all(losses.map((loss) => loss.item()));
  for (const loss of losses) loss.dispose();
  return first! - last!;
}

class Net extends Module<Prediction> {
  readonly head: Linear;
  constructor(gpu: Gpu, random: Random) {
    super();
    this.head = new Linear(gpu, { inFeatures: 784, outFeatures: 10, random });
  }
  forward(x: Tensor): Prediction {
    const features = flatten(x);
    return { logits: this.head.forward(features), features };
  }
}

export async function adapt(gpu: Gpu, data: TrainingData): Promise<Linear> {
  const { trainer } = await train({ gpu, ...data, method: dann(), model: (gpu, { random }) => new Net(gpu, random) });
  return trainer.model.head;
}

// @ts-expect-error a network without features
export const wrong = (gpu: Gpu, data: TrainingData, model: Linear) => train({ gpu, ...data, method: dann(), model });

export const accuracy = (result: TrainResult): number | undefined => result.targetAccuracy;

const gpu = await createGpu({ software: 'allow' });
const limit: number | undefined = gpu.limits.maxBufferSize;
const options: TrainingOptions = completeOptions({ lr: 0.1 });
const x = tensor(gpu, [[-1, 0], [2, 1]]);
const labels = tensor(gpu, new Uint32Array([0, 1]));
const better = (await fit(gpu, x, labels)) > 0;
const weight = new ClassWeightModule({ temperature: 1 }).forward(tensor(gpu, [[0, 0], [0, 0]]));
const precision: Float32MatmulPrecision = gpu.features.has('shader-f16') ? 'medium' : 'highest';
const family: string = await setFloat32MatmulPrecision(gpu, precision);
const square = await matmul(x, x).read();
console.log(Array.from(await weight.read()).join(), better, limit !== undefined, options.iterations);
console.log(precision === 'highest' || family === 'half', Array.from(square).join());
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
  // @webgpu/types needs the DOM's types. Since TypeScript 6 the DOM's types include WebGPU's.
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
      // A consumer with neither dom nor node declares its own console.
      writeFileSync(
        join(folder, 'console.d.ts'),
        lib.includes('dom') ? 'export {};' : 'declare const console: { log(...parts: unknown[]): void };',
      );
      const result = compile(compiler);
      assert.is(result, '', result);
    });
  }
}

test('the package runs in plain Node', async () => {
  const { code } = await transform(program, { loader: 'ts', target: 'es2022' });
  writeFileSync(join(folder, 'consumer.mjs'), code);
  cpSync('node_modules/webgpu', join(folder, 'node_modules', 'webgpu'), { recursive: true });
  const out = execFileSync(process.execPath, ['consumer.mjs'], {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  assert.is(out, '1,1 true true 1500\ntrue 1,0,0,1\n');
});

test('a bundler accepts all entry points without a warning', async () => {
  const contents =
    "export * from 'padagrad'; export { train } from 'padagrad/train'; export * from 'padagrad/precision';";
  const stdin = { contents, resolveDir: folder };
  for (const platform of ['browser', 'node'] as const) {
    const external = ['webgpu'];
    const { warnings } = await build({ stdin, platform, external, bundle: true, format: 'esm', write: false });
    assert.equal(warnings, []);
  }
});

test('a bundle that took in Dawn tells what to do', async () => {
  const outfile = join(folder, 'bundle', 'swallowed.mjs');
  const contents = "import { createGpu } from 'padagrad'; createGpu().catch((error) => console.log(error.message));";
  await build({ stdin: { contents, resolveDir: folder }, platform: 'node', bundle: true, format: 'esm', outfile });
  const said = execFileSync(process.execPath, [outfile], { encoding: 'utf8' });
  assert.match(said, /dawn\.node[\s\S]*leave it out of the bundle \(`esbuild --external:webgpu`\)/);
});

test('`npm pack` builds the package first', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
  assert.is(scripts.prepare, scripts.build);
});

test('publint finds no problem', async () => {
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
