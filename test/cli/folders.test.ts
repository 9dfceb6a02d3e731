import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { HostImages } from '../../src/data/host.ts';
import { decodeSafetensors } from '../../src/io/safetensors.ts';
import { stripes } from '../train/stripes.ts';
import { inFolder, refused, run } from './command.ts';

// The whole way of a user: folders of image files, a run, and labels for the target.

const test = suite('folders');
inFolder(test);

const NAMES = ['left, far', 'left', 'middle', 'right'];

/** Writes images as PNG files, in a folder per class or side by side. */
async function writeFolder(folder: string, { images, labels, count }: HostImages, byClass: boolean): Promise<void> {
  for (let i = 0; i < count; i++) {
    const place = byClass ? join(folder, NAMES[Number(labels![i])]!) : folder;
    mkdirSync(place, { recursive: true });
    const pixels = images.subarray(i * 256, (i + 1) * 256);
    await sharp(pixels, { raw: { width: 16, height: 16, channels: 1 } })
      .png()
      .toFile(join(place, `${i}.png`));
  }
}

const TARGET = stripes(30, 2, { classes: 2, brightness: 120 });

test.before(async () => {
  await writeFolder('shop', stripes(60, 1), true);
  await writeFolder('phone', TARGET, false);
  await writeFolder('labelled', TARGET, true);
  const lines = (data: HostImages) =>
    Array.from({ length: data.count }, (_, i) => {
      const row = data.images.subarray(i * 256 + 64, i * 256 + 80);
      return `${[...row].join(',')},${NAMES[Number(data.labels![i])]!.includes(',') ? '"left, far"' : NAMES[Number(data.labels![i])]}`;
    });
  const head = `${Array.from({ length: 16 }, (_, i) => `x${i}`).join(',')},kind`;
  writeFileSync('shop.csv', [head, ...lines(stripes(60, 1))].join('\n'));
  writeFileSync('phone.csv', [head, ...lines(TARGET)].join('\n'));
});

const GREY = ['--channels', '1', '-b', '8', '--eval-freq', '0'];

