import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { TrainFlags } from '../../src/cli/flags.ts';
import { prepareJob } from '../../src/cli/run/job.ts';
import type { HostImages } from '../../src/data/host.ts';
import { dataStatistics, imageNetStatistics } from '../../src/data/standardize.ts';
import { decodeSafetensors, encodeSafetensors } from '../../src/io/safetensors.ts';
import { defaultRunOptions } from '../../src/train/methods/named.ts';
import { stripes } from '../train/stripes.ts';
import { inFolder, refused, run } from './command.ts';

// The whole way of a user: folders of image files, a run, and labels for the target.

const test = suite('folders');
inFolder(test);

const OFFSET = 1000;
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
      // Far from zero, so that what is not standardised has one class.
      return `${Array.from(row, (x) => OFFSET + x)},${NAMES[Number(data.labels![i])]!.includes(',') ? '"left, far"' : NAMES[Number(data.labels![i])]}`;
    });
  const head = `${Array.from({ length: 16 }, (_, i) => `x${i}`).join(',')},kind`;
  writeFileSync('shop.csv', [head, ...lines(stripes(60, 1))].join('\n'));
  writeFileSync('phone.csv', [head, ...lines(TARGET)].join('\n'));
});

const FOLDERS = 'train -s folder:shop -t folder:phone --channels 1 -b 8 --eval-freq 0';

test('a run on folders saves the names of the classes, and predict labels the files', async () => {
  const trained = await run(`${FOLDERS} -i 150 --out run --target-test folder:labelled --json`);
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
    ...{ standardize: null, geometry: 'none' },
  });

  const predicted = await run('predict -m run -d folder:phone --csv out.csv --copy-to sorted');
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
  assert.is((await run('predict -m run -d folder:phone --csv out.csv --copy-to sorted')).code, 0);
  const one = readdirSync('sorted').flatMap((name) =>
    readdirSync(join('sorted', name)).map((file) => join('sorted', name, file)),
  )[0]!;
  writeFileSync(one, 'mine');
  const again = await run('predict -m run -d folder:phone --csv out.csv --copy-to sorted');
  assert.equal([again.code, readFileSync(one, 'utf8')], [2, 'mine']);
  assert.match(again.stderr.text, /another file has this name; choose an empty folder/);

  // The names of folders of unlabelled files do not matter; eval needs the names.
  const labelled = 'predict -m run -d folder:labelled --limit 2';
  const stdout = await run(labelled);
  assert.match(stdout.stdout.text, /^file,label.*\r\n(?:"left, far\/0|left\/\d)/);
  for (const name of ['-', '/dev/stdout']) {
    const dash = await run(`${labelled} --csv ${name}`);
    assert.equal([dash.stdout.text, existsSync('-')], [stdout.stdout.text, false]);
  }
  const evaluated = await run('eval -m run -d folder:labelled --json');
  assert.is(evaluated.result.accuracy, trained.result.targetAccuracy);
  const named = await run(['eval', '-m', 'run', '-d', 'folder:labelled', '--classes', 'left, far']);
  assert.match(named.stdout.text, /^accuracy .* on 15 images$/m);
  await refused('eval -m run -d idx:t', /0, 1 are not classes of the source, which are left, left, far/);
});

test('a resumed run reads its folders as it began', async () => {
  const train = `${FOLDERS} --standardize source --source-classes left,right,middle -i 8`;
  const whole = await run(`${train} --out whole --json`);
  assert.is(whole.code, 0, whole.stderr.text);
  await run(`${train} --checkpoint-every 4 --out part --json`);
  const model = readFileSync('part/model.safetensors');
  assert.ok(model.equals(readFileSync('whole/model.safetensors')));
  assert.is(whole.events.find(({ event }) => event === 'start').task.sourceClasses.join(), '0,2,3');
  await refused('train --resume part --channels 3', /--channels was 1 when the run started but is 3 now; omit it/);
  await refused('train --resume part --standardize none', /--standardize was source when the run started/);
});

