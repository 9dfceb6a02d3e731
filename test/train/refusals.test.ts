import * as assert from 'uvu/assert';
import { limit, selectClasses } from '../../src/data/subset.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { Conv2d, Flatten, Linear, Module, Sequential } from '../../src/nn/index.ts';
import type { Tensor } from '../../src/tensor.ts';
import type { Checkpoint } from '../../src/train/checkpoint.ts';
import { type TrainSettings, train } from '../../src/train/loop.ts';
import { withTargetLosses } from '../../src/train/methods/additions.ts';
import { dann } from '../../src/train/methods/dann.ts';
import { completeRunOptions, defaultRunOptions } from '../../src/train/methods/named.ts';
import { pada } from '../../src/train/methods/pada.ts';
import { sourceOnly } from '../../src/train/methods/sourceOnly.ts';
import { Trainer } from '../../src/train/trainer.ts';
import { gpuTest, run } from '../harness.ts';
import { stripes, stripesData, stripesSettings, stripesTrainer } from './stripes.ts';

// Mistakes in a call of `train`: each is refused before anything is allocated, with what is wrong and what to do.

/** The kind and message of the error that a call throws. Nothing of the call may be left on the Gpu. */
async function errorOf(gpu: Gpu, call: () => Promise<{ dispose(): void }>): Promise<string> {
  const before = gpu.memory().buffers;
  const error = await call().then(
    (trainer) => trainer.dispose(),
    (e: Error) => e,
  );
  assert.is(gpu.memory().buffers, before, 'nothing is left of it');
  return error ? `${error.name}: ${error.message}` : 'nothing was thrown';
}

/** What `train` throws for these changes to valid settings. */
const refusal = (gpu: Gpu, changes: object): Promise<string> =>
  errorOf(gpu, async () => (await train({ ...stripesSettings(gpu), ...changes } as TrainSettings)).trainer);

async function refusesAll(gpu: Gpu, mistakes: readonly (readonly [changes: object, message: RegExp])[]): Promise<void> {
  for (const [changes, message] of mistakes) assert.match(await refusal(gpu, changes), message);
}

gpuTest('unknown names are refused with the nearest known one', async (gpu) => {
  for (const [name, meant] of Object.entries({
    ...{ weight_decay: 'weightDecay', learningRate: 'lr', batch_size: 'batchSize', epochs: 'iterations' },
    ...{
      iteratons: 'iterations',
      evalEvery: 'evalFreq',
      print_freq: 'printFreq',
      onprogress: 'callbacks: { onProgress }',
    },
    ...{ numclasses: 'numClasses', sources: 'source', detectAnomalies: 'detectAnomaly', models: 'model' },
  }))
    assert.is(await refusal(gpu, { [name]: 1 }), `TypeError: train: unknown option ${name}; did you mean ${meant}?`);
  for (const name of ['T', 'constructor', 'toString'])
    assert.match(await refusal(gpu, { [name]: 1 }), new RegExp(`train: unknown option ${name}; its options are gpu`));
  const proto = Object.assign(JSON.parse('{ "__proto__": { "lr": 1 } }'), stripesSettings(gpu));
  assert.match(await errorOf(gpu, async () => (await train(proto)).trainer), /train: unknown option __proto__/);
  assert.match(
    await errorOf(gpu, () => Trainer.create({ ...stripesSettings(gpu), evalFreq: 1 } as never)),
    /^TypeError: Trainer: unknown option evalFreq/,
  );
});

gpuTest('options of a method belong to the method, which checks them', async (gpu) => {
  assert.is(
    await refusal(gpu, { temperature: 0.2 }),
    'TypeError: train: temperature is an option of the method; write method: pada({ temperature: 0.2 })',
  );
  for (const [make, message] of [
    [() => pada({ T: 1 } as never), /^pada: unknown option T; its options are tradeOff/],
    [() => pada({ trade_off: 1 } as never), /^pada: unknown option trade_off; did you mean tradeOff\?/],
    [() => pada({ temperature: 0 }), /^pada: temperature must be a number > 0 that f32 can hold/],
    [() => pada({ temperature: 1e-46 }), /^pada: temperature must/],
    [() => pada({ tradeOff: 1e39 }), /^pada: tradeOff must be a number >= 0 that f32 can hold/],
    [() => pada({ classWeightUpdateSteps: 0 }), /^pada: classWeightUpdateSteps must be a whole number >= 1/],
    [() => pada({ reversalAlpha: Number.NaN }), /^pada: reversalAlpha must be a finite number but is NaN/],
    [() => dann({ reversalIterations: 0 }), /^dann: reversalIterations must be a number > 0/],
    [() => dann({ temperature: 0.1 } as never), /^dann: unknown option temperature/],
    [
      () => pada({ share: 0.5 }),
      /^pada: share is 0.5, but classWeights is mean, so it has no effect; leave it out, or choose saturating/,
    ],
    [
      () => withTargetLosses(dann(), { alphaPower: 3, mccWeight: 1 }),
      /^withTargetLosses: alphaPower is 3, but alphaPowerWeight is 0, so it has no effect; leave it out/,
    ],
    [() => sourceOnly({ tradeOff: 1 } as never), /^sourceOnly: unknown option tradeOff/],
  ] as const)
    assert.throws(make, (e: Error) => message.test(e.message) || assert.unreachable(e.message));
  assert.equal(pada({ temperature: undefined as never }).options, pada().options);
  assert.is(pada({ share: 0.5, classWeights: 'saturating' }).options.share, 0.5);
  // By name, the share is that of self-training, and no other method refuses it.
  assert.is(completeRunOptions({ method: 'self-training', share: 0.5 }).share, 0.5);
});

