import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { at, devices, inFolder, refused, run, TRAIN } from './command.ts';
import { smallDisk } from './disk.ts';

// The files of a run, and `--resume`: checkpoints, contradictions, damaged files, locks, full disks, NaN and lost devices.

const test = suite('keep');
const folder = inFolder(test);

// A high temperature gives even class weights, which never collapse.
const BEGIN = `${TRAIN} --target-classes 0-1 --temperature 2 -i 40 -u 15 -p 1 --checkpoint-every 10 --json`;
const begin = (line: string, on = {}) => run(`${BEGIN} --out ${line}`, on);
/** A run that a signal ends at iteration 25. Its checkpoints are 20 and 25. */
const interrupt = (line: string) =>
  begin(
    line,
    at(25, () => process.emit('SIGTERM', 'SIGTERM')),
  );
const resume = (line: string) => run(`train --json --resume ${line}`);
const checkpoints = (out: string): string[] =>
  readdirSync(out)
    .filter((name) => name.startsWith('checkpoint-'))
    .sort();
const rows = (out: string): string[] => readFileSync(join(out, 'metrics.jsonl'), 'utf8').trim().split('\n');
const content = (out: string) =>
  readdirSync(out).map((name) => [name, statSync(join(out, name)).mtimeMs, readFileSync(join(out, name))]);

/** A copy of an interrupted run, which is made once. */
let copies = 0;
function interrupted(): string {
  const copy = `copy-${copies++}`;
  cpSync('stopped', copy, { recursive: true });
  return copy;
}
test.before(async () => {
  assert.is((await begin('whole --eval-freq 8 --lr 0.02 --seed 3')).code, 0);
  const stopped = await interrupt('stopped --eval-freq 8 --lr 0.02 --seed 3');
  assert.is(stopped.code, 143, stopped.stderr.text);
});

test('the last two checkpoints are kept, no temporary file, and no lock', () => {
  assert.equal(readdirSync('whole').sort(), [
    ...['checkpoint-20.safetensors', 'checkpoint-30.safetensors'],
    ...['config.json', 'metrics.jsonl', 'model.safetensors', 'report.html'],
  ]);
  assert.equal(checkpoints('stopped'), ['checkpoint-20.safetensors', 'checkpoint-25.safetensors']);
});

test('--checkpoint-every 0 saves none', async () => {
  assert.is((await begin('none --checkpoint-every 0 -i 12')).code, 0);
  assert.equal(checkpoints('none'), []);
});

test('an interrupted run resumes with its options, and has the rows and the model of an unbroken run', async () => {
  const out = interrupted();
  assert.match(rows(out).at(-1)!, '"event":"result"');
  const { code, events, stderr } = await resume(out);
  assert.is(code, 0, stderr.text);
  assert.match(stderr.text, 'resuming at iteration 25 from checkpoint-25.safetensors');
  assert.not.match(stderr.text, 'warning');
  const { options } = events.find(({ event }) => event === 'start');
  assert.equal([options.lr, options.seed, options.iterations], [0.02, 3, 40]);
  assert.equal(rows(out).slice(0, -1), rows('whole').slice(0, -1));
  assert.equal(readFileSync(join(out, 'model.safetensors')), readFileSync(join('whole', 'model.safetensors')));
  // `--checkpoint-every` is the run's too.
  assert.equal(checkpoints(out), ['checkpoint-25.safetensors', 'checkpoint-30.safetensors']);
});

test('a damaged checkpoint is noticed, and the previous one used', async () => {
  const bytes = readFileSync(join('stopped', 'checkpoint-25.safetensors'));
  for (const damaged of [bytes.subarray(0, bytes.length - 1), bytes.map((byte, i) => (i === 40 ? byte ^ 1 : byte))]) {
    const out = interrupted();
    writeFileSync(join(out, 'checkpoint-25.safetensors'), damaged);
    const { code, stderr } = await resume(out);
    assert.is(code, 0);
    assert.match(stderr.text, /a checkpoint is damaged, using the previous one: checkpoint-25.safetensors: at byte/);
    assert.match(stderr.text, 'resuming at iteration 20');
  }
  const out = interrupted();
  for (const name of checkpoints(out)) writeFileSync(join(out, name), 'lies');
  const { code, stderr } = await resume(out);
  assert.is(code, 0);
  assert.match(stderr.text, `no checkpoint in ${out}, starting from the beginning`);
  assert.equal(rows(out).slice(0, -1), rows('whole').slice(0, -1));
});