test('feature vectors of a CSV file train an mlp, standardised as its file says', async () => {
  const { code, result, events, stderr } = await run(
    'train -s csv:shop.csv -t csv:phone.csv --target-test csv:phone.csv --label-column kind --standardize source -b 8 -i 100 --out vectors --json',
  );
  assert.is(code, 0, stderr.text);
  assert.is(events.find(({ event }) => event === 'start').task.arch, 'mlp');
  const { code: evaluated, stdout } = await run('eval -m vectors -d csv:phone.csv --label-column kind');
  assert.is(evaluated, 0);
  const { targetAccuracy } = result;
  assert.ok(targetAccuracy > 90, `${targetAccuracy} %`);
  assert.match(stdout.text, new RegExp(`^accuracy ${targetAccuracy.toFixed(1)}.* on 30 vectors$`, 'm'));
  assert.is(result.iterations, 100);
  const json = await run('predict -m vectors -d csv:phone.csv --label-column kind --json');
  assert.equal([json.events.length, json.events[3].file, json.result.count], [32, '2', 30]);
  const { metadata } = decodeSafetensors(readFileSync('vectors/model.safetensors'));
  const { mean, std } = JSON.parse(metadata.get('padagrad')!).standardize;
  const { images } = stripes(60, 1);
  const first = Array.from({ length: 60 }, (_, i) => OFFSET + images[i * 256 + 64]!);
  const average = first.reduce((sum, x) => sum + x / 60, 0);
  assert.ok(Math.abs(mean[0] - average) < 1e-9, `${mean[0]} ${average}`);
  assert.ok(Math.abs(std[0] ** 2 - first.reduce((sum, x) => sum + (x - average) ** 2 / 60, 0)) < 1e-6);
  assert.is(mean.length, 16);
  // Training uses no labels of the target, so its file may lack the column. A test set needs it.
  const bare = readFileSync('phone.csv', 'utf8').replace(/,[^,\n]*$/gm, '');
  writeFileSync('unlabelled.csv', bare.replaceAll(',"left', ''));
  const same = await run(
    'train -s csv:shop.csv -t csv:unlabelled.csv --label-column kind --standardize source -b 8 -i 2 --out bare',
  );
  assert.is(same.code, 0, same.stderr.text);
  await refused(
    'train -s csv:shop.csv -t csv:phone.csv --target-test csv:unlabelled.csv --label-column kind -b 8',
    /a column 'kind' of labels but found the columns x0/,
  );
});

/** Prepares a run without doing it. */
const prepare = (flags: object) =>
  prepareJob(
    { ...defaultRunOptions, source: 'folder:shop', target: 'folder:phone', batchSize: 8, ...flags } as TrainFlags,
    {
      reading: { onNote: (note) => notes.push(note) },
    },
  );
const notes: string[] = [];

