import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { NotFiniteError } from '../../src/train/notFinite.ts';
import { smallDisk } from './disk.ts';
import { type FakeOptions, fakeContext } from './fakes.ts';

// What a run keeps and what `--resume` makes of it, without a GPU: checkpoints, locks, contradictions, failing disks.

const test = suite('keep');
const BASE = ['train', '--source', 'fontdigits', '--target', 'mnist', '--target-classes', '0-4', '--iterations', '200'];

let folder = '';
let out = '';
test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'padagrad-keep-'));
  out = join(folder, 'run');
});
test.after.each(() => rmSync(folder, { recursive: true, force: true }));

const begin = async (fake: FakeOptions = {}, ...flags: string[]) => {
  const begun = fakeContext(fake);
  const code = await begun.run(...BASE, '--checkpoint-every', '20', '--out', out, ...flags);
  return { ...begun, code };
};
const resume = async (...flags: string[]) => {
  const resumed = fakeContext();
  const code = await resumed.run('train', '--resume', out, ...flags);
  return { ...resumed, code };
};
/** A run that a signal ended at iteration 70; its newest checkpoints are 70 and 60. */
const interrupted = (...flags: string[]) => begin({ interruptAt: { iteration: 70, signal: 'SIGTERM' } }, ...flags);
const checkpoints = (): string[] => readdirSync(out).filter((name) => name.startsWith('checkpoint-'));
const rows = (): string[] => readFileSync(join(out, 'metrics.jsonl'), 'utf8').trim().split('\n');
const content = (path: string) =>
  readdirSync(path).map((name) => [name, statSync(join(path, name)).mtimeMs, readFileSync(join(path, name))]);

test('the last two checkpoints are kept, with nothing half-written and no lock', async () => {
  assert.is((await begin()).code, 0);
  assert.equal(readdirSync(out).sort(), [
    'checkpoint-160.safetensors',
    'checkpoint-180.safetensors',
    'config.json',
    'metrics.jsonl',
    'model.safetensors',
  ]);
});

test('--checkpoint-every 0 keeps none', async () => {
  const { trials, code } = await begin({}, '--checkpoint-every', '0');
  assert.equal([code, trials[0]!.settings.checkpointEvery, checkpoints()], [0, 0, []]);
});

test('what was interrupted goes on with its options, and its rows are those of an unbroken run', async () => {
  await begin({}, '--eval-freq', '50', '--lr', '0.02', '--seed', '3');
  const whole = rows();
  rmSync(out, { recursive: true });
  assert.is((await interrupted('--eval-freq', '50', '--lr', '0.02', '--seed', '3')).code, 143);
  assert.match(rows().at(-1)!, '"event":"result"');
  const { code, trials, stdout } = await resume();
  assert.is(code, 0);
  const { options, settings } = trials[0]!;
  assert.equal([options.lr, options.seed, options.iterations], [0.02, 3, 200]);
  assert.equal([settings.resume!.iteration, settings.evalFreq, settings.checkpointEvery], [70, 50, 20]);
  assert.match(stdout.text, 'going on after 70 iterations, from checkpoint-70.safetensors');
  assert.equal(rows().slice(0, -1), whole.slice(0, -1));
});

test('a damaged checkpoint is noticed, and the one before it used', async () => {
  await interrupted();
  const newest = join(out, 'checkpoint-70.safetensors');
  const bytes = readFileSync(newest);
  for (const damaged of [bytes.subarray(0, bytes.length - 1), bytes.map((byte, i) => (i === 40 ? byte ^ 1 : byte))]) {
    writeFileSync(newest, damaged);
    const { code, trials, stdout } = await resumeCopy();
    assert.is(code, 0);
    assert.match(
      stdout.text,
      /a checkpoint is damaged, and the one before it is used: checkpoint-70.safetensors: at byte/,
    );
    assert.is(trials[0]!.settings.resume!.iteration, 60);
  }
  for (const name of checkpoints()) writeFileSync(join(out, name), 'lies');
  const { code, trials, stdout } = await resumeCopy();
  assert.is(code, 0);
  assert.match(stdout.text, 'has no checkpoint to go on from: from the beginning');
  assert.is(trials[0]!.settings.resume, undefined);

  /** Goes on in a copy, so that the next case finds what this one found. */
  async function resumeCopy() {
    const copy = join(folder, 'copy');
    rmSync(copy, { recursive: true, force: true });
    mkdirSync(copy);
    for (const name of readdirSync(out)) writeFileSync(join(copy, name), readFileSync(join(out, name)));
    const resumed = fakeContext();
    return { ...resumed, code: await resumed.run('train', '--resume', copy) };
  }
});

