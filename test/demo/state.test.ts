import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { csvOf } from '../../demo/page/csv.ts';
import type { Figures, Look, Report, Samples } from '../../demo/page/protocol.ts';
import { defaultSettings, METHODS, type Settings } from '../../demo/page/settings.ts';
import { Story } from '../../demo/page/state.ts';
import { verdictOf } from '../../demo/page/verdict.ts';
import type { Evaluation } from '../../src/train/events.ts';
import type { Method } from '../../src/train/options.ts';

const samples = {} as Samples;
const ready = (iterations: [Method, number][], from: 'start' | 'before' | 'file', revision: number): Report => ({
  type: 'ready',
  settings: defaultSettings,
  samples,
  iterations,
  revision,
  from,
  next: [],
});
const progress = (revision: number, ...all: Figures[]): Report => ({
  type: 'progress',
  msPerStep: 2,
  figures: all,
  revision,
});
const looks = (revision: number, ...all: [Method, Look][]): Report => ({ type: 'looks', looks: all, revision });

/** What a training tells of the iterations [from, to), its weights being `weight`. */
function figures(method: Method, from: number, to: number, weight: number): Figures {
  const rows = Array.from({ length: to - from }, (_, i) => ({
    iteration: from + i,
    classLoss: 1 / (from + i + 1),
    transferLoss: 0.5,
    classAccuracy: 75,
    domainAccuracy: method === 'source-only' ? Number.NaN : 50,
  }));
  const classWeight = new Array(10).fill(weight);
  return {
    method,
    iteration: to,
    rows,
    weights: { iteration: to, classWeight, effectiveClasses: 1, entropy: 0, collapsed: false },
  };
}

const look = (iteration: number, accuracy: number) => ({ iteration, evaluation: { accuracy } }) as Look;
const chosen = (...methods: Method[]): Settings => ({ ...defaultSettings, methods });

function told(): Story {
  const story = new Story();
  story.choose(chosen('source-only', 'pada'), true);
  const begun: [Method, number][] = [
    ['source-only', 0],
    ['pada', 0],
  ];
  story.take(ready(begun, 'start', 1));
  story.take(progress(1, figures('source-only', 0, 2, 1), figures('pada', 0, 2, 1)));
  story.take(looks(1, ['pada', look(2, 40)]));
  story.take(progress(1, figures('source-only', 2, 3, 1), figures('pada', 2, 4, 0.25)));
  return story;
}

test('a story keeps each figure once, and weights where they changed', () => {
  const story = told();
  const pada = story.track('pada')!;
  assert.equal(
    pada.rows.map(({ iteration }) => iteration),
    [0, 1, 2, 3],
  );
  assert.equal(
    pada.weights.map(({ iteration }) => iteration),
    [2, 4],
  );
  assert.is(story.iteration, 3);
});

test('after a loss the story goes back, and goes on without gap or repetition', () => {
  const story = told();
  const back: [Method, number][] = [
    ['source-only', 1],
    ['pada', 1],
  ];
  story.take(ready(back, 'before', 1));
  const pada = story.track('pada')!;
  assert.equal([pada.rows.length, pada.weights.length, pada.accuracies.length, story.iteration], [1, 0, 0, 1]);
  assert.is(pada.look, undefined);
  story.take(progress(1, figures('pada', 1, 3, 1)));
  assert.equal(
    pada.rows.map(({ iteration }) => iteration),
    [0, 1, 2],
  );
});

test('a choice of digits shows at once, and looks at the old ones are forgotten, late ones too', () => {
  const story = told();
  const pada = story.track('pada')!;
  const revision = story.choose({ ...story.settings, digits: [9] });
  assert.equal([story.settings.digits, story.samples, pada.look], [[9], undefined, undefined]);
  assert.is(pada.accuracies.length, 1);
  assert.ok(story.awaits('ready') && story.awaitsLook(pada));
  // These were under way when the visitor chose: the figures count, the look does not.
  story.take(progress(1, figures('pada', 4, 5, 0.25)));
  story.take(looks(1, ['pada', look(5, 41)]));
  assert.equal([pada.rows.length, pada.look, pada.accuracies.length], [5, undefined, 1]);
  const now: [Method, number][] = [
    ['source-only', 3],
    ['pada', 5],
  ];
  story.take(ready(now, 'before', 1));
  assert.ok(story.awaits('ready'));
  story.take({ ...ready(now, 'before', revision), next: ['progress', 'looks'] } as Report);
  assert.equal([story.awaits('ready'), story.awaits('progress'), story.awaitsLook(pada)], [false, true, true]);
  assert.equal([story.settings.digits, story.samples], [[9], samples]);
  story.take(progress(revision));
  story.take(looks(revision, ['pada', look(5, 60)]));
  assert.equal([story.awaits('progress'), story.awaitsLook(pada), pada.look!.evaluation.accuracy], [false, false, 60]);
});

test('a choice of anything else keeps what the networks were seen to do', () => {
  const story = told();
  story.choose({ ...story.settings, temperature: 3 });
  assert.ok(story.track('pada')!.look);
  assert.not(story.awaitsLook(story.track('pada')!));
  assert.ok(story.awaits('ready'));
});

