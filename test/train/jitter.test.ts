import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FeatureDataset } from '../../src/data/dataset.ts';
import {
  affineJitter,
  colourJitter,
  type Jitter,
  jitterText,
  parseJitter,
  strongJitter,
} from '../../src/data/jitter.ts';
import { countCalls } from '../../src/debug/deviceCalls.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { Flatten, Linear, Module } from '../../src/nn/index.ts';
import { Random } from '../../src/random.ts';
import type { Tensor } from '../../src/tensor.ts';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from '../../src/train/checkpoint.ts';
import { train } from '../../src/train/loop.ts';
import { completeRunOptions, type RunOptions, runOptionsOf, trainArguments } from '../../src/train/methods/named.ts';
import { gpuTest, run } from '../harness.ts';
import { stripes, stripesSettings, stripesTrainer } from './stripes.ts';

// Data augmentation in training. The kernel is tested in test/ops/jitterBatch.test.ts.

const JITTER = { sourceJitter: 'affine,flip=0.5', targetJitter: 'strong,contrast=0.3' };

/** The losses and the state after 30 iterations, of which the first `broken` are another trainer's. */
async function outcome(gpu: Gpu, options: Partial<RunOptions> = JITTER, broken = 0) {
  let trainer = await stripesTrainer(gpu, options);
  for (let i = 0; i < 30; i++) {
    if (i === broken && i > 0) {
      const checkpoint = await trainer.state();
      trainer.dispose();
      trainer = await stripesTrainer(gpu, options);
      trainer.restore(await decodeCheckpoint(await encodeCheckpoint(checkpoint)));
    }
    await trainer.step();
  }
  const losses = (await trainer.metrics()).map(({ classLoss }) => classLoss);
  const { tensors } = await trainer.state();
  trainer.dispose();
  return { losses: losses.slice(-10), tensors };
}

gpuTest('jittered training is reproducible: captured, eager and resumed', async (gpu) => {
  const captured = await outcome(gpu);
  assert.equal(await outcome(gpu, { ...JITTER, eager: true }), captured);
  assert.equal(await outcome(gpu, JITTER, 17), captured);
  for (const side of ['sourceJitter', 'targetJitter'])
    assert.is.not(String((await outcome(gpu, { [side]: 'affine' })).losses), String((await outcome(gpu, {})).losses));
});

gpuTest('a jitter adds a dispatch, as each domain has its own, but no write and no submit', async (gpu) => {
  const calls = async (options: object) => {
    const trainer = await stripesTrainer(gpu, options);
    for (let i = 0; i < 2; i++) await trainer.step();
    let stepped: Promise<boolean> | undefined;
    const counted = countCalls(gpu.native, () => {
      stepped = trainer.step();
    });
    await stepped;
    trainer.dispose();
    return counted;
  };
  const plain = await calls({});
  assert.equal(await calls(JITTER), { ...plain, dispatches: plain.dispatches + 1 });
});

class Net extends Module<{ logits: Tensor; features: Tensor }> {
  readonly flatten = new Flatten();
  readonly head: Linear;

  constructor(gpu: Gpu) {
    super();
    this.head = new Linear(gpu, { inFeatures: 256, outFeatures: 4, random: new Random(1) });
  }

  forward(x: Tensor) {
    const features = this.flatten.forward(x);
    return { logits: this.head.forward(features), features };
  }
}

gpuTest('evaluation and class weights use images without jitter', async (gpu) => {
  // The network does not change, and has no running statistics.
  const { model: _, ...settings } = stripesSettings(gpu, { lr: 0, weightDecay: 0, iterations: 10 });
  const trained = async (more: object) => {
    const { result, trainer } = await train({
      ...settings,
      model: (gpu) => new Net(gpu),
      targetTest: stripes(40, 5, { classes: 2 }),
      ...more,
    });
    const { latest } = trainer;
    trainer.dispose();
    return { weights: result.classWeight, target: result.target, loss: latest!.classLoss };
  };
  const plain = await trained({});
  const jittered = await trained({ sourceJitter: affineJitter(), targetJitter: affineJitter() });
  assert.equal(jittered.weights, plain.weights);
  assert.equal(jittered.target, plain.target);
  assert.is.not(jittered.loss, plain.loss);
});