test('weights decide how images are standardised, unless a flag does', async () => {
  const weights = (metadata?: Record<string, string>) =>
    encodeSafetensors(new Map([['conv1.weight', { shape: [1], data: new Float32Array(1) }]]), metadata);
  const record = { arch: 'resnet18', shape: [3, 64, 64], classNames: null, resize: null, standardize: null };
  const own = { mean: [0.1, 0.2, 0.3], std: [1, 2, 3] };
  writeFileSync('torchvision.safetensors', weights());
  writeFileSync('own.safetensors', weights({ padagrad: JSON.stringify({ ...record, standardize: own }) }));
  writeFileSync('plain.safetensors', weights({ padagrad: JSON.stringify(record) }));
  const [whole, torchvision] = [imageNetStatistics, { weights: 'torchvision.safetensors' }];
  for (const [flags, expected] of [
    [{}, null],
    [torchvision, whole],
    [{ ...torchvision, standardize: 'none' }, null],
    [{ weights: 'own.safetensors' }, own],
    [{ weights: 'plain.safetensors' }, null],
    [{ standardize: 'imagenet' }, whole],
  ] as const) {
    const { record, data, task } = await prepare(flags);
    const { mean, std } = data.target as HostImages;
    assert.equal(
      [record.standardize, mean ?? null, std ?? null],
      [expected, expected?.mean ?? null, expected?.std ?? null],
    );
    assert.is(task.standardize, 'standardize' in flags ? flags.standardize : null);
  }
  assert.equal(notes.length, 2);
  assert.match(
    notes[0]!,
    /standardised as torchvision.safetensors needs \(ImageNet's mean and deviation; --standardize changes/,
  );
  const { record: ofSource, data } = await prepare({ standardize: 'source', targetTest: 'folder:labelled' });
  assert.equal(ofSource.standardize, dataStatistics(data.source));
  const refusal = await prepare({ channels: '1', standardize: 'imagenet' }).catch((error) => error);
  assert.match(
    refusal.message,
    /--standardize imagenet is for colour images, but the source's images are 16x16; write --standardize source/,
  );
});

test('a class without an example in the source is named, unless the classes were chosen', async () => {
  notes.length = 0;
  await prepare({ sourceLimit: 31 });
  assert.equal(notes, [
    '--source folder:shop: none of the 31 images is of class right, so the network cannot learn it',
  ]);
  await prepare({ sourceLimit: 31, sourceClasses: '0-2' });
  assert.is(notes.length, 1);
});

test('--labels names the labels of the source', async () => {
  const npy = (descr: string, shape: string, data: ArrayBufferView) => {
    const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape}), }`.padEnd(117);
    const raw = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    return Buffer.concat([Buffer.from(`\x93NUMPY\x01\x00\x76\x00${header}\n`, 'latin1'), raw]);
  };
  writeFileSync('a.npy', npy('<f4', '12, 2', new Float32Array(24)));
  writeFileSync('b.npy', npy('<f4', '9, 2', new Float32Array(18)));
  writeFileSync('kinds.npy', npy('|u1', '12,', Uint8Array.of(0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2)));
  const features = { source: 'npy:a.npy', target: 'npy:b.npy' };
  const { data, task } = await prepare({ ...features, labels: 'kinds.npy' });
  assert.equal(
    [data.numClasses, data.source.labels!.length, data.target.labels, task.labels],
    [3, 12, undefined, 'kinds.npy'],
  );
  const train = ['train', '-b', '8', '-s', 'npy:a.npy', '-t', 'npy:b.npy'];
  await refused(train, /--source npy:a.npy: has no labels/);
  await refused(
    'train -s folder:shop -t npy:b.npy --labels kinds.npy',
    /--labels is for data of the kind npy:\.\.\., not for folder:shop; leave it out/,
  );
  await refused('train -s npy:b.npy -t npy:a.npy --labels kinds.npy', /kinds.npy: .* 9 labels, one for each example/);
  await refused('predict -m vectors -d npy:b.npy --labels kinds.npy', /is used only to choose --classes by/);
  await refused('eval -m vectors -d npy:a.npy --labels kinds.npy', /0, 1, 2 are not classes of the source/);
});

test('what does not fit is refused before the GPU is opened', async () => {
  await refused(
    'train -b 8 -s folder:shop -t idx:bare',
    /images are 16x16 but those of --source folder:shop are 3x16x16; .*--channels 1 converts/,
  );
  await refused('train -b 8 -s idx:s -t folder:phone', /images are 3x16x16 but .*: --channels 1 converts image files/);
  await refused('train -b 8 -s folder:shop -t folder:none', /none cannot be read: no such file or directory/);
  await refused('train -b 8 -s folder:phone -t folder:phone', /has no labels; training needs the source's labels/);
  await refused('train -b 8 -s folder:shop -t csv:phone.csv', /numbers that f32 can hold/);
  // A flag that nothing reads.
  await refused(
    'train -b 8 -s idx:s -t idx:t --channels 1',
    /--channels is for data of the kind folder:\.\.\. or list:\.\.\., not for idx:s, idx:t; leave it out/,
  );
  await refused(
    'eval -m vectors -d csv:phone.csv --label-column kind --root x',
    /--root is for data of the kind list:\.\.\., not for csv:phone.csv; leave it out/,
  );
  await refused('train -b 8 -s folder:shop -t folder:phone --image-size 0', /--image-size 0 is no size/);
  await refused('train -b 8 -s folder:shop -t folder:phone --arch mlp', /mlp: /);
  await refused('predict -m run -d idx:t --copy-to x', /--copy-to copies image files, but --data idx:t has none/);
  await refused('train -b 8 -s folder:shop -t folder:labelled --target-classes up', /'up' in 'up' is no class/);
  assert.not(existsSync('x'));
});

test.run();