test('a start shows empty trainings at once, and figures of the old ones that come late are dropped', () => {
  const story = told();
  story.take({ type: 'answers', answers: [['pada', new Float32Array(10)]], drawing: 0, revision: 1 });
  assert.ok(story.track('pada')!.answer);
  const revision = story.choose({ ...story.settings, seed: 1 }, true);
  const empty = () => story.tracks.map(({ iteration, rows, look, answer }) => [iteration, rows.length, look, answer]);
  const fresh = [0, 0, undefined, undefined];
  assert.equal([empty(), story.msPerStep], [[fresh, fresh], 0]);
  story.take(progress(1, figures('pada', 4, 5, 0.25)));
  story.take(looks(1, ['pada', look(5, 41)]));
  story.take({ type: 'answers', answers: [['pada', new Float32Array(10)]], drawing: 0, revision: 1 });
  assert.equal([empty(), story.msPerStep], [[fresh, fresh], 0]);
  const begun: [Method, number][] = [
    ['source-only', 0],
    ['pada', 0],
  ];
  story.take(ready(begun, 'start', revision));
  story.take(progress(revision, figures('pada', 0, 1, 1)));
  assert.is(story.track('pada')!.iteration, 1);
});

test('a training that is chosen again has its history', () => {
  const story = told();
  story.choose(chosen('dann', 'source-only'));
  assert.equal(
    story.tracks.map(({ method, rows }) => [method, rows.length]),
    [
      ['dann', 0],
      ['source-only', 3],
    ],
  );
  const revision = story.choose(chosen('dann', 'pada'));
  const now: [Method, number][] = [
    ['dann', 0],
    ['pada', 4],
  ];
  story.take(ready(now, 'before', revision));
  assert.equal(
    story.tracks.map(({ method, rows }) => [method, rows.length]),
    now,
  );
});

test('a file brings its settings, unless the visitor has chosen since', () => {
  const opened: [Method, number][] = [['pada', 40]];
  const settings = { ...chosen('pada'), temperature: 7, run: true };
  for (const chooses of [false, true]) {
    const story = told();
    if (chooses) story.choose({ ...story.settings, temperature: 2 });
    story.take({ ...ready(opened, 'file', 1), settings } as Report);
    assert.is(story.settings.temperature, chooses ? 2 : 7);
    assert.is(story.settings.run, undefined);
    assert.equal([story.track('pada')!.iteration, story.track('pada')!.rows.length], [40, 0]);
  }
});

test('a failure ends the wait for figures, and a fatal one every wait', () => {
  const failed = (fatal: boolean, code = ''): Report => ({ type: 'failed', code, text: '', fatal, running: false });
  const story = told();
  story.take({ ...ready([['pada', 4]], 'before', 1), next: ['progress', 'looks'] } as Report);
  story.take(failed(false));
  assert.not(story.awaits('progress', 'looks'));
  story.choose({ ...story.settings, digits: [1] });
  story.take(failed(false));
  assert.ok(story.awaits('ready'));
  story.take(failed(true));
  assert.not(story.awaits('ready', 'progress', 'looks', 'answers'));
  assert.is(story.adapter, undefined);
  story.mode = 'failed';
  story.choose({ ...story.settings, digits: [2] });
  story.draw(false);
  assert.not(story.awaits('ready', 'answers'));
  story.choose(story.settings, true);
  assert.ok(story.awaits('ready'));
  story.take(failed(true, 'NO_ADAPTER'));
  assert.is(story.adapter, null);
});

test('an answer counts for the drawing it was asked for', () => {
  const story = told();
  const answer = (drawing: number, digit: number): Report => {
    const probabilities = new Float32Array(10);
    probabilities[digit] = 1;
    return { type: 'answers', answers: [['pada', probabilities]], drawing, revision: 1 };
  };
  const seen = () => story.track('pada')!.answer?.indexOf(1);
  const first = story.draw(false);
  assert.ok(story.awaits('answers'));
  story.take(answer(first, 3));
  assert.equal([story.awaits('answers'), seen()], [false, 3]);
  const second = story.draw(false);
  assert.equal([story.awaits('answers'), seen()], [true, 3]);
  const empty = story.draw(true);
  assert.is(seen(), undefined);
  story.take(answer(second, 4));
  assert.is(seen(), undefined);
  story.take({ type: 'answers', answers: null, drawing: empty, revision: 1 });
  assert.equal([story.awaits('answers'), seen()], [false, undefined]);
  story.draw(false);
  story.take(answer(story.draw(false), 5));
  assert.is(seen(), 5);
});

const IMAGES = 1000;

/** An evaluation with so many of the target's images correct, and so many taken for digits that it lacks. */
function evaluated(correct: number, astray: number, n = IMAGES): Evaluation {
  const confusion = Array.from({ length: 10 }, () => new Array<number>(10).fill(0));
  confusion[0]![0] = correct;
  confusion[0]![9] = astray;
  confusion[0]![1] = n - correct - astray;
  return { accuracy: (100 * correct) / n, perClass: [], confusion, count: n };
}

type Round = { [M in Method]?: [correct: number, astray: number, n?: number] };

