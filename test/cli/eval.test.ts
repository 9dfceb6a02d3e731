import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeSafetensors, encodeSafetensors } from '../../src/io/safetensors.ts';
import type { HostTensor } from '../../src/nn/stateDict.ts';
import { inFolder, run, TRAIN, writeIdx } from './command.ts';

// `padagrad eval` and `padagrad weights`, with a model that `train` has saved.

const test = suite('eval');
inFolder(test);

let trained: { accuracy: number; confusion: number[][] };
test.before(async () => {
  const { code, result } = await run(`${TRAIN} -i 12 --out run --json`);
  assert.is(code, 0);
  trained = result.source;
});
const MODEL = 'run/model.safetensors';

test('eval: accuracy, overall and per class, with the confusion matrix that the run had', async () => {
  const { code, stdout, stderr } = await run('eval --model run --data idx:s --classes 0-2');
  assert.equal([code, stderr.text], [0, '']);
  assert.match(stdout.text, `${MODEL} on idx:s, classes 0-2 (45 images)`);
  assert.match(stdout.text, /^accuracy \d+\.\d % on 45 images$/m);
  assert.match(stdout.text, /class\s+accuracy\s+images\s+as 0/);
  const { result } = await run(`eval -m ${MODEL} -d idx:s --json`);
  const { event, model, data, split, classes, numClasses, accuracy, confusion, count, device } = result;
  assert.equal([event, model, data, split, classes, numClasses], ['result', MODEL, 'idx:s', 'test', null, 4]);
  assert.equal({ accuracy, confusion }, { accuracy: trained.accuracy, confusion: trained.confusion });
  assert.equal([count, device.subgroupSize >= 0], [60, true]);
  const few = await run(`eval -m ${MODEL} -d idx:s --split train --limit 6 --json`);
  assert.equal([few.result.split, few.result.count], ['train', 6]);
});

test('a model keeps its geometry: eval moves the images as training did', async () => {
  const { code, result } = await run(`${TRAIN} --method self-training --pseudo-from 4 -i 8 --out moved --json`);
  assert.is(code, 0);
  const { geometry, sourceJitter, iterations } = JSON.parse(readFileSync('moved/config.json', 'utf8')).options;
  assert.equal([geometry, sourceJitter, iterations], ['canonical', 'strong', 8]);
  const short = await run(`${TRAIN} --method self-training -i 2 --json`);
  const warnings = short.events.filter(({ event }) => event === 'warning').map(({ message }) => message);
  assert.is(warnings.length, 2, short.stderr.text);
  assert.match(warnings[0], /^pseudo-labels begin at iteration 300, but the run ends at 2,/);
  assert.match(warnings[1], /^class weights are first updated after iteration 100, but the run ends at 2,/);
  const evaluated = await run('eval --model moved --data idx:s --json');
  assert.equal(evaluated.result.confusion, result.source.confusion);
  const { tensors, metadata } = decodeSafetensors(readFileSync('moved/model.safetensors'), 'moved');
  const record = { ...JSON.parse(metadata.get('padagrad')!), geometry: 'none' };
  writeFileSync('unmoved.safetensors', encodeSafetensors(tensors, { padagrad: JSON.stringify(record) }));
  const unmoved = await run('eval --model unmoved.safetensors --data idx:s --json');
  assert.is.not(String(unmoved.result.confusion), String(result.source.confusion));
});

test('weights: a bar per class, marked with the given classes', async () => {
  const { code, stdout } = await run('weights -m run -d idx:s --classes 0-1 --temperature 0.2');
  assert.is(code, 0);
  assert.match(stdout.text, `${MODEL} on idx:s, classes 0,1 (30 images)\n`);
  assert.match(stdout.text, '; temperature 0.2\n');
  assert.equal(
    [...stdout.text.matchAll(/ [01]\.\d{3} {2}(shared|absent)$/gm)].map(([, known]) => known),
    [...['shared', 'shared', 'absent', 'absent']],
  );
  assert.match(stdout.text, /^\d\.\d effective classes, entropy \d\.\d\d$/m);
});

test('weights: images without labels, as JSON', async () => {
  const { code, events, stderr } = await run('weights -m run -d idx:bare --json');
  assert.equal([code, events.length], [0, 1]);
  const [{ event, classWeight, count, temperature, collapsed }] = events;
  assert.equal([event, classWeight.length, Math.max(...classWeight), count, temperature], ['result', 4, 1, 40, 0.1]);
  assert.type(collapsed, 'boolean');
  assert.match(stderr.text, 'idx:bare (40 images)');
  assert.not.match(stderr.text, 'shared');
});

