import { execFileSync, spawnSync } from 'node:child_process';
import fs, {
  existsSync,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { describeFailure } from '../../src/cli/errors.ts';
import { newestCheckpoint } from '../../src/cli/run/checkpoints.ts';
import { makeFolder, writeAtomically } from '../../src/cli/run/files.ts';
import { RunFolder } from '../../src/cli/run/folder.ts';
import { lockFolder } from '../../src/cli/run/lock.ts';
import type { Checkpoint } from '../../src/train/checkpoint.ts';
import { defaultRunOptions, trainArguments } from '../../src/train/methods/named.ts';
import { CONFIG } from './config.ts';
import { smallDisk, withFs } from './disk.ts';

// The folder of a run: full disks, files of another kind, locks, left-overs of an earlier run.

const test = suite('runFolder');
const KB = 1024;

let folder = '';
let path = '';
test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'padagrad-folder-'));
  path = join(folder, 'run');
});
test.after.each(() => rmSync(folder, { recursive: true, force: true }));

/** Starts a run in `path`, and collects its warnings. */
function begin() {
  const warnings: string[] = [];
  RunFolder.prepare(path);
  const run = RunFolder.lock(path, (message) => warnings.push(message));
  run.begin(CONFIG);
  return { run, warnings };
}
const { method, ...options } = trainArguments(defaultRunOptions);
const checkpoint = (iteration: number, bytes = 4): Checkpoint => ({
  iteration,
  method,
  jitter: {},
  options,
  tensors: new Map([['x', { shape: [bytes / 4], data: new Float32Array(bytes / 4) }]]),
});
const names = (): string[] => readdirSync(path).sort();
const checkpoints = (): string[] => names().filter((name) => name.startsWith('checkpoint-'));

/** Calls `act` with a small disk, then removes the disk. */
async function onDisk(kilobytes: number, act: (disk: ReturnType<typeof smallDisk>) => Promise<void>): Promise<void> {
  const disk = smallDisk(folder, kilobytes);
  try {
    path = join(disk.path, 'run');
    await act(disk);
  } finally {
    disk.remove();
  }
}

test('a model that has no room next to two checkpoints replaces the older one', () =>
  onDisk(1024, async () => {
    const { run, warnings } = begin();
    await run.keepCheckpoint(checkpoint(10, 300 * KB));
    await run.keepCheckpoint(checkpoint(20, 300 * KB));
    run.finish(new Uint8Array(500 * KB), { event: 'result' });
    run.close();
    assert.equal([warnings, checkpoints()], [[], ['checkpoint-20.safetensors']]);
    assert.is(statSync(join(path, 'model.safetensors')).size, 500 * KB);
    assert.match(readFileSync(join(path, 'metrics.jsonl'), 'utf8'), '"result"');
  }));

test('a run without room for its report is complete, with a warning', () =>
  onDisk(1024, async () => {
    const { run, warnings } = begin();
    run.finish(new Uint8Array(500 * KB), { event: 'result' });
    await run.report(async ([row]) => String(row!.event).padEnd(900 * KB));
    assert.match(
      warnings.join(),
      /^the run is saved, but without its report: .*report.html cannot be written: no space/,
    );
    run.close();
  }));

test('a model that does not fit is an error with its file, its size and how to continue; the newest checkpoint stays', () =>
  onDisk(1024, async () => {
    const { run } = begin();
    await run.keepCheckpoint(checkpoint(10, 300 * KB));
    await run.keepCheckpoint(checkpoint(20, 300 * KB));
    let failure: ReturnType<typeof describeFailure> | undefined;
    try {
      run.finish(new Uint8Array(900 * KB), { event: 'result' });
    } catch (error) {
      failure = describeFailure(error);
    }
    run.close();
    assert.is(
      failure?.message,
      `${path}/model.safetensors cannot be written: no space left on device, and model.safetensors takes 921,600 bytes; free some space, then run \`padagrad train --resume ${path}\` to continue from checkpoint-20.safetensors`,
    );
    assert.equal([failure!.code, failure!.exitCode], ['ENOSPC', 1]);
    assert.equal(names(), ['checkpoint-20.safetensors', 'config.json', 'metrics.jsonl']);
    const found = await newestCheckpoint(path, assert.unreachable);
    assert.is(found!.checkpoint.iteration, 20);
  }));