/** A story of trainings that were evaluated every ten iterations; PADA has class weights from `weightedAt` on. */
function judged(rounds: readonly Round[], weightedAt = 5): Story {
  const methods = METHODS.filter((method) => method in rounds[0]!);
  const story = new Story();
  story.choose(chosen(...methods), true);
  const begun = methods.map((method): [Method, number] => [method, 0]);
  story.take(ready(begun, 'start', 1));
  for (const [i, round] of rounds.entries()) {
    for (const at of [10 * i + 5, 10 * i + 10])
      story.take(
        progress(1, ...methods.map((one) => figures(one, at - 5, at, one === 'pada' && at >= weightedAt ? 0.5 : 1))),
      );
    const seen = methods.map((one): [Method, Look] => [
      one,
      { iteration: 10 * i + 10, evaluation: evaluated(...round[one]!) } as Look,
    ]);
    story.take(looks(1, ...seen));
  }
  return story;
}

const CLEAR: Round = { dann: [600, 350], pada: [900, 20] };
const times = (n: number, round: Round): Round[] => new Array(n).fill(round);

test('a verdict names the better and the worse training where several evaluations agree', () => {
  assert.is(
    verdictOf(judged(times(3, CLEAR))),
    'After 30 iterations PADA reads 90.0\u00a0%, DANN reads 60.0\u00a0%; DANN takes 35.0\u00a0% for digits that are not there.',
  );
  // It blames PADA where PADA is at fault, and no method for digits that both go astray to.
  assert.match(verdictOf(judged(times(3, { dann: CLEAR.pada!, pada: CLEAR.dann! }))), /DANN reads 90.*; PADA takes 35/);
  assert.is(
    verdictOf(judged(times(3, { dann: [600, 20], pada: [900, 20] }))),
    'After 30 iterations PADA reads 90.0\u00a0%, DANN reads 60.0\u00a0%.',
  );
});

test('no verdict before there are class weights: PADA is DANN until then', () => {
  const early = judged(times(4, { dann: [600, 350], pada: [500, 400] }), 1000);
  assert.is(
    verdictOf(early),
    `PADA takes its first class weights after ${defaultSettings.updateSteps} iterations; until then it trains as DANN does.`,
  );
  const three = { 'source-only': [900, 10], dann: [600, 350], pada: [600, 350] } satisfies Round;
  assert.is(
    verdictOf(judged(times(3, three), 1000)),
    'After 30 iterations Print alone reads 90.0\u00a0%, DANN reads 60.0\u00a0%; DANN takes 35.0\u00a0% for digits that are not there.',
  );
});

test('evaluations from before the class weights do not count', () => {
  assert.is(verdictOf(judged(times(5, CLEAR), 30)), 'After 50 iterations it is too early to compare.');
  assert.match(verdictOf(judged(times(6, CLEAR), 30)), /^After 60 iterations PADA reads/);
});

test('no verdict before enough evaluations', () => {
  assert.is(verdictOf(new Story()), '');
  assert.is(verdictOf(judged(times(2, CLEAR))), 'After 20 iterations it is too early to compare.');
  assert.is(verdictOf(judged(times(3, { pada: [900, 0] }))), '');
});

test('no verdict on equal scores, on differences within the sample, and where evaluations disagree', () => {
  const none = 'After 30 iterations 1,000 test images show no clear difference between DANN and PADA.';
  assert.is(verdictOf(judged(times(3, { dann: [600, 350], pada: [600, 350] }))), none);
  assert.is(verdictOf(judged(times(3, { dann: [800, 150], pada: [820, 100] }))), none);
  assert.is(verdictOf(judged(times(3, { dann: [0, 0], pada: [0, 0] }))), none);
  assert.is(verdictOf(judged(times(3, { dann: [1000, 0], pada: [1000, 0] }))), none);
  const swapped: Round = { dann: CLEAR.pada!, pada: CLEAR.dann! };
  assert.is(verdictOf(judged([CLEAR, swapped, CLEAR])), none);
  // 60 and 90 of 100 differ clearly, 60 and 72 do not: in 1,000 images both would.
  const small = (pada: number): Round => ({ dann: [60, 20, 100], pada: [pada, 20, 100] });
  assert.match(verdictOf(judged(times(3, small(72)))), /100 test images show no clear difference/);
  assert.match(verdictOf(judged(times(3, small(90)))), /PADA reads 90/);
  assert.match(verdictOf(judged(times(3, { dann: [600, 200], pada: [720, 200] }))), /PADA reads 72/);
});

test('trainings at other iterations are not compared', () => {
  const story = judged(times(3, CLEAR));
  story.take(looks(1, ['pada', { iteration: 40, evaluation: evaluated(900, 0) } as Look]));
  assert.is(verdictOf(story), 'DANN has to catch up before they can be compared.');
});

test('a choice of digits takes the verdict back', () => {
  const story = judged(times(3, CLEAR));
  story.choose({ ...story.settings, digits: [9] });
  assert.is(verdictOf(story), '');
});

test('metrics as comma-separated values', () => {
  const lines = csvOf(told().tracks).split('\n');
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
