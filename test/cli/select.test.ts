import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { RunSelection } from '../../src/cli/run/selection.ts';
import { CRITERIA } from '../../src/train/select.ts';
import { stripes } from '../train/stripes.ts';
import { at, inFolder, refused, run, TRAIN, writeIdx } from './command.ts';

// `padagrad select` and `train --select`: the choice among saved runs, and that no target label has a part in it.

const test = suite('select');
inFolder(test);

const SEEDS = [0, 1, 2];
let selection: RunSelection;
test.before(async () => {
  const { code, result, stderr } = await run(`${TRAIN} -i 6 --seeds 0-2 --select --out runs --json`);
  assert.is(code, 0, stderr.text);
  assert.equal(result.seeds, SEEDS);
  selection = result.selection;
});

test('train --select keeps the model of the chosen run', () => {
  const { selected, by, runs, picks, best, measuredOn } = selection;
  assert.equal([by, measuredOn], ['agreement-entropy', 'target test set']);
  assert.equal(
    runs.map((one) => one.run),
    SEEDS.map((seed) => join('runs', `seed-${seed}`)),
  );
  assert.equal(readFileSync('runs/model.safetensors'), readFileSync(join(selected, 'model.safetensors')));
  assert.equal(Object.keys(picks), [...CRITERIA]);
  assert.is(picks['agreement-entropy']!.run, selected);
  const most = Math.max(...runs.map(({ targetAccuracy }) => targetAccuracy!));
  assert.equal([best!.targetAccuracy, best!.loses], [most, 0]);
  for (const pick of Object.values(picks)) {
    const own = runs.find((one) => one.run === pick!.run)!;
    assert.equal([pick!.targetAccuracy, pick!.loses], [own.targetAccuracy, most - own.targetAccuracy!]);
  }
});

test('select prints the scores, each pick, and what it loses', async () => {
  const { code, stdout, stderr } = await run('select runs');
  assert.equal([code, stderr.text], [0, '']);
  assert.not.match(stdout.text, 'source and DEV are of examples');
  assert.match(stdout.text, 'selecting among 3 runs by 40 unlabelled images of idx:t\n');
  assert.match(stdout.text, /^ run +agreement +entropy +inf\. max\. +SND +DEV +source +target$/m);
  assert.match(stdout.text, /^ criterion +picks +target +loses$/m);
  assert.match(stdout.text, /^ best by target labels +runs.seed-\d +\d+\.\d % +0\.0$/m);
  assert.match(stdout.text, `selected by agreement, then entropy: ${selection.selected}\n`);
});

/** Copies the runs, with another target and without the figures of their tests. */
function copyRuns(folder: string, target: string): void {
  for (const seed of SEEDS) {
    const own = join(folder, `seed-${seed}`);
    cpSync(join('runs', `seed-${seed}`), own, { recursive: true });
    rmSync(join(own, 'metrics.jsonl'));
    const config = JSON.parse(readFileSync(join(own, 'config.json'), 'utf8'));
    config.task = {
      ...config.task,
      target,
      targetTest: null,
      ...(target === 'idx:unlabelled' && { sourceTest: null }),
    };
    writeFileSync(join(own, 'config.json'), JSON.stringify(config));
  }
}

test('select and analyse warn if the data has changed since', async () => {
  cpSync('runs', 'changed', { recursive: true });
  const before = readFileSync('t-images-idx3-ubyte');
  writeFileSync(
    't-images-idx3-ubyte',
    before.map((byte, i) => (i === 500 ? byte ^ 1 : byte)),
  );
  try {
    const chosen = await run('select changed');
    assert.match(chosen.stdout.text, /^warning: the target idx:t has changed since changed.seed-0 was trained; scores/);
    const analysed = await run('analyse -m changed/seed-0 --examples 5');
    assert.match(
      analysed.stdout.text,
      /^warning: the target idx:t has changed since changed.seed-0 was trained; it is/,
    );
  } finally {
    writeFileSync('t-images-idx3-ubyte', before);
  }
});

