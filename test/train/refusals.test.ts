import * as assert from 'uvu/assert';
import { limit, selectClasses } from '../../src/data/subset.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import type { Checkpoint } from '../../src/train/checkpoint.ts';
import { completeOptions, defaultOptions, type TrainingOptions } from '../../src/train/options.ts';
import { type TrainCallbacks, type TrainSettings, train } from '../../src/train/train.ts';
import { Training } from '../../src/train/training.ts';
import type { TrainingData } from '../../src/train/trainingData.ts';
import { gpuTest, run } from '../harness.ts';
import { stripes, stripesData } from './stripes.ts';

// Mistakes in a call of `train`: each is refused before anything is made, with what is wrong and what to do.

const OPTIONS: Partial<TrainingOptions> = { batchSize: 8, classWeightUpdateSteps: 10, iterations: 45 };

/** The message of what `train` throws for wrong arguments, with its kind. */
async function refusal(
  gpu: Gpu,
  data: unknown,
  options: unknown = OPTIONS,
  settings: unknown = {},
  callbacks: unknown = {},
): Promise<string> {
  const before = gpu?.memory?.().buffers;
  const error = await train(
    gpu,
    data as TrainingData,
    options as object,
    settings as TrainSettings,
    callbacks as TrainCallbacks,
  ).then(
    ({ training }) => training.dispose(),
    (e: Error) => e,
  );
  assert.is(gpu?.memory?.().buffers, before, 'nothing is left of it');
  return error ? `${error.name}: ${error.message}` : 'nothing was thrown';
}

gpuTest('options that are misspelt, of another type or beyond f32 are refused with what is meant', async (gpu) => {
  const refused = async (options: unknown, message: RegExp) =>
    assert.match(await refusal(gpu, stripesData(), options), message);
  for (const [name, meant] of [
    ['weight_decay', 'weightDecay'],
    ['learningRate', 'lr'],
    ['batch_size', 'batchSize'],
    ['epochs', 'iterations'],
    ['iteratons', 'iterations'],
    ['trade_off', 'tradeOff'],
    ['T', 'its options are method'],
    ['constructor', 'its options are method'],
    ['toString', 'its options are method'],
    ['numClasses', 'its options are method'],
  ])
    await refused(
      { ...OPTIONS, [name!]: 1 },
      new RegExp(`^TypeError: training: unknown option ${name}; (did you mean )?${meant}`),
    );
  await refused(JSON.parse('{ "__proto__": { "lr": 1 } }'), /^TypeError: training: unknown option __proto__/);
  await refused(0.01, /^TypeError: training: expected an options object/);
  await refused(null, /^TypeError: training: expected an options object.* but got null/);
  for (const [name, value, wanted] of [
    ['lr', '0.1', /^TypeError: training: lr must be a number >= 0 .* but is '0\.1' \(a string\)/],
    [
      'lr',
      1e39,
      /^RangeError: training: lr must be a number >= 0 that f32 can hold \(1\.2e-38 to 3\.4e38 in size\) but is 1e\+39/,
    ],
    ['lr', 1e-46, /^RangeError: training: lr must/],
    ['lr', null, /^TypeError: training: lr must .* but is null/],
    ['tradeOff', 1e39, /^RangeError: training: tradeOff must be a number >= 0 that f32 can hold/],
    ['weightDecay', 1e-46, /^RangeError: training: weightDecay must/],
    ['temperature', 1e-46, /^RangeError: training: temperature must be a number > 0 that f32 can hold/],
    ['temperature', 0, /^RangeError: training: temperature must/],
    ['momentum', 9, /^RangeError: training: momentum must be a number from 0 to 1 but is 9/],
    ['reversalAlpha', Number.NaN, /^RangeError: training: reversalAlpha must be a number but is NaN/],
    ['reversalIterations', 0, /^RangeError: training: reversalIterations must/],
    ['iterations', 1.5, /^RangeError: training: iterations must be a whole number >= 0/],
    ['batchSize', 1, /^RangeError: training: batchSize must be a whole number >= 2/],
    ['seed', -1, /^RangeError: training: seed must be a whole number >= 0/],
    ['eager', 'yes', /^TypeError: training: eager must be true or false/],
    ['method', 'PADA', /^RangeError: training: method must be one of 'source-only', 'dann', 'pada' but is 'PADA'/],
    [
      'float32MatmulPrecision',
      'high',
      /^RangeError: training: float32MatmulPrecision must be one of 'highest', 'medium'/,
    ],
  ] as const)
    await refused({ ...OPTIONS, [name]: value }, wanted);
  const create = (settings: unknown) =>
    Training.create(gpu, stripesData(), OPTIONS, settings as object).catch((e) => e.message);
  assert.match(
    await create({ detectAnomalies: true }),
    /^Training.create: unknown option detectAnomalies; did you mean detectAnomaly\?/,
  );
  assert.match(await create(true), /^Training.create: expected an options object/);
  assert.equal(completeOptions({ lr: undefined } as never), defaultOptions);
});

