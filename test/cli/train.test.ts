import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { htmlReport, type ReportData } from '../../src/cli/run/htmlReport.ts';
import { seedsLine, summarizeSeeds } from '../../src/cli/show/summary.ts';
import { at, inFolder, run, TRAIN, writeIdx } from './command.ts';

// `padagrad train`: its options, its output, its files and its exit code.

const test = suite('train');
inFolder(test);

const optionsOf = async (flags = '') => {
  const { code, stderr, events } = await run(`${TRAIN} -i 0 --json${flags && ` ${flags}`}`);
  assert.is(code, 0, stderr.text);
  return events.find(({ event }) => event === 'start').options;
};

test('the defaults are those of the main job, and flags are named as in TLlib', async () => {
  const defaults = {
    method: 'pada',
    sourceJitter: 'none',
    targetJitter: 'none',
    iterations: 0,
    batchSize: 8,
    lr: 0.01,
    lrGamma: 0.001,
    lrDecay: 0.75,
    momentum: 0.9,
    weightDecay: 0.001,
    batchNorm: 'joint',
    tradeOff: 1,
    temperature: 0.1,
    classWeightUpdateSteps: 100,
    reversalAlpha: 1,
    reversalIterations: 1000,
    geometry: 'none',
    ...{ classWeights: 'mean', share: 0.3, floor: 0, threshold: 0.99, pseudoFrom: 300, ramp: 200 },
    pseudoLabelWeights: 'balanced',
    ...{ gamma: 0.1, tradeOffNorm: 0.05, tradeOffEntropy: 0, delta: 1, cotWeight: 1, mu: 4 },
    ...{ mccWeight: 0, mccTemperature: 2.5, alphaPowerWeight: 0, alphaPower: 6, entropyWeight: 0 },
    seed: 0,
    eager: false,
    float32MatmulPrecision: 'highest',
  };
  assert.equal(await optionsOf(), defaults);
  const flags =
    '-b 4 --learning-rate 2e-2 --lr-gamma 0.002 --lr-decay .5 --momentum 0.8 --wd 0.01 --trade-off 0.5 --temperature 0.2 -u 7 --reversal-alpha 2 --reversal-iterations 50 --seed 3 --eager --source-jitter affine,flip=0.5 --target-jitter colour --class-weights saturating --mcc-weight 0.5';
  assert.equal(await optionsOf(flags), {
    ...defaults,
    ...{ batchSize: 4, lr: 0.02, lrGamma: 0.002, lrDecay: 0.5, momentum: 0.8, weightDecay: 0.01 },
    ...{ tradeOff: 0.5, temperature: 0.2, classWeightUpdateSteps: 7, reversalAlpha: 2, reversalIterations: 50 },
    ...{ seed: 3, eager: true, sourceJitter: 'affine,flip=0.5', targetJitter: 'colour' },
    ...{ classWeights: 'saturating', mccWeight: 0.5 },
  });
  const { method, tradeOffNorm, delta } = await optionsOf('--method afn --trade-off-norm 0.1 --delta 2');
  assert.equal([method, tradeOffNorm, delta], ['afn', 0.1, 2]);
  assert.equal((await optionsOf('--weight-decay 0.01 --lr 1')).weightDecay, 0.01);
});

test('help has groups, the required flags first and examples last', async () => {
  const { code, stdout, opened } = await run('train --help');
  assert.equal([code, opened], [0, 0]);
  assert.equal(
    stdout.lines.filter((line) => /^\w+:$/.test(line)),
    ['Required:', 'Data:', 'Model:', 'Method:', 'Schedule:', 'Watching:', 'Running:', 'Examples:'],
  );
  assert.match(stdout.text, /Required:\n {2}-s, --source <data> .*\n {2}-t, --target <data> .*\n\nData:/s);
  assert.match(stdout.lines.at(-1)!, /^ {2}padagrad train /);
});