gpuTest('a jitter is refused for data without images, and in a run that began with another', async (gpu) => {
  const host = { features: new Float32Array(24), count: 12, dim: 2, labels: new Uint8Array(12).fill(1, 6) };
  const vectors = new FeatureDataset(gpu, host, 4);
  const jitter = affineJitter();
  assert.throws(
    () => jitter.of(vectors, 0),
    /affineJitter: it changes the images of an ImageDataset, but got a FeatureDataset/,
  );
  const refusal = (more: object) => train({ ...stripesSettings(gpu), ...more }).then(() => 'none', String);
  for (const source of [vectors, host])
    assert.match(
      await refusal({ source, target: source, numClasses: 2, model: (gpu: Gpu) => new Net(gpu), targetJitter: jitter }),
      /training: targetJitter changes images, but the target is neither HostImages nor an ImageDataset/,
    );
  assert.match(
    await refusal({ sourceJitter: 'affine' }),
    /sourceJitter must be a jitter, such as affineJitter\(\) but is 'aff/,
  );
  const checkpoints: Checkpoint[] = [];
  const callbacks = { onCheckpoint: (checkpoint: Checkpoint) => void checkpoints.push(checkpoint) };
  const given = { iterations: 5, sourceJitter: jitter };
  const { trainer } = await train(stripesSettings(gpu, {}, { ...given, checkpointEvery: 4, callbacks }));
  trainer.dispose();
  const [resume] = checkpoints;
  const same = await train({ ...stripesSettings(gpu), ...given, resume });
  same.trainer.dispose();
  for (const sourceJitter of [undefined, affineJitter({ rotation: 20 })])
    assert.match(
      await refusal({ iterations: 5, sourceJitter, resume }),
      /train: the checkpoint has sourceJitter .*"rotation":15.*, but it is (none|.*"rotation":20.*) now; pass the same/,
    );
  const plain = await stripesTrainer(gpu);
  assert.throws(() => plain.restore(resume!), /restore: the checkpoint has sourceJitter/);
  assert.throws(
    () => plain.restore({ ...resume!, jitter: {}, geometry: 'canonical' }),
    /the checkpoint's images have geometry canonical, but it is none now/,
  );
  for (const x of [vectors, plain]) x.dispose();
});

test('the text of a jitter names its preset and what differs', () => {
  const read = (text: string) => jitterText(parseJitter('--source-jitter', text)?.amounts);
  for (const text of [
    'none',
    'affine',
    'colour',
    'strong',
    'strong,blur=0',
    'affine,rotation=30,flip=0.5',
    'colour,padding=zeros',
  ])
    assert.is(read(text), text);
  assert.is(read('colour, rotation=15'), 'colour');
  assert.is(read('colour,saturation=0,brightness=0,channelShift=0'), 'affine,contrast=0.3');
  assert.equal(parseJitter('', 'colour,rotation=30')!.amounts, colourJitter({ rotation: 30 }).amounts);
  for (const [text, message] of [
    ['color', /must be none, affine, colour or strong, .* but is 'color'/],
    ['none,flip=1', /must be none, affine, colour or strong/],
    ['affine,flip', /'flip' in 'affine,flip' is no amount/],
    ['affine,rotate=3', /unknown option rotate; its options are rotation, scale/],
    ['affine,scale=2', /--source-jitter: scale must be a number from 0 to 0.99 but is 2/],
    ['affine,scale=x', /--source-jitter: scale must be a number from 0 to 0.99 but is NaN/],
  ] as const)
    assert.throws(() => read(text), message, text);
  const options = completeRunOptions({ sourceJitter: 'colour, rotation=15' });
  assert.equal([options.sourceJitter, options.targetJitter], ['colour', 'none']);
  const { method, sourceJitter, ...rest } = trainArguments(options);
  const saved = { iteration: 0, method, jitter: { source: sourceJitter!.amounts }, options: rest, tensors: new Map() };
  assert.equal(completeRunOptions(runOptionsOf(saved)), options);
});

test('the documents give the defaults of each amount', () => {
  const rows = readFileSync('docs/data.md', 'utf8').matchAll(
    /^\| `(\w+)` \|[^|]*\| `?([\w.]+)`? \| `?([\w.]+)`? \| `?([\w.]+)`? \|$/gm,
  );
  const documented = Array.from(rows, ([, ...cells]) => cells);
  const presets = [affineJitter(), colourJitter(), strongJitter()].map(({ amounts }) => amounts);
  const names = Object.keys(presets[0]!) as (keyof Jitter['amounts'])[];
  const expected = names.map((name) => [name, ...presets.map((amounts) => String(amounts[name]))]);
  assert.equal(documented, expected);
});

run();
