import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { mainFile, parseAddress, showAddress } from '../../demo/lab/address.ts';
import { changedLines } from '../../demo/lab/changes.ts';
import { headerOf } from '../../demo/lab/header.ts';
import { tokensOf } from '../../demo/lab/highlight.ts';
import type { Choice, Report } from '../../demo/lab/protocol.ts';
import { placeOf } from '../../demo/lab/worker/check.ts';
import { EditedModule, filesOf } from '../../demo/lab/worker/editedModule.ts';
import { Lab } from '../../demo/lab/worker/lab.ts';
import { guard } from '../../demo/lab/worker/loopGuard.ts';
import { subjectsOf } from '../../demo/lab/worker/workloads.ts';
import { kernelFiles } from '../../tools/page/build.mjs';
import { gpuTest, run } from '../harness.ts';

// The kernel lab as its worker runs it, on the adapter that tests have.

const sources = Object.fromEntries(kernelFiles().map((path: string) => [path, readFileSync(path, 'utf8')]));

type Of<K extends Report['type']> = Extract<Report, { type: K }>;

/** A lab, and what it reported since it was last asked something. */
class Bench {
  private reports: Report[] = [];
  private readonly lab = new Lab((report) => this.reports.push(report), sources);

  async take(command: Parameters<Lab['take']>[0]): Promise<void> {
    this.reports = [];
    await this.lab.take(command);
  }

  last<K extends Report['type']>(type: K): Of<K> | undefined {
    return this.reports.findLast((report): report is Of<K> => report.type === type);
  }

  all<K extends Report['type']>(type: K): Of<K>[] {
    return this.reports.filter((report): report is Of<K> => report.type === type);
  }

  /** Runs a kernel with something in one of its files replaced. */
  async edited(choice: Choice, path: string, from: string, to: string): Promise<void> {
    const text = sources[path]!;
    assert.ok(text.includes(from), `${path} has no ${from}`);
    await this.take({ type: 'run', choice, edits: { [path]: text.replace(from, to) } });
  }
}

const bench = new Bench();
const peaks = {
  ...{ scalarGflops: 10, vectorGflops: 10, halfGflops: null, readGbps: 1, writeGbps: 1, copyGbps: 1 },
  ...{ dispatchUs: 1, submitUs: 1, readbackUs: 1, clock: 'wall' as const },
};
const SOFTMAX: Choice = { op: 'softmax', shape: '256x31', kernel: 'shipped' };
const MAIN = 'shaders/softmax.wgsl';
const lineOf = (path: string, part: string): number =>
  sources[path]!.split('\n').findIndex((line) => line.includes(part)) + 1;

test('it says what there is, and what a kernel is joined of', async () => {
  await bench.take({ type: 'begin', peaks, again: false });
  const { subjects } = bench.last('machine')!;
  const find = (op: string, shape: string) => subjects.find((one) => one.op === op && one.shape === shape);
  assert.equal(find('softmax', '256x31')!.kernels, ['shipped']);
  assert.equal(find('softmax-column-mean', '256x100')!.kernels, ['1 naive', '2 statistics', '3 shipped']);
  assert.ok(find('matmul', '512x512x512')!.kernels.length >= 6);
  assert.not(subjects.some(({ op }) => /^ladder|-step$/.test(op)));
  await bench.take({ type: 'open', choice: SOFTMAX });
  assert.equal(
    bench.last('opened')!.sources.map(({ path }) => path),
    ['shaders/rows.wgsl', 'shaders/softmax.row.wgsl', MAIN],
  );
});

test('the shipped kernel is right, and timed', async () => {
  await bench.take({ type: 'run', choice: SOFTMAX, edits: {} });
  const { checks, edited } = bench.last('checked')!;
  assert.equal([edited, checks.length, checks[0]!.wrong, checks[0]!.count], [false, 1, 0, 256 * 31]);
  const { timings } = bench.last('timed')!;
  assert.equal(
    timings.map(({ name, role }) => [name, role]),
    [['shipped', 'original']],
  );
  assert.ok(timings[0]!.row.medianMs! > 0 && timings[0]!.row.percentOfPeak! > 0);
});

test('an edited kernel that is right is timed beside the shipped one', async () => {
  await bench.edited(
    SOFTMAX,
    MAIN,
    'exp((x[i] - stats.x) * params.scale)',
    'exp2((x[i] - stats.x) * params.scale / log(2.0))',
  );
  assert.is(bench.last('checked')!.checks[0]!.wrong, 0);
  assert.equal(
    bench.last('timed')!.timings.map(({ role }) => role),
    ['edited', 'original'],
  );
});