gpuTest('settings and callbacks that would be ignored are refused', async (gpu) => {
  const settings = async (given: unknown, message: RegExp) =>
    assert.match(await refusal(gpu, stripesData(), OPTIONS, given), message);
  await settings({ evalEvery: 10 }, /^TypeError: train settings: unknown option evalEvery; did you mean evalFreq\?/);
  await settings({ print_freq: 10 }, /unknown option print_freq; did you mean printFreq\?/);
  await settings({ onProgress() {} }, /unknown option onProgress; its options are printFreq/);
  await settings({ printFreq: 0.5 }, /printFreq must be a whole number >= 0 but is 0\.5/);
  await settings({ evalFreq: '10' }, /evalFreq must be a whole number >= 0 but is '10' \(a string\)/);
  await settings({ checkpointEvery: -1 }, /checkpointEvery must be a whole number >= 0 but is -1/);
  await settings(
    { signal: new AbortController() },
    /signal must be an AbortSignal, an AbortController's `signal` but is an AbortController/,
  );
  await settings({ detectAnomaly: 1 }, /detectAnomaly must be true or false/);
  await settings({ reopen: gpu }, /reopen must be a function but is a Gpu/);
  await settings(
    { resume: new Uint8Array(8) },
    /resume must be a Checkpoint, as `await decodeCheckpoint\(bytes\)` .* but is an? Uint8Array/,
  );
  await settings(20, /^TypeError: train settings: expected an options object/);
  const callbacks = async (given: unknown, message: RegExp) =>
    assert.match(await refusal(gpu, stripesData(), OPTIONS, {}, given), message);
  await callbacks(
    { onprogress() {} },
    /^TypeError: train callbacks: unknown option onprogress; did you mean onProgress\?/,
  );
  await callbacks({ progress() {} }, /unknown option progress/);
  await callbacks({ onMetrics: [] }, /onMetrics must be a function but is/);
  await callbacks(() => {}, /^TypeError: train callbacks: expected an options object/);
});

gpuTest('data that is misnamed, of another kind or of another size is refused', async (gpu) => {
  const { source, target, numClasses } = stripesData();
  const data = async (change: object, message: RegExp) =>
    assert.match(await refusal(gpu, { source, target, numClasses, ...change }), message);
  await data({ numclasses: 4 }, /^TypeError: training data: unknown option numclasses; did you mean numClasses\?/);
  assert.match(
    await refusal(gpu, { sources: source, target, numClasses }),
    /unknown option sources; did you mean source\?/,
  );
  assert.match(await refusal(gpu, { source, target }), /^TypeError: training data: numClasses is missing/);
  assert.match(await refusal(gpu, undefined), /^TypeError: training data: expected an options object/);
  for (const wrong of [1, 0, 3.5, Number.NaN, -4])
    await data({ numClasses: wrong }, /^RangeError: training data: numClasses must be a whole number >= 2/);
  await data({ numClasses: '4' }, /^TypeError: training data: numClasses must be a whole number >= 2 but is '4'/);
  await data(
    { source: { ...source, images: new Int8Array(source.images.buffer) } },
    /^TypeError: source: images must be a Uint8Array/,
  );
  await data(
    { target: { ...target, images: Float32Array.from(target.images) } },
    /^TypeError: target: images must be a Uint8Array/,
  );
  await data(
    { source: { ...source, labels: BigInt64Array.from(source.labels!, BigInt) } },
    /^TypeError: source: labels must be a Uint8Array/,
  );
  await data(
    { source: { ...source, labels: source.labels!.subarray(1) } },
    /^TypeError: source: 100 images but 99 labels/,
  );
  await data({ source: [] }, /^TypeError: source: expected an options object/);
  await data({ target: { ...target, count: 360, height: 8, width: 8 } }, /those of the target are 8x8; resize them/);
  assert.match(
    await refusal(undefined as never, stripesData()),
    /^TypeError: train: gpu is undefined; await createGpu\(\)/,
  );
  assert.match(await refusal(stripesData() as never, OPTIONS), /^TypeError: train: gpu is Object; await createGpu\(\)/);
  assert.is(
    await refusal(
      gpu,
      { source, target: { ...target, labels: [7] as never }, numClasses: 9 },
      { ...OPTIONS, iterations: 1 },
    ),
    'nothing was thrown',
  );
});

