import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fakeContext } from './fakes.ts';

// What `padagrad train` is asked wrongly: one line on stderr, exit code 2, before a GPU is opened.

const test = suite('mistakes');
const BASE = ['train', '--source', 'fontdigits', '--target', 'mnist', '--target-classes', '0-4'];

let folder = '';
test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'padagrad-mistakes-'));
});
test.after.each(() => rmSync(folder, { recursive: true, force: true }));

const mistakes: [name: string, args: string[], message: RegExp][] = [
  ['an unknown flag', [...BASE, '--temprature', '1'], /unknown option '--temprature' \(Did you mean --temperature\?\)/],
  ['a missing source', ['train', '--target', 'mnist'], /required option '-s, --source <data>' not specified/],
  ['an unknown method', [...BASE, '--method', 'mcd'], /'mcd' is invalid. Allowed choices are pada, dann, source-only/],
  ['T of 0', [...BASE, '--temperature', '0'], /--temperature must be a number > 0 .*but is 0/],
  ['T below 0', [...BASE, '--temperature', '-1'], /--temperature must be a number > 0 .*but is -1/],
  [
    'no number',
    [...BASE, '--lr', 'fast'],
    /'--learning-rate, --lr <x>' argument 'fast' is invalid. It must be a number/,
  ],
  ['infinity', [...BASE, '--lr', '1e999'], /It must be a number/],
  ['half an iteration', [...BASE, '--iterations', '1.5'], /It must be a whole number >= 0/],
  ['a batch of 1', [...BASE, '-b', '1'], /It must be a whole number >= 2/],
  ['a negative momentum', [...BASE, '--momentum', '-0.5'], /--momentum must be a number from 0 to 1 but is -0.5/],
  ...['1e-46', '1e39'].map((t): [string, string[], RegExp] => [
    `T of ${t}, which f32 has not`,
    [...BASE, '--temperature', t],
    /--temperature must be a number > 0 that f32 can hold \(1.2e-38 to 3.4e38 in size\) but is 1e/,
  ]),
  [
    'a learning rate beyond f32',
    [...BASE, '--lr', '1e39'],
    /--lr must be a number >= 0 that f32 can hold .* but is 1e\+39/,
  ],
  ['a trade-off beyond f32', [...BASE, '--trade-off', '1e39'], /--trade-off must be a number >= 0 that f32 can hold/],
  ['no update steps', [...BASE, '-u', '0'], /It must be a whole number >= 1/],
  ['a seed twice', [...BASE, '--seeds', '1,1'], /Each seed may come once/],
  [
    'seed and seeds',
    [...BASE, '--seeds', '1,2', '--seed', '3'],
    /'--seeds <list>' cannot be used with option '--seed <n>'/,
  ],
  [
    'a missing file',
    ['train', '--source', 'idx:nowhere', '--target', 'mnist'],
    /--source idx:nowhere: no such file: idx:nowhere-images-idx3-ubyte/,
  ],
  ['classes that are none', [...BASE, '--source-classes', 'a-b'], /--source-classes: /],
  [
    'a class that the source has not',
    [...BASE.slice(0, 5), '--target-classes', '0-12'],
    /--target-classes: class 10 is not among the source's classes 0-9/,
  ],
  [
    'a target that shares no class with the source',
    [...BASE, '--source-classes', '5-9'],
    /--target-classes: none of 0-4 is among 5-9 of --source-classes; nothing can be learnt for them/,
  ],
  [
    'images of another size',
    ['train', '--source', 'mnist', '--target', 'idx:small'],
    /--target idx:small: images are 16x16 but those of --source mnist are 28x28/,
  ],
  [
    'a label that is no class',
    ['train', '--source', 'idx:stray', '--target', 'mnist'],
    /--source idx:stray: label 200 is out of range: there are but 11 classes \(0-9,200\); number them from 0/,
  ],
  [
    'images that are not square',
    ['train', '--source', 'idx:oblong', '--target', 'mnist'],
    /--source idx:oblong: images are 28x27; the network takes square ones of 16x16 or more/,
  ],
  [
    'classes that no image has',
    [...BASE.slice(0, 5), '--target-classes', '9', '--target-limit', '5'],
    /--target-classes: none of 5 images is of class 9/,
  ],
  [
    'a source without labels',
    ['train', '--source', 'idx:bare', '--target', 'mnist'],
    /--source idx:bare: has no labels/,
  ],
  [
    'a test set without labels',
    [...BASE, '--target-test', 'idx:bare'],
    /--target-test idx:bare: has no labels to test on/,
  ],
  [
    'a label out of range',
    [...BASE, '--target-test', 'idx:letters'],
    /--target-test idx:letters: label 10 is out of range; the source has classes 0-9/,
  ],
  [
    'classes of an unlabelled target',
    ['train', '--source', 'mnist', '--target', 'idx:bare', '--target-classes', '0-4'],
    /--target-classes: /,
  ],
  [
    'fewer images than a batch',
    ['train', '--source', 'idx:few', '--target', 'mnist'],
    /--source: 40 images do not fill a batch; give more of them, or a --batch-size below 64/,
  ],
  [
    'a flag by the name of another library',
    [...BASE, '--learningRate', '1'],
    /unknown option '--learningRate'; did you mean --lr\?/,
  ],
  ['epochs', [...BASE, '--epochs', '3'], /unknown option '--epochs'; did you mean --iterations\?/],
  ['a value for a switch', [...BASE, '--json=yes'], /unknown option '--json=yes'; did you mean --json\?/],
  ['a flag of start', [...BASE, '--compare'], /unknown option '--compare'; it is a flag of start$/m],
  ['a flag of train', ['doctor', '--lr', '1'], /unknown option '--lr'; it is a flag of start and train$/m],
  ['a flag of no command', [...BASE, '--wings', '2'], /unknown option '--wings'$/m],
  ['a trace that is a folder', [...BASE, '--profile', '/'], /--profile \/: cannot be written: illegal operation/],
  ['an unknown command', ['tain'], /unknown command 'tain' \(Did you mean train\?\)/],
  ['an argument too many', [...BASE, 'mnist'], /too many arguments/],
];
for (const [name, args, message] of mistakes) {
  test(`${name}: one line on stderr, exit code 2, no GPU`, async () => {
    const { run, stdout, stderr, counts } = fakeContext();
    assert.is(await run(...args), 2);
    assert.is(stderr.lines.length, 1, stderr.text);
    assert.match(stderr.text, message);
    assert.is(stdout.text, '');
    assert.is(counts().opened, 0);
  });
}

