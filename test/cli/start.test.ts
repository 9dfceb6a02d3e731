import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Recorded, recordedFigures } from '../../src/cli/show/recorded.ts';
import { fakeContext } from './fakes.ts';

const test = suite('start');

test('start is the main job, and names its iterations and their time', async () => {
  const { run, trials, stdout, asked } = fakeContext();
  assert.is(await run('start'), 0);
  const { options, data } = trials[0]!;
  assert.equal([options.method, options.iterations], ['pada', 1500]);
  assert.equal([data.source.count, data.target.count], [1000, 500]);
  assert.equal(asked.slice(0, 2), ['fontdigits train', 'mnist train']);
  assert.match(stdout.text, 'llvmpipe (software): 1,500 iterations (--iterations) take about 2 min 30 s');
  assert.match(stdout.text, "PADA reached 90.0 % on the target's test images after 1,500 iterations");
  assert.match(stdout.text, /--method source-only.*--method dann.*--compare/);
});

test('any train flag may follow', async () => {
  const { run, trials } = fakeContext();
  assert.is(await run('start', '--method', 'dann', '--iterations', '40', '-b', '16', '--target-limit', '300'), 0);
  const { options, data } = trials[0]!;
  assert.equal([options.method, options.iterations, options.batchSize, data.target.count], ['dann', 40, 16, 150]);
});

test('a slow software adapter does fewer iterations, unless they were asked for', async () => {
  const slow = fakeContext({ secondsPerIteration: 0.8 });
  assert.is(await slow.run('start'), 0);
  assert.is(slow.trials[0]!.options.iterations, 300);
  assert.match(
    slow.stdout.text,
    'is slow: 300 iterations in place of 1,500, about 4 min; --iterations 1500 does them all in about 20 min',
  );

  const slowest = fakeContext({ secondsPerIteration: 5 });
  await slowest.run('start');
  assert.is(slowest.trials[0]!.options.iterations, 200);

  const told = fakeContext({ secondsPerIteration: 0.8 });
  await told.run('start', '--iterations', '1000');
  assert.is(told.trials[0]!.options.iterations, 1000);
  assert.match(told.stdout.text, '1,000 iterations (--iterations) take about 13 min 20 s');

  for (const [secondsPerIteration, printFreq] of [
    [0.8, 1],
    [0.1, 10],
  ] as const) {
    const watched = fakeContext({ secondsPerIteration, tty: true });
    await watched.run('start');
    assert.is(watched.trials[0]!.settings.printFreq, printFreq, 'a line in a terminal moves on within a second or so');
  }

  const gpu = fakeContext({ secondsPerIteration: 0.8, software: false });
  await gpu.run('start');
  assert.is(gpu.trials[0]!.options.iterations, 1500);
});

test('--compare runs all three methods and sets them side by side', async () => {
  const accuracies = { 'source-only': 88, dann: 66, pada: 96 };
  const { run, trials, stdout, stderr } = fakeContext({ targetAccuracy: ({ method }) => accuracies[method] });
  assert.is(await run('start', '--compare', '--iterations', '50', '--json'), 0);
  assert.equal(
    trials.map(({ options }) => options.method),
    ['source-only', 'dann', 'pada'],
  );
  const result = stdout.events.at(-1);
  assert.equal([result.method, result.targetAccuracy], ['pada', 96]);
  assert.equal(
    Object.values<{ targetAccuracy: number }>(result.methods).map((one) => one.targetAccuracy),
    [88, 66, 96],
  );
  assert.match(stderr.text, /DANN +66\.0 +50/);
});

test('--compare with seeds gives each method its mean', async () => {
  const { run, trials, stdout } = fakeContext();
  assert.is(await run('start', '--compare', '--seeds', '0,1', '--iterations', '10', '--json'), 0);
  assert.is(trials.length, 6);
  assert.equal([stdout.events.at(-1).targetAccuracy, stdout.events.at(-1).methods.dann.seeds], [90.5, [0, 1]]);
});

test('--compare and --method contradict each other', async () => {
  const { run, stderr } = fakeContext();
  assert.is(await run('start', '--compare', '--method', 'dann'), 2);
  assert.is(stderr.text, 'padagrad: --compare runs all methods; leave --method out\n');
});

test('an interrupted start still says what was reached', async () => {
  const { run, stdout } = fakeContext({ interruptAt: { iteration: 100, signal: 'SIGINT' } });
  assert.is(await run('start'), 130);
  assert.match(stdout.text, "PADA reached 90.0 % on the target's test images after 100 iterations");
});

const recorded: Recorded = {
  iterations: 1500,
  tasks: [
    {
      name: 'fontdigits-mnist',
      title: 'printed digits -> MNIST 0-4',
      methods: {
        pada: { mean: 95.71, deviation: 3.6, runs: [0, 1, 2].map((seed) => ({ seed, targetAccuracy: 95 })) },
        'source-only': { mean: 90.7, deviation: 0.42, runs: [0, 1, 2].map((seed) => ({ seed, targetAccuracy: 90 })) },
      },
    },
  ],
};

test('recorded figures are a phrase, in the order of the methods', () => {
  assert.is(
    recordedFigures('fontdigits-mnist', recorded),
    'source only 90.7 (0.4), PADA 95.7 (3.6) (percent after 1,500 iterations, mean of 3 seeds with deviation)',
  );
  assert.is(recordedFigures('usps-mnist', recorded), undefined);
});

test.run();
