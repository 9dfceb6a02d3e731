import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { seeded } from '../harness.ts';
import { stripes } from '../train/stripes.ts';
import { writeIdx } from './command.ts';

// `padagrad train --resume` in processes that are killed. Their files are compared with those of an unbroken run. PADAGRAD_KILLS is
// the number of kills (`npm run soak`).

const PROGRAM = resolve('.build/cli/padagrad.mjs');
const KILLS = Number(process.env.PADAGRAD_KILLS ?? 3);
const ITERATIONS = 30 * KILLS;
const EVERY = 4;
const OPTIONS = ['-s', 'idx:s', '-t', 'idx:t', '-b', '8', '-u', '10', '-p', '5', '-i', String(ITERATIONS)];
const FLAGS = [...OPTIONS, '--checkpoint-every', String(EVERY)];
const WRITING = /^\.checkpoint-\d+\.safetensors\.\d+\.tmp$/;
const WRITTEN = /^checkpoint-\d+\.safetensors$/;
// A busy machine with an empty shader cache compiles for minutes.
const PATIENCE_MS = 600_000;

const folder = mkdtempSync(join(tmpdir(), 'padagrad-resume-'));

interface Ended {
  code: number | null;
  signal: string | null;
  stdout: string;
  stderr: string;
}

/** Starts `padagrad train`; `ended` resolves when the process has ended. */
function start(...args: string[]): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(process.execPath, [PROGRAM, 'train', ...args, '--json'], { cwd: folder });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const late = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
  const ended = new Promise<Ended>((done) =>
    child.on('close', (code, signal) => {
      clearTimeout(late);
      done({ code, signal, stdout, stderr });
    }),
  );
  return { child, ended };
}

/** Resolves when a matching name was seen in the folder `times` times, or the process has ended. */
async function seen(path: string, pattern: RegExp, times: number, { ended }: { ended: Promise<Ended> }): Promise<void> {
  let left = times;
  let watcher: ReturnType<typeof watch> | undefined;
  const found = new Promise<void>((done) => {
    watcher = watch(path, (_, name) => {
      if (name && pattern.test(name) && --left <= 0) done();
    });
  });
  await Promise.race([found, ended]);
  watcher?.close();
}