gpuTest('values of another type or out of range are refused with both', async (gpu) => {
  await refusesAll(gpu, [
    [{ gpu: undefined }, /^TypeError: train: gpu is missing/],
    [{ gpu: {} }, /^TypeError: train: gpu is .*; await createGpu\(\)/],
    [{ method: 'pada' }, /^TypeError: train: method must be a method, such as pada\(\) but is 'pada'/],
    [{ method: pada }, /^TypeError: train: method must be a method, such as pada\(\)/],
    [{ model: 'cnn' }, /^TypeError: train: model must be a Module, or a function/],
    [{ lr: '0.1' }, /^TypeError: train: lr must be a number >= 0 .* but is '0\.1' \(a string\)/],
    [{ lr: 1e39 }, /^RangeError: train: lr must be .* that f32 can hold \(1\.2e-38 to 3\.4e38 in size\) but is 1e\+39/],
    [{ lr: 1e-46 }, /^RangeError: train: lr must/],
    [{ lr: null }, /^TypeError: train: lr must .* but is null/],
    [{ weightDecay: 1e-46 }, /^RangeError: train: weightDecay must/],
    [{ momentum: 9 }, /^RangeError: train: momentum must be a number from 0 to 1 but is 9/],
    [{ iterations: 1.5 }, /^RangeError: train: iterations must be a whole number >= 0/],
    [{ batchSize: 1 }, /^RangeError: train: batchSize must be a whole number >= 2/],
    [{ seed: -1 }, /^RangeError: train: seed must be a whole number >= 0/],
    [{ eager: 'yes' }, /^TypeError: train: eager must be true or false/],
    [
      { float32MatmulPrecision: 'high' },
      /^RangeError: train: float32MatmulPrecision must be one of 'highest', 'medium'/,
    ],
    [{ printFreq: 0.5 }, /printFreq must be a whole number >= 0 but is 0\.5/],
    [{ evalFreq: '10' }, /evalFreq must be a whole number >= 0 but is '10' \(a string\)/],
    [{ checkpointEvery: -1 }, /checkpointEvery must be a whole number >= 0 but is -1/],
    [
      { signal: new AbortController() },
      /signal must be an AbortSignal, an AbortController's `signal` but is an AbortCont/,
    ],
    [{ detectAnomaly: 1 }, /detectAnomaly must be true or false/],
    [{ reopen: gpu }, /reopen must be a function but is a Gpu/],
    [
      { resume: new Uint8Array(8) },
      /resume must be a Checkpoint, as `await decodeCheckpoint\(bytes\)` .* but is an? Uint8Arr/,
    ],
    [{ callbacks: { onMetrics: [] } }, /^TypeError: train: callbacks: onMetrics must be a function but is/],
    [
      { callbacks: { onprogress() {} } },
      /^TypeError: train: callbacks: unknown option onprogress; did you mean onProgress\?/,
    ],
    [{ callbacks: () => {} }, /^TypeError: train: callbacks: expected an options object/],
    [{ onProgress() {} }, /^TypeError: train: unknown option onProgress; did you mean callbacks: \{ onProgress \}\?/],
  ]);
  for (const wrong of [undefined, null, 0.01])
    assert.match(await train(wrong as never).catch((e) => e.message), /^train: expected an options object/);
  const positional = await train(gpu as never).catch((e) => e.message);
  assert.is(positional, 'train: expected one options object but got a Gpu; write { gpu, source, target, method }');
});