test('a run in plain lines, with the report at the end', async () => {
  const { code, stdout, stderr, opened } = await run(
    `${TRAIN} --target-classes 0-1 -i 100 -u 40 --eval-freq 60 --per-class-eval`,
  );
  assert.equal([code, stderr.text, opened], [0, '', 1]);
  const { text, lines } = stdout;
  assert.not.match(text, '\u001b');
  for (const line of [
    /^PADA, seed 0$/m,
    /^ {2}source idx:s \(60 labelled images\)$/m,
    /^ {2}target idx:t classes 0,1 \(40 unlabelled images\)$/m,
    /^ {2}device \S/m,
    /^ {2}run {4}100 iterations of 8 \+ 8 images, 51,909 parameters$/m,
    /^iteration {2}50\/100 {2}class loss \d\.\d{3} {2}transfer loss \d\.\d{3} {2}class accuracy \d+\.\d % {2}domain accuracy \d+\.\d % {2}[\d.]+ ms\/iteration {2}[\d.]+ s left$/m,
    /^iteration 100\/100 .* done, evaluating on 100 images$/m,
    /^class weights after 40 iterations: 0:\d\.\d\d 1:\d\.\d\d \| absent 2:\d\.\d\d 3:\d\.\d\d \(\d\.\d effective classes, entropy \d\.\d\d\)$/m,
    /^after 60 iterations: target \d+\.\d % \(measured with labels that training does not use\), source \d+\.\d %$/m,
    /^ {2}target by class: 0: \d+\.\d {2}1: \d+\.\d$/m,
    /^100 iterations in [\d.]+ m?s, [\d.]+ ms each; first iteration after \d+/m,
    /^source accuracy \d+\.\d % on 60 test images$/m,
    /^target accuracy \d+\.\d % on 40 test images \(measured with labels that training does not use\)$/m,
  ])
    assert.match(text, line);
  assert.is(lines.filter((line) => line.startsWith('iteration ')).length, 2);
  const head = lines.findIndex((line) => /class +accuracy +images +as 0 +as 1 +as 2 +as 3/.test(line));
  const rows = lines.slice(head + 1).map((row) => row.trim().split(/\s+/));
  assert.equal(
    rows.map(([c, , , images, ...predictions]) => [c, images, predictions.reduce((n, x) => n + (Number(x) || 0), 0)]),
    [
      ['0', '20', 20],
      ['1', '20', 20],
    ],
  );
});

test('a terminal gets a live line and bars', async () => {
  const { code, stdout } = await run(`${TRAIN} --target-classes 0-1 -i 20 -u 10`, { tty: true });
  assert.is(code, 0);
  const plain = stripVTControlCharacters(stdout.text);
  assert.match(stdout.text, '\u001b[');
  // 10 iterations between two lines of progress, instead of 50.
  assert.match(plain, /█+ +10\/20 .*\nclass loss \d\.\d+ +transfer loss \d\.\d+ +class accuracy/);
  const bars = plain.split('\n').filter((line) => / {2}(shared|absent)$/.test(line));
  assert.equal(
    bars.map((line) => line.replace(/^.* /, '')),
    ['shared', 'shared', 'absent', 'absent', 'shared', 'shared', 'absent', 'absent'],
  );
  assert.match(bars.join(), '█'.repeat(32));
});

test('with --json stdout has only JSON, and text goes to stderr', async () => {
  const { code, events, result, stderr } = await run(`${TRAIN} -i 100 -u 60 --json`);
  assert.is(code, 0);
  assert.equal(
    events.map(({ event }) => event).filter((event) => event !== 'compile'),
    ['start', 'progress', 'classWeight', 'progress', 'evaluation', 'result'],
  );
  const [start, progress] = events.filter(({ event }) => event === 'start' || event === 'progress');
  assert.equal(
    [start.task.source, start.task.sourceLimit, start.task.numClasses, start.options.iterations, start.parameters],
    ['idx:s', null, 4, 100, 51909],
  );
  assert.equal([start.sourceCount, start.targetCount], [60, 40]);
  assert.type(start.device.device, 'string');
  assert.equal([progress.iteration, progress.iterations, Number.isFinite(progress.classLoss)], [49, 100, true]);
  assert.equal([result.iterations, result.aborted, result.classWeight.length], [100, false, 4]);
  assert.equal([result.targetAccuracy, result.sourceAccuracy], [result.target.accuracy, result.source.accuracy]);
  assert.ok(result.secondsPerIteration > 0 && result.secondsToFirstStep > 0);
  assert.match(stderr.text, `target accuracy ${result.targetAccuracy.toFixed(1)} %`);
});