test('target labels change no score and no choice', async () => {
  const target = stripes(40, 2, { classes: 2, brightness: 120 });
  writeIdx('poisoned', { ...target, labels: new Uint8Array(40).fill(3) });
  copyRuns('poisoned', 'idx:poisoned');
  const { code, stderr, result } = await run('select poisoned --json');
  assert.is(code, 0, stderr.text);
  const poisoned: RunSelection = JSON.parse(JSON.stringify(result).replaceAll('"poisoned', '"runs'));
  const choice = ({ by, selected, runs, picks }: RunSelection) => ({
    by,
    selected,
    runs: runs.map(({ targetAccuracy, ...scores }) => scores),
    picks: Object.values(picks).map((pick) => pick?.run),
  });
  assert.equal(choice(poisoned), choice(selection));
  // The labels are used, but only for what is reported.
  const { best, measuredOn, runs } = poisoned;
  assert.equal([measuredOn, best!.loses], ["target's training set", 0]);
  const accuracies = (list: RunSelection['runs']) => list.map(({ targetAccuracy }) => targetAccuracy);
  assert.not.equal(accuracies(runs), accuracies(selection.runs));
});

test('a target without labels is enough; a run without a model is left out', async () => {
  const { labels: _, ...bare } = stripes(40, 2, { classes: 2, brightness: 120 });
  writeIdx('unlabelled', bare);
  copyRuns('some', 'idx:unlabelled');
  rmSync('some/seed-1/model.safetensors');
  const { code, events, stderr } = await run('select some --by entropy --margin 0 --json');
  assert.is(code, 0, stderr.text);
  assert.match(events[0].message, /^some.seed-1 is left out: it has no model yet$/);
  assert.match(stderr.text, 'two runs agree with each other equally');
  assert.match(stderr.text, 'source and DEV are of examples that the models were trained on');
  const { event, by, margin, selected, runs, picks, best, measuredOn } = events.at(-1);
  assert.equal([event, by, margin, best, measuredOn], ['result', 'entropy', 0, null, null]);
  assert.equal([selected, picks.entropy.loses], [picks.entropy.run, null]);
  assert.equal(
    runs.map((one: { entropy: number }) => one.entropy),
    [0, 2].map((seed) => selection.runs[seed]!.entropy),
  );
});

test('an interrupted train --select leaves no model of an earlier choice', async () => {
  mkdirSync('stale');
  writeFileSync('stale/model.safetensors', 'chosen before');
  const { code, result } = await run(
    `${TRAIN} -i 40 -p 1 --seeds 0,1 --select --out stale --json`,
    at(1, () => process.emit('SIGTERM', 'SIGTERM')),
  );
  assert.equal([code, result.selection, existsSync('stale/model.safetensors')], [143, undefined, false]);
});

test('other tasks, single runs and folders without runs are refused', async () => {
  await refused('select runs/seed-0', 'select compares runs; pass two or more that are finished, not 1');
  await refused('select s-images-idx3-ubyte', 's-images-idx3-ubyte: holds no run; pass folders that `train --out`');
  await refused(
    'select runs/seed-0 some/seed-2',
    /--target is idx:t in runs.seed-0 but idx:unlabelled in some.seed-2; select among runs with the same source/,
  );
  await refused(`${TRAIN} --select --out x`, '--select compares saved runs: pass --out, and several seeds');
  await refused(`${TRAIN} --select --seeds 0-2`, '--select compares saved runs');
  await refused(`${TRAIN} --select --seeds 0,1 --out runs/seed-0`, '--out runs/seed-0 holds another run');
  await refused(`${TRAIN} --seeds 3-1`, "'3-1' is no range of seeds");
  await refused(`${TRAIN} --seeds 0-1000`, "'0-1000' is more than 1000 seeds");
});

test.run();