gpuTest('data of another kind or size is refused', async (gpu) => {
  const { source, target } = stripesData();
  const { labels, ...unlabelled } = source;
  const flat = { ...source, labels: stripes(400, 1).labels, count: 400, height: 2, width: 32 };
  await refusesAll(gpu, [
    [{ numClasses: 1 }, /^RangeError: train: numClasses must be a whole number >= 2/],
    [{ numClasses: '4' }, /^TypeError: train: numClasses must be a whole number >= 2 but is '4'/],
    [{ numClasses: 3 }, /^RangeError: training: the source has a label 3, but numClasses is 3; make it larger/],
    [
      { source: { ...source, labels: new Uint8Array(100).fill(2) } },
      /^RangeError: training: all 100 images of the source are of class 2; a classifier needs two classes or more/,
    ],
    [
      { method: withTargetLosses(sourceOnly(), { mccWeight: 1 }), batchNorm: 'separate' },
      /^RangeError: training: batchNorm is separate, but source-only has no batches of both domains; leave it out/,
    ],
    [{ target: undefined }, /^TypeError: training: target is missing, and pada adapts to it; pass its examples/],
    [{ source: unlabelled }, /^TypeError: training: the source has no labels; training needs them/],
    [{ source: { ...source, images: new Int8Array(source.images.buffer) } }, /source: images must be a Uint8Array/],
    [{ target: { ...target, images: Float32Array.from(target.images) } }, /target: images must be a Uint8Array/],
    [
      { source: { ...source, labels: Float32Array.from(labels as Uint8Array) } },
      /source: labels must be an array of integers/,
    ],
    [{ source: { ...source, labels: labels!.subarray(1) } }, /source: 100 images but 99 labels/],
    [{ source: [] }, /^TypeError: source: expected an options object/],
    [{ target: { ...target, count: 360, height: 8, width: 8 } }, /those of the target are 8x8; resize them/],
    [
      { source: { ...source, mean: [0.2], std: [0.3] } },
      /source images have mean 0.2, std 0.3 and geometry none but those of the target mean 0.5, std 0.5 and geometry none; use/,
    ],
    [
      { source: { ...source, mean: 0.2 } },
      /source: mean must be an array, in which each is a finite number, but is 0.2/,
    ],
    [{ source: flat }, /SmallCnn: images are 2x32; it needs at least 4x4/],
    [{ batchSize: 1000 }, /training: batchSize is 1000, but the source has only 100 images; use 100 or less/],
    [{ batchSize: 91 }, /training: batchSize is 91, but the target has only 90 images; use 90 or less/],
  ]);
  // Labels of the target are not looked at, and a method that does not use the target needs none.
  assert.is(
    await refusal(gpu, { target: { ...target, labels: [7] }, numClasses: 9, iterations: 1 }),
    'nothing was thrown',
  );
  assert.is(await refusal(gpu, { target: undefined, method: sourceOnly(), iterations: 1 }), 'nothing was thrown');
});

