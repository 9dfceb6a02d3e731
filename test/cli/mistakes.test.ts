import { mkdirSync, writeFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { TrainFlags } from '../../src/cli/flags.ts';
import { prepareJob } from '../../src/cli/run/job.ts';
import { encodeSafetensors } from '../../src/io/safetensors.ts';
import { stripes } from '../train/stripes.ts';
import { DATA, inFolder, refused, run, TRAIN, writeIdx } from './command.ts';

// Wrong usage: one line on stderr, exit code 2, before the GPU is opened.

const test = suite('mistakes');
inFolder(test);

const F32 = 'that f32 can hold \\(1.2e-38 to 3.4e38 in size\\)';
const train: [args: string, message: RegExp][] = [
  ['--temprature 1', /unknown option '--temprature' \(Did you mean --temperature\?\)/],
  ['--learningRate 1', /unknown option '--learningRate'; did you mean --lr\?/],
  ['--epochs 3', /unknown option '--epochs'; did you mean --iterations\?/],
  ['--json=yes', /unknown option '--json=yes'; did you mean --json\?/],
  ['--compare', /unknown option '--compare'; it is a flag of start$/m],
  ['--wings 2', /unknown option '--wings'$/m],
  ['mnist', /too many arguments/],
  ['--method mcd', /'mcd' is invalid. Allowed choices are source-only, dann, pada/],
  ['--temperature 0', new RegExp(`--temperature must be a number > 0 ${F32} but is 0`)],
  ['--temperature -1', /--temperature must be a number > 0 .*but is -1/],
  ['--temperature 1e-46', new RegExp(`--temperature must be a number > 0 ${F32} but is 1e-46`)],
  ['--temperature 1e39', new RegExp(`--temperature must be a number > 0 ${F32} but is 1e\\+39`)],
  ['--lr 1e39', new RegExp(`--lr must be a number >= 0 ${F32} but is 1e\\+39`)],
  ['--trade-off 1e39', new RegExp(`--trade-off must be a number >= 0 ${F32}`)],
  ['--lr fast', /'--learning-rate, --lr <x>' argument 'fast' is invalid. It must be a number/],
  ['--lr 1e999', /It must be a number/],
  ['--source-jitter color', /--source-jitter must be none, affine, colour or strong, .* but is 'color'/],
  ['--target-jitter affine,scale=2', /--target-jitter: scale must be a number from 0 to 0.99 but is 2/],
  [
    '--threshold 0.9',
    /--threshold is an option of self-training, but the method is pada; leave it out, or choose --method self-training/,
  ],
  ['--method source-only --temperature 1', /--temperature is an option of pada, .*, but the method is source-only/],
  [
    '--share 0.5',
    /--share is 0.5, but --class-weights is mean, so it has no effect; leave it out, or choose saturating/,
  ],
  ['--mcc-temperature 3', /--mcc-temperature is 3, but --mcc-weight is 0, so it has no effect; leave it out/],
  ['--alpha-power 3', /--alpha-power is 3, but --alpha-power-weight is 0, so it has no effect/],
  [
    '--method source-only --target-jitter affine',
    /--target-jitter changes target images, but the method source-only uses none; leave it out/,
  ],
  [
    '--method source-only --mcc-weight 1 --batch-norm separate',
    /--batch-norm separate needs batches of both domains, but the method is source-only/,
  ],
  ['-s idx:same', /--source idx:same: all 20 images are of class 0; a classifier needs two classes or more/],
  ['--source-classes 2', /--source idx:s: all 15 images are of class 2; a classifier needs two classes/],
  [
    '-s csv:rows.csv --label-column kind --source-jitter affine',
    /--source-jitter affine is for images, but --source csv:rows.csv has 2 numbers; leave it out/,
  ],
  [
    '-s csv:rows.csv --label-column kind --geometry canonical',
    /--geometry canonical is for grey images, but --source csv:rows.csv has 2 numbers; leave it out, or/,
  ],
  ['--momentum -0.5', /--momentum must be a number from 0 to 1 but is -0.5/],
  ['--iterations 1.5', /--iterations must be a whole number >= 0 but is 1.5/],
  ['-b 1', /--batch-size must be a whole number >= 2 but is 1/],
  ['-u 0', /--class-weight-update-steps must be a whole number >= 1 but is 0/],
  ['-p 0', /It must be a whole number >= 1/],
  ['--seeds 1,1', /Each seed may occur only once/],
  ['--seeds 1,2 --seed 3', /'--seeds <list>' cannot be used with option '--seed <n>'/],
  ['--profile /', /--profile \/: cannot be written: illegal operation/],
  ['-s idx:nowhere', /--source idx:nowhere: no such file: nowhere-images-idx3-ubyte or nowhere-images-idx3-ubyte.gz/],
  ['-t minst', /--target minst: unknown data set 'minst'/],
  ['--source-classes a-b', /--source-classes: 'a-b' in 'a-b' is no class/],
  ['--target-classes 0-12', /--target-classes: class 4 is not among the source's classes 0-3/],
  [
    '--source-classes 2-3 --target-classes 0-1',
    /--target-classes 0,1 has no class in common with --source-classes 2,3/,
  ],
  ['--target-classes 3 --target-limit 3', /--target-classes: none of 3 images is of class 3/],
  ['-t idx:bare --target-classes 0-1', /--target-classes: /],
  [
    '-t idx:big',
    /--target idx:big: images are 20x20 but those of --source idx:s are 16x16; all must have the same size/,
  ],
  ['-s idx:oblong', /--source idx:oblong: smallCnn: images are 80x3; it needs at least 4x4/],
  [
    '-s idx:stray',
    /--source idx:stray: label 200 is out of range: found 5 classes \(0-3,200\); labels must be numbered/,
  ],
  ['-s idx:bare', /--source idx:bare: has no labels; training needs the source's labels/],
  ['--target-test idx:bare', /--target-test idx:bare: has no labels, which a test set needs/],
  ['--target-test idx:letters', /--target-test idx:letters: label 4 is out of range; the source has classes 0-3/],
  ['-t idx:few', /--target idx:few: 6 images are fewer than one batch of 8; use --batch-size 6 or less/],
  // A file is in the way, and (on Linux) a file system that has no folders.
  ['--out file/run', /--out .*cannot be written to/],
  ['--out file', /--out .*cannot be written to/],
  ...(process.platform === 'linux' ? ([['--out /proc/padagrad/run', /--out .*cannot be written to/]] as const) : []),
].map(([args, message]) => [args, message] as [string, RegExp]);

// Of `eval` and of `weights`.
const model: [args: string, message: RegExp][] = [
  ['-d idx:s', /required option '-m, --model <path>' not specified/],
  ['-m .', /required option '-d, --data <data>' not specified/],
  ['-m none -d idx:s', /--model: no such file: none/],
  ['-m empty -d idx:s', /no such file: empty\/model\.safetensors/],
  ['-m text -d idx:s', /text: at byte 0 expected .* but found/],
  ['-m other -d idx:s', /other is not a padagrad model: head\.weight is missing/],
  ['-m . -d idx:nowhere', /--data idx:nowhere: no such file/],
  ['-m . -d idx:tiny', /--data idx:tiny: smallCnn: images are 3x3; it needs at least 4x4/],
  ['-m . -d idx:s --classes 0-4', /--classes: class 4 is not among the model's classes 0-3/],
  ['-m . -d idx:s --classes x', /--classes: 'x' in 'x' is no class/],
  ['-m . -d idx:s --limit 3 --classes 3', /--classes: none of 3 images is of class 3/],
  ['-m . -d idx:s --split dev', /Allowed choices are train, test/],
  ['-m . -d idx:s --limit 0', /It must be a whole number >= 1/],
  ['-m . -d idx:s --top 5', /unknown option '--top'/],
];
const ofEval: typeof model = [
  ['-m . -d idx:bare', /--data idx:bare: has no labels, which a test set needs/],
  ['-m . -d idx:letters', /label 4 is out of range; the model has classes 0-3/],
];
const ofWeights: typeof model = [
  ['-m . -d idx:s --temperature 0', /--temperature must be a number > 0/],
  ['-m . -d idx:s --temperature 1e-46', new RegExp(`--temperature must be a number > 0 ${F32}`)],
  ['-m . -d idx:s --temperature 1e39', new RegExp(`--temperature must be a number > 0 ${F32}`)],
  ['-m . -d idx:s --temperature hot', /It must be a number/],
];

test.before(() => {
  const images = (count: number, size: number) => new Uint8Array(count * size * size);
  const cycle = (count: number, classes: number) => Uint8Array.from({ length: count }, (_, i) => i % classes);
  const square = (count: number, size: number, labels: Uint8Array) => ({
    images: images(count, size),
    labels,
    count,
    height: size,
    width: size,
  });
  writeIdx('big', square(20, 20, cycle(20, 4)));
  writeIdx('tiny', square(20, 3, cycle(20, 4)));
  writeIdx('letters', square(26, 16, cycle(26, 26)));
  writeIdx('few', stripes(6, 1));
  writeIdx('stray', { ...stripes(20, 1), labels: cycle(20, 4).with(7, 200) });
  writeIdx('oblong', { ...square(20, 16, cycle(20, 4)), height: 80, width: 3, images: new Uint8Array(20 * 240) });
  writeIdx('same', square(20, 16, new Uint8Array(20)));
  writeFileSync('rows.csv', 'x,y,kind\n0,1,0\n1,0,1\n');
  writeFileSync('file', '');
  mkdirSync('empty');
  writeFileSync('text', 'just text');
  writeFileSync('other', encodeSafetensors(new Map()));
  const matrix = (rows: number, columns: number) => ({
    shape: [rows, columns],
    data: new Float32Array(rows * columns),
  });
  const state = { 'bottleneck.0.weight': matrix(2, 32), 'head.weight': matrix(4, 2) };
  writeFileSync('model.safetensors', encodeSafetensors(new Map(Object.entries(state))));
});

for (const [command, base, mistakes] of [
  ['train', DATA.split(' '), train],
  ['eval', [], [...model, ...ofEval]],
  ['weights', [], [...model, ...ofWeights]],
] as const) {
  for (const [args, message] of mistakes)
    test(`${command} ${args}`, () => {
      const given = args.split(' ');
      const others = base.filter((_, i) => !given.includes(base[i - (i % 2)]!));
      return refused([command, ...others, ...given], message);
    });
}
test('other commands', async () => {
  await refused('train -t idx:t', /required option '-s, --source <data>' not specified/);
  await refused('doctor --lr 1', /unknown option '--lr'; it is a flag of start and train$/m);
  await refused('tain', /unknown command 'tain' \(Did you mean train\?\)/);
});

const TRAIN_ON = ['-s', 'idx:s', '-t', 'idx:t'];
const EMPTY: Record<string, string> = {
  train:
    '-s -t -o -b -i -u -p --source --target --out --resume --profile --lr --wd --source-test --target-test --source-classes --target-classes --source-limit --method --seed --seeds --temperature --trade-off --eval-freq --checkpoint-every',
  start: '--out --source --target-classes --seeds',
  eval: '-m -d --model --data --split --classes --limit',
  weights: '--model --data --temperature',
};
for (const [command, flags] of Object.entries(EMPTY)) {
  test(`${command}: each flag refuses an empty value, as an unset shell variable gives`, async () => {
    for (const flag of flags.split(' ')) {
      const message = new RegExp(
        `^padagrad: option '.*${flag}.*' argument ' *' is invalid. It must not be empty: set the variable it comes from`,
      );
      for (const args of [[flag, ''], [flag, '  '], ...(flag.startsWith('--') ? [[`${flag}=`]] : [])])
        await refused([command, ...(command === 'train' ? TRAIN_ON : []), ...args], message);
    }
  });
}

test('if a flag is given twice, the last value counts, with a warning if they differ', async () => {
  const flags = '--seed 1 --seed 2 --target-classes 0-1 --target-classes 0 -i 1 -i 1 --method dann --json';
  const { code, events } = await run(`${TRAIN} ${flags}`);
  assert.is(code, 0);
  assert.equal(
    events.filter(({ event }) => event === 'warning').map(({ message }) => message),
    [
      '--seed is given more than once; 2 counts, 1 does not',
      '--target-classes is given more than once; 0 counts, 0-1 does not',
    ],
  );
  assert.is(events.find(({ event }) => event === 'start').options.seed, 2);
});

test('images with a bright ground are noted where bright strokes on black are needed', async () => {
  const dark = stripes(20, 1);
  writeIdx('bright', { ...dark, images: dark.images.map((v) => 255 - v) });
  const notesOf = async (flags: Partial<TrainFlags>) => {
    const notes: string[] = [];
    const given = { source: 'idx:s', target: 'idx:bright', seed: 0, batchSize: 8, evalFreq: 0, checkpointEvery: 0 };
    const reading = { onNote: (text: string) => void notes.push(text) };
    await prepareJob({ method: 'pada', ...given, ...flags } as TrainFlags, { reading });
    return notes;
  };
  const both =
    '--target idx:bright: most images have a bright ground, but --geometry canonical and --target-jitter strong need';
  for (const [flags, note] of [
    [{ method: 'self-training' }, both],
    [{ geometry: 'canonical' }, 'but --geometry canonical need'],
    [{ targetJitter: 'strong,blur=0' }, 'but --target-jitter strong need'],
    [{ sourceJitter: 'strong' }, undefined],
    [{ targetJitter: 'affine' }, undefined],
    [{ method: 'self-training', target: 'idx:t' }, undefined],
  ] as const) {
    const [found, ...more] = await notesOf(flags);
    if (note) assert.match(found!, note);
    assert.equal([found !== undefined, more], [note !== undefined, []], JSON.stringify(flags));
  }
});

test('with --json a mistake is an event too; --debug adds the stack, causes included', async () => {
  const { code, events, stderr } = await run(`${TRAIN} --momentum 2 --json`);
  const message = '--momentum must be a number from 0 to 1 but is 2';
  assert.equal(
    [code, events, stderr.lines],
    [2, [{ event: 'error', code: 'USAGE', message, exitCode: 2 }], [`padagrad: ${message}`]],
  );
  const debug = await run('train -s idx:nowhere -t idx:t --debug');
  assert.is(debug.code, 2);
  assert.match(debug.stderr.text, /^ {4}at /m);
  assert.match(debug.stderr.text, 'Error: no such file');
});

test.run();