test('of a wrong one the first wrong element is shown, and no time', async () => {
  await bench.edited(SOFTMAX, MAIN, '/ stats.y; }', '/ stats.y * select(1.0, 2.0, i == 33u); }');
  const [check] = bench.last('checked')!.checks;
  assert.is(check!.wrong, 1);
  const first = check!.elements.find(({ wrong }) => wrong)!;
  assert.equal(first.place, [1, 2]);
  assert.ok(Math.abs(first.actual / first.expected - 2) < 1e-4);
  assert.equal([check!.elements[0]!.place, check!.elements[0]!.wrong], [[1, 0], false]);
  assert.is(bench.last('timed'), undefined);
});

test('what does not compile is found at its line, in the file that has it', async () => {
  await bench.edited(SOFTMAX, 'shaders/softmax.row.wgsl', 'var s = 0.0;', 'var s = nonsense;');
  const { faults } = bench.last('faults')!;
  assert.is(faults.length, 1);
  const { path, line, text } = faults[0]!;
  assert.equal([path, line], ['shaders/softmax.row.wgsl', lineOf('shaders/softmax.row.wgsl', 'var s = 0.0;')]);
  assert.match(text, 'nonsense');
  assert.is(bench.last('checked'), undefined);
});

test('other bindings, or an entry point that is gone, are refused in words', async () => {
  await bench.edited(SOFTMAX, MAIN, 'scale: f32 }', 'scale: f32, more: f32 }');
  assert.match(bench.last('failed')!.text, /fields of Params are others/);
  await bench.edited(SOFTMAX, MAIN, 'fn forward(', 'fn onward(');
  assert.match(bench.last('failed')!.text, /^softmax\.forward: .*forward/s);
});

test('a loop that does not end is left, with barriers beside it or without', async () => {
  const endless = 'i += 0u * step) { y[i] = exp';
  await bench.edited(SOFTMAX, MAIN, 'i += LANES * step) { y[i] = exp', endless);
  assert.match(bench.last('failed')!.text, /^A loop goes on and on/);
  const relu: Choice = { op: 'relu', shape: '65536', kernel: 'shipped' };
  const path = 'shaders/relu.wgsl';
  await bench.edited(relu, path, 'y[i] = ', 'while (params.size > 0u) { y[i] = x[i]; } y[i] = ');
  assert.match(bench.last('failed')!.text, /^A loop goes on and on/);
  assert.is(bench.last('checked'), undefined);
});

test('a rung of a ladder is edited as any other, and timed beside all of them', async () => {
  const choice: Choice = { op: 'softmax-column-mean', shape: '256x100', kernel: '1 naive' };
  await bench.edited(choice, 'bench/ladder/softmax/naive.wgsl', 'var sum = 0.0;', 'var sum = f32();');
  assert.equal(
    bench.last('timed')!.timings.map(({ name, role }) => `${name} ${role}`),
    ['1 naive edited', '1 naive original', '2 statistics rung', '3 shipped rung'],
  );
});

test('a gradient is checked by the name of its input', async () => {
  const choice: Choice = { op: 'relu-backward', shape: '65536', kernel: 'shipped' };
  await bench.edited(choice, 'shaders/relu.wgsl', 'dx[i] = select(dy[i]', 'dx[i] = -select(dy[i]');
  const [check] = bench.last('checked')!.checks;
  assert.is(check!.result, 'dx');
  assert.ok(check!.wrong > 30_000);
});

test('a kernel that counts on from run to run is judged by its first one, however often it is asked for', async () => {
  const choice: Choice = { op: 'confusion-matrix', shape: '128x10', kernel: 'shipped' };
  for (let i = 0; i < 2; i++) {
    await bench.take({ type: 'run', choice, edits: {} });
    assert.is(bench.last('checked')!.checks[0]!.wrong, 0);
    assert.ok(bench.last('timed')!.timings[0]!.row.verified);
  }
  await bench.edited(choice, 'shaders/confusionMatrix.wgsl', '@compute', 'fn unused() { }\n@compute');
  assert.equal(
    bench.last('timed')!.timings.map(({ role, row }) => `${role} ${row.verified}`),
    ['edited true', 'original true'],
  );
});

test('the bench runs there, and says which row it is at', async () => {
  await bench.take({ type: 'bench', only: ['relu', 'sum'], quick: true });
  const rows = bench.all('row');
  assert.equal(
    rows.map(({ row, done, cases }) => [row.bench, row.verified, done, cases]),
    [
      ['relu', true, 1, 3],
      ['relu-backward', true, 2, 3],
      ['sum', true, 3, 3],
    ],
  );
  assert.is(bench.last('idle')!.after, 'bench');
});