for (const [name, change, has] of [
  ['deleted', () => '', 0],
  ['shortened', (text: string) => `${text.split('\n').slice(0, 8).join('\n')}\n`, 8],
  ['without its beginning', (text: string) => text.split('\n').slice(8).join('\n'), 17],
  ['cut within a row', (text: string) => text.slice(0, text.indexOf('"iteration":7') - 5), 7],
] as const) {
  test(`metrics.jsonl ${name}: the run resumes, with a warning of the lost rows, and removes left-overs`, async () => {
    const out = interrupted();
    const file = join(out, 'metrics.jsonl');
    const text = change(readFileSync(file, 'utf8'));
    if (text) writeFileSync(file, text);
    else rmSync(file);
    writeFileSync(join(out, '.checkpoint-80.safetensors.1.tmp'), 'half');
    const { code, events, stderr } = await resume(out);
    assert.is(code, 0, stderr.text);
    const message = `${file} has rows for only ${has} of the 25 iterations before checkpoint-25.safetensors; the other rows are lost`;
    assert.equal(
      events.filter(({ event }) => event === 'warning'),
      [{ event: 'warning', message }],
    );
    assert.match(stderr.text, message);
    for (const row of rows(out)) JSON.parse(row);
    assert.not(readdirSync(out).some((one) => one.startsWith('.')));
  });
}

test('a finished run changes nothing and opens no GPU', async () => {
  const before = content('whole');
  const { code, events, result, opened } = await resume('whole');
  assert.equal([code, opened, events.map(({ event }) => event)], [0, 0, ['note', 'result']]);
  assert.equal({ event: 'result', ...JSON.parse(rows('whole').at(-1)!) }, result);
  assert.equal(content('whole'), before);
});

test('flags that contradict the run are refused with both values', async () => {
  const out = interrupted();
  const before = content(out);
  for (const [flags, message] of [
    ['--lr 0.5', /--lr was 0.02 when the run started but is 0.5 now; omit it to resume/],
    ['--lr 0.5 --seed 1', /--seed was 3 .* but is 1 now; --lr was 0.02/],
    ['--iterations 300', /--iterations was 40 .* but is 300 now/],
    ['--source idx:t', /--source was idx:s .* but is idx:t now/],
    ['--target-classes 0-2', /--target-classes was 0,1 .* but is 0-2 now/],
    ['--source-limit 50', /--source-limit was not given .* but is 50 now/],
    ['--seeds 0,1', /--seeds was 3 .* but is 0,1 now/],
    ['--eager', /--eager was false .* but is true now/],
    ['--float32-matmul-precision medium', /--float32-matmul-precision was highest .* but is medium now/],
    ['--out elsewhere', /--out was copy-\d+ .* but is elsewhere now/],
  ] as const)
    await refused(`train --resume ${out} ${flags}`, message);
  assert.equal(content(out), before);
});

test('flags that mean the same, or only change the output, are accepted', async () => {
  const out = interrupted();
  const same = `--lr 2e-2 --target-classes 1,0 --seeds 3 --out ${join(folder(), out)} -s idx:s`;
  const { code, events, stderr } = await resume(`${out} ${same} --print-freq 7 --checkpoint-every 5`);
  assert.is(code, 0, stderr.text);
  assert.equal(
    events.filter(({ event }) => event === 'progress').map(({ iteration }) => iteration),
    [27, 34, 39],
  );
  assert.equal(checkpoints(out), ['checkpoint-30.safetensors', 'checkpoint-35.safetensors']);
});

test('--detect-anomaly holds for one command and gives the same bits', async () => {
  const out = interrupted();
  const config = readFileSync(join(out, 'config.json'));
  const { code, stderr } = await resume(`${out} --detect-anomaly --iterations 40`);
  assert.is(code, 0, stderr.text);
  assert.match(stderr.text, '--detect-anomaly checks every op, so an iteration takes two to three times as long');
  assert.equal(readFileSync(join(out, 'config.json')), config);
  assert.equal(rows(out).slice(0, -1), rows('whole').slice(0, -1));
});

