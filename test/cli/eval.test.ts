import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeSafetensors, encodeSafetensors } from '../../src/io/safetensors.ts';
import type { HostTensor } from '../../src/nn/stateDict.ts';
import { fakeContext, fakeModel } from './fakes.ts';

// `padagrad eval` and `padagrad weights` without a GPU: what they ask for, what they print, how they end.

const test = suite('eval');

let folder = '';
test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'padagrad-eval-'));
  fakeModel(join(folder, 'model.safetensors'));
});
test.after.each(() => rmSync(folder, { recursive: true, force: true }));

test('eval: accuracy, by class, with the confusion matrix, of the test images', async () => {
  const { run, stdout, stderr, asked, counts } = fakeContext();
  assert.is(await run('eval', '--model', folder, '--data', 'mnist', '--classes', '0-4'), 0);
  assert.equal(asked, ['mnist test']);
  assert.match(stdout.text, `${join(folder, 'model.safetensors')} on mnist test, classes 0-4 (100 images)`);
  assert.match(stdout.text, 'llvmpipe (software)');
  assert.match(stdout.text, 'accuracy 95.0 % on 100 images');
  assert.match(stdout.text, /class\s+accuracy\s+images\s+as 0/);
  assert.match(stdout.text, /^ *4 +95\.0 % +20 +\. +\. +\. +\. +20 /m);
  assert.is(stderr.text, '');
  assert.equal(counts(), { gpus: 0, opened: 1, disposed: 0 });
});

test('eval: a file in place of a folder, another split, the first images', async () => {
  const { run, asked, evaluated, stdout } = fakeContext();
  const file = join(folder, 'model.safetensors');
  assert.is(await run('eval', '-m', file, '-d', 'mnist', '--split', 'train', '--limit', '50', '--json'), 0);
  assert.equal([asked, evaluated], [['mnist train'], [file]]);
  const [result, ...more] = stdout.events;
  assert.equal(more, []);
  assert.equal(
    [result.event, result.accuracy, result.count, result.classes, result.perClass.length, result.device.device],
    ['result', 95, 50, null, 10, 'llvmpipe'],
  );
  assert.equal(result.confusion[3], [0, 0, 0, 5, 0, 0, 0, 0, 0, 0]);
});

test('weights: bars of the training images, the target classes marked', async () => {
  const { run, stdout, weighed } = fakeContext();
  assert.is(await run('weights', '--model', folder, '--data', 'mnist', '--classes', '0-4', '--temperature', '0.2'), 0);
  assert.equal(weighed, [{ file: join(folder, 'model.safetensors'), labels: [0, 1, 2, 3, 4], temperature: 0.2 }]);
  assert.match(stdout.text, 'on mnist train, classes 0-4 (500 images)');
  assert.is(stdout.lines.filter((line) => /█{32} +1\.000 +shared$/.test(line)).length, 5);
  assert.is(stdout.lines.filter((line) => /0\.020 +absent$/.test(line)).length, 5);
  assert.match(stdout.text, '5.2 effective classes, entropy 1.71');
});

test('weights: images without labels, as JSON', async () => {
  const { run, stdout, stderr } = fakeContext();
  assert.is(await run('weights', '--model', folder, '--data', 'idx:bare', '--json'), 0);
  const result = stdout.events.at(-1);
  assert.equal(
    [result.event, result.classWeight.length, result.count, result.temperature, result.collapsed],
    ['result', 10, 500, 0.1, false],
  );
  assert.match(stderr.text, 'idx:bare (500 images)');
  assert.not.match(stderr.text, 'shared');
});

const BAD = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
for (const command of ['eval', 'weights']) {
  test(`${command}: a model with NaN or infinity is an error that names the tensor, with no GPU`, async () => {
    const file = join(folder, 'bad.safetensors');
    const tensors = [
      ...BAD.flatMap((value) => [
        ['head.weight', { shape: [10, 2], data: Float32Array.from({ length: 20 }, (_, i) => (i === 17 ? value : 1)) }],
        [
          'backbone.1.running_var',
          { shape: [2, 9], data: Float32Array.from({ length: 18 }, (_, i) => (i > 16 ? value : 1)) },
        ],
      ]),
      // Finite as it is kept, infinite as it is computed with.
      ['head.bias', { shape: [18], data: Float64Array.from({ length: 18 }, (_, i) => (i === 17 ? 1e39 : 1)) }],
    ] as [string, HostTensor][];
    for (const [name, tensor] of tensors) {
      const { tensors: state } = decodeSafetensors(readFileSync(join(folder, 'model.safetensors')));
      writeFileSync(file, encodeSafetensors(state.set(name, tensor)));
      const { run, stdout, stderr, counts } = fakeContext();
      assert.is(await run(command, '--model', file, '--data', 'mnist', '--json'), 1);
      const text = `${file}: ${name} [${tensor.shape}] holds ${tensor.data[17]} at element 17; `;
      assert.ok(stderr.text.startsWith(`padagrad: ${text}`), stderr.text);
      assert.equal(
        stdout.events.map(({ event, code }) => [event, code]),
        [['error', 'NOT_FINITE']],
      );
      assert.is(counts().opened, 0);
    }
  });
}