gpuTest('a network that gives something else than logits and features is refused with what to return', async (gpu) => {
  const net = (gpu: Gpu, { random }: { random: never }) =>
    new Sequential(
      new Conv2d(gpu, { inChannels: 1, outChannels: 2, kernelSize: 5, random }),
      new Flatten(),
      new Linear(gpu, { inFeatures: 288, outFeatures: 5, random }),
    );
  class Wrong extends Module<object> {
    constructor(
      readonly inner: Module,
      readonly give: (y: Tensor, x: Tensor) => object,
    ) {
      super();
    }
    forward(x: Tensor) {
      return this.give(this.inner.forward(x), x);
    }
  }
  const wrong = (give: Wrong['give']) => ({ model: (gpu: Gpu, spec: never) => new Wrong(net(gpu, spec), give) });
  await refusesAll(gpu, [
    [{ model: () => ({}) }, /train: the model's factory returned an Object; return a Module whose forward returns/],
    [{ model: async () => ({}) }, /train: the model's factory returned a Promise; return a Module/],
    [{ model: net }, /train: the model's forward returned a Tensor; return \{ logits, features \}/],
    [wrong((logits) => ({ logits })), /the model's forward returned .*; return \{ logits, features \}/],
    [
      wrong((logits, features) => ({ logits, features })),
      /features must be \[n, F\] but are \[2,1,16,16\].*; flatten them/,
    ],
    [
      wrong((y) => ({ logits: y, features: y })),
      /logits must be \[n, numClasses\], \[2,4\] for 2 examples, but are \[2,5\]/,
    ],
  ]);
});

gpuTest('a test set with labels that the model does not have is refused before anything is trained', async (gpu) => {
  const begun: string[] = [];
  const told = { callbacks: { onCompile: () => begun.push('compile'), onStart: () => begun.push('start') } };
  const odd = stripes(40, 5);
  odd.labels![7] = 4;
  for (const set of ['targetTest', 'sourceTest'])
    assert.is(
      await refusal(gpu, { [set]: odd, ...told }),
      `RangeError: ${set}: image 7 has label 4, but the model has 4 classes (0 to 3); leave such images out with selectClasses(images, classes), or train with a larger numClasses`,
    );
  const { labels: _, ...unlabelled } = odd;
  const tiny = { ...odd, count: 160, height: 8, width: 8 };
  await refusesAll(gpu, [
    [{ targetTest: unlabelled, ...told }, /targetTest: 40 images but no labels/],
    [{ targetTest: limit(odd, 5), sourceTest: tiny, ...told }, /those of the sourceTest are 8x8/],
  ]);
  assert.equal(begun, []);
  const trainer = await stripesTrainer(gpu);
  const error = await trainer.evaluate(odd).catch((e) => e);
  assert.instance(error, RangeError);
  assert.match(error.message, /^test set: image 7 has label 4, but the model has 4 classes/);
  const seen = await trainer.evaluate(selectClasses(odd, [0, 3]));
  assert.is(
    seen.count,
    seen.confusion.flat().reduce((a, n) => a + n, 0),
  );
  assert.is(seen.count, 19);
  trainer.dispose();
});

gpuTest('a checkpoint of another method, other data or more iterations is refused', async (gpu) => {
  const checkpoints: Checkpoint[] = [];
  const onCheckpoint = (checkpoint: Checkpoint) => void checkpoints.push(checkpoint);
  const { trainer } = await train(stripesSettings(gpu, {}, { checkpointEvery: 20, callbacks: { onCheckpoint } }));
  trainer.dispose();
  const resume = checkpoints.at(-1)!;
  assert.is(resume.iteration, 40);
  assert.is(
    await refusal(gpu, { resume, iterations: 39 }),
    'RangeError: train: resume has 40 iterations done, but iterations is 39; make it larger',
  );
  await refusesAll(gpu, [
    [
      { resume, method: pada() },
      /^TypeError: train: resume is of pada\(.*Steps":10,.*\), but method is pada\(.*Steps":100,.*\); pass the same/,
    ],
    [{ resume, seed: 7 }, /^TypeError: train: resume is of seed \d+, but seed is 7; leave it out/],
    [{ resume, method: dann() }, /^TypeError: train: resume is of pada\(.*, but method is dann\(/],
    [{ resume, numClasses: 5 }, /^TypeError: loadStateDict: .* head\.weight \(\[4,128\], expected \[5,128\]\)/],
    [
      { resume, source: stripes(100, 1, { classes: 3 }), numClasses: undefined },
      /head\.weight .*, expected \[3,128\]\)/,
    ],
    [{ resume, target: stripes(89, 2) }, /order \(\[90\], expected \[89\]\)/],
    [{ resume: { ...resume, iteration: 1.5 } }, /resume must be a Checkpoint/],
    [{ resume: { ...resume, method: undefined } }, /resume must be a Checkpoint/],
  ]);
});

gpuTest('a model whose logits are NaN has no accuracy', async (gpu) => {
  const trainer = await stripesTrainer(gpu);
  const evaluator = trainer.evaluator(stripes(40, 5));
  assert.is((await evaluator.run()).count, 40);
  const state = await trainer.state();
  state.tensors.get('model.head.bias')!.data[2] = Number.NaN;
  trainer.restore(state);
  const error = await evaluator.run().catch((e) => e);
  assert.is(
    error.message,
    "test set: the model's logits are NaN for 40 of 40 examples, so it has no accuracy; train it again, with a lower learning rate",
  );
  evaluator.dispose();
  trainer.dispose();
});

gpuTest('options by name are completed and checked like those of train', () => {
  assert.equal(completeRunOptions({ lr: undefined } as never), defaultRunOptions);
  for (const [given, message] of [
    [{ learningRate: 1 }, /^training: unknown option learningRate; did you mean lr\?/],
    [
      { method: 'PADA' },
      /^training: method must be one of 'source-only', 'dann', 'pada', .*'self-training' but is 'PADA'/,
    ],
    [{ temperature: 0 }, /^pada: temperature must/],
    [{ batchSize: 1 }, /^training: batchSize must/],
  ] as const)
    assert.throws(
      () => completeRunOptions(given as never),
      (e: Error) => message.test(e.message),
    );
});

run();