test('a config that does not fit its checkpoint or the data, and a folder without a run are refused', async () => {
  const out = interrupted();
  const config = readFileSync(join(out, 'config.json'), 'utf8');
  const cases: [config: string, message: RegExp][] = [
    [
      config.replace(/"source": "[0-9a-f]{64}"/, '"source": "0"'),
      /the data in idx:s has changed since the run started/,
    ],
    [config.replace('"lr": 0.02', '"lr": "fast"'), /config.json: training: lr must be a number .* but is 'fast'/],
    [config.replace('"lr": 0.02,', ''), /config.json: options: lr is missing/],
    [config.slice(0, 100), /config.json: .*JSON/],
    [config.replace('"numClasses": 4', '"numClasses": 9'), /numClasses is 9 in config.json, but idx:s has 4 classes/],
    [
      config.replace('"printFreq": 1', '"printFreq": 0'),
      /watch: printFreq must be a whole number >= 1, or null but is 0/,
    ],
    ...['__proto__', 'constructor', 'toString', 'learningRate'].map((name): [string, RegExp] => [
      config.replace('"lr": 0.02', `"lr": 0.02, "${name}": {}`),
      new RegExp(`config.json: .*unknown option ${name}`),
    ]),
  ];
  for (const [text, message] of cases) {
    assert.is.not(text, config);
    writeFileSync(join(out, 'config.json'), text);
    await refused(`train --resume ${out}`, message);
  }
  writeFileSync(join(out, 'config.json'), config.replace('"lr": 0.02', '"lr": 0.03'));
  const { code, stderr } = await resume(out);
  assert.is(code, 2);
  assert.match(stderr.text, /different runs: --lr is 0.03 in config.json but 0.02 in checkpoint-25.safetensors\n$/);
  mkdirSync('runs');
  cpSync(out, join('runs', 'one'), { recursive: true });
  await refused('train --resume runs', /not a run folder \(no config.json\); it contains these runs: runs\/one\n$/);
});

test('a run in medium precision resumes in it', async () => {
  const { code } = await interrupt('medium --float32-matmul-precision medium');
  // Where the device has no half precision, nothing can be trained in it.
  if (code === 1) return;
  const { events } = await resume('medium');
  assert.is(events.find(({ event }) => event === 'start').options.float32MatmulPrecision, 'medium');
});

test('a folder in use is refused with the process, and nothing in it changes', async () => {
  const out = interrupted();
  writeFileSync(join(out, 'lock'), `${process.ppid}\n`);
  const before = content(out);
  for (const line of [`${BEGIN} --out ${out}`, `train --resume ${out}`]) {
    const { code, stderr } = await run(line);
    assert.is(code, 2);
    assert.match(stderr.text, `process ${process.ppid} is using ${out}; wait for it to finish or stop it`);
  }
  assert.equal(content(out), before);
});

test('the lock of a dead process, or of one that had its number before, is taken over', async () => {
  const { pid } = spawnSync(process.execPath, ['--version']);
  for (const lock of [`${pid}\n`, `${process.ppid} 1\n`, 'nonsense']) {
    // Only Linux tells when a process started.
    if (process.platform !== 'linux' && lock.includes(' ')) continue;
    mkdirSync('locked', { recursive: true });
    writeFileSync(join('locked', 'lock'), lock);
    assert.is((await begin('locked -i 1')).code, 0);
    assert.not(existsSync(join('locked', 'lock')));
  }
});

test('a file of the run that is something else is refused with the flag that names the folder', async () => {
  const out = interrupted();
  for (const name of ['lock', 'metrics.jsonl', 'model.safetensors', 'config.json']) {
    const file = join(out, name);
    rmSync(file, { force: true });
    mkdirSync(file);
    await refused(`${TRAIN} --out ${out}`, new RegExp(`^padagrad: --out.*${name} is a folder`));
    if (name === 'config.json') await refused(`train --resume ${out}`, /config.json is a folder/);
    else await refused(`train --resume ${out}`, new RegExp(`^padagrad: --resume.*${name} is a folder`));
    rmSync(file, { recursive: true });
  }
});

