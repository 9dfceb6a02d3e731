import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { mainFile, parseAddress, showAddress } from '../../demo/lab/address.ts';
import { headerOf } from '../../demo/lab/header.ts';
import { changedLines, tokensOf } from '../../demo/lab/lines.ts';
import type { Choice, Report } from '../../demo/lab/protocol.ts';
import { PROBLEMS } from '../../demo/lab/words.ts';
import { placeOf } from '../../demo/lab/worker/check.ts';
import { EditedModule, filesOf } from '../../demo/lab/worker/editedModule.ts';
import { Lab } from '../../demo/lab/worker/lab.ts';
import { guard } from '../../demo/lab/worker/loopGuard.ts';
import { workloadsOf } from '../../demo/lab/worker/workloads.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { kernelFiles } from '../../tools/page/build.mjs';
import { gpuTest, run } from '../harness.ts';

// The lab's worker, on the adapter of the tests. The test takes the place of the page.

const sources = Object.fromEntries(kernelFiles().map((path: string) => [path, readFileSync(path, 'utf8')]));

type Of<K extends Report['type']> = Extract<Report, { type: K }>;

let reports: Report[] = [];
const lab = new Lab((report) => reports.push(report), sources);

/** Gives the lab a command and keeps its reports. */
async function take(command: Parameters<Lab['take']>[0]): Promise<void> {
  reports = [];
  await lab.take(command);
}

/** Runs a kernel with a part of one of its files replaced. */
async function runEdited(choice: Choice, path: string, [from, to]: readonly [string, string]): Promise<void> {
  const text = sources[path]!;
  assert.ok(text.includes(from), `${path} has no ${from}`);
  await take({ type: 'run', choice, edits: { [path]: text.replace(from, to) } });
}

/** Returns the latest report of a kind. */
const last = <K extends Report['type']>(type: K): Of<K> | undefined =>
  reports.findLast((report): report is Of<K> => report.type === type);

const timings = (): string[] => last('timed')!.timings.map(({ name, role }) => `${name} ${role}`);

const peaks = {
  ...{ scalarGflops: 10, vectorGflops: 10, halfGflops: null, readGbps: 1, writeGbps: 1, copyGbps: 1 },
  ...{ dispatchUs: 1, submitUs: 1, readbackUs: 1, clock: 'wall' as const },
};
const SOFTMAX: Choice = { op: 'softmax', shape: '256x31', kernel: 'shipped' };
const MAIN = 'shaders/softmax.wgsl';
const lineOf = (path: string, part: string): number =>
  sources[path]!.split('\n').findIndex((line) => line.includes(part)) + 1;

test('lists workloads, and the files of a kernel', async () => {
  await take({ type: 'begin', peaks, again: false });
  const { workloads } = last('device')!;
  const find = (op: string, shape: string) => workloads.find((one) => one.op === op && one.shape === shape);
  assert.equal(find('softmax', '256x31')!.kernels, ['shipped']);
  assert.equal(find('softmax-column-mean', '256x100')!.kernels, ['1 naive', '2 statistics', '3 shipped']);
  assert.ok(find('matmul', '512x512x512')!.kernels.length >= 6);
  assert.not(workloads.some(({ op }) => /^ladder|-step$/.test(op)));
  await take({ type: 'open', choice: SOFTMAX });
  assert.equal(
    last('opened')!.sources.map(({ path }) => path),
    ['shaders/rows.wgsl', 'shaders/softmax.row.wgsl', MAIN],
  );
});

test('checks and times the shipped kernel', async () => {
  await take({ type: 'run', choice: SOFTMAX, edits: {} });
  const { checks, edited } = last('checked')!;
  assert.equal([edited, checks.length, checks[0]!.wrong, checks[0]!.count], [false, 1, 0, 256 * 31]);
  assert.equal(timings(), ['shipped original']);
  const [{ row }] = last('timed')!.timings as [Of<'timed'>['timings'][number]];
  assert.ok(row.medianMs! > 0 && row.percentOfPeak! > 0);
});

