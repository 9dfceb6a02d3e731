// Makes the project compile its pipelines on the adapter at hand: those that its steps and benches capture, and every matrix
// multiplication in every tile. Nothing is computed, so nothing is read. After the line that layer.c writes for a pipeline, this
// program writes a line that describes it:
//
//   {"name", "entry", "constants", "gemm", "split", "step", "key", "use"}
//
// A pipeline that was compiled before has only this line. The uses of the cost model (bench/model) are also run, which has no effect,
// to write down their dispatches: {"run", "footprint", "works"}.
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { forward as cnnForward, step as cnnStep } from 'project/bench/cnn.ts';
import { casesOf } from 'project/bench/harness/suite.ts';
import { benches } from 'project/bench/index.ts';
import { keyOf, listsOfRun, stepWork } from 'project/bench/model/dispatches.ts';
import { padaSettings } from 'project/bench/pada.ts';
import { backward, zeroGrad } from 'project/src/autograd.ts';
import { capture } from 'project/src/capture.ts';
import { createGpu } from 'project/src/gemm/createGpu.ts';
import { HALF_KERNELS, matrixFamilies, SUBGROUP_MATRICES } from 'project/src/gemm/requestedKernels.ts';
import { gemmSettings, traitsOf, withVariants } from 'project/src/gemm/settings.ts';
import { hasRegisters } from 'project/src/gemm/variants.ts';
import { SUBGROUP_SIZE_CONTROL } from 'project/src/gpu/device.ts';
import { conv2d } from 'project/src/ops/conv2d.ts';
import { linear } from 'project/src/ops/linear.ts';
import { matmul } from 'project/src/ops/matmul.ts';
import { Adam } from 'project/src/optim/adam.ts';
import { clipGradNorm } from 'project/src/optim/clipGradNorm.ts';
import { tensor } from 'project/src/tensor.ts';
import { pada as method } from 'project/src/train/methods/pada.ts';
import { Trainer } from 'project/src/train/trainer.ts';
import { create, globals } from 'webgpu';

Object.assign(globalThis, globals);
const { GPU_COMPILE_OUT: folder, GPU_COMPILE_TOGGLES: toggles = '', GPU_COMPILE_ONLY: only = '' } = process.env;

let use = '';

const write = (line) => appendFileSync(join(folder, 'log.jsonl'), `${JSON.stringify(line)}\n`);

/** Compiles one pipeline at a time and writes down what each one is. */
function watch(device) {
  const codes = new WeakMap();
  const instead = (name, make) => {
    const original = device[name].bind(device);
    Object.defineProperty(device, name, { configurable: true, value: make(original) });
  };
  const note = ({ label, compute: { module, entryPoint, constants } }) => {
    const code = codes.get(module) ?? '';
    write({
      ...{ name: label, entry: entryPoint, constants, gemm: gemmKernelOf(code), split: SPLIT.test(code) },
      ...{ step: Number(STEP.exec(code)?.[1] ?? 0), key: keyOf(label, code, constants), use },
    });
  };
  instead('createShaderModule', (original) => (descriptor) => {
    const module = original(descriptor);
    codes.set(module, descriptor.code);
    return module;
  });
  instead('createComputePipeline', (original) => (descriptor) => {
    const pipeline = original(descriptor);
    note(descriptor);
    return pipeline;
  });
  let last = Promise.resolve();
  instead('createComputePipelineAsync', (original) => (descriptor) => {
    const pipeline = last.then(() => original(descriptor));
    pipeline.then(() => note(descriptor)).catch(() => {});
    last = pipeline.catch(() => {});
    return pipeline;
  });
}

// The GEMM kernel that a module was joined with, recognised by text that only that kernel has.
const SPLIT = /read_write> partial:/;
// The steps of k per round.
const STEP = /const STEP = (\d+)u/;
const GEMM_KERNELS = [
  ['matrix', /subgroup_matrix_left/],
  ['half', /alias Element = f16/],
  ['workgroup', /alias Element = f32/],
  ['subgroup', /fn multiplyAdd[\s\S]*subgroupShuffle/],
  ['plain', /array<vec4f, 32>[\s\S]*fn multiplyAdd/],
];
const gemmKernelOf = (code) => GEMM_KERNELS.find(([, pattern]) => pattern.test(code))?.[0];