test('a checkpoint that cannot be written is warned of, and the next one is tried again', async () => {
  const obstacle = join('obstacle', `.checkpoint-20.safetensors.${process.pid}.tmp`);
  const { code, stderr } = await begin('obstacle', {
    onOutput(text: string) {
      at(20, () => mkdirSync(obstacle)).onOutput(text);
      at(30, () => rmSync(obstacle, { recursive: true })).onOutput(text);
    },
  });
  assert.is(code, 0);
  assert.is(stderr.text.split('cannot write to').length - 1, 1);
  assert.match(stderr.text, /cannot write to obstacle \(EISDIR.*\); training continues and will retry/);
  assert.equal(checkpoints('obstacle'), ['checkpoint-10.safetensors', 'checkpoint-30.safetensors']);
});

/** Trains on a disk that is full from one iteration to another. */
async function onSmallDisk(
  filled: number,
  emptied: number,
  check: (result: Awaited<ReturnType<typeof begin>>, out: string) => void,
) {
  const disk = smallDisk(folder(), 2048);
  try {
    const out = join(disk.path, 'run');
    const result = await begin(out, {
      onOutput(text: string) {
        at(filled, disk.fill).onOutput(text);
        at(emptied, disk.empty).onOutput(text);
      },
    });
    check(result, out);
    if (emptied > 40) {
      disk.empty();
      assert.is((await resume(out)).code, 0);
    }
  } finally {
    disk.remove();
    rmSync(disk.path, { recursive: true });
  }
}

test('a disk that is full at the end: the result is shown, then the file that has no room', () =>
  onSmallDisk(15, 99, ({ code, stderr }) => {
    assert.is(code, 1);
    assert.match(stderr.text, /^target accuracy \d/m);
    const last = stderr.lines.at(-1)!;
    assert.match(last, /^padagrad: .*run\/(model|metrics)\.\w+ cannot be written: no space left on device, and /);
    assert.match(last, /free some space, then run `padagrad train --resume .*run` to continue from checkpoint-10/);
  }));

test('rows that a full disk does not take are written once there is room', () =>
  onSmallDisk(12, 28, ({ code, stderr }, out) => {
    assert.is(code, 0, stderr.text);
    assert.match(stderr.text, /cannot write to .* \(ENOSPC/);
    const iterations = rows(out)
      .map((row) => JSON.parse(row))
      .filter(({ event }) => event === 'iteration');
    assert.equal(
      iterations.map(({ iteration }) => iteration),
      Array.from({ length: 40 }, (_, i) => i),
    );
  }));

// Weights grow eightfold with every step.
const GROWTH = '--momentum 0 --weight-decay 900 -i 100';

test('NaN ends the run in one line, and the last good checkpoint stays', async () => {
  const { code, result, stderr } = await begin(`nan ${GROWTH} --checkpoint-every 5`);
  assert.equal([code, result.code], [1, 'NOT_FINITE']);
  assert.match(
    stderr.lines.at(-1)!,
    /^padagrad: training: .* became NaN or infinite in iteration \d+; try a lower learning rate, or --detect-anomaly to find the op$/,
  );
  assert.is(checkpoints('nan').length, 2);
  assert.not(existsSync(join('nan', 'lock')));
});

test('class weights that became NaN end the run in one line', async () => {
  const { code, stderr } = await run(`${TRAIN} ${GROWTH} -u 1 -p 100`);
  assert.is(code, 1);
  assert.match(stderr.text, /^padagrad: training: class weight became NaN or infinite in iteration \d+;/);
});

test('a lost device is reported, another one continues, and both are closed', async () => {
  const { code, opened, stderr } = await begin(
    'lost --eval-freq 8 --lr 0.02 --seed 3',
    at(25, () => devices.at(-1)!.destroy()),
  );
  assert.is(code, 0, stderr.text);
  assert.is(opened, 2);
  assert.match(stderr.text, /; continuing on a new device from iteration 20\n/);
  assert.equal(rows('lost').slice(0, -1), rows('whole').slice(0, -1));
});

test.run();