test('limits come before classes, and test sets are filtered as the training data is', async () => {
  const flags = '--source-classes 0,1,3 --source-limit 50 --target-classes 1 --target-limit 30 -i 1 --json';
  const { events, result } = await run(`${TRAIN} ${flags}`);
  const { sourceCount, targetCount, task } = events.find(({ event }) => event === 'start');
  assert.equal([sourceCount, targetCount, task.numClasses], [38, 15, 4]);
  assert.equal([result.source.count, result.target.count], [45, 20]);
});

test('a target without labels is trained on, but not tested', async () => {
  const { code, result, stderr } = await run('train -s idx:s -t idx:bare -b 8 -i 2 --source-test idx:s --json');
  assert.equal([code, result.targetAccuracy, result.source.count], [0, null, 60]);
  assert.match(stderr.text, 'target accuracy unknown (pass --target-test to measure it)');
});

test('source-only has no domain accuracy: null, not NaN', async () => {
  const { events, stderr } = await run(`${TRAIN} -i 2 --method source-only --json`);
  assert.is(events.find(({ event }) => event === 'progress').domainAccuracy, null);
  assert.match(stderr.text, /class loss \d\.\d{3} {2}class accuracy \d+\.\d % {2}\d/);
});

test('--seeds runs once per seed, and reports mean and standard deviation', async () => {
  const { code, events, result, stderr } = await run(`${TRAIN} -i 10 --seeds 0,1,2 --json --out seeds`);
  assert.is(code, 0);
  const runs = events.filter(({ event }) => event === 'run');
  assert.equal(
    runs.map(({ seed }) => seed),
    [0, 1, 2],
  );
  const accuracies = runs.map(({ targetAccuracy }) => targetAccuracy);
  assert.equal(result.targetAccuracy, accuracies.reduce((a, b) => a + b) / 3);
  assert.match(stderr.text, `(${accuracies.map((value) => value.toFixed(1)).join(', ')})`);
  assert.equal(readdirSync('seeds').sort(), ['seed-0', 'seed-1', 'seed-2']);
  const made = [90, 92, 97].map((targetAccuracy, seed) => ({ ...runs[0], seed, targetAccuracy }));
  const { targetAccuracy, targetDeviation } = summarizeSeeds(made);
  assert.ok(Math.abs(targetAccuracy! - 93) < 1e-9 && Math.abs(targetDeviation! - Math.sqrt(13)) < 1e-9);
  const tested = made.map((one) => ({ ...one, sourceAccuracy: null }));
  const line =
    'PADA, seeds 0, 1, 2: target accuracy 93.0 (3.6) (90.0, 92.0, 97.0); mean (standard deviation) in percent';
  assert.is(seedsLine(summarizeSeeds(tested)), line);
  const unlabelled = tested.map((one) => ({ ...one, targetAccuracy: null }));
  assert.is(seedsLine(summarizeSeeds(unlabelled)), 'PADA, seeds 0, 1, 2: accuracy unknown');
});

test('--out saves config, metrics, checkpoint and model, and says if it overwrites a run', async () => {
  const out = join('deep', 'run');
  assert.is((await run(`${TRAIN} -i 120 --out ${out}`)).code, 0);
  assert.equal(readdirSync(out).sort(), [
    'checkpoint-100.safetensors',
    'config.json',
    'metrics.jsonl',
    'model.safetensors',
    'report.html',
  ]);
  const config = JSON.parse(readFileSync(join(out, 'config.json'), 'utf8'));
  assert.equal(Object.keys(config), ['padagrad', 'task', 'options', 'watch', 'data', 'device']);
  assert.equal([config.options.iterations, config.task.source], [120, 'idx:s']);
  const rows = () => readFileSync(join(out, 'metrics.jsonl'), 'utf8').trim().split('\n');
  const parsed = rows().map((row) => JSON.parse(row));
  assert.equal(
    parsed.filter(({ event }) => event === 'iteration').map(({ iteration }) => iteration),
    Array.from({ length: 120 }, (_, i) => i),
  );
  assert.equal(
    parsed.filter(({ event }) => event !== 'iteration').map(({ event }) => event),
    ['classWeight', 'evaluation', 'result'],
  );
  const second = await run(`${TRAIN} -i 10 --out ${out}`);
  assert.match(second.stdout.text, `overwriting an earlier run in ${out}`);
  assert.is(rows().length, 12);
});

