import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { csvOf } from '../../demo/page/csv.ts';
import type { Report, RunProgress, Samples, Snapshot } from '../../demo/page/protocol.ts';
import { defaultSettings, type Settings } from '../../demo/page/settings.ts';
import { PageState } from '../../demo/page/state.ts';
import { verdictOf } from '../../demo/page/verdict.ts';
import { VERDICT } from '../../demo/page/words.ts';
import type { Evaluation } from '../../src/train/events.ts';
import { METHOD_NAMES, type MethodName } from '../../src/train/methods/named.ts';

type Ready = Extract<Report, { type: 'ready' }>;

const samples = {} as Samples;
const settings = defaultSettings;

function ready(revision: number, from: Ready['from'], at: Partial<Record<MethodName, number>>, more = {}): Report {
  const iterations = Object.entries(at) as [MethodName, number][];
  return { type: 'ready', settings, samples, iterations, revision, from, next: [], ...more };
}
const progress = (revision: number, ...runs: RunProgress[]): Report => ({
  type: 'progress',
  msPerStep: 2,
  runs,
  revision,
});
const snapshots = (revision: number, ...all: [MethodName, Snapshot][]): Report => ({
  type: 'snapshots',
  snapshots: all,
  revision,
});
const failed = (fatal: boolean, code = ''): Report => ({ type: 'failed', code, text: '', fatal, running: false });

/** The measurements of a run in the iterations [from, to), with the same weight for every class. */
function measured(method: MethodName, [from, to]: readonly [number, number], weight: number): RunProgress {
  const rows = Array.from({ length: to - from }, (_, i) => ({
    iteration: from + i,
    classLoss: 1 / (from + i + 1),
    transferLoss: 0.5,
    classAccuracy: 75,
    domainAccuracy: method === 'source-only' ? Number.NaN : 50,
  }));
  const classWeight = new Array(10).fill(weight);
  const weights = { iteration: to, classWeight, effectiveClasses: 1, entropy: 0, collapsed: false };
  return { method, iteration: to, rows, weights, ended: false };
}

const snapshot = (iteration: number, accuracy: number) => ({ iteration, evaluation: { accuracy } }) as Snapshot;
const chosen = (...methods: MethodName[]): Settings => ({ ...settings, methods });
const iterationsOf = (list: readonly { iteration: number }[]): number[] => list.map(({ iteration }) => iteration);

/** Two runs, of which PADA has done four iterations. */
function trained(): PageState {
  const state = new PageState();
  state.choose(chosen('source-only', 'pada'), true);
  for (const report of [
    ready(1, 'start', { 'source-only': 0, pada: 0 }),
    progress(1, measured('source-only', [0, 2], 1), measured('pada', [0, 2], 1)),
    snapshots(1, ['pada', snapshot(2, 40)]),
    progress(1, measured('source-only', [2, 3], 1), measured('pada', [2, 4], 0.25)),
  ])
    state.take(report);
  return state;
}

test('keeps each metric once, and class weights when they change', () => {
  const state = trained();
  const pada = state.run('pada')!;
  assert.equal([iterationsOf(pada.rows), iterationsOf(pada.weights), state.iteration], [[0, 1, 2, 3], [2, 4], 3]);
});

test('rewinds after the loss of a device, and continues without gap or repetition', () => {
  const state = trained();
  state.take(ready(1, 'before', { 'source-only': 1, pada: 1 }));
  const pada = state.run('pada')!;
  const { rows, weights, accuracies } = pada;
  assert.equal([rows.length, weights.length, accuracies.length, state.iteration], [1, 0, 0, 1]);
  assert.is(pada.snapshot, undefined);
  state.take(progress(1, measured('pada', [1, 3], 1)));
  assert.equal(iterationsOf(pada.rows), [0, 1, 2]);
});

test('shows other digits at once and forgets snapshots of the old ones, late ones too', () => {
  const state = trained();
  const pada = state.run('pada')!;
  const revision = state.choose({ ...state.settings, classes: [9] });
  assert.equal([state.settings.classes, state.samples, pada.snapshot], [[9], undefined, undefined]);
  assert.is(pada.accuracies.length, 1);
  assert.ok(state.awaits('ready') && state.awaitsSnapshot(pada));
  // These reports were under way: the metrics count, the snapshot does not.
  state.take(progress(1, measured('pada', [4, 5], 0.25)));
  state.take(snapshots(1, ['pada', snapshot(5, 41)]));
  assert.equal([pada.rows.length, pada.snapshot, pada.accuracies.length], [5, undefined, 1]);
  const now = { 'source-only': 3, pada: 5 };
  state.take(ready(1, 'before', now));
  assert.ok(state.awaits('ready'));
  state.take(ready(revision, 'before', now, { next: ['progress', 'snapshots'] }));
  assert.equal([state.awaits('ready'), state.awaits('progress'), state.awaitsSnapshot(pada)], [false, true, true]);
  assert.equal([state.settings.classes, state.samples], [[9], samples]);
  state.take(progress(revision));
  state.take(snapshots(revision, ['pada', snapshot(5, 60)]));
  assert.equal([state.awaits('progress'), state.awaitsSnapshot(pada)], [false, false]);
  assert.is(pada.snapshot!.evaluation!.accuracy, 60);
});