test('without a checkpoint the error says that training starts again', () =>
  onDisk(64, async () => {
    const { run } = begin();
    assert.throws(
      () => run.finish(new Uint8Array(100 * KB), { event: 'result' }),
      /train --resume .*run` to train again from the beginning \(there is no checkpoint\)$/,
    );
    run.close();
  }));

test('a result that has no room is an error that names metrics.jsonl', () =>
  onDisk(64, async (disk) => {
    const { run } = begin();
    disk.fill();
    const result = { event: 'result', classWeight: new Array(4000).fill(1) };
    assert.throws(() => run.finish(new Uint8Array(), result), /metrics.jsonl cannot be written: no space left/);
    run.close();
  }));

test('a checkpoint that has no room next to two others replaces the older one', () =>
  onDisk(1024, async () => {
    const { run, warnings } = begin();
    for (const iteration of [10, 20, 30, 40]) await run.keepCheckpoint(checkpoint(iteration, 400 * KB));
    run.close();
    assert.equal(warnings, []);
    assert.ok(checkpoints().includes('checkpoint-40.safetensors'), `${checkpoints()}`);
    const found = await newestCheckpoint(path, assert.unreachable);
    assert.is(found!.checkpoint.iteration, 40);
  }));

test('a full disk gives a warning with the file and its size, and the newest checkpoint stays', () =>
  onDisk(1024, async () => {
    const { run, warnings } = begin();
    for (const iteration of [10, 20]) await run.keepCheckpoint(checkpoint(iteration, 100 * KB));
    await run.keepCheckpoint(checkpoint(30, 1000 * KB));
    run.close();
    assert.is(warnings.length, 1);
    assert.match(
      warnings[0]!,
      /cannot write to .*run \(ENOSPC: no space left on device, and checkpoint-30.safetensors takes 1,0\d\d,\d\d\d bytes\); training continues/,
    );
    assert.equal(checkpoints(), ['checkpoint-20.safetensors']);
  }));

test('a damaged checkpoint is removed for room, not the one that the run was resumed from', () =>
  onDisk(1024, async () => {
    const first = begin();
    for (const iteration of [10, 20]) await first.run.keepCheckpoint(checkpoint(iteration, 300 * KB));
    first.run.close();
    writeFileSync(join(path, 'checkpoint-20.safetensors'), new Uint8Array(300 * KB));
    const run = RunFolder.lock(path, () => {});
    assert.is((await run.resume(CONFIG))!.checkpoint.iteration, 10);
    run.finish(new Uint8Array(500 * KB), { event: 'result' });
    run.close();
    assert.equal(checkpoints(), ['checkpoint-10.safetensors']);
  }));

test('rows that a full disk did not take are written before the next checkpoint', () =>
  onDisk(64, async (disk) => {
    const { run, warnings } = begin();
    disk.fill();
    const figures = 'x'.repeat(8 * KB);
    run.append({ event: 'iteration', iteration: 0, figures });
    assert.match(warnings.join(), /ENOSPC: no space left on device, and metrics.jsonl takes 8,\d\d\d bytes/);
    disk.empty();
    await run.keepCheckpoint(checkpoint(1));
    assert.match(readFileSync(join(path, 'metrics.jsonl'), 'utf8'), figures);
    run.close();
  }));

test('a full disk gives one warning, and one more for each checkpoint that does not fit', () =>
  onDisk(64, async (disk) => {
    const { run, warnings } = begin();
    disk.fill();
    const row = { event: 'iteration', figures: 'x'.repeat(8 * KB) };
    for (const warned of [1, 2, 3]) {
      run.append(row);
      run.append(row);
      assert.is(warnings.length, warned);
      await run.keepCheckpoint(checkpoint(warned));
      assert.is(warnings.length, warned + 1);
    }
    run.close();
  }));

test('a checkpoint is synced in this order: the rows before it, its bytes, its name', async () => {
  const { run } = begin();
  run.append({ event: 'iteration', iteration: 0 });
  const calls: string[] = [];
  const nameOf = (file: number): string => {
    const inode = fstatSync(file).ino;
    const found = ['.', ...names()].find((name) => statSync(join(path, name)).ino === inode)!;
    return found.replace(/\.\d+\.tmp$/, '');
  };
  const { fsyncSync, renameSync } = fs;
  const sync = (file: number) => {
    calls.push(`sync ${nameOf(file)}`);
    fsyncSync(file);
  };
  const rename = (from: fs.PathLike, to: fs.PathLike) => {
    calls.push(`name ${basename(String(to))}`);
    renameSync(from, to);
  };
  await withFs('fsyncSync', sync, () => withFs('renameSync', rename, () => run.keepCheckpoint(checkpoint(1))));
  run.close();
  assert.equal(calls, [
    'sync metrics.jsonl',
    'sync .checkpoint-1.safetensors',
    'name checkpoint-1.safetensors',
    'sync .',
  ]);
});

test('a run in a used folder removes the earlier checkpoints, which would pass for its own', async () => {
  const first = begin();
  await first.run.keepCheckpoint(checkpoint(10));
  writeFileSync(join(path, '.model.safetensors.1.tmp'), 'half');
  first.run.finish(new Uint8Array(1), { event: 'result', aborted: false });
  first.run.close();
  const second = begin();
  assert.equal(names(), ['config.json', 'lock', 'metrics.jsonl']);
  assert.is(readFileSync(join(path, 'metrics.jsonl'), 'utf8'), '');
  second.run.close();
});

test('a file that cannot be written leaves no temporary file', () => {
  mkdirSync(join(folder, 'taken'));
  assert.throws(
    () => writeAtomically(join(folder, 'taken'), 'text'),
    `${folder}/taken cannot be written: illegal operation on a directory`,
  );
  assert.equal(readdirSync(folder), ['taken']);
});

test('a link stays, and the file that it leads to is replaced', () => {
  const [file, link] = [join(folder, 'far', 'labels'), join(folder, 'link')];
  mkdirSync(join(folder, 'far'));
  writeFileSync(file, 'old');
  symlinkSync(file, link);
  writeAtomically(link, 'new');
  assert.is(readFileSync(file, 'utf8'), 'new');
  assert.ok(fs.lstatSync(link).isSymbolicLink());
});

if (process.platform !== 'win32') {
  // /dev/null is such a file: as root, renaming another file to its name removed the device.
  test('a pipe is written to and stays', () => {
    const pipe = join(folder, 'pipe');
    assert.is(spawnSync('mkfifo', [pipe]).status, 0);
    // Opened for reading too, so that nobody waits.
    const reader = fs.openSync(pipe, fs.constants.O_RDWR);
    try {
      writeAtomically(pipe, 'text');
      assert.ok(fs.statSync(pipe).isFIFO());
      const read = Buffer.alloc(4);
      fs.readSync(reader, read);
      assert.is(String(read), 'text');
    } finally {
      fs.closeSync(reader);
    }
  });
}

test('a lock that another process has taken over is not removed', () => {
  const unlock = lockFolder(folder);
  const lock = join(folder, 'lock');
  assert.match(readFileSync(lock, 'utf8'), new RegExp(`^${process.pid}\\b`));
  writeFileSync(lock, `${process.ppid}\n`);
  unlock();
  assert.is(readFileSync(lock, 'utf8'), `${process.ppid}\n`);
  rmSync(lock);
  lockFolder(folder)();
  assert.equal(readdirSync(folder), []);
});

test('when two processes find the same old lock, one gets the folder', async () => {
  const lock = join(folder, 'lock');
  const { pid } = spawnSync(process.execPath, ['--version']);
  writeFileSync(lock, `${pid}\n`);
  const { renameSync } = fs;
  let moves = 0;
  // Another process takes over the old lock after it was read here.
  const rename = (from: fs.PathLike, to: fs.PathLike) => {
    if (moves++ === 0) writeFileSync(lock, `${process.ppid}\n`);
    renameSync(from, to);
  };
  await withFs('renameSync', rename, () =>
    assert.throws(() => lockFolder(folder), new RegExp(`process ${process.ppid} is using`)),
  );
  assert.equal([readdirSync(folder), readFileSync(lock, 'utf8')], [['lock'], `${process.ppid}\n`]);
});

test('an old lock that cannot be removed is an error, not an endless wait', async () => {
  writeFileSync(join(folder, 'lock'), 'nonsense');
  const rename = () => {
    throw Object.assign(new Error("EPERM: operation not permitted, rename 'lock' -> 'x'"), { code: 'EPERM' });
  };
  await withFs('renameSync', rename, () =>
    assert.throws(() => RunFolder.lock(folder, () => {}), `${folder}: cannot be locked: operation not permitted`),
  );
});

const KINDS: Record<string, (path: string) => void> = {
  'a folder': (path) => mkdirSync(path),
  'a broken link': (path) => symlinkSync(join(folder, 'nowhere'), path),
  ...(process.platform !== 'win32' && { 'a device or a pipe': (path) => execFileSync('mkfifo', [path]) }),
};
for (const [kind, make] of Object.entries(KINDS)) {
  for (const name of ['lock', 'config.json', 'metrics.jsonl', 'model.safetensors', 'report.html']) {
    test(`${name} that is ${kind} is refused before anything is computed`, () => {
      mkdirSync(path);
      make(join(path, name));
      assert.throws(
        () => RunFolder.prepare(path),
        `--out ${path}: ${name} is ${kind}, but a run saves a file with that name; move it away`,
      );
      assert.equal(readdirSync(path), [name]);
    });
  }

  test(`a lock that becomes ${kind} after that is refused too`, () => {
    make(join(folder, 'lock'));
    assert.throws(() => RunFolder.lock(folder, () => {}), `${folder}: cannot be locked: ${folder}/lock is ${kind}`);
  });

  test(`a newest checkpoint that is ${kind}: the one before it is used, with a warning`, async () => {
    const first = begin();
    for (const iteration of [10, 20]) await first.run.keepCheckpoint(checkpoint(iteration));
    first.run.append(...Array.from({ length: 30 }, (_, iteration) => ({ event: 'iteration', iteration })));
    first.run.close();
    make(join(path, 'checkpoint-30.safetensors'));
    const warnings: string[] = [];
    const run = RunFolder.lock(path, (message) => warnings.push(message));
    assert.is((await run.resume(CONFIG))!.checkpoint.iteration, 20);
    assert.is(warnings.length, 1);
    assert.match(warnings[0]!, `a checkpoint is damaged, using the previous one: ${path}/checkpoint-30`);
    assert.match(warnings[0]!, `is ${kind}`);
    await run.keepCheckpoint(checkpoint(25));
    assert.is(warnings.length, 1, warnings[1]);
    run.close();
    // A new run in the folder removes what it can.
    begin().run.close();
    assert.equal(checkpoints(), kind === 'a folder' ? ['checkpoint-30.safetensors'] : []);
  });
}

test('a link to a folder is a folder; one to nothing is refused with its target', () => {
  mkdirSync(path);
  const link = join(folder, 'link');
  symlinkSync(path, link);
  RunFolder.prepare(link);
  rmSync(path, { recursive: true });
  for (const out of [link, join(link, 'deeper')])
    assert.throws(
      () => RunFolder.prepare(out),
      `--out ${out}: cannot be written to: ${link} is a link to ${path}, which does not exist; make that folder or remove the link`,
    );
  assert.not(existsSync(path));
});

test('a folder that another process makes at the same moment is used', async () => {
  const { mkdirSync: make } = fs;
  const twice = ((made: string) => {
    make(made);
    return make(made);
  }) as typeof make;
  await withFs('mkdirSync', twice, () => makeFolder(join(path, 'deep')));
  assert.ok(existsSync(join(path, 'deep')));
});

test('a file in the way of a folder is refused', () => {
  writeFileSync(path, '');
  assert.throws(() => RunFolder.prepare(path), `--out ${path}: cannot be written to: not a directory`);
  assert.throws(() => RunFolder.prepare(join(path, 'x')), `--out ${path}/x: cannot be written to: not a directory`);
});

test.run();