test('half a row, and what a killed process left, are gone after a run went on', async () => {
  await interrupted();
  writeFileSync(join(out, 'metrics.jsonl'), `${rows().slice(0, 30).join('\n')}\n{"event":"itera`);
  writeFileSync(join(out, '.checkpoint-80.safetensors.1.tmp'), 'half');
  await resume();
  for (const row of rows()) JSON.parse(row);
  assert.equal(
    readdirSync(out).filter((name) => name.startsWith('.')),
    [],
  );
});

for (const [name, change, has] of [
  ['deleted', (text: string) => text.slice(0, 0), 0],
  ['shortened', (text: string) => `${text.split('\n').slice(0, 30).join('\n')}\n`, 30],
  ['without its beginning', (text: string) => text.split('\n').slice(30).join('\n'), 40],
  ['cut within a row', (text: string) => text.slice(0, text.indexOf('"iteration":41') - 5), 41],
] as const) {
  test(`metrics.jsonl ${name}: the run is resumed, with a warning of what is lost`, async () => {
    await interrupted();
    const file = join(out, 'metrics.jsonl');
    const text = change(readFileSync(file, 'utf8'));
    if (text) writeFileSync(file, text);
    else rmSync(file);
    const { code, stdout, stderr, trials } = await resume('--json');
    assert.is(code, 0, stderr.text);
    assert.is(trials[0]!.settings.resume!.iteration, 70);
    const [warning, ...more] = stdout.events.filter(({ event }) => event === 'warning');
    const lost = `${file} has the figures of only ${has} of the 70 iterations before checkpoint-70.safetensors; the others are lost`;
    assert.equal([warning, more], [{ event: 'warning', message: lost }, []]);
    assert.match(stderr.text, lost);
  });
}

test('a whole metrics.jsonl gives no warning', async () => {
  await interrupted('--eval-freq', '50');
  assert.not.match((await resume()).stdout.text, 'warning');
});

test('a run whose files are something else is refused by the flag that named it, with no GPU', async () => {
  await interrupted();
  for (const name of ['lock', 'metrics.jsonl', 'model.safetensors', 'config.json']) {
    const file = join(out, name);
    rmSync(file, { force: true });
    mkdirSync(file);
    for (const [args, flag] of [
      [[...BASE, '--out', out], '--out'],
      [['train', '--resume', out], '--resume'],
    ] as const) {
      const { run, stderr, counts } = fakeContext();
      assert.equal([await run(...args), counts().opened, stderr.lines.length], [2, 0, 1], stderr.text);
      assert.match(stderr.text, new RegExp(`^padagrad: ${flag}.*${name} is a folder`));
    }
    if (name === 'config.json') return;
    rmSync(file, { recursive: true });
  }
});

test('class weights that became NaN end the run in one line', async () => {
  const { code, stderr } = await begin({
    beforeCheckpoint: (iteration, { onClassWeight }) =>
      onClassWeight?.({ iteration, classWeight: [1, Number.NaN], effectiveClasses: 1, entropy: 0, collapsed: false }),
  });
  assert.is(code, 1);
  assert.match(stderr.text, /^padagrad: training: class weight became NaN or infinite in iteration 19;/);
});

test('a disk that is full at the end: the figures are shown, then the file that has no room', async () => {
  const disk = smallDisk(folder, 64);
  try {
    out = join(disk.path, 'run');
    const { code, stdout, stderr } = await begin({
      beforeCheckpoint: (iteration) => {
        if (iteration === 180) disk.fill();
      },
    });
    assert.is(code, 1, stdout.text);
    assert.match(stdout.text, /target accuracy 90.0 %/);
    assert.match(
      stderr.text,
      /^padagrad: .*run\/(model|metrics)\.\w+ cannot be written: no space left on device, and /,
    );
    assert.match(
      stderr.text,
      /once it can be, `padagrad train --resume .*run` continues from checkpoint-\d+.safetensors\n$/,
    );
    disk.empty();
    assert.is((await resume()).code, 0);
  } finally {
    disk.remove();
  }
});

test('a finished run changes nothing and opens no GPU', async () => {
  await begin();
  const before = content(out);
  const { code, stdout, counts } = await resume('--json');
  assert.is(code, 0);
  assert.is(counts().opened, 0);
  assert.equal(
    stdout.events.map(({ event }) => event),
    ['note', 'result'],
  );
  assert.equal([stdout.events[1].targetAccuracy, stdout.events[1].iterations], [90, 200]);
  assert.equal(content(out), before);
});

