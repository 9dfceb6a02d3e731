import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Analysis, reportDataOf } from '../../src/cli/run/htmlReport.ts';
import { linesSvg, scatterSvg } from '../../src/cli/show/svg.ts';
import { decodeSafetensors, encodeSafetensors } from '../../src/io/safetensors.ts';
import { stripes } from '../train/stripes.ts';
import { inFolder, refused, run, TRAIN, writeIdx } from './command.ts';

// `padagrad analyse`: its files, and that they hold what the model does.

const test = suite('analyse');
inFolder(test);

let trained: { accuracy: number; confusion: number[][] };
test.before(async () => {
  const { code, result } = await run(`${TRAIN} -i 6 -u 2 --out run --json`);
  assert.is(code, 0);
  trained = result.target;
});
const read = (folder: string): Analysis & Record<string, unknown> =>
  JSON.parse(readFileSync(join(folder, 'analysis.json'), 'utf8'));

test('analyse adds the features, accuracies and mistakes to the folder of a run', async () => {
  const { code, stdout, stderr } = await run('analyse --model run --examples 30');
  assert.is(code, 0, stderr.text);
  const { aDistance, points, target, mistakes, task, classWeights } = read('run');
  assert.match(stdout.text, `A-distance ${aDistance.toFixed(2)} (0: `);
  // 12 of 60 are tested: 2 / sqrt(12).
  assert.match(stdout.text, 'warning: the A-distance was tested on 12 examples, so chance changes it by about 0.6;');
  assert.match(stdout.text, /^source accuracy \d+\.\d % on 60 test images$/m);
  assert.ok(aDistance >= -2 && aDistance <= 2);
  assert.equal(task, { source: 'idx:s', target: 'idx:t' });
  assert.equal((classWeights as { iteration: number[] }).iteration, [2, 4, 6]);
  // 30 of 60 source images, and 30 of 40 target images, of two classes.
  const { x, y, label, prediction, sources } = points;
  assert.equal([x.length, y.length, label.length, prediction.length, sources], [60, 60, 60, 60, 30]);
  assert.equal([new Set(label.slice(0, 30)).size, new Set(label.slice(30)).size], [4, 2]);
  assert.ok([...x, ...y].every(Number.isFinite));
  // The figures are those of the run, which tested the same images.
  assert.equal([target!.accuracy, target!.confusion], [trained.accuracy, trained.confusion]);
  const wrong = trained.confusion.flatMap((row, truth) => row.filter((_, c) => c !== truth)).reduce((a, b) => a + b, 0);
  assert.ok(wrong > 1, `${wrong} mistakes`);
  assert.is(mistakes!.predictions.length, Math.min(24, wrong));
  const certainties = mistakes!.predictions.map(({ probability }) => probability);
  assert.equal(
    certainties,
    certainties.toSorted((a, b) => b - a),
  );
  for (const { label, truth } of mistakes!.predictions) assert.not.equal(label, truth);
  const { analysis, result } = reportDataOf(readFileSync('run/report.html', 'utf8'))!;
  assert.equal([analysis?.aDistance, result.iterations], [aDistance, 6]);
  for (const name of ['features-domain.svg', 'features-class.svg', 'features-prediction.svg', 'class-weights.svg'])
    assert.match(readFileSync(join('run', name), 'utf8'), /^<svg .*<\/svg>\n$/s);
});

test('the same seed gives the same files; other data is analysed on request', async () => {
  const { code, result } = await run('analyse -m run --examples 30 --json --out again');
  assert.equal([code, result.files.includes('report.html')], [0, true]);
  assert.is(readFileSync('again/analysis.json', 'utf8'), readFileSync('run/analysis.json', 'utf8'));
  writeFileSync('copy.safetensors', readFileSync('run/model.safetensors'));
  // Equal domains cannot be told apart, unless by chance.
  writeIdx('twin', stripes(60, 5));
  const bare = await run('analyse -m copy.safetensors -s idx:s -t idx:twin --examples 60 --out other --json');
  assert.is(bare.code, 0, bare.stderr.text);
  assert.ok(bare.result.aDistance < 1.2, `A-distance ${bare.result.aDistance}`);
  assert.equal([existsSync('other/report.html'), existsSync('other/class-weights.svg')], [false, false]);
  const unlabelled = await run('analyse -m run -t idx:bare --examples 8 --out bare');
  assert.match(unlabelled.stdout.text, 'target accuracy unknown (pass --target-test to measure it)');
  assert.equal([read('bare').target, read('bare').mistakes, read('bare').points.label.at(-1)], [null, null, null]);
});

test('analyse refuses a model without data or folder, and another number of classes', async () => {
  writeFileSync('copy.safetensors', readFileSync('run/model.safetensors'));
  await refused('analyse -m run --examples 2', /--examples.*5/);
  writeIdx('few', stripes(4, 7));
  await refused('analyse -m run -t idx:few', '--target idx:few: 4 images cannot be compared; pass 5');
  await refused('analyse -m nowhere', '--model: no such file: nowhere');
  await refused('analyse -m copy.safetensors', '--model copy.safetensors is no run folder; pass --out');
  await refused('analyse -m copy.safetensors --out x', '--source is missing; only a run folder says');
  const content = decodeSafetensors(readFileSync('run/model.safetensors'));
  const record = { ...JSON.parse(content.metadata.get('padagrad')!), classNames: ['a', 'b', 'c', 'd'] };
  const metadata = { ...Object.fromEntries(content.metadata), padagrad: JSON.stringify(record) };
  writeFileSync('named.safetensors', encodeSafetensors(content.tensors, metadata));
  await refused(
    'analyse -m named.safetensors -s idx:s -t idx:t --out x',
    '--source idx:s has the classes (no names), but those of named.safetensors are a, b, c, d; pass a source',
  );
  writeIdx('five', stripes(30, 6, { classes: 5 }));
  await refused('analyse -m run -s idx:five', '--source idx:five has 5 classes, but run/model.safetensors has 4');
  // Labels of other classes would be left out of the accuracy.
  await refused(
    'analyse -m run -t idx:five',
    '--target idx:five: label 4 is out of range; the model has classes 0-3, so leave others out with --target-classes',
  );
});

test('figures hold a mark per point, and names only as text', () => {
  const hostile = '</svg><script>"&';
  const scatter = {
    title: hostile,
    x: [0, 1, 2],
    y: [5, 5, 5],
    sources: 1,
    groups: [0, 1, null],
    names: ['a', hostile],
  };
  const svg = scatterSvg(scatter);
  assert.is(svg.match(/<script>|<\/svg>/g)!.length, 1);
  // A dot for the source, crosses for the target; the third point is grey.
  assert.equal(svg.match(/M[\d.]+ [\d.]+(h0|m-2)/g), ['M462.0 452.0m-2', 'M28.0 452.0h0', 'M245.0 452.0m-2']);
  assert.match(svg, '<path d="M462.0 452.0m-2-2l4 4m0-4l-4 4" fill="none" stroke="#aaa"');
  const lines = linesSvg('w', [10, 20], [{ name: 'a', y: [1, 0.5] }]);
  assert.match(lines, '<polyline points="28.0,36.0 462.0,244.0"');
});

test.run();