test('times a correct edit together with the shipped kernel', async () => {
  await runEdited(SOFTMAX, MAIN, [
    'exp((x[i] - stats.x) * params.scale)',
    'exp2((x[i] - stats.x) * params.scale / log(2.0))',
  ]);
  assert.is(last('checked')!.checks[0]!.wrong, 0);
  assert.equal(timings(), ['shipped edited', 'shipped original']);
});

test('shows the first wrong element of a wrong edit, and no time', async () => {
  await runEdited(SOFTMAX, MAIN, ['/ stats.y; }', '/ stats.y * select(1.0, 2.0, i == 33u); }']);
  const [check] = last('checked')!.checks;
  assert.is(check!.wrong, 1);
  const first = check!.elements.find(({ wrong }) => wrong)!;
  assert.equal(first.place, [1, 2]);
  assert.ok(Math.abs(first.actual / first.expected - 2) < 1e-4);
  assert.equal([check!.elements[0]!.place, check!.elements[0]!.wrong], [[1, 0], false]);
  assert.is(last('timed'), undefined);
});

test('finds a compile error at its line and file', async () => {
  await runEdited(SOFTMAX, 'shaders/softmax.row.wgsl', ['var s = 0.0;', 'var s = nonsense;']);
  const { faults } = last('faults')!;
  assert.is(faults.length, 1);
  const { path, line, text } = faults[0]!;
  assert.equal([path, line], ['shaders/softmax.row.wgsl', lineOf('shaders/softmax.row.wgsl', 'var s = 0.0;')]);
  assert.match(text, 'nonsense');
  assert.is(last('checked'), undefined);
});

test('refuses changed bindings and missing entry points', async () => {
  await runEdited(SOFTMAX, MAIN, ['scale: f32 }', 'scale: f32, more: f32 }']);
  assert.is(last('failed')!.text, PROBLEMS.redeclared);
  await runEdited(SOFTMAX, MAIN, ['fn forward(', 'fn onward(']);
  assert.match(last('failed')!.text, /^softmax\.forward: .*forward/s);
});

test('leaves an endless loop, with barriers or without', async () => {
  await runEdited(SOFTMAX, MAIN, ['i += LANES * r.step) { y[i] = exp', 'i += 0u * r.step) { y[i] = exp']);
  assert.is(last('failed')!.text, PROBLEMS.endless);
  const relu: Choice = { op: 'relu', shape: '65536', kernel: 'shipped' };
  const path = 'shaders/relu.wgsl';
  await runEdited(relu, path, ['y[i] = ', 'while (params.size > 0u) { y[i] = x[i]; } y[i] = ']);
  assert.is(last('failed')!.text, PROBLEMS.endless);
  assert.is(last('checked'), undefined);
});

test('times an edited step of a ladder together with all steps', async () => {
  const choice: Choice = { op: 'softmax-column-mean', shape: '256x100', kernel: '1 naive' };
  await runEdited(choice, 'bench/ladder/softmax/naive.wgsl', ['var sum = 0.0;', 'var sum = f32();']);
  assert.equal(timings(), ['1 naive edited', '1 naive original', '2 statistics other', '3 shipped other']);
});

test('names a gradient after its input', async () => {
  const choice: Choice = { op: 'relu-backward', shape: '65536', kernel: 'shipped' };
  await runEdited(choice, 'shaders/relu.wgsl', ['dx[i] = select(dy[i]', 'dx[i] = -select(dy[i]']);
  const [check] = last('checked')!.checks;
  assert.is(check!.result, 'dx');
  assert.ok(check!.wrong > 30_000);
});

test('judges a kernel that accumulates by its first run, however often it runs', async () => {
  const choice: Choice = { op: 'confusion-matrix', shape: '128x10', kernel: 'shipped' };
  for (let i = 0; i < 2; i++) {
    await take({ type: 'run', choice, edits: {} });
    assert.is(last('checked')!.checks[0]!.wrong, 0);
    assert.ok(last('timed')!.timings[0]!.row.verified);
  }
  await runEdited(choice, 'shaders/confusionMatrix.wgsl', ['@compute', 'fn unused() { }\n@compute']);
  assert.equal(
    last('timed')!.timings.map(({ role, row }) => `${role} ${row.verified}`),
    ['edited true', 'original true'],
  );
});