const contradictions: [flags: string[], message: RegExp][] = [
  [['--lr', '0.5'], /--lr is 0.01 there but 0.5 here/],
  [['--lr', '0.5', '--seed', '1'], /--seed is 0 there but 1 here; --lr is 0.01 there but 0.5 here/],
  [['--iterations', '300'], /--iterations is 200 there but 300 here/],
  [['--source', 'mnist'], /--source is fontdigits there but mnist here/],
  [['--target-classes', '0-5'], /--target-classes is 0,1,2,3,4 there but 0-5 here/],
  [['--source-limit', '500'], /--source-limit is not given there but 500 here/],
  [['--seeds', '0,1'], /--seeds is 0 there but 0,1 here/],
  [['--eager'], /--eager is false there but true here/],
  [['--float32-matmul-precision', 'medium'], /--float32-matmul-precision is highest there but medium here/],
  [['--out', 'elsewhere'], /--out is .*run there but elsewhere here/],
];
for (const [flags, message] of contradictions) {
  test(`${flags.join(' ')} beside --resume is refused, with both values`, async () => {
    await interrupted();
    const before = content(out);
    const { code, stderr, counts } = await resume(...flags);
    assert.equal([code, counts().opened, stderr.lines.length], [2, 0, 1], stderr.text);
    assert.match(stderr.text, message);
    assert.equal(content(out), before);
  });
}

test('what says the same, or is about watching alone, may stand beside --resume', async () => {
  await interrupted();
  const same = [
    '--lr',
    '1e-2',
    '--target-classes',
    '4,0-3',
    '--seeds',
    '0',
    '--out',
    join(out, '.'),
    '-s',
    'fontdigits',
  ];
  const { code, trials, stderr } = await resume(...same, '--print-freq', '7', '--checkpoint-every', '30');
  assert.is(code, 0, stderr.text);
  assert.equal([trials[0]!.settings.printFreq, trials[0]!.settings.checkpointEvery], [7, 30]);
});

test('--detect-anomaly may stand beside --resume, to look into what stopped; it holds for the one call', async () => {
  await interrupted();
  const config = readFileSync(join(out, 'config.json'), 'utf8');
  const { trials, stdout } = await resume('--detect-anomaly', '--iterations', '200');
  assert.match(stdout.text, '--detect-anomaly looks at what every op computes');
  assert.equal([trials[0]!.settings.detectAnomaly, trials[0]!.settings.resume!.iteration], [true, 70]);
  const begun = await begin({}, '--detect-anomaly');
  assert.equal([begun.code, begun.trials[0]!.settings.detectAnomaly], [0, true]);
  assert.is(readFileSync(join(out, 'config.json'), 'utf8'), config);
  const plain = await begin();
  assert.is(plain.trials[0]!.settings.detectAnomaly, false);
});

test('a run in medium precision goes on in it, also on another device', async () => {
  const flags = ['--float32-matmul-precision', 'medium'];
  await interrupted(...flags);
  const { code, precisions, trials, stderr } = await resume();
  assert.is(code, 0, stderr.text);
  assert.equal([precisions, trials[0]!.options.float32MatmulPrecision], [['medium'], 'medium']);
  await trials[0]!.settings.reopen!();
  assert.equal(precisions, ['medium', 'medium']);
});

test('a run that was begun before there were precisions goes on in the highest', async () => {
  await interrupted();
  const config = readFileSync(join(out, 'config.json'), 'utf8');
  writeFileSync(join(out, 'config.json'), config.replace(/,\s*"float32MatmulPrecision": "highest"/, ''));
  assert.is.not(readFileSync(join(out, 'config.json'), 'utf8'), config);
  const { code, precisions, stderr } = await resume();
  assert.is(code, 0, stderr.text);
  assert.equal(precisions, ['highest']);
});

test('a config that is not that of its checkpoint, other data, and no run at all are refused', async () => {
  await interrupted();
  const config = readFileSync(join(out, 'config.json'), 'utf8');
  const cases: [config: string, message: RegExp][] = [
    [config.replace('"lr": 0.01', '"lr": 0.02'), /--lr is 0.02 there but 0.01 in checkpoint-70.safetensors/],
    [config.replace(/"source": "[0-9a-f]{64}"/, '"source": "0"'), /images or labels of fontdigits are not those/],
    [
      config.replace('"lr": 0.01', '"lr": "fast"'),
      /config.json: at byte 0 expected a number options.lr but found "fast"/,
    ],
    [config.slice(0, 100), /config.json: at byte 0 expected JSON in UTF-8/],
    [
      config.replace('"numClasses": 10', '"numClasses": 9'),
      /task.numClasses is 9 in config.json, but fontdigits has 10 classes; correct config.json/,
    ],
    [config.replace('"printFreq": null', '"printFreq": 0'), /expected watch.printFreq as a run writes it but found 0/],
    ...['__proto__', 'constructor', 'toString', 'learningRate'].map((name): [string, RegExp] => [
      config.replace('"lr": 0.01', `"lr": 0.01, "${name}": {}`),
      new RegExp(`config.json: .*${name}`),
    ]),
  ];
  for (const [text, message] of cases) {
    writeFileSync(join(out, 'config.json'), text);
    const { code, stderr } = await resume();
    assert.is(code, 2);
    assert.match(stderr.text, message);
    assert.is(stderr.lines.length, 1);
  }
  const other = fakeContext();
  assert.is(await other.run('train', '--resume', folder), 2);
  assert.match(other.stderr.text, /no run was begun there, for it has no config.json; there are runs in it: .*run\n$/);
});

