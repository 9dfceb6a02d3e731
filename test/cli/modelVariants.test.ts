import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { collectClassificationResults } from '../../src/adaptation/collect.ts';
import type { Context } from '../../src/cli/context.ts';
import { openModel, safetensorsOf } from '../../src/cli/model.ts';
import { main } from '../../src/cli/program.ts';
import { realContext } from '../../src/cli/realContext.ts';
import { cacheFile } from '../../src/cli/variants.ts';
import { type HostImages, ImageDataset } from '../../src/data/dataset.ts';
import { setFloat32MatmulPrecision } from '../../src/gemm/precision.ts';
import type { GemmVariants } from '../../src/gemm/variants.ts';
import { createGpu, type Gpu } from '../../src/gpu/gpu.ts';
import type { SmallCnn } from '../../src/models/smallCnn.ts';
import { train } from '../../src/train/train.ts';
import { gpuTest, run } from '../harness.ts';
import { stripes } from '../train/stripes.ts';
import { Recorder } from './fakes.ts';

// A model that is asked again by `eval` and `weights` answers with the bits that its run had, on a GPU.

const DATA: Record<string, HostImages> = {
  'mnist train': stripes(100, 1),
  'mnist test': stripes(150, 2),
  'fontdigits train': stripes(90, 3, { classes: 2, brightness: 120 }),
  'fontdigits test': stripes(150, 4, { classes: 2, brightness: 120 }),
};

/** The bits of a model's logits, as an evaluation computes them. */
async function logitsOf(gpu: Gpu, model: SmallCnn, images: HostImages): Promise<string> {
  const data = new ImageDataset(gpu, images, 128);
  const logits = await collectClassificationResults(data, model);
  const bits = new Uint32Array((await logits.read()).buffer).join();
  for (const held of [logits, data]) held.dispose();
  return bits;
}

gpuTest('a model answers with the bits that it had at the end of its run', async (on) => {
  const { options } = on;
  const folder = mkdtempSync(join(tmpdir(), 'padagrad-bits-'));
  const real = realContext();
  const seen: string[] = [];
  const command = async (...args: string[]) => {
    const stdout = new Recorder();
    const stderr = new Recorder();
    const look = async (gpu: Gpu, saved: Parameters<Context['evaluate']>[1], images: HostImages) => {
      const model = openModel(gpu, saved);
      seen.push(await logitsOf(gpu, model, images));
      model.dispose();
    };
    const context: Context = {
      ...real,
      stdout,
      stderr,
      cacheFolder: join(folder, 'cache'),
      interruptible: () => new AbortController().signal,
      openGpu: async (precision = 'highest') => {
        const gpu = await createGpu(options);
        await setFloat32MatmulPrecision(gpu, precision);
        return gpu;
      },
      resolveData: async (name, split) => DATA[`${name} ${split}`]!,
      async train(gpu, ...rest) {
        const { result, training } = await train(gpu, ...rest);
        seen.push(await logitsOf(gpu, training.model, DATA['fontdigits test']!));
        return { result, modelBytes: () => safetensorsOf(training.model), dispose: () => training.dispose() };
      },
      async evaluate(gpu, saved, images) {
        await look(gpu, saved, images);
        return real.evaluate(gpu, saved, images);
      },
      async classWeight(gpu, saved, images, temperature) {
        await look(gpu, saved, images);
        return real.classWeight(gpu, saved, images, temperature);
      },
    };
    assert.is(await main([...args, '--json'], context), 0, stderr.text);
    return { result: stdout.events.at(-1), bits: seen.pop() };
  };
  // Of both domains as many images as an evaluation's batch: its products are of the same classes.
  const TRAIN = ['train', '-s', 'mnist', '-t', 'fontdigits', '-b', '64', '-i', '12', '-u', '5'];
  const [usual, forced] = [join(folder, 'usual'), join(folder, 'forced')];
  await command(...TRAIN, '--gemm-variants', 'default', '--out', usual);
  // Every product by the plain core, its depth in slices: other sums than those of any default.
  const classes = Object.keys(JSON.parse(readFileSync(join(usual, 'config.json'), 'utf8')).gemmVariants);
  const variants: GemmVariants = Object.fromEntries(
    classes.map((of) => [of, { family: 'plain', tile: 32, slices: 2 } as const]),
  );
  const file = join(folder, 'variants.json');
  writeFileSync(file, JSON.stringify(variants));
  const run = await command(...TRAIN, '--gemm-variants', file, '--out', forced);
  assert.equal(JSON.parse(readFileSync(join(forced, 'config.json'), 'utf8')).gemmVariants, variants);

  const EVAL = ['eval', '-d', 'fontdigits', '-m'];
  const again = await command(...EVAL, forced);
  assert.ok(again.bits === run.bits, 'of the folder of its run');
  assert.equal(again.result.gemmVariants, variants);
  assert.equal(again.result.confusion, run.result.target.confusion);
  const weighed = await command('weights', '-d', 'fontdigits', '--split', 'test', '-m', forced);
  assert.ok(weighed.bits === run.bits, 'weights');
  const bySizes = await command(...EVAL, forced, '--gemm-variants', 'default');
  assert.ok(bySizes.bits !== run.bits, 'other variants are other bits');

  if (on.features.has('shader-f16')) {
    const medium = join(folder, 'medium');
    const rounded = await command(...TRAIN, '--float32-matmul-precision', 'medium', '--out', medium);
    assert.ok((await command(...EVAL, medium)).bits === rounded.bits, 'of a run in medium precision');
    const highest = await command(...EVAL, medium, '--float32-matmul-precision', 'highest');
    assert.ok(highest.bits !== rounded.bits, 'in the highest precision it has other bits');
  }

  // The model alone: by a file of variants, then by what is kept of this device.
  const alone = join(folder, 'alone');
  mkdirSync(alone);
  copyFileSync(join(forced, 'model.safetensors'), join(alone, 'model.safetensors'));
  assert.ok((await command(...EVAL, alone)).bits === bySizes.bits);
  assert.ok((await command(...EVAL, alone, '--gemm-variants', file)).bits === run.bits);
  const gpu = await createGpu(options);
  const cacheFolder = join(folder, 'cache');
  mkdirSync(cacheFolder, { recursive: true });
  writeFileSync(cacheFile({ ...real, cacheFolder }, gpu)!, JSON.stringify({ gemmVariants: variants }));
  gpu.dispose();
  assert.ok((await command(...EVAL, alone)).bits === run.bits, 'of the cache');
  rmSync(folder, { recursive: true });
});

run();
