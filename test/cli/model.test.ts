import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { collectClassificationResults } from '../../src/adaptation/collect.ts';
import type { Context } from '../../src/cli/context.ts';
import { openModel, safetensorsOf } from '../../src/cli/model.ts';
import { main } from '../../src/cli/program.ts';
import { realContext } from '../../src/cli/realContext.ts';
import { type HostImages, ImageDataset } from '../../src/data/dataset.ts';
import { createGpu } from '../../src/gemm/createGpu.ts';
import { setFloat32MatmulPrecision } from '../../src/gemm/precision.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
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
  const TRAIN = ['train', '-s', 'mnist', '-t', 'fontdigits', '-b', '64', '-i', '12', '-u', '5'];
  const EVAL = ['eval', '-d', 'fontdigits', '-m'];
  const out = join(folder, 'run');
  const run = await command(...TRAIN, '--out', out);
  const again = await command(...EVAL, out);
  assert.ok(again.bits === run.bits, 'eval');
  assert.equal(again.result.confusion, run.result.target.confusion);
  const weighed = await command('weights', '-d', 'fontdigits', '--split', 'test', '-m', out);
  assert.ok(weighed.bits === run.bits, 'weights');

  if (on.features.has('shader-f16')) {
    const medium = join(folder, 'medium');
    const rounded = await command(...TRAIN, '--float32-matmul-precision', 'medium', '--out', medium);
    assert.ok((await command(...EVAL, medium)).bits === rounded.bits, 'of a run in medium precision');
    const highest = await command(...EVAL, medium, '--float32-matmul-precision', 'highest');
    assert.ok(highest.bits !== rounded.bits, 'in the highest precision it has other bits');
  }
  rmSync(folder, { recursive: true });
});

run();