test('report.html holds the curves, the predictions and the settings of a run', async () => {
  // The left half of each image is brighter.
  const images80 = Uint8Array.from({ length: 100 * 80 * 80 }, (_, i) => (i % 80 < 40 ? 200 : 100));
  const labels = Uint8Array.from({ length: 100 }, (_, i) => i % 2);
  writeIdx('large', { images: images80, labels, count: 100, height: 80, width: 80 });
  const { code, stderr } = await run(
    'train -s idx:large -t idx:large --target-test idx:large -b 4 -i 6 -u 3 --eval-freq 2 --out reported',
  );
  assert.is(code, 0, stderr.text);
  const html = readFileSync(join('reported', 'report.html'), 'utf8');
  const [, json] = /<script type="application\/json" id="data">(.*)<\/script>\n/.exec(html)!;
  const data: ReportData = JSON.parse(json!);
  const { iterations, classWeights, evaluations, images, settings, result } = data;
  assert.equal([iterations.first, iterations.classLoss.length, iterations.domainAccuracy.length], [0, 6, 6]);
  assert.equal(
    [classWeights.iteration, classWeights.weights.map(({ length }) => length)],
    [
      [3, 6],
      [2, 2],
    ],
  );
  assert.equal(
    evaluations.map(({ iteration }) => iteration),
    [2, 4, 6],
  );
  assert.is(evaluations.at(-1)!.target, result.targetAccuracy);
  assert.equal([settings['--iterations'], settings['--source'], settings['--lr']], ['6', 'idx:large', '0.01']);
  // The method is PADA.
  assert.equal([settings['--temperature'], settings['--threshold']], ['0.1', undefined]);
  // 48 of 100 images, spread over the set, at half their size of 80x80.
  assert.equal([images!.channels, images!.height, images!.width], [1, 40, 40]);
  assert.equal(
    images!.predictions.map(({ truth }) => truth),
    Array.from({ length: 48 }, (_, i) => labels[Math.floor((i * 100) / 48)]),
  );
  const pixels = Buffer.from(images!.pixels, 'base64');
  assert.is(pixels.length, 48 * 40 * 40);
  assert.equal([...pixels.subarray(-40)], [...new Array(20).fill(200), ...new Array(20).fill(100)]);
  // No name ends the script that holds the data.
  assert.not.match(htmlReport({ ...data, source: '</script><p>' }), '<p>');
});

for (const [signal, exitCode] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(`${signal} ends a run early, evaluates, saves the model, and gives exit code ${exitCode}`, async () => {
    const flags = `-i 200 -p 1 --seeds 0,1 --json --out ${signal}`;
    const { code, events, result, stderr } = await run(
      `${TRAIN} ${flags}`,
      at(20, () => process.emit(signal, signal)),
    );
    assert.is(code, exitCode, stderr.text);
    assert.equal([result.aborted, result.iterations, result.seeds], [true, 20, [0]]);
    assert.is(events.filter(({ event }) => event === 'start').length, 1, 'the second run does not start');
    assert.match(
      stderr.text,
      /stopping and evaluating; press Ctrl-C again to quit immediately\n(.*\n)*stopped after 20 of 200/,
    );
    assert.is(stderr.text.split('(measured with').length - 1, 1, 'reported once');
    assert.ok(readdirSync(join(signal, 'seed-0')).includes('model.safetensors'));
    assert.is(process.listenerCount(signal), 0);
  });
}

test.run();
