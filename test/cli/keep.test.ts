import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fakeContext } from './fakes.ts';

import { begin, checkpoints, content, folder, interrupted, out, resume, rows, useRunFolder } from './keepRun.ts';

// What a run keeps and what `--resume` makes of it, without a GPU: checkpoints, contradictions, options.

const test = suite('keep');
useRunFolder(test);

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

test.run();