gpuTest('a test set with labels that the model does not have is refused before anything is trained', async (gpu) => {
  const begun: string[] = [];
  const callbacks: TrainCallbacks = { onCompile: () => begun.push('compile'), onStart: () => begun.push('start') };
  const odd = stripes(40, 5);
  odd.labels![7] = 4;
  for (const set of ['targetTest', 'sourceTest'])
    assert.is(
      await refusal(gpu, stripesData(), OPTIONS, { [set]: odd }, callbacks),
      `RangeError: ${set}: image 7 has label 4, but the model has 4 classes (0 to 3); leave such images out with selectClasses(images, classes), or train with a larger numClasses`,
    );
  const { labels: _, ...unlabelled } = odd;
  assert.match(
    await refusal(gpu, stripesData(), OPTIONS, { targetTest: unlabelled }, callbacks),
    /targetTest: 40 images but no labels/,
  );
  assert.match(
    await refusal(
      gpu,
      stripesData(),
      OPTIONS,
      { targetTest: limit(odd, 5), sourceTest: { ...odd, count: 160, height: 8, width: 8 } },
      callbacks,
    ),
    /those of the sourceTest are 8x8/,
  );
  assert.equal(begun, []);
  const training = await Training.create(gpu, stripesData(), OPTIONS);
  const error = await training.evaluate(odd).catch((e) => e);
  assert.instance(error, RangeError);
  assert.match(error.message, /^test set: image 7 has label 4, but the model has 4 classes/);
  const seen = await training.evaluate(selectClasses(odd, [0, 3]));
  assert.is(
    seen.count,
    seen.confusion.flat().reduce((a, n) => a + n, 0),
  );
  assert.is(seen.count, 19);
  training.dispose();
});

gpuTest('labels beyond the classes, and batches larger than the data, are refused', async (gpu) => {
  const { source, target } = stripesData();
  assert.is(
    await refusal(gpu, { source, target, numClasses: 3 }),
    'RangeError: training: the source has a label 3, but numClasses is 3; make it larger',
  );
  assert.match(await refusal(gpu, stripesData(), { ...OPTIONS, batchSize: 1000 }), /do not fill a batch of 1000/);
});

gpuTest('a checkpoint with more iterations than are asked for is refused, and one of other classes', async (gpu) => {
  const checkpoints: Checkpoint[] = [];
  const onCheckpoint = (checkpoint: Checkpoint) => void checkpoints.push(checkpoint);
  const { training } = await train(gpu, stripesData(), OPTIONS, { checkpointEvery: 20 }, { onCheckpoint });
  training.dispose();
  const resume = checkpoints.at(-1)!;
  assert.is(resume.iteration, 40);
  assert.is(
    await refusal(gpu, stripesData(), { ...OPTIONS, iterations: 39 }, { resume }),
    'RangeError: train: resume has 40 iterations done, but iterations is 39; make it larger',
  );
  assert.match(
    await refusal(gpu, { ...stripesData(), numClasses: 5 }, OPTIONS, { resume }),
    /^TypeError: loadStateDict: .* head\.weight \(\[4,128\], expected \[5,128\]\)/,
  );
  const fewer = { ...stripesData(), source: stripes(100, 1, { classes: 3 }), numClasses: 3 };
  assert.match(await refusal(gpu, fewer, OPTIONS, { resume }), /head\.weight \(\[4,128\], expected \[3,128\]\)/);
  assert.match(
    await refusal(gpu, { ...stripesData(), target: stripes(89, 2) }, OPTIONS, { resume }),
    /order \(\[90\], expected \[89\]\)/,
  );
  assert.match(
    await refusal(gpu, stripesData(), OPTIONS, { resume: { ...resume, iteration: 1.5 } }),
    /resume must be a Checkpoint/,
  );
});

gpuTest('a model whose logits are NaN has no accuracy', async (gpu) => {
  const training = await Training.create(gpu, stripesData(), OPTIONS);
  const evaluator = training.evaluator(stripes(40, 5));
  assert.is((await evaluator.run()).count, 40);
  const state = await training.state();
  state.tensors.get('model.head.bias')!.data[2] = Number.NaN;
  training.restore(state);
  const error = await evaluator.run().catch((e) => e);
  assert.is(
    error.message,
    "test set: the model's logits are NaN for 40 of 40 images, so it has no accuracy; train it again, with a lower learning rate",
  );
  evaluator.dispose();
  training.dispose();
});

run();
