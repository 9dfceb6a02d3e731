import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { planIterations, type Recorded, recordedFigures } from '../../src/cli/commands/start.ts';
import { METHOD_NAMES } from '../../src/train/methods/named.ts';
import { at, DATA, inFolder, refused, run } from './command.ts';

const test = suite('start');
inFolder(test);

test('start is the main job', async () => {
  // With fewer images, so that an iteration takes no time.
  const flags = '-i 2 -b 16 --source-limit 100 --target-limit 300 --json'.split(' ');
  const { code, events, result, stderr } = await run(['start', ...flags]);
  assert.is(code, 0, stderr.text);
  const { options, task } = events.find(({ event }) => event === 'start');
  assert.equal([options.method, options.iterations, options.batchSize], ['pada', 2, 16]);
  assert.equal([task.source, task.target, task.targetClasses], ['fontdigits', 'mnist', [0, 1, 2, 3, 4]]);
  assert.equal([result.source.count, result.target.count], [1000, 5139]);
  assert.match(stderr.text, `PADA: ${result.targetAccuracy.toFixed(1)} % on the target test set after 2 iterations\n`);
  assert.match(stderr.text, 'Compare with: padagrad start --compare\n');
  // A GPU is not timed first.
  if (events.find(({ event }) => event === 'start').device.software)
    assert.match(stderr.text, /^\S.*2 iterations, about [\d.]+ s \(change with --iterations\)$/m);
});

test('a slow adapter runs fewer iterations, unless the user chose them', () => {
  const job = { seeds: [0], options: [{ iterations: 1500 }] };
  const plan = (seconds: number, changes = {}, isChosen = false) =>
    planIterations(seconds, { ...job, ...changes }, isChosen);
  assert.equal(plan(0.1), {
    iterations: 1500,
    isSlow: false,
    note: ': 1,500 iterations, about 2 min 30 s (change with --iterations)',
  });
  assert.equal(plan(0.8), {
    iterations: 300,
    isSlow: true,
    note: ' is slow: running 300 iterations instead of 1,500 (about 4 min). Pass --iterations 1500 to run all (about 20 min)',
  });
  assert.equal([plan(0.3).iterations, plan(5).iterations], [1500, 200]);
  const chosen = plan(0.8, { options: [{ iterations: 1000 }] }, true);
  assert.equal([chosen.iterations, chosen.isSlow], [1000, true]);
  assert.match(chosen.note, ': 1,000 iterations, about 13 min 20 s');
  assert.match(plan(0.01, { seeds: [0, 1] }).note, 'about 30 s for 2 runs');
  assert.match(plan(0.01, { options: [{ iterations: 700 }, { iterations: 1500 }] }).note, 'about 22 s for 2 runs');
});

test('--compare runs all methods, with the mean of each if there are several seeds', async () => {
  const { code, events, result, stderr } = await run(
    `start ${DATA} --target-classes 0-1 --compare --seeds 0,1 -i 10 --json`,
  );
  assert.is(code, 0, stderr.text);
  const runs = events.filter(({ event }) => event === 'run');
  assert.equal(
    runs.map(({ method, seed }) => `${method} ${seed}`),
    METHOD_NAMES.flatMap((method) => [`${method} 0`, `${method} 1`]),
  );
  const dann = (runs[2].targetAccuracy + runs[3].targetAccuracy) / 2;
  assert.equal([result.method, result.methods.dann.targetAccuracy, result.methods.dann.seeds], ['pada', dann, [0, 1]]);
  assert.match(stderr.text, new RegExp(`DANN +${dann.toFixed(1)} \\([\\d.]+\\) +10\\b`));
  assert.not.match(stderr.text, 'Reference');
});

test('--compare and --method contradict each other', () =>
  refused('start --compare --method dann', /^padagrad: --compare runs all methods; omit --method\n$/));

test('an interrupted start still reports its result', async () => {
  const { code, stderr } = await run(
    `start ${DATA} --target-classes 0-1 -i 100 -p 1 --json`,
    at(10, () => process.emit('SIGINT', 'SIGINT')),
  );
  assert.is(code, 130);
  assert.match(stderr.text, /^PADA: \d+\.\d % on the target test set after 10 iterations$/m);
});

test('recorded figures are a phrase, in the order of the methods', () => {
  const runs = [{}, {}, {}];
  const methods = {
    'self-training': { iterations: 700, mean: 99, deviation: null, runs: [{}] },
    pada: { iterations: 1500, mean: 95.71, deviation: 3.6, runs },
    'source-only': { iterations: 1500, mean: 90.7, deviation: 0.42, runs },
  };
  const recorded: Recorded = { tasks: [{ name: 'fontdigits-mnist', methods }] };
  assert.is(
    recordedFigures('fontdigits-mnist', recorded),
    'source only 90.7 (0.4), PADA 95.7 (3.6) after 1,500 iterations; self-training 99.0 after 700 iterations (percent, mean of 1 or 3 seeds with standard deviation)',
  );
  assert.is(recordedFigures('usps-mnist', recorded), undefined);
  assert.match(recordedFigures('fontdigits-mnist')!, /source only .*DANN .*PADA/);
});

test.run();