const EMPTY: Record<string, readonly string[]> = {
  train: [
    ...[
      '-s',
      '-t',
      '-o',
      '-b',
      '-i',
      '-u',
      '-p',
      '--source',
      '--target',
      '--out',
      '--resume',
      '--profile',
      '--lr',
      '--wd',
    ],
    ...['--source-test', '--target-test', '--source-classes', '--target-classes', '--source-limit'],
    ...['--method', '--seed', '--seeds', '--temperature', '--trade-off', '--eval-freq', '--checkpoint-every'],
  ],
  start: ['--out', '--source', '--target-classes', '--seeds'],
  eval: ['-m', '-d', '--model', '--data', '--split', '--classes', '--limit'],
  weights: ['--model', '--data', '--temperature'],
};
for (const [command, flags] of Object.entries(EMPTY)) {
  test(`${command}: an empty value, as an unset shell variable leaves it, is refused by each flag`, async () => {
    for (const flag of flags) {
      for (const args of [[flag, ''], [flag, '  '], ...(flag.startsWith('--') ? [[`${flag}=`]] : [])]) {
        const { run, stderr, counts } = fakeContext();
        const code = await run(command, ...BASE.slice(1, command === 'train' ? undefined : 1), ...args);
        assert.equal([code, counts().opened, stderr.lines.length], [2, 0, 1], `${args}: ${stderr.text}`);
        assert.match(
          stderr.text,
          new RegExp(`^padagrad: option '.*${flag}.*' argument ' *' is invalid. It must not be empty: `),
        );
      }
    }
  });
}

test('a flag that is given twice: the last value counts, with a warning if they differ', async () => {
  const twice = fakeContext();
  const flags = ['--seed', '1', '--seed', '2', '--target-classes', '0', '--target-classes', '1', '-i', '9', '-i', '9'];
  assert.is(await twice.run(...BASE, ...flags, '--json'), 0);
  assert.equal(
    twice.stdout.events.filter(({ event }) => event === 'warning').map(({ message }) => message),
    [
      '--seed is given more than once; 2 counts, 1 does not',
      '--target-classes is given more than once; 0 counts, 0-4 does not',
      '--target-classes is given more than once; 1 counts, 0 does not',
    ],
  );
  assert.is(twice.trials[0]!.options.seed, 2);
  const again = fakeContext();
  await again.run(...BASE, '--seed', '2');
  assert.not.match(again.stdout.text, 'warning');
});

test('a mistake under --json is an event too', async () => {
  const { run, stdout, stderr } = fakeContext();
  assert.is(await run(...BASE, '--temperature', '0', '--json'), 2);
  assert.equal(stdout.events, [
    {
      event: 'error',
      code: 'USAGE',
      message: '--temperature must be a number > 0 that f32 can hold (1.2e-38 to 3.4e38 in size) but is 0',
      exitCode: 2,
    },
  ]);
  assert.is(stderr.lines.length, 1);
});

test('--debug adds the stack, causes included', async () => {
  const { run, stderr } = fakeContext();
  assert.is(await run('train', '--source', 'idx:nowhere', '--target', 'mnist', '--debug'), 2);
  assert.match(stderr.text, /^ {4}at /m);
  assert.match(stderr.text, 'Error: no such file');
});

test('a folder that cannot be made is refused before anything is computed', async () => {
  const file = join(folder, 'file');
  writeFileSync(file, '');
  // Where a file is in the way, and (on Linux) where a file system takes no folders.
  for (const out of [join(file, 'run'), file, ...(process.platform === 'linux' ? ['/proc/padagrad/run'] : [])]) {
    const { run, stderr, counts } = fakeContext();
    assert.is(await run(...BASE, '--out', out), 2);
    assert.match(stderr.text, /--out .*cannot be written to/);
    assert.is(stderr.lines.length, 1);
    assert.is(counts().opened, 0);
  }
});

test.run();
