import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { NotFiniteError } from '../../src/train/notFinite.ts';
import { smallDisk } from './disk.ts';
import { fakeContext } from './fakes.ts';

import {
  BASE,
  begin,
  checkpoints,
  content,
  folder,
  interrupted,
  out,
  resume,
  rows,
  runIn,
  useRunFolder,
} from './keepRun.ts';

// Runs that meet locks, full or failing disks, files of another kind, NaN and lost devices, without a GPU.

const test = suite('keepFaults');
useRunFolder(test);

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
    runIn(join(disk.path, 'run'));
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
    runIn(join(disk.path, 'run'));
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