test('a run on folders saves the names of the classes, and predict labels the files', async () => {
  const train = ['train', '-s', 'folder:shop', '-t', 'folder:phone', ...GREY, '-i', '150', '--out', 'run'];
  const trained = await run([...train, '--target-test', 'folder:labelled', '--json']);
  assert.is(trained.code, 0, trained.stderr.text);
  assert.ok(trained.result.targetAccuracy > 90, `${trained.result.targetAccuracy} %`);
  const { metadata } = decodeSafetensors(readFileSync('run/model.safetensors'));
  // Folders are numbered in the order of the alphabet.
  const classNames = ['left', 'left, far', 'middle', 'right'];
  assert.equal(JSON.parse(metadata.get('padagrad')!), {
    arch: 'smallCnn',
    shape: [1, 16, 16],
    classNames,
    resize: null,
  });

  const predicted = await run([
    'predict',
    '-m',
    'run',
    '-d',
    'folder:phone',
    '--csv',
    'out.csv',
    '--copy-to',
    'sorted',
  ]);
  assert.is(predicted.code, 0, predicted.stderr.text);
  const [header, ...lines] = readFileSync('out.csv', 'utf8').split('\r\n');
  assert.is(header, 'file,label,probability,second,secondProbability');
  assert.is(lines.pop(), '');
  assert.is(lines.length, 30);
  let right = 0;
  for (const line of lines) {
    const [, file, label] = /^(\d+\.png),("left, far"|left|middle|right),[01]\.\d{6},(?:.*),[01]\.\d{6}$/.exec(line)!;
    const name = label!.replaceAll('"', '');
    right += Number(name === NAMES[Number(TARGET.labels![Number.parseInt(file!, 10)])]);
    assert.ok(readFileSync(join('sorted', name, file!)).equals(readFileSync(join('phone', file!))));
  }
  assert.is((100 * right) / 30, trained.result.targetAccuracy);
  // Nothing is moved, a second copy changes nothing, and another file is not overwritten.
  assert.is(readdirSync('phone').length, 30);
  assert.is(
    (await run(['predict', '-m', 'run', '-d', 'folder:phone', '--csv', 'out.csv', '--copy-to', 'sorted'])).code,
    0,
  );
  const one = readdirSync('sorted').flatMap((name) =>
    readdirSync(join('sorted', name)).map((file) => join('sorted', name, file)),
  )[0]!;
  writeFileSync(one, 'mine');
  const again = await run(['predict', '-m', 'run', '-d', 'folder:phone', '--csv', 'out.csv', '--copy-to', 'sorted']);
  assert.equal([again.code, readFileSync(one, 'utf8')], [2, 'mine']);
  assert.match(again.stderr.text, /another file has this name; choose an empty folder/);

  // What the folders of unlabelled files are called does not matter; eval needs the names.
  const stdout = await run(['predict', '-m', 'run', '-d', 'folder:labelled', '--limit', '2']);
  assert.match(stdout.stdout.text, /^file,label.*\r\n(?:"left, far\/0|left\/\d)/);
  const evaluated = await run(['eval', '-m', 'run', '-d', 'folder:labelled', '--json']);
  assert.is(evaluated.result.accuracy, trained.result.targetAccuracy);
  const named = await run(['eval', '-m', 'run', '-d', 'folder:labelled', '--classes', 'left, far']);
  assert.match(named.stdout.text, /^accuracy .* on 15 images$/m);
  await refused(['eval', '-m', 'run', '-d', 'idx:t'], /0, 1 are not classes of the source, which are left, left, far/);
});

test('a resumed run reads its folders as it began', async () => {
  const train = ['train', '-s', 'folder:shop', '-t', 'folder:phone', ...GREY, '--source-classes', 'left,right,middle'];
  const whole = await run([...train, '-i', '8', '--out', 'whole', '--json']);
  assert.is(whole.code, 0, whole.stderr.text);
  await run([...train, '-i', '8', '--checkpoint-every', '4', '--out', 'part', '--json']);
  const model = readFileSync('part/model.safetensors');
  assert.ok(model.equals(readFileSync('whole/model.safetensors')));
  assert.is(whole.events.find(({ event }) => event === 'start').task.sourceClasses.join(), '0,2,3');
  await refused(
    ['train', '--resume', 'part', '--channels', '3'],
    /--channels was 1 when the run started but is 3 now; omit it/,
  );
});

test('feature vectors of a CSV file train an mlp', async () => {
  const data = ['-s', 'csv:shop.csv', '-t', 'csv:phone.csv', '--label-column', 'kind', '-b', '8'];
  const { code, result, events, stderr } = await run(['train', ...data, '-i', '100', '--out', 'vectors', '--json']);
  assert.is(code, 0, stderr.text);
  assert.is(events.find(({ event }) => event === 'start').task.arch, 'mlp');
  const { code: evaluated, stdout } = await run([
    'eval',
    '-m',
    'vectors',
    '-d',
    'csv:phone.csv',
    '--label-column',
    'kind',
  ]);
  assert.is(evaluated, 0);
  assert.match(stdout.text, /^accuracy .* on 30 vectors$/m);
  assert.is(result.iterations, 100);
  const json = await run(['predict', '-m', 'vectors', '-d', 'csv:phone.csv', '--label-column', 'kind', '--json']);
  assert.equal([json.events.length, json.events[3].file, json.result.count], [32, '2', 30]);
});

test('what does not fit is refused before the GPU is opened', async () => {
  const train = (...args: string[]) => ['train', '-b', '8', ...args];
  await refused(
    train('-s', 'folder:shop', '-t', 'idx:bare'),
    /images are 16x16 but those of --source folder:shop are 3x16x16; .*--channels 1 converts/,
  );
  await refused(
    train('-s', 'idx:s', '-t', 'folder:phone'),
    /images are 3x16x16 but .*: --channels 1 converts image files/,
  );
  await refused(train('-s', 'folder:shop', '-t', 'folder:none'), /none cannot be read: no such file or directory/);
  await refused(train('-s', 'folder:phone', '-t', 'folder:phone'), /has no labels; training needs the source's labels/);
  await refused(train('-s', 'folder:shop', '-t', 'csv:phone.csv'), /numbers that f32 can hold/);
  await refused(train('-s', 'folder:shop', '-t', 'folder:phone', '--image-size', '0'), /--image-size 0 is no size/);
  await refused(train('-s', 'folder:shop', '-t', 'folder:phone', '--arch', 'mlp'), /mlp: /);
  await refused(
    ['predict', '-m', 'run', '-d', 'idx:t', '--copy-to', 'x'],
    /--copy-to copies image files, but --data idx:t has none/,
  );
  await refused(
    train('-s', 'folder:shop', '-t', 'folder:labelled', '--target-classes', 'up'),
    /'up' in 'up' is no class/,
  );
  assert.not(existsSync('x'));
});

test.run();
