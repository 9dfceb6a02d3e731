import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { align, thin } from '../../demo/page/curves.ts';
import { digitOf } from '../../demo/page/raster.ts';
import { defaultSettings, PAGE_METHODS, parseSettings, type Settings, showSettings } from '../../demo/page/settings.ts';
import { absentShare } from '../../demo/page/verdict.ts';
import { INTRODUCTION, listed, ranges, STATUS } from '../../demo/page/words.ts';
import { SliceLength, SnapshotSchedule } from '../../demo/page/worker/schedule.ts';

const SIDE = 280;

/** A drawing with a filled box. */
const box = (left: number, top: number, [width, height]: readonly [number, number]): Uint8Array =>
  Uint8Array.from({ length: SIDE * SIDE }, (_, i) => {
    const [x, y] = [(i % SIDE) - left, Math.floor(i / SIDE) - top];
    return x >= 0 && x < width && y >= 0 && y < height ? 255 : 0;
  });

test('a drawing of any size fills the box of 20x20 that MNIST digits have', () => {
  for (const [left, top, size] of [
    [0, 0, 1],
    [10, 200, 5],
    [30, 40, 100],
    [0, 0, 280],
  ] as const) {
    const image = digitOf(box(left, top, [size, 2 * Math.min(size, 140)]), SIDE)!;
    const inked = [...image.keys()].filter((i) => image[i]! > 127);
    const [xs, ys] = [inked.map((i) => i % 28), inked.map((i) => Math.floor(i / 28))];
    assert.equal([Math.min(...ys), Math.max(...ys)], [4, 23]);
    assert.is(Math.min(...xs) + Math.max(...xs), 27);
  }
});

test('a drawing is centred by its ink', () => {
  const ink = box(100, 100, [10, 100]);
  for (const [i, value] of box(100, 180, [60, 20]).entries()) ink[i] = Math.max(ink[i]!, value);
  let [sum, x, y] = [0, 0, 0];
  for (const [i, value] of digitOf(ink, SIDE)!.entries())
    [sum, x, y] = [sum + value, x + value * ((i % 28) + 0.5), y + value * (Math.floor(i / 28) + 0.5)];
  assert.ok(Math.abs(x / sum - 14) < 0.3 && Math.abs(y / sum - 14) < 0.3, `${x / sum} ${y / sum}`);
  assert.is(digitOf(new Uint8Array(SIDE * SIDE), SIDE), null);
});

test('slices fill their time, whatever an iteration and a wait take', () => {
  const settled = (roundTrip: number, perStep: number) => {
    const slices = new SliceLength(roundTrip);
    for (let i = 0; i < 20; i++) slices.measured(slices.steps, roundTrip + slices.steps * perStep);
    return slices;
  };
  for (const [roundTrip, perStep, steps] of [
    [0, 1000, 1],
    [0, 2, 15],
    [100, 2, 15],
    [1, 0.01, 64],
  ] as const)
    assert.is(settled(roundTrip, perStep).steps, steps);
  assert.is(settled(100, 2).msPerStep.toFixed(3), '2.000');
});

test('snapshots take at most a sixth of the time, and a pause does not wait for slow ones', () => {
  const schedule = new SnapshotSchedule();
  assert.equal([schedule.dueInTraining(9, 0), schedule.dueInTraining(10, 0)], [false, true]);
  assert.equal([schedule.dueAtRest(0), schedule.dueAtRest(1)], [false, true]);
  schedule.taken(10, 0, 5000);
  const due = [schedule.dueInTraining(10, 9000), schedule.dueInTraining(11, 5599), schedule.dueInTraining(11, 5600)];
  assert.equal(due, [false, false, true]);
  schedule.taken(11, 6000, 8000);
  assert.equal([schedule.dueInTraining(12, 17_999), schedule.dueInTraining(12, 18_000)], [false, true]);
  assert.is(schedule.dueAtRest(12), false);
});