test('runs the benchmark and counts its rows', async () => {
  await take({ type: 'bench', only: ['relu', 'sum'], quick: true, variants: false });
  const rows = reports.filter((report): report is Of<'row'> => report.type === 'row');
  assert.equal(
    rows.map(({ row, done, cases }) => `${row.bench} ${row.verified} ${done}/${cases}`),
    ['relu true 1/3', 'relu-backward true 2/3', 'sum true 3/3'],
  );
  assert.is(last('idle')!.after, 'bench');
});

test('the benchmark reports a kernel with a wrong result, and does not time it', async () => {
  // The lab opens its GPU itself.
  const { native } = (lab as unknown as { opened: Gpu }).opened;
  const create = native.createShaderModule.bind(native);
  native.createShaderModule = ({ code, ...rest }) => create({ ...rest, code: code.replaceAll('exp(', 'exp2(') });
  await take({ type: 'bench', only: ['tanh'], quick: true, variants: false });
  native.createShaderModule = create;
  const { row } = last('row')!;
  assert.equal([row.verified, row.medianMs, row.gbps], [false, null, null]);
  assert.match(row.problem!, /^element \d+ is /);
});

gpuTest('every kernel is joined from files, and compiles with its loops counted', async (gpu) => {
  const seen = new Set<string>();
  for (const { op, kernels } of workloadsOf(gpu)) {
    // The first shape of an op has all its kernels.
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

test('counts loops without moving lines', () => {
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

test('an address names what is shown, and unknown parts get defaults', () => {
  const workloads = [
    { op: 'softmax', shape: '256x31', kernels: ['shipped'] },
    { op: 'softmax', shape: '4096x31', kernels: ['shipped'] },
    { op: 'matmul', shape: '8x8x8', kernels: ['1 naive', '2 shipped, plain'] },
  ];
  const first = parseAddress('', workloads, true);
  assert.equal(first, { op: 'softmax', shape: '256x31', kernel: 'shipped', file: '' });
  assert.is(parseAddress('', workloads, false).shape, '4096x31');
  const naive = { op: 'matmul', shape: '8x8x8', kernel: '1 naive', file: 'bench/ladder/matmul/naive.wgsl' };
  assert.equal(parseAddress(`#${showAddress(naive)}`, workloads, true), naive);
  assert.equal(parseAddress('#op=none&shape=1&kernel=x', workloads, true), first);
  assert.is(parseAddress('#op=matmul', workloads, true).kernel, '2 shipped, plain');
  assert.is(
    mainFile('max-pool2d-backward', ['shaders/a.wgsl', 'shaders/maxPool2d.wgsl', 'shaders/b.wgsl']),
    'shaders/maxPool2d.wgsl',
  );
  assert.is(mainFile('matmul', ['a', 'b']), 'b');
});

test('every file has a title and notes, and formulas apart from sentences and remarks', () => {
  for (const [path, text] of Object.entries(sources)) {
    const { title, notes } = headerOf(text);
    assert.match(title, /^[\w.]+: ./, path);
    assert.ok(
      ['shapes', 'parallel', 'numerics'].every((name) => notes.some(([one]) => one === name)),
      path,
    );
  }
  const { title, body, notes } = headerOf(
    ['op: a title', 'of two lines', '', 'A sentence.', '  forward  y = a[r],   m = b', '', 'shapes    x', '          y']
      .map((line) => `// ${line}\n`)
      .join(''),
  );
  assert.equal([title, notes], ['op: a title of two lines', [['shapes', 'x y']]]);
  assert.equal(body, [['A sentence.'], ['forward', 'y = a[r]', 'm = b']]);
});

test('finds the lines that differ from the shipped text', () => {
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

test('splits an index into dimensions, and a line into tokens', () => {
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