/** Opens a device with the features and limits that the project requests, and with toggles for Dawn. */
async function open() {
  const flags = ['disable-dawn-features=timestamp_quantization', 'enable-dawn-features=allow_unsafe_apis'];
  const instance = create([...flags, ...toggles.split(' ').filter(Boolean)]);
  const adapter = await instance.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter)
    throw new Error('gpu-compile: Dawn finds no adapter; check that the driver is installed and knows the family');
  const wanted = ['shader-f16', 'timestamp-query', 'subgroups', SUBGROUP_SIZE_CONTROL, SUBGROUP_MATRICES];
  const requiredLimits = {};
  for (const name in adapter.limits)
    if (/^max(Buffer|StorageBuffer(Binding|sPerShader)|Compute(Invocations|WorkgroupS))/.test(name))
      requiredLimits[name] = adapter.limits[name];
  const device = await adapter.requestDevice({
    requiredFeatures: wanted.filter((feature) => adapter.features.has(feature)),
    requiredLimits,
  });
  watch(device);
  const gpu = await createGpu({ device });
  // Only the adapter lists the sizes of its subgroup matrices.
  Object.defineProperty(gpu.device, 'rawInfo', { value: adapter.info });
  const { vendor, architecture, device: name, description, subgroupMinSize, subgroupMaxSize } = adapter.info;
  if (gpu.kind !== 'gpu') throw new Error(`gpu-compile: ${name} (${description}) is taken for a software adapter`);
  write({ adapter: { vendor, architecture, name, description, subgroupMinSize, subgroupMaxSize } });
  // Dawn's instance must outlive its devices.
  return { instance, gpu };
}

async function compile(what, work) {
  if (only && !new RegExp(only).test(what)) return;
  use = what;
  try {
    await work();
  } catch (error) {
    process.stderr.write(`gpu-compile: ${what}: ${error.message}\n`);
    process.exitCode = 1;
  }
}

const images = (count) => ({
  images: new Uint8Array(count * 28 * 28).fill(128),
  labels: Uint8Array.from({ length: count }, (_, i) => i % 10),
  count,
  height: 28,
  width: 28,
});

async function pada(gpu, precision) {
  const data = { source: images(6000), target: images(3075), numClasses: 10 };
  const trainer = await Trainer.create({ gpu, ...data, method: method(), float32MatmulPrecision: precision });
  const evaluator = trainer.evaluator(images(1000));
  await evaluator.prepare();
  evaluator.dispose();
  trainer.dispose();
}

/** Multiplications that take each path through the operands: rows of whole vec4 or not, either one transposed, padded or not. */
function multiplications(gpu) {
  const owned = [];
  const numbers = (...shape) => {
    const made = tensor(gpu, new Float32Array(shape.reduce((a, b) => a * b, 1)), shape);
    made.requiresGrad = true;
    owned.push(made);
    return made;
  };
  const of = (shape, op, ...inputs) => {
    const dy = numbers(...shape);
    return { work: () => backward(op(...inputs), dy), inputs };
  };
  const convolution = (c, size, o, kernel, padding) =>
    of(
      [64, o, size + 2 * padding - kernel + 1, size + 2 * padding - kernel + 1],
      (x, w, b) => conv2d(x, w, b, { padding }),
      numbers(64, c, size, size),
      numbers(o, c, kernel, kernel),
      numbers(o),
    );
  const all = {
    'matmul aligned': of([256, 256], (a, b) => matmul(a, b), numbers(256, 256), numbers(256, 256)),
    'matmul odd': of([131, 131], (a, b) => matmul(a, b), numbers(131, 131), numbers(131, 131)),
    linear: of([256, 128], (x, w, b) => linear(x, w, b), numbers(256, 512), numbers(128, 512), numbers(128)),
    'linear relu': of(
      [256, 128],
      (x, w, b) => linear(x, w, b, { relu: true }),
      numbers(256, 512),
      numbers(128, 512),
      numbers(128),
    ),
    'conv2d 5x5': convolution(16, 12, 32, 5, 0),
    'conv2d 3x3 padded': convolution(64, 28, 64, 3, 1),
    'conv2d 3x3 padded, rows of 14': convolution(64, 14, 64, 3, 1),
  };
  const dispose = () => {
    for (const one of owned) one.dispose();
  };
  return { all, dispose };
}

