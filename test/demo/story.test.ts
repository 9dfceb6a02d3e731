import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { csvOf } from '../../demo/csv.ts';
import type { Figures, Look, Report, Samples } from '../../demo/protocol.ts';
import { defaultSettings } from '../../demo/settings.ts';
import { Story } from '../../demo/story.ts';
import type { Method } from '../../src/train/options.ts';

const samples = {} as Samples;
const ready = (iterations: [Method, number][], anew: boolean): Report => ({
  type: 'ready',
  settings: defaultSettings,
  samples,
  iterations,
  anew,
});

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

function told(): Story {
  const story = new Story();
  story.take(
    ready(
      [
        ['source-only', 0],
        ['pada', 0],
      ],
      true,
    ),
  );
  story.take({ type: 'progress', msPerStep: 2, figures: [figures('source-only', 0, 2, 1), figures('pada', 0, 2, 1)] });
  story.take({ type: 'looks', looks: [['pada', look(2, 40)]] });
  story.take({
    type: 'progress',
    msPerStep: 2,
    figures: [figures('source-only', 2, 3, 1), figures('pada', 2, 4, 0.25)],
  });
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
  story.take(
    ready(
      [
        ['source-only', 1],
        ['pada', 1],
      ],
      false,
    ),
  );
  const pada = story.track('pada')!;
  assert.equal([pada.rows.length, pada.weights.length, pada.accuracies.length, story.iteration], [1, 0, 0, 1]);
  story.take({ type: 'progress', msPerStep: 2, figures: [figures('pada', 1, 3, 1)] });
  assert.equal(
    pada.rows.map(({ iteration }) => iteration),
    [0, 1, 2],
  );
});

test('what was seen of other digits is forgotten, what was measured is not', () => {
  const story = told();
  const iterations: [Method, number][] = [
    ['source-only', 3],
    ['pada', 4],
  ];
  story.take(ready(iterations, false));
  assert.ok(story.track('pada')!.look);
  story.take({ ...ready(iterations, false), settings: { ...defaultSettings, digits: [9] } } as Report);
  assert.equal([story.track('pada')!.look, story.track('pada')!.accuracies.length], [undefined, 1]);
});

test('a beginning forgets, other methods come and go', () => {
  const story = told();
  story.take(
    ready(
      [
        ['dann', 0],
        ['pada', 4],
      ],
      false,
    ),
  );
  assert.equal(
    story.tracks.map(({ method, rows }) => [method, rows.length]),
    [
      ['dann', 0],
      ['pada', 4],
    ],
  );
  story.take(
    ready(
      [
        ['dann', 0],
        ['pada', 0],
      ],
      true,
    ),
  );
  assert.equal(
    story.tracks.map(({ rows }) => rows.length),
    [0, 0],
  );
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