for (const command of ['eval', 'weights']) {
  test(`${command}: a model is used in the precision of its run, unless a flag overrides it`, async () => {
    const use = async (config: string, ...flags: string[]) => {
      writeFileSync(join(folder, 'config.json'), config);
      const used = fakeContext();
      return { ...used, code: await used.run(command, '--model', folder, '--data', 'mnist', ...flags) };
    };
    const run = (precision: string) => JSON.stringify({ options: { float32MatmulPrecision: precision } });
    const flag = '--float32-matmul-precision';
    assert.equal((await use(run('medium'))).precisions, ['medium']);
    assert.equal((await use(run('medium'), flag, 'highest')).precisions, ['highest']);
    for (const other of ['{"padagrad":"0.1.0"}', '{"architectures":["Net"]}', 'null']) {
      assert.equal((await use(other)).precisions, ['highest'], other);
      assert.equal((await use(other, flag, 'medium')).precisions, ['medium'], other);
    }
    for (const [config, message] of [
      [run('low'), 'float32MatmulPrecision must be one of highest, medium but is low'],
      ['', /JSON/],
      ['{"options": {"floa', /JSON/],
    ] as const) {
      const { code, stderr, counts } = await use(config);
      assert.equal([code, counts().opened, stderr.lines.length], [2, 0, 1], config);
      assert.match(stderr.text, /config\.json, next to the model \(--float32-matmul-precision overrides it\): /);
      assert.match(stderr.text, message);
      assert.is((await use(config, flag, 'highest')).code, 0);
    }
  });
}

test('weights: collapsed ones are a warning', async () => {
  const { run, stdout } = fakeContext({ classWeight: [0, 1, 0, 0, 0, 0, 0, 0, 0, 0] });
  assert.is(await run('weights', '--model', folder, '--data', 'mnist'), 0);
  assert.match(stdout.text, 'warning: the class weights have collapsed');
});

const mistakes: [name: string, args: string[], message: RegExp][] = [
  ['no model', ['--data', 'mnist'], /required option '-m, --model <path>' not specified/],
  ['no data', ['--model', 'RUN'], /required option '-d, --data <data>' not specified/],
  ['a model that is not there', ['--model', 'RUN/none', '--data', 'mnist'], /--model: no such file: .*none/],
  [
    'a folder without a model',
    ['--model', 'RUN/empty', '--data', 'mnist'],
    /no such file: .*empty\/model\.safetensors/,
  ],
  ['no safetensors', ['--model', 'RUN/text', '--data', 'mnist'], /text: at byte 0 expected .* but found/],
  [
    'another model',
    ['--model', 'RUN/other', '--data', 'mnist'],
    /is not a model that padagrad trains: it has no matrix head\.weight/,
  ],
  ['missing data', ['--model', 'RUN', '--data', 'idx:nowhere'], /--data idx:nowhere: no such file/],
  [
    'images of another size',
    ['--model', 'RUN', '--data', 'idx:small'],
    /--data idx:small: images are 16x16, but the model was trained on images of 28x28/,
  ],
  [
    'a class too many',
    ['--model', 'RUN', '--data', 'mnist', '--classes', '0-10'],
    /class 10 is not among the model's classes 0-9/,
  ],
  [
    'classes that are none',
    ['--model', 'RUN', '--data', 'mnist', '--classes', 'x'],
    /--classes: classes are numbers and ranges/,
  ],
  [
    'a class without images',
    ['--model', 'RUN', '--data', 'mnist', '--limit', '3', '--classes', '9'],
    /--classes: none of 3 images is of class 9/,
  ],
  ['another split', ['--model', 'RUN', '--data', 'mnist', '--split', 'dev'], /Allowed choices are train, test/],
  ['a limit of 0', ['--model', 'RUN', '--data', 'mnist', '--limit', '0'], /It must be a whole number >= 1/],
  ['an unknown flag', ['--model', 'RUN', '--data', 'mnist', '--top', '5'], /unknown option '--top'/],
];
const ofEval: typeof mistakes = [
  ['data without labels', ['--model', 'RUN', '--data', 'idx:bare'], /--data idx:bare: has no labels to test on/],
  [
    'a label out of range',
    ['--model', 'RUN', '--data', 'idx:letters'],
    /label 10 is out of range; the model has classes 0-9/,
  ],
];
const ofWeights: typeof mistakes = [
  ['T of 0', ['--model', 'RUN', '--data', 'mnist', '--temperature', '0'], /'0' is invalid. It must be a number > 0/],
  [
    'T that is 0 in f32',
    ['--model', 'RUN', '--data', 'mnist', '--temperature', '1e-46'],
    /'--temperature <t>' argument '1e-46' is invalid. It must be a number > 0 that f32 can hold \(1.2e-38 to 3.4e38/,
  ],
  [
    'T that is infinite in f32',
    ['--model', 'RUN', '--data', 'mnist', '--temperature', '1e39'],
    /'--temperature <t>' argument '1e39' is invalid. It must be a number > 0 that f32 can hold \(1.2e-38 to 3.4e38/,
  ],
  ['T that is no number', ['--model', 'RUN', '--data', 'mnist', '--temperature', 'hot'], /It must be a number/],
  [
    'small images',
    ['--model', 'RUN', '--data', 'idx:tiny'],
    /images are 8x8; the network takes square ones of 16x16 or more/,
  ],
];
for (const [command, list] of [
  ['eval', [...mistakes, ...ofEval]],
  ['weights', [...mistakes, ...ofWeights]],
] as const) {
  for (const [name, args, message] of list) {
    test(`${command}: ${name}: one line on stderr, exit code 2, no GPU`, async () => {
      mkdirSync(join(folder, 'empty'));
      writeFileSync(join(folder, 'text'), 'just text');
      writeFileSync(join(folder, 'other'), new Uint8Array([2, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d]));
      const { run, stdout, stderr, counts } = fakeContext();
      assert.is(await run(command, ...args.map((arg) => arg.replace('RUN', folder))), 2);
      assert.is(stderr.lines.length, 1, stderr.text);
      assert.match(stderr.text, message);
      assert.is(stdout.text, '');
      assert.is(counts().opened, 0);
    });
  }
}

test.run();