test('keeps snapshots if other settings change', () => {
  const state = trained();
  state.choose({ ...state.settings, temperature: 3 });
  const pada = state.run('pada')!;
  assert.equal([Boolean(pada.snapshot), state.awaitsSnapshot(pada), state.awaits('ready')], [true, false, true]);
});

test('shows empty runs at once after a restart, and drops late reports of the old ones', () => {
  const state = trained();
  const answers: Report = { type: 'answers', answers: [['pada', new Float32Array(10)]], drawing: 0, revision: 1 };
  state.take(answers);
  assert.ok(state.run('pada')!.answer);
  const revision = state.choose({ ...state.settings, seed: 1 }, true);
  for (const late of [
    [],
    [progress(1, measured('pada', [4, 5], 0.25)), snapshots(1, ['pada', snapshot(5, 41)]), answers],
  ]) {
    for (const report of late) state.take(report);
    const seen = state.runs.map((run) => [run.iteration, run.rows.length, run.snapshot, run.answer]);
    const empty = [0, 0, undefined, undefined];
    assert.equal([seen, state.msPerStep], [[empty, empty], 0]);
  }
  state.take(ready(revision, 'start', { 'source-only': 0, pada: 0 }));
  state.take(progress(revision, measured('pada', [0, 1], 1)));
  assert.is(state.run('pada')!.iteration, 1);
});

test('keeps the history of a method that is deselected and selected again', () => {
  const state = trained();
  const seen = () => state.runs.map(({ method, rows }) => `${method} ${rows.length}`);
  state.choose(chosen('dann', 'source-only'));
  assert.equal(seen(), ['dann 0', 'source-only 3']);
  const revision = state.choose(chosen('dann', 'pada'));
  state.take(ready(revision, 'before', { dann: 0, pada: 4 }));
  assert.equal(seen(), ['dann 0', 'pada 4']);
});

test('takes the settings of a file, unless the visitor changed them meanwhile', () => {
  const file = { settings: { ...chosen('pada'), temperature: 7, run: true } };
  for (const changes of [false, true]) {
    const state = trained();
    if (changes) state.choose({ ...state.settings, temperature: 2 });
    state.take(ready(1, 'file', { pada: 40 }, file));
    const { iteration, rows } = state.run('pada')!;
    assert.equal([state.settings.temperature, state.settings.run], [changes ? 2 : 7, undefined]);
    assert.equal([iteration, rows.length], [40, 0]);
  }
});

test('awaits no results after a failure, and nothing at all after a fatal one', () => {
  const state = trained();
  state.take(ready(1, 'before', { pada: 4 }, { next: ['progress', 'snapshots'] }));
  state.take(failed(false));
  assert.not(state.awaits('progress', 'snapshots'));
  state.choose({ ...state.settings, classes: [1] });
  state.take(failed(false));
  assert.ok(state.awaits('ready'));
  state.take(failed(true));
  assert.not(state.awaits('ready', 'progress', 'snapshots', 'answers'));
  assert.is(state.adapter, undefined);
  state.mode = 'failed';
  state.choose({ ...state.settings, classes: [2] });
  state.draw(false);
  assert.not(state.awaits('ready', 'answers'));
  state.choose(state.settings, true);
  assert.ok(state.awaits('ready'));
  state.take(failed(true, 'NO_ADAPTER'));
  assert.is(state.adapter, null);
});

test('matches answers to drawings', () => {
  const state = trained();
  const answer = (drawing: number, digit: number): Report => {
    const probabilities = Float32Array.from({ length: 10 }, (_, i) => Number(i === digit));
    return { type: 'answers', answers: [['pada', probabilities]], drawing, revision: 1 };
  };
  const seen = () => [state.awaits('answers'), state.run('pada')!.answer?.indexOf(1)];
  const first = state.draw(false);
  assert.equal(seen(), [true, undefined]);
  state.take(answer(first, 3));
  assert.equal(seen(), [false, 3]);
  const second = state.draw(false);
  assert.equal(seen(), [true, 3]);
  const empty = state.draw(true);
  assert.is(seen()[1], undefined);
  state.take(answer(second, 4));
  assert.is(seen()[1], undefined);
  state.take({ type: 'answers', answers: null, drawing: empty, revision: 1 });
  assert.equal(seen(), [false, undefined]);
  state.draw(false);
  state.take(answer(state.draw(false), 5));
  assert.is(seen()[1], 5);
});