gpuTest('every kernel of the bench is a join of files, and runs with its loops counted', async (gpu) => {
  const seen = new Set<string>();
  for (const { op, kernels } of subjectsOf(gpu)) {
    // One size of each op has all its kernels.
    if (seen.has(op)) continue;
    seen.add(op);
    for (const [name, one] of kernels) {
      const opened = await one.open!(gpu);
      for (const { pipeline } of opened.step.commands.dispatches) {
        const { module } = pipeline;
        const files = filesOf(module, sources);
        assert.is(new EditedModule(module, files).code, module.code, `${op} ${name}`);
        const problems: string[] = [];
        for (const counting of ['together', 'apart'] as const) {
          const text = guard(module.code, 1000, counting);
          if (!text) break;
          gpu.native.pushErrorScope('validation');
          const { messages } = await gpu.native.createShaderModule({ code: text }).getCompilationInfo();
          await gpu.native.popErrorScope();
          problems.splice(0, problems.length, ...messages.map(({ message, lineNum }) => `${lineNum}: ${message}`));
          if (problems.length === 0) break;
        }
        assert.equal(problems, [], `${op} ${name}: ${pipeline.label}`);
      }
      opened.dispose();
    }
  }
  assert.ok(seen.size > 30);
});

test('loops are counted where they stand, on lines of their own', () => {
  const text = 'fn f() {\n  for (var i = 0u; i < f(2); i++) {\n    loop { break; }\n  }\n  while (a(1) < 2) { }\n}';
  const together = guard(text, 5, 'together')!;
  assert.is(together.match(/guardRounds \+= 1u/g)!.length, 3);
  assert.equal(
    together
      .split('\n')
      .slice(0, 6)
      .map((line) =>
        line
          .replace(/guard.*?break; \} /g, '')
          .trim()
          .slice(0, 7),
      ),
    ['fn f() {', 'for (va', 'loop { ', '}', 'while (', '}'].map((line) => line.slice(0, 7)),
  );
  assert.is(guard('fn f() { } // for (;;) { }', 5, 'together'), undefined);
});

test('an address names what is shown, and what is not there is as usual', () => {
  const subjects = [
    { op: 'softmax', shape: '256x31', kernels: ['shipped'] },
    { op: 'softmax', shape: '4096x31', kernels: ['shipped'] },
    { op: 'matmul', shape: '8x8x8', kernels: ['1 naive', '2 shipped, plain'] },
  ];
  const first = parseAddress('', subjects, true);
  assert.equal(first, { op: 'softmax', shape: '256x31', kernel: 'shipped', file: '' });
  assert.is(parseAddress('', subjects, false).shape, '4096x31');
  const naive = { op: 'matmul', shape: '8x8x8', kernel: '1 naive', file: 'bench/ladder/matmul/naive.wgsl' };
  assert.equal(parseAddress(`#${showAddress(naive)}`, subjects, true), naive);
  assert.equal(parseAddress('#op=none&shape=1&kernel=x', subjects, true), first);
  assert.is(parseAddress('#op=matmul', subjects, true).kernel, '2 shipped, plain');
  assert.is(
    mainFile('max-pool2d-backward', ['shaders/a.wgsl', 'shaders/maxPool2d.wgsl', 'shaders/b.wgsl']),
    'shaders/maxPool2d.wgsl',
  );
  assert.is(mainFile('matmul', ['a', 'b']), 'b');
});

test('every file has a title and formulas, told from prose and remarks', () => {
  for (const [path, text] of Object.entries(sources)) {
    const { title, notes } = headerOf(text);
    assert.match(title, /^[\w.]+: ./, path);
    assert.ok(
      ['shapes', 'parallel', 'numerics'].every((name) => notes.some(([one]) => one === name)),
      path,
    );
  }
  const { title, body } = headerOf(sources[MAIN]!);
  assert.is(title, 'softmax: rows of logits to probabilities, with temperature');
  assert.equal(
    body.map(([label]) => label),
    ['forward', 'backward'],
  );
  assert.equal(body[0]![2], 'm[r] = max_k x[r,k]');
});

test('lines that are others than the shipped ones are told', () => {
  const marks = (before: string, after: string) =>
    changedLines([...before].join('\n'), [...after].join('\n'))
      .map((changed) => (changed ? '*' : '-'))
      .join('');
  assert.is(marks('abcde', 'abcde'), '-----');
  assert.is(marks('abcde', 'abXde'), '--*--');
  assert.is(marks('abcde', 'aXbcdYe'), '-*---*-');
  assert.is(marks('abcde', 'ae'), '--');
  assert.is(marks('', 'ab'), '**');
  assert.is(marks('abab', 'abXab'), '--*--');
});

test('an index is a place, and a line its tokens', () => {
  assert.equal(placeOf(33, [256, 31]), [1, 2]);
  assert.equal(placeOf(0, []), []);
  for (const text of Object.values(sources))
    for (const line of text.split('\n'))
      assert.is(
        tokensOf(line)
          .map((token) => (typeof token === 'string' ? token : token.text))
          .join(''),
        line,
      );
  assert.equal(tokensOf('let y = f(1.5); // x'), [
    { kind: 'keyword', text: 'let' },
    ' y = ',
    { kind: 'call', text: 'f' },
    '(',
    { kind: 'number', text: '1.5' },
    '); ',
    { kind: 'comment', text: '// x' },
  ]);
});

run();