test('the folder of a living process is refused with its number, and nothing there is touched', async () => {
  await interrupted();
  writeFileSync(join(out, 'lock'), `${process.ppid}\n`);
  const before = content(out);
  for (const args of [
    [...BASE, '--out', out],
    ['train', '--resume', out],
  ]) {
    const { run, stderr, trials } = fakeContext();
    assert.is(await run(...args), 2);
    assert.match(stderr.text, `process ${process.ppid} is at work in ${out}`);
    assert.is(trials.length, 0);
  }
  assert.equal(content(out), before);
});

test('the lock of a dead process, or of one that had its number before, is taken over', async () => {
  const { pid } = spawnSync(process.execPath, ['--version']);
  for (const lock of [`${pid}\n`, `${process.ppid} 1\n`, 'nonsense']) {
    // The start of a process is known on Linux alone.
    if (process.platform !== 'linux' && lock.includes(' ')) continue;
    mkdirSync(out, { recursive: true });
    writeFileSync(join(out, 'lock'), lock);
    assert.is((await begin()).code, 0);
    assert.not(existsSync(join(out, 'lock')));
  }
});

test('a disk that fails in mid-run is warned of, and tried again at the next checkpoint', async () => {
  const obstacle = join(out, `.checkpoint-60.safetensors.${process.pid}.tmp`);
  const { code, stdout } = await begin({
    beforeCheckpoint: (iteration) => {
      if (iteration === 60) mkdirSync(obstacle);
      if (iteration === 80) {
        assert.equal(checkpoints().sort(), ['checkpoint-20.safetensors', 'checkpoint-40.safetensors']);
        rmSync(obstacle, { recursive: true });
      }
    },
  });
  assert.is(code, 0);
  assert.is(stdout.text.split('warning: ').length - 1, 1);
  assert.match(stdout.text, /run cannot be written to \(EISDIR.*\); training goes on and tries again/);
  assert.equal(checkpoints().sort(), ['checkpoint-160.safetensors', 'checkpoint-180.safetensors']);
});

test('a full disk takes no figures: they are written once there is room', async () => {
  const disk = smallDisk(folder, 64);
  try {
    out = join(disk.path, 'run');
    const { code, stdout } = await begin({
      beforeCheckpoint: (iteration) => {
        if (iteration === 40) disk.fill();
        if (iteration === 100) disk.empty();
      },
    });
    assert.is(code, 0, stdout.text);
    assert.match(stdout.text, /cannot be written to \(ENOSPC/);
    const iterations = rows()
      .map((row) => JSON.parse(row))
      .filter(({ event }) => event === 'iteration');
    assert.equal(
      iterations.map(({ iteration }) => iteration),
      Array.from({ length: 200 }, (_, i) => i),
    );
  } finally {
    disk.remove();
  }
});

test('what became NaN ends the run in one line, and its last good checkpoint stays', async () => {
  const { code, stderr } = await begin({
    beforeCheckpoint: (iteration) => {
      if (iteration === 60) throw new NotFiniteError(57, 'class loss');
    },
  });
  assert.is(code, 1);
  assert.is(
    stderr.text,
    'padagrad: training: class loss became NaN or infinite in iteration 57; try a lower learning rate, or --detect-anomaly to find the op\n',
  );
  assert.equal(checkpoints().sort(), ['checkpoint-20.safetensors', 'checkpoint-40.safetensors']);
  assert.not(existsSync(join(out, 'lock')));
});

test('another device after a loss is said, and disposed', async () => {
  const { code, stdout, counts } = await begin({
    beforeCheckpoint: async (iteration, callbacks, settings) => {
      if (iteration !== 60) return;
      callbacks.onLost?.({ iteration: 40, error: new Error('the device was lost') });
      await settings.reopen!();
    },
  });
  assert.is(code, 0);
  assert.match(stdout.text, 'the device was lost; another device goes on after 40 iterations');
  assert.equal(counts(), { gpus: 0, opened: 2, disposed: 1 });
});

test.run();