/** An evaluation with `correct` of `n` images correct, and `absent` classified as a digit that does not occur. */
function evaluated(correct: number, absent: number, n = 1000): Evaluation {
  const confusion = Array.from({ length: 10 }, () => new Array<number>(10).fill(0));
  confusion[0]![0] = correct;
  confusion[0]![9] = absent;
  confusion[0]![1] = n - correct - absent;
  return { accuracy: (100 * correct) / n, perClass: [], confusion, count: n };
}

type Round = { [M in MethodName]?: [correct: number, absent: number, n?: number] };

/** Runs that were evaluated every ten iterations; PADA has class weights from `weightedAt` on. */
function judged(rounds: readonly Round[], weightedAt = 5): PageState {
  const methods = METHOD_NAMES.filter((method) => method in rounds[0]!);
  const state = new PageState();
  state.choose(chosen(...methods), true);
  state.take(ready(1, 'start', Object.fromEntries(methods.map((method) => [method, 0]))));
  for (const [i, round] of rounds.entries()) {
    for (const at of [10 * i + 5, 10 * i + 10]) {
      const weight = (method: MethodName) => (method === 'pada' && at >= weightedAt ? 0.5 : 1);
      state.take(progress(1, ...methods.map((one) => measured(one, [at - 5, at], weight(one)))));
    }
    const seen = (one: MethodName) => ({ iteration: 10 * i + 10, evaluation: evaluated(...round[one]!) }) as Snapshot;
    state.take(snapshots(1, ...methods.map((one): [MethodName, Snapshot] => [one, seen(one)])));
  }
  return state;
}

const CLEAR: Round = { dann: [600, 350], pada: [900, 20] };
const SWAPPED: Round = { dann: CLEAR.pada!, pada: CLEAR.dann! };
const times = (n: number, round: Round): Round[] => new Array(n).fill(round);
const scores = (accuracies: Partial<Record<MethodName, number>>) =>
  Object.entries(accuracies).map(([method, accuracy]) => ({ method: method as MethodName, accuracy }));

const SCORES = VERDICT.ranked(30, scores({ pada: 90, dann: 60 }));
const NONE = VERDICT.equal(30, 1000, ['dann', 'pada']);
// 60 and 90 of 100 images differ clearly, 60 and 72 do not; of 1,000 images both would.
const small = (pada: number): Round => ({ dann: [60, 20, 100], pada: [pada, 20, 100] });

const VERDICTS: Record<string, [state: PageState, verdict: string]> = {
  'names the better and the worse run': [judged(times(3, CLEAR)), SCORES + VERDICT.misreads('dann', 35)],
  'blames PADA if PADA is at fault': [
    judged(times(3, SWAPPED)),
    VERDICT.ranked(30, scores({ dann: 90, pada: 60 })) + VERDICT.misreads('pada', 35),
  ],
  'blames no run for a share that both have': [judged(times(3, { dann: [600, 20], pada: [900, 20] })), SCORES],
  'says nothing about PADA before its first weights': [
    judged(times(4, SWAPPED), 1000),
    VERDICT.unweighted(settings.updateSteps),
  ],
  'leaves PADA out before its first weights': [
    judged(times(3, { 'source-only': [900, 10], dann: [600, 350], pada: [600, 350] }), 1000),
    VERDICT.ranked(30, scores({ 'source-only': 90, dann: 60 })) + VERDICT.misreads('dann', 35),
  ],
  'ignores evaluations from before the weights': [judged(times(5, CLEAR), 30), VERDICT.early(50)],
  'counts evaluations since the weights': [
    judged(times(6, CLEAR), 30),
    VERDICT.ranked(60, scores({ pada: 90, dann: 60 })) + VERDICT.misreads('dann', 35),
  ],
  'needs an evaluation': [new PageState(), ''],
  'needs three evaluations': [judged(times(2, CLEAR)), VERDICT.early(20)],
  'needs two runs': [judged(times(3, { pada: [900, 0] })), ''],
  'finds equal scores equal': [judged(times(3, { dann: [600, 350], pada: [600, 350] })), NONE],
  'finds scores within the sampling error equal': [judged(times(3, { dann: [800, 150], pada: [820, 100] })), NONE],
  'finds scores of 0 equal': [judged(times(3, { dann: [0, 0], pada: [0, 0] })), NONE],
  'finds scores of 100 equal': [judged(times(3, { dann: [1000, 0], pada: [1000, 0] })), NONE],
  'finds scores equal if evaluations disagree': [judged([CLEAR, SWAPPED, CLEAR]), NONE],
  'resolves less with fewer images': [judged(times(3, small(72))), VERDICT.equal(30, 100, ['dann', 'pada'])],
  'resolves large differences with few images': [judged(times(3, small(90))), SCORES],
  'resolves more with more images': [
    judged(times(3, { dann: [600, 200], pada: [720, 200] })),
    VERDICT.ranked(30, scores({ pada: 72, dann: 60 })),
  ],
};