/** Saves the trained model with another tensor. */
function withTensor(file: string, name: string, change: (tensor: HostTensor) => HostTensor): void {
  const { tensors } = decodeSafetensors(readFileSync(MODEL));
  writeFileSync(file, encodeSafetensors(tensors.set(name, change(tensors.get(name)!))));
}
const filled = (shape: readonly number[], of: (i: number) => number): HostTensor => ({
  shape: [...shape],
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => of(i)),
});

test('weights: collapsed ones are a warning', async () => {
  withTensor('one-class.safetensors', 'head.bias', ({ shape }) => filled(shape, (i) => 100 * Number(i === 1)));
  const { code, stdout } = await run('weights --model one-class.safetensors --data idx:s');
  assert.is(code, 0);
  assert.match(stdout.text, 'warning: the class weights have fewer than two effective classes; unless the data has');
});

for (const command of ['eval', 'weights']) {
  test(`${command}: a model with NaN or infinity is an error that names the tensor, before the GPU is opened`, async () => {
    const put =
      (value: number) =>
      ({ shape }: HostTensor) =>
        filled(shape, (i) => (i === 3 ? value : 1));
    const large = { shape: [4], data: Float64Array.of(1, 1, 1, 1e39) };
    for (const [name, change] of [
      ['head.weight', put(Number.NaN)],
      ['head.weight', put(Number.NEGATIVE_INFINITY)],
      ['bottleneck.1.running_var', put(Number.POSITIVE_INFINITY)],
      // Finite in the file, infinite in f32.
      ['head.bias', () => large],
    ] as const) {
      withTensor('bad.safetensors', name, change);
      const { code, events, stderr, opened } = await run(`${command} -m bad.safetensors -d idx:s --json`);
      assert.equal([code, opened, events.map(({ event, code }) => `${event} ${code}`)], [1, 0, ['error NOT_FINITE']]);
      assert.match(stderr.text, new RegExp(`^padagrad: bad.safetensors: ${name} \\[.*\\] holds .* at element 3; `));
    }
  });

  test(`${command}: images of another size than the run's are refused`, async () => {
    writeIdx('big', { images: new Uint8Array(4 * 400), labels: new Uint8Array(4), count: 4, height: 20, width: 20 });
    const { code, stderr } = await run(`${command} -m run -d idx:big`);
    assert.equal([code, stderr.lines.length], [2, 1]);
    assert.match(
      stderr.text,
      /^padagrad: --data idx:.*: images are 20x20 but the model was trained on 16x16; all must have the same size: --image-size 16 converts image files/,
    );
  });

  test(`${command}: finite weights that overflow are an error too`, async () => {
    withTensor('huge.safetensors', 'head.weight', ({ shape }) => filled(shape, (i) => (i % 2 ? 3e38 : -3e38)));
    const { code, result } = await run(`${command} -m huge.safetensors -d idx:s --json`);
    assert.equal([code, result.code], [1, 'NOT_FINITE']);
    assert.match(result.message, /^huge.safetensors: its weights are finite, but some logits of these images are not;/);
  });

  test(`${command}: a model is used in the precision of its run, unless a flag overrides it`, async () => {
    mkdirSync('other', { recursive: true });
    cpSync(MODEL, 'other/model.safetensors');
    const use = (config: string, ...flags: string[]) => {
      writeFileSync('other/config.json', config);
      return run([command, '-m', 'other', '-d', 'idx:s', '--json', ...flags]);
    };
    const of = (precision: string) => JSON.stringify({ options: { float32MatmulPrecision: precision } });
    const [flag, family] = [
      '--float32-matmul-precision',
      ({ result }: Awaited<ReturnType<typeof use>>) => result.device?.gemmFamily,
    ];
    const highest = await use('null');
    assert.is(highest.code, 0);
    const medium = await use('{"architectures":["Net"]}', flag, 'medium');
    // Without half precision in the device, medium is an error.
    assert.ok(medium.code === 1 || family(medium) !== family(highest));
    const run2 = await use(of('medium'));
    assert.equal([run2.code, family(run2)], [medium.code, family(medium)]);
    assert.equal(family(await use(of('medium'), flag, 'highest')), family(highest));
    for (const [config, message] of [
      [of('low'), 'float32MatmulPrecision must be one of highest, medium but is low'],
      ['', /JSON/],
      ['{"options": {"floa', /JSON/],
    ] as const) {
      const { code, stderr, opened } = await use(config);
      assert.equal([code, opened, stderr.lines.length], [2, 0, 1], config);
      assert.match(stderr.text, /config\.json, next to the model \(--float32-matmul-precision overrides it\): /);
      assert.match(stderr.text, message);
      assert.is((await use(config, flag, 'highest')).code, 0);
    }
  });
}

test.run();
