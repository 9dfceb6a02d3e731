import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { withoutRoot } from '../../demo/page/folder.ts';
import { OwnState } from '../../demo/page/ownState.ts';
import type { OpenedModel, OwnFile, OwnSet, Report } from '../../demo/page/protocol.ts';
import { defaultSettings } from '../../demo/page/settings.ts';
import { place, planar } from '../../demo/page/worker/decode.ts';

// The parts of the page's way with own images that need no browser; test/browser/ownImages has the rest.

const file = (path: string): OwnFile => ({ path, file: {} as File });
const set = {} as OwnSet;
const settings = { ...defaultSettings, size: 32 };
const model: OpenedModel = { file: 'f', arch: 'smallCnn', classNames: ['a', 'b'], shape: [1, 20, 24], resize: 'fit' };

/** The folders that are read next, with the form that their images are brought to. */
const reading = (own: OwnState) =>
  own.unread(settings).map((command) => {
    if (command.type !== 'folder') throw new Error(command.type);
    return [command.side, command.form.shape.join(), command.form.resize, command.reading] as const;
  });
const read = (side: 'source' | 'target', number: number): Report => ({
  type: 'read',
  side,
  set,
  error: '',
  reading: number,
});

test('trains once both folders are read, and ignores readings that were replaced', () => {
  const own = new OwnState();
  own.choose('source', 'shop', [file('cup/1.png')]);
  own.choose('target', 'phone', [file('1.png')]);
  assert.equal(reading(own), [
    ['source', '3,32,32', 'crop', 1],
    ['target', '3,32,32', 'crop', 2],
  ]);
  own.choose('target', 'camera', [file('1.png'), file('2.png')]);
  assert.equal(reading(own), [['target', '3,32,32', 'crop', 3]]);
  own.take(read('source', 1));
  own.take(read('target', 2));
  assert.equal([own.canTrain, own.isReading], [false, true]);
  own.take({ type: 'reading', side: 'target', done: 1, total: 2, reading: 3 });
  assert.is(own.folders.target!.done, 1);
  own.take(read('target', 3));
  assert.equal([own.canTrain, own.canLabel, own.isReading], [true, false, false]);
  own.forgetSets();
  assert.equal(reading(own).length, 2);
  assert.not(own.canTrain);
});

test('a model takes the place of labelled images and says how images are read, until others are chosen', () => {
  const own = new OwnState();
  own.choose('source', 'shop', [file('cup/1.png')]);
  own.choose('target', 'phone', [file('1.png')]);
  own.unread(settings);
  own.take({ type: 'model', model });
  assert.equal([own.folders.source, reading(own)], [undefined, [['target', '1,20,24', 'fit', 3]]]);
  own.take(read('target', 3));
  assert.equal([own.canTrain, own.canLabel], [false, true]);
  own.choose('target', 'camera', [file('2.png')]);
  assert.is(own.model, model);
  own.choose('source', 'shop', [file('cup/1.png')]);
  assert.is(own.model, undefined);
});

test('paths begin below the folder that was chosen', () => {
  const paths = (...all: string[]) => {
    const { folder, files } = withoutRoot(all.map(file));
    return [folder, ...files.map(({ path }) => path)];
  };
  assert.equal(paths('shop/cup/1.png', 'shop/mug/2.png'), ['shop', 'cup/1.png', 'mug/2.png']);
  assert.equal(paths('cup/1.png', 'mug/2.png'), ['2 files', 'cup/1.png', 'mug/2.png']);
  assert.equal(paths('1.png'), ['1.png', '1.png']);
});

test('images are cropped, fitted and stretched about their middle', () => {
  const wide = { height: 44, width: 60 };
  const square = { height: 28, width: 28 };
  const whole = { x: 0, y: 0, ...wide };
  const all = { x: 0, y: 0, ...square };
  assert.equal(place(wide, { ...square, resize: 'fill' }), { from: whole, to: all });
  const { from, to } = place(wide, { ...square, resize: 'crop' });
  assert.equal([Math.round(from.x), from.y, Math.round(from.width), from.height, to], [8, 0, 44, 44, all]);
  assert.equal(place(wide, { ...square, resize: 'fit' }), { from: whole, to: { x: 0, y: 3, height: 21, width: 28 } });
});

test('colours become grey as sharp makes them', () => {
  const pixels = Uint8ClampedArray.of(255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255, 128, 64, 200, 255, 9, 9, 9, 255);
  assert.equal([...planar(pixels, 1)], [127, 220, 76, 99, 9]);
  assert.equal([...planar(pixels.subarray(12), 3)], [128, 9, 64, 9, 200, 9]);
});

test.run();