for (const [name, [state, verdict]] of Object.entries(VERDICTS))
  test(`the verdict ${name}`, () => assert.is(verdictOf(state), verdict));

test('names the classes whose weight fell while self-training labels images, unless other classes were chosen', () => {
  const state = new PageState();
  state.choose(chosen('self-training'), true);
  state.take(ready(1, 'start', { 'self-training': 0 }));
  const run = state.run('self-training')!;
  const weigh = (iteration: number, ...weights: number[]) => {
    const { weights: event, ...rest } = measured('self-training', [iteration, iteration], 1);
    const classWeight = [...weights, ...new Array(10 - weights.length).fill(0)];
    state.take(progress(1, { ...rest, weights: { ...event, classWeight } }));
  };
  weigh(300, 1, 1, 1);
  weigh(400, 1, 0.5, 1);
  assert.equal([run.fallenSince(300), run.fallenSince(200)], [[], [1]]);
  weigh(500, 0.8, 0.95, 1);
  assert.equal(run.fallenSince(300), [0]);
  state.choose({ ...state.settings, classes: [1] });
  weigh(500, 0.7, 1, 0);
  assert.equal(run.fallenSince(300), []);
});

test('the verdict compares a run that ended earlier by its last evaluation', () => {
  const state = judged(times(3, { ...CLEAR, 'self-training': [990, 0] }));
  state.choose({ ...state.settings, pseudoFrom: 10 });
  const runs = [measured('dann', [30, 40], 1), measured('pada', [30, 40], 0.5)];
  state.take(progress(1, ...runs, { ...measured('self-training', [30, 30], 1), ended: true }));
  assert.is(state.iteration, 40);
  state.take(
    snapshots(
      1,
      ['dann', { iteration: 40, evaluation: evaluated(600, 350) } as Snapshot],
      ['pada', { iteration: 40, evaluation: evaluated(900, 20) } as Snapshot],
      ['self-training', { iteration: 30, evaluation: evaluated(990, 0) } as Snapshot],
    ),
  );
  assert.match(
    verdictOf(state),
    /^After 40 iterations: Self-training 99.0.% correct \(30 iterations\), PADA 90.0.%, DANN/,
  );
});

test('the verdict waits for a run that is behind, and is withdrawn when digits change', () => {
  const state = judged(times(3, CLEAR));
  state.take(snapshots(1, ['pada', { iteration: 40, evaluation: evaluated(900, 0) } as Snapshot]));
  assert.is(verdictOf(state), VERDICT.behind(['dann']));
  state.choose({ ...state.settings, classes: [9] });
  assert.is(verdictOf(state), '');
});

test('the verdict is a sentence', () => {
  assert.is(
    SCORES + VERDICT.misreads('dann', 35),
    'After 30 iterations: PADA 90.0\u00a0% correct, DANN 60.0\u00a0%. DANN misreads 35.0\u00a0% as digits that do not occur.',
  );
  assert.match(NONE, /1,000 test images show no clear difference between DANN and PADA/);
});

test('metrics as comma-separated values', () => {
  const lines = csvOf(trained().runs, 10).split('\n');
  assert.is(
    lines[0],
    'method,iteration,classLoss,transferLoss,classAccuracy,domainAccuracy,targetAccuracy,weight0,weight1,weight2,weight3,weight4,weight5,weight6,weight7,weight8,weight9',
  );
  assert.is(lines[1], `source-only,1,1,0.5,75,,,${new Array(10).fill(1)}`);
  assert.is(lines[5], `pada,2,0.5,0.5,75,50,40,${new Array(10).fill(1)}`);
  assert.is(lines[7], `pada,4,0.25,0.5,75,50,,${new Array(10).fill(0.25)}`);
  assert.equal([lines.length, lines[8]], [9, '']);
});

test.run();
