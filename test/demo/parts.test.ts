import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { align, thin } from '../../demo/page/curves.ts';
import { digitOf } from '../../demo/page/raster.ts';
import { ranges, strayShare } from '../../demo/page/words.ts';
import { Pace } from '../../demo/page/worker/pace.ts';
import { Lookout } from '../../demo/page/worker/schedule.ts';

const SIDE = 280;
const PIXELS = 28;

/** A drawing with a filled box. */
function box(left: number, top: number, width: number, height: number): Uint8Array {
  return Uint8Array.from({ length: SIDE * SIDE }, (_, i) => {
    const [x, y] = [(i % SIDE) - left, Math.floor(i / SIDE) - top];
    return x >= 0 && x < width && y >= 0 && y < height ? 255 : 0;
  });
}

test('a drawing fills the box of 20x20 that digits have, wherever and however small it was drawn', () => {
  for (const [left, top, size] of [
    [0, 0, 1],
    [10, 200, 5],
    [30, 40, 100],
    [0, 0, 280],
  ] as const) {
    const image = digitOf(box(left, top, size, 2 * Math.min(size, 140)), SIDE)!;
    const rows = Array.from({ length: PIXELS }, (_, row) => image.subarray(PIXELS * row, PIXELS * (row + 1)));
    const inked = rows.flatMap((row, y) => [...row.keys()].filter((x) => row[x]! > 127).map((x) => [x, y]));
    const [xs, ys] = [inked.map(([x]) => x!), inked.map(([, y]) => y!)];
    assert.equal([Math.min(...ys), Math.max(...ys)], [4, 23]);
    assert.is(Math.min(...xs) + Math.max(...xs), 27);
  }
});

test('a drawing off its middle is moved by the middle of its ink', () => {
  const ink = box(100, 100, 10, 100);
  for (const [i, value] of box(100, 180, 60, 20).entries()) ink[i] = Math.max(ink[i]!, value);
  const image = digitOf(ink, SIDE)!;
  let [sum, x, y] = [0, 0, 0];
  for (const [i, value] of image.entries())
    [sum, x, y] = [sum + value, x + value * ((i % 28) + 0.5), y + value * (Math.floor(i / 28) + 0.5)];
  assert.ok(Math.abs(x / sum - 14) < 0.3 && Math.abs(y / sum - 14) < 0.3, `${x / sum} ${y / sum}`);
  assert.is(digitOf(new Uint8Array(SIDE * SIDE), SIDE), null);
});

test('slices fill their time, whatever an iteration and a wait take', () => {
  const settle = (roundTrip: number, each: number) => {
    const pace = new Pace(roundTrip);
    for (let i = 0; i < 20; i++) pace.measured(pace.steps, roundTrip + pace.steps * each);
    return pace;
  };
  assert.is(settle(0, 1000).steps, 1);
  assert.is(settle(0, 2).steps, 15);
  assert.is(settle(100, 2).steps, 15);
  assert.is(settle(1, 0.01).steps, 64);
  assert.is(settle(100, 2).msPerStep.toFixed(3), '2.000');
});

test('looking costs a fifth of the time at most, and is not waited for where it is slow', () => {
  const fast = new Lookout();
  assert.equal([fast.due(9, 0), fast.due(10, 0), fast.wanted(0), fast.wanted(1)], [false, true, false, true]);
  fast.looked(10, 0, 5000);
  assert.equal([fast.due(10, 9000), fast.due(11, 5599), fast.due(11, 5600)], [false, false, true]);
  fast.looked(11, 6000, 8000);
  assert.equal([fast.due(12, 17_999), fast.due(12, 18_000), fast.wanted(12)], [false, true, false]);
});

test('curves are thinned to means, and put side by side', () => {
  const x = Array.from({ length: 10 }, (_, i) => i);
  assert.equal(thin({ x, y: x.map((i) => 2 * i) }, 4), { x: [2, 5, 8, 9], y: [2, 8, 14, 18] });
  assert.equal(thin({ x, y: x }, 10), { x, y: x });
  assert.equal(
    align([
      { x: [1, 3], y: [5, Number.NaN] },
      { x: [2, 3], y: [7, 8] },
    ]),
    [
      [1, 2, 3],
      [5, null, null],
      [null, 7, 8],
    ],
  );
  assert.equal(align([]), [[]]);
});

test('digits in words, and the share that went astray', () => {
  assert.equal([ranges([0, 1, 2, 3, 4]), ranges([0, 2, 3, 9]), ranges([5])], ['0–\u20604', '0, 2–\u20603, 9', '5']);
  const confusion = [
    [8, 0, 2],
    [1, 5, 4],
    [0, 0, 0],
  ];
  assert.is(strayShare({ confusion, count: 20, accuracy: 65, perClass: [] }, [0, 1]), 30);
});

test.run();