const files = (run: string): string[] => readdirSync(join(folder, run)).sort();
const model = (run: string): Buffer => readFileSync(join(folder, run, 'model.safetensors'));
const figures = (run: string): string[] =>
  readFileSync(join(folder, run, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .filter((row) => !row.includes('"event":"result"'));
const events = ({ stdout }: Ended): { event: string; message?: string }[] =>
  stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
const notes = (ended: Ended): string =>
  events(ended)
    .map(({ message }) => message ?? '')
    .join('\n');

function assertWhole(run: string): void {
  assert.ok(model(run).equals(model('whole')), `${run}: the model's bytes are those of an unbroken run`);
  assert.equal(figures(run), figures('whole'), `${run}: no row is missing, doubled or other`);
  assert.equal(files(run), files('whole'));
}

test.before(async () => {
  for (const [name, images] of [
    ['s', stripes(60, 1)],
    ['t', stripes(40, 2, { classes: 2, brightness: 120 })],
  ] as const) {
    writeIdx(join(folder, name), images);
  }
  const { code, stderr } = await start(...FLAGS, '-o', 'whole').ended;
  assert.is(code, 0, stderr);
});
test.after(() => rmSync(folder, { recursive: true, force: true }));

test(`killed ${KILLS} times, a run gives the same bits as an unbroken one`, async () => {
  const seed = Date.now() % 1e6;
  const random = seeded(seed);
  const path = join(folder, 'killed');
  mkdirSync(path);
  let kills = 0;
  let whileWriting = 0;
  for (; kills < KILLS; kills++) {
    const run = start(...(kills === 0 ? [...FLAGS, '-o', 'killed'] : ['--resume', 'killed']));
    // First before there is a checkpoint. Later, once it has made progress, while it writes one or a moment afterwards.
    if (kills === 0) await seen(path, /^config\.json$/, 1, run);
    else {
      await seen(path, WRITTEN, 1 + Math.floor(2 * random()), run);
      if (kills % 2 === 1) await seen(path, WRITING, 1, run);
      else await delay(200 * random());
    }
    run.child.kill('SIGKILL');
    const ended = await run.ended;
    if (kills === 1) assert.match(notes(ended), 'starting from the beginning', ended.stderr);
    if (ended.signal !== 'SIGKILL') break;
    if (files('killed').some((name) => WRITING.test(name))) whileWriting++;
  }
  const last = await start('--resume', 'killed').ended;
  const { code, stderr } = last;
  assert.match(notes(last), 'resuming at iteration');
  assert.is(code, 0, stderr);
  console.log(`killed ${kills} times, ${whileWriting} of them with a checkpoint half-written (seed ${seed})`);
  assert.is(kills, KILLS, 'the run finished before it was killed that often; give it more iterations');
  assertWhole('killed');
});

test('while one process trains a second one is refused; SIGTERM ends the first with a checkpoint and exit code 143', async () => {
  const path = join(folder, 'stopped');
  mkdirSync(path);
  const first = start(...FLAGS, '-o', 'stopped');
  await seen(path, WRITTEN, 2, first);
  first.child.kill('SIGSTOP');
  const second = await start('--resume', 'stopped').ended;
  assert.is(second.code, 2, second.stderr);
  assert.match(second.stderr, `process ${first.child.pid} is using stopped`);
  assert.equal(
    events(second).map(({ event }) => event),
    ['error'],
  );
  first.child.kill('SIGTERM');
  first.child.kill('SIGCONT');
  const ended = await first.ended;
  assert.is(ended.code, 143, ended.stderr);
  assert.is(events(ended).at(-1)!.event, 'result');
  assert.not(existsSync(join(path, 'lock')));
  const resumed = await start('--resume', 'stopped').ended;
  assert.is(resumed.code, 0, resumed.stderr);
  assert.match(notes(resumed), /resuming at iteration \d+ from checkpoint-\d+.safetensors/);
  assertWhole('stopped');
});

test('a second signal ends the process at once', async () => {
  const path = join(folder, 'twice');
  mkdirSync(path);
  const run = start(...OPTIONS, '-o', 'twice', '-i', '100000', '--checkpoint-every', '2');
  await seen(path, WRITTEN, 1, run);
  // Both signals wait while the process is stopped, then arrive in either order.
  run.child.kill('SIGSTOP');
  run.child.kill('SIGINT');
  run.child.kill('SIGTERM');
  run.child.kill('SIGCONT');
  const ended = await run.ended;
  assert.ok(ended.code === 130 || ended.code === 143, `${ended.code} ${ended.stderr}`);
  assert.not(events(ended).some(({ event }) => event === 'result'));
  assert.not(existsSync(join(path, 'model.safetensors')));
});

test('a run that ended with NaN resumes from its last checkpoint with --detect-anomaly, which names the op', async () => {
  // Weights grow eightfold with every step.
  const growth = ['--momentum', '0', '--weight-decay', '900'];
  const flags = [...OPTIONS, ...growth, '-i', '100', '--checkpoint-every', '5', '-o', 'exploded'];
  const blind = await start(...flags).ended;
  assert.is(blind.code, 1, blind.stderr);
  assert.match(blind.stderr, /became NaN or infinite in iteration \d+; try .*, or --detect-anomaly to find the op\n$/);
  const [iteration] = /iteration \d+/.exec(blind.stderr)!;
  const ended = await start('--resume', 'exploded', '--detect-anomaly', '--debug').ended;
  assert.match(notes(ended), 'resuming at iteration');
  assert.is(ended.code, 1);
  const { code, message } = events(ended).at(-1) as { code?: string; message?: string };
  assert.is(code, 'NOT_FINITE');
  assert.match(message!, new RegExp(`^training: in ${iteration}, \\w+\\(.*\\[.*\\]\\), forward: its output \\[.* NaN`));
  assert.match(ended.stderr, /Error: (\w+) was called here\n(.*\n)* +at \1 /);
});

test.run();
