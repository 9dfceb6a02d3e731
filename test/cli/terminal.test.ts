import pc from 'picocolors';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { diagnoseClassWeight } from '../../src/adaptation/diagnostics.ts';
import type { Job } from '../../src/cli/run/job.ts';
import { weightBars } from '../../src/cli/show/bars.ts';
import { RunReport } from '../../src/cli/show/report.ts';
import { Terminal } from '../../src/cli/show/terminal.ts';
import { type MethodName, runDefaultsOf } from '../../src/train/methods/named.ts';
import { Recorder } from './command.ts';

const SENTENCE = 'PADA reached 94.7 % on the test images; recorded were 91.8 and 66.8.';

function written(isTTY: boolean, text: string): string[] {
  const stdout = Object.assign(new Recorder(isTTY), { columns: 30 });
  new Terminal({ stdout, stderr: new Recorder() }, false).line(text);
  return stdout.text.split('\n').slice(0, -1);
}

test('a sentence longer than the terminal is wide is broken between words', () => {
  const lines = written(true, SENTENCE);
  assert.is(lines.map((line) => line.trim()).join(' '), SENTENCE);
  assert.ok(lines.length === 3 && lines.every((line) => line.length <= 30), lines.join('|'));
});

test('indented lines keep their indentation, and a file gets lines as they are', () => {
  assert.equal(written(true, '    0  ####\n   10  ##'), ['    0  ####', '   10  ##']);
  assert.equal(written(false, SENTENCE), [SENTENCE]);
});

test('bars are as long as the terminal has room for', () => {
  const colors = pc.createColors(false);
  for (const [columns, longest] of [
    [40, 18],
    [200, 32],
    [10, 1],
    [undefined, 32],
  ] as const) {
    const rows = weightBars([1, 0.5], [0], { colors, columns });
    assert.is(rows[0], `    0  ${'█'.repeat(longest)}  1.000  shared`);
  }
});

test('a class weight that falls from 1 is a warning once pseudo-labels train the model', () => {
  const job = { task: { targetClasses: null }, record: { classNames: ['cat', 'dog'] } } as unknown as Job;
  const warned = (method: MethodName, ...weights: [iteration: number, ofDog: number][]): boolean => {
    const stdout = new Recorder();
    const report = new RunReport(new Terminal({ stdout, stderr: stdout }, false), job, runDefaultsOf(method));
    for (const [iteration, ofDog] of weights) {
      const classWeight = [1, ofDog];
      report.classWeight({ iteration, classWeight, ...diagnoseClassWeight(classWeight) });
    }
    return stdout.text.includes('the class weight of dog was 1 and has fallen');
  };
  assert.equal(
    [
      warned('self-training', [300, 1], [400, 0.6]),
      warned('self-training', [300, 1], [400, 0.95]),
      warned('self-training', [300, 0.8], [400, 0.6]),
      warned('self-training', [200, 1], [300, 0.6]),
      warned('pada', [300, 1], [400, 0.6]),
    ],
    [true, false, false, false, false],
  );
});

test.run();