/** Compiles every multiplication in every tile of a family. */
async function everyTile(gpu, family, tiles) {
  const { all, dispose } = multiplications(gpu);
  for (const [name, { work, inputs }] of Object.entries(all)) {
    for (const [tileRows, tileColumns, block] of tiles) {
      await compile(`${family} ${tileRows} ${block}: ${name}`, async () => {
        const variant = { family, tileRows, tileColumns, block, splitK: 1 };
        const step = await withVariants(
          gpu,
          () => variant,
          () => capture(gpu, () => void work()),
        );
        step.dispose();
        zeroGrad(inputs);
      });
    }
  }
  dispose();
}

async function optimizers(gpu) {
  for (const options of [{}, { amsgrad: true }]) {
    const parameter = tensor(gpu, new Float32Array(4096), [64, 64]);
    parameter.requiresGrad = true;
    const dy = tensor(gpu, new Float32Array(4096), [64, 64]);
    const optimizer = new Adam([parameter], options);
    const step = await capture(gpu, () => {
      optimizer.zeroGrad();
      backward(matmul(parameter, dy), dy);
      clipGradNorm([parameter], 1);
      optimizer.step();
    });
    for (const one of [step, optimizer, parameter, dy]) one.dispose();
  }
}

/** Half precision, without the project's self-test: nothing here can compute it. */
async function halfPrecision(gpu) {
  const settings = gemmSettings.of(gpu);
  const select = (family) => {
    settings.half = HALF_KERNELS.find((kernel) => kernel.family === family);
  };
  select('half');
  await everyTile(gpu, 'half', TILES);
  await compile('PADA step, half', () => pada(gpu, 'medium'));
  for (const family of ['matrix-f16-16x16x16', 'matrix-f16-8x16x16', 'matrix-f16-8x8x8']) {
    if (!matrixFamilies(gpu).has(family)) continue;
    select(family);
    await everyTile(gpu, family, [[64, 64]]);
  }
  settings.half = undefined;
}

/** Writes down the dispatches of the steps and of some benches, for the cost model. */
async function runs(gpu) {
  const steps = { 'cnn-forward': cnnForward, 'cnn-step': cnnStep };
  for (const [name, prepare] of Object.entries(steps))
    await compile(`run ${name}`, async () => {
      const prepared = await prepare(gpu);
      write({ run: use.slice('run '.length), ...stepWork(await listsOfRun(gpu, prepared.step)) });
      prepared.dispose();
    });
  await compile('run pada-step', async () => {
    const trainer = await Trainer.create(padaSettings(gpu));
    write({ run: use.slice('run '.length), ...stepWork(await listsOfRun(gpu, () => trainer.step())) });
    trainer.dispose();
  });
  for (const one of casesOf(benches, gpu, { only: ['matmul', 'conv2d', 'softmax-column-mean'] }))
    await compile(`run ${one.bench} ${one.shape}`, async () => {
      const opened = await one.open(gpu);
      write({ run: use.slice('run '.length), ...stepWork(await listsOfRun(gpu, () => opened.step.run())) });
      opened.dispose();
    });
}

const { instance, gpu } = await open();
// [rows, columns, block] of the tiles of gemm.workgroup. Smaller tiles of 4 x 4 differ from 64 x 64 only in numbers. The table never
// chooses 8 x 8 for a device with fewer lanes, and Intel's compiler takes minutes to spill its registers.
const LARGE = [
  [64, 64, 8],
  [128, 128, 8],
];
const TILES = [[64, 64, 4], ...(hasRegisters(traitsOf(gpu)) ? LARGE : [])];
await compile('CNN forward', () => cnnForward(gpu));
await compile('CNN step', () => cnnStep(gpu));
await compile('PADA step', () => pada(gpu, 'highest'));
await everyTile(gpu, 'workgroup', TILES);
await compile('optimizers', () => optimizers(gpu));
for (const one of casesOf(benches, gpu, { quick: true }))
  if (one.open) await compile(`bench ${one.bench}`, async () => (await one.open(gpu)).dispose());
await halfPrecision(gpu);
if (only.includes('run ')) await runs(gpu);
gpu.dispose();
// This use keeps the instance alive until here.
process.exit(instance ? process.exitCode : 1);