test('curves are thinned to means, and aligned', () => {
  const x = Array.from({ length: 10 }, (_, i) => i);
  assert.equal(thin({ x, y: x.map((i) => 2 * i) }, 4), { x: [2, 5, 8, 9], y: [2, 8, 14, 18] });
  assert.equal(thin({ x, y: x }, 10), { x, y: x });
  const curves = [
    { x: [1, 3], y: [5, Number.NaN] },
    { x: [2, 3], y: [7, 8] },
  ];
  const [all, first, second] = align(curves);
  assert.equal(
    [all, first, second],
    [
      [1, 2, 3],
      [5, null, null],
      [null, 7, 8],
    ],
  );
  assert.equal(align([]), [[]]);
});

test('texts list digits and names, and count', () => {
  assert.equal([ranges([0, 1, 2, 3, 4]), ranges([0, 2, 3, 9]), ranges([5])], ['0–\u20604', '0, 2–\u20603, 9', '5']);
  assert.equal([listed(['a']), listed(['a', 'b']), listed(['a', 'b', 'c'])], ['a', 'a and b', 'a, b and c']);
  assert.is(STATUS.finished(1500), 'Finished 1,500 iterations. Press Continue to train on.');
  assert.is(STATUS.opened('f', 'dann', undefined), 'Opened f (network only; DANN continues from it).');
  const all = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
  assert.match(INTRODUCTION.dann('digits', all, []), /plain adaptation is the right thing/);
  assert.match(INTRODUCTION.dann('digits', all.slice(0, 7), [7, 8, 9]), /no handwritten 7, 8 or 9, .*can be worse/);
  assert.match(INTRODUCTION.dann('emoji', [0, 1], [2, 4]), /no animal or vehicle, .*those kinds/);
});

test('the share of absent digits counts their columns', () => {
  const confusion = [
    [8, 0, 2],
    [1, 5, 4],
    [0, 0, 0],
  ];
  assert.is(absentShare({ confusion, count: 20, accuracy: 65, perClass: [] }, [0, 1]), 30);
});

test('an address without settings gives the defaults, which need no address', () => {
  assert.equal([parseSettings(''), parseSettings('#')], [defaultSettings, defaultSettings]);
  assert.is(showSettings(defaultSettings), '');
});

test('an address holds every setting', () => {
  const chosen: Settings = {
    task: 'digits',
    methods: PAGE_METHODS,
    classes: [1, 3, 9],
    temperature: 0.25,
    tradeOff: 1.5,
    updateSteps: 7,
    threshold: 0.999,
    pseudoFrom: 0,
    seed: 4294967295,
    batch: 16,
    size: 32,
    resize: 'fit',
    channels: 1,
    speed: 5,
    run: true,
  };
  const shown = showSettings(chosen);
  assert.is(
    shown,
    'methods=source-only,dann,pada,self-training&digits=139&temperature=0.25&tradeOff=1.5&updateSteps=7&threshold=0.999&pseudoFrom=0&seed=4294967295&batch=16&size=32&resize=fit&channels=1&speed=5&run=1',
  );
  assert.equal(parseSettings(`#${shown}`), chosen);
  const paused = { ...defaultSettings, run: false };
  assert.equal(parseSettings(showSettings(paused)), paused);
  const emoji: Settings = { ...defaultSettings, task: 'emoji', classes: [0, 11] };
  assert.is(showSettings(emoji), 'task=emoji&classes=0,11');
  assert.equal(parseSettings('#task=emoji&classes=11,0,12,x'), emoji);
});

test('invalid settings give the defaults, and numbers move into their ranges', () => {
  const invalid =
    'task=cats&size=33&resize=cover&channels=2&methods=best&digits=xyz&temperature=hot&tradeOff=&updateSteps=NaN&threshold=sure&pseudoFrom=-&seed=Infinity&speed=3&run=yes&batch';
  assert.equal(parseSettings(invalid), defaultSettings);
  const { temperature, tradeOff, updateSteps, seed, batch } = parseSettings(
    'temperature=-1&tradeOff=1e9&updateSteps=0.4&seed=-5&batch=1e6',
  );
  assert.equal([temperature, tradeOff, updateSteps, seed, batch], [0.01, 5, 1, 0, 256]);
});

test('methods and digits are sorted, once each', () => {
  const { methods, classes } = parseSettings('methods=pada,dann,pada&digits=77310');
  assert.equal([methods.join(), classes.join()], ['dann,pada', '0,1,3,7']);
});

test.run();
